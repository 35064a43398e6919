"""What honcho would run, as its own code sees it. Run as a program in an interpreter of its own: reads cases (folder,
words, environment) as JSON, and prints for each what it comes to. Imports nothing of procdeck.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from typing import Any


def view(folder: str, args: list[str], environ: dict[str, str]) -> dict[str, Any]:
    """The processes that `honcho start ARGS` would start: what stands in its `command_start` before the start."""
    from honcho import command
    from honcho import environ as environment

    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    options = command.parser.parse_args(["start", *args])
    env = environment.Env(command.map_from(options))
    procfile = command._procfile(env)
    quantities = command._parse_concurrency(options.concurrency)
    app_env = command._read_env(options.app_root, options.env)
    chosen = procfile.processes
    if options.processes:
        chosen = {name: procfile.processes[name] for name in options.processes}
    processes = environment.expand_processes(
        chosen, concurrency=quantities, env=app_env, quiet=None, port=command._port(env)
    )
    return {
        "processes": [{"name": p.name, "command": p.cmd, "env": {**os.environ, **p.env}} for p in processes],
        "dotenv": list(app_env),
    }


def main() -> None:
    results = []
    for case in json.load(sys.stdin):
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                results.append(view(case["folder"], case["args"], case["environ"]))
        except SystemExit as end:
            results.append({"refused": end.code})
        except Exception as error:
            results.append({"refused": 1, "error": type(error).__name__})
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
