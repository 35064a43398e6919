"""Brings the peers of `pins` into a folder, with the package clients that are on this machine:

    python -m benchmarks.peers.install FOLDER

What a client does not bring is named, and the others are brought all the same. What is there in the right version
already is left alone. `installed.json` in the folder tells the versions.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .pins import PINS, Client, Pin

INSTALLED = "installed.json"
_LONGEST = 900.0
"""Seconds that one client may take."""


def install(folder: Path) -> None:
    """Brings what is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = folder / INSTALLED
    known: dict[str, str] = json.loads(listed.read_text()) if listed.exists() else {}
    for pin in PINS:
        if known.get(pin.peer) == pin.version:
            print(f"{pin.peer} {pin.version} is there.")
            continue
        print(f"{pin.peer} {pin.version} by {pin.client.value} …", flush=True)
        fault = _bring(pin, folder)
        if fault:
            known.pop(pin.peer, None)
            print(f"    left out: {fault}", flush=True)
        else:
            known[pin.peer] = pin.version
        listed.write_text(json.dumps(known, indent=1) + "\n")


def _bring(pin: Pin, folder: Path) -> str:
    """Returns why it could not be brought, in one line; empty: it was."""
    env: dict[str, str] = {}
    match pin.client:
        case Client.PIP:
            python = folder / "python" / "bin" / "python"
            if not python.exists() and (fault := _call([sys.executable, "-m", "venv", str(folder / "python")], env)):
                return fault
            argv = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
            argv += [f"{pin.package}=={pin.version}"]
        case Client.NPM:
            node = folder / "node"
            node.mkdir(exist_ok=True)
            # Without one npm would take a package.json further up for its own.
            if not (node / "package.json").exists():
                (node / "package.json").write_text("{}\n")
            argv = ["npm", "install", "--prefix", str(node), "--no-audit", "--no-fund", "--save-exact"]
            argv += [f"{pin.package}@{pin.version}"]
        case Client.GO:
            # One compiler at a time: others may work on this machine.
            env = {"GOBIN": str(folder / "go"), "GOFLAGS": "-p=1", "CGO_ENABLED": "0"}
            argv = ["go", "install", f"{pin.package}@v{pin.version}"]
        case Client.GEM:
            argv = ["gem", "install", "--no-document", "--install-dir", str(folder / "gem"), pin.package]
            argv += ["--version", pin.version]
    return _call(argv, env)


def _call(argv: Sequence[str], env: dict[str, str]) -> str:
    if not shutil.which(argv[0]):
        return f"there is no {argv[0]} here"
    try:
        done = subprocess.run(
            ["nice", *argv], env={**os.environ, **env}, capture_output=True, text=True, timeout=_LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{argv[0]} took longer than {_LONGEST:g} s"
    said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return "" if done.returncode == 0 else (said[-1] if said else f"{argv[0]} ended with {done.returncode}")


if __name__ == "__main__":
    install(Path(sys.argv[1]).resolve())
