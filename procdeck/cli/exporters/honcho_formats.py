"""systemd, supervisord, runit and upstart: honcho's exporters decide which files there are, and fill in the templates.

Theirs put commands between quotes without quoting them, leave systemd's `%` alone, stop a shell and not what it has
started, and know nothing of a type's settings; so they get other templates, and filters that quote.
"""

import importlib
import math
import re
import signal
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from procdeck.cli.exporters.formation import File, Formation, Process, check_variables
from procdeck.cli.exporters.quoting import (
    envdir_value,
    shell_exports,
    shell_word,
    supervisor_value,
    supervisor_variable,
    supervisor_word,
    systemd_plain,
    systemd_string,
)
from procdeck.cli.exporters.templates import RUNIT, SUPERVISORD, SYSTEMD, UPSTART
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.policy import RestartPolicy

Filters = Mapping[str, Callable[..., object]]
_WORD = re.compile(r"[A-Za-z0-9_./-]+")


def systemd(formation: Formation, folder: str | None = None) -> list[File]:
    """A target for the app, one for each type, and a service for each instance.

    Args:
        formation: what is exported.
        folder: of templates to use instead; they get what honcho's get.
    """
    restarts = {
        RestartPolicy.ALWAYS: "always",
        RestartPolicy.ON_FAILURE: "on-failure",
        RestartPolicy.NEVER: "no",
    }
    filters: Filters = {
        "plain": lambda path: systemd_plain(str(path)),
        "word": systemd_string,
        "command": lambda text: systemd_string(text, command=True),
        "program": lambda text: text if _WORD.fullmatch(text) else systemd_string(text, command=True),
        "restart": restarts.__getitem__,
        "seconds": lambda seconds: f"{seconds:g}",
    }
    return _render("systemd", formation, SYSTEMD, filters, folder, private=())


def supervisord(formation: Formation, folder: str | None = None) -> list[File]:
    """One file with a program for each instance, and a group of them. See `systemd`."""
    restarts = {RestartPolicy.ALWAYS: "true", RestartPolicy.ON_FAILURE: "unexpected", RestartPolicy.NEVER: "false"}

    def simple(process: Process) -> dict[str, str]:
        written = {name: supervisor_variable(value) for name, value in process.env.items()}
        return {name: value for name, value in written.items() if value is not None}

    def command(process: Process) -> str:
        rest = {name: value for name, value in process.env.items() if name not in simple(process)}
        return supervisor_word("; ".join([*shell_exports(rest), process.cmd]))

    filters: Filters = {
        "plain": lambda path: supervisor_value(str(path)),
        "command": command,
        "shell_path": lambda text: text if _WORD.fullmatch(text) else supervisor_word(text),
        "environment": lambda process: ",".join(f"{name}={value}" for name, value in simple(process).items()),
        "restart": restarts.__getitem__,
        "seconds": math.ceil,
    }
    for type_ in formation.types:
        if re.search(r"\s[;#]", str(type_.folder)) or not str(type_.folder).isprintable():
            raise UsageError(f"The folder {type_.folder} cannot be written in supervisord's file: rename it.")
    return _render("supervisord", formation, SUPERVISORD, filters, folder, private=("*",))


def runit(formation: Formation, folder: str | None = None) -> list[File]:
    """A folder for each instance: run, log/run, control/t, and an env folder of variables. See `systemd`."""
    filters: Filters = {
        "shell_word": lambda text: shell_word(str(text)),
        "exports": lambda process: shell_exports(
            {name: value for name, value in process.env.items() if envdir_value(value) is None}
        ),
    }
    by_folder = {f"{formation.app}-{_dashed(process.name)}": process for process in formation.processes}
    files: list[File] = []
    for file in _render("runit", formation, RUNIT, filters, folder, private=("/env/", "/run")):
        service, _, rest = file.name.partition("/")
        if rest.startswith("env/"):
            value = envdir_value(by_folder[service].env[rest.removeprefix("env/")])
            if value is not None:
                files.append(File(file.name, value, private=True))
        else:
            files.append(file)
    if folder is None:
        for service, process in by_folder.items():
            for letter, number in (("t", process.type.stop_signal), ("k", signal.SIGKILL)):
                script = RUNIT["control"].replace("{{ signal }}", number.name.removeprefix("SIG"))
                files.append(File(f"{service}/control/{letter}", script, executable=True))
    return files


def upstart(formation: Formation, folder: str | None = None) -> list[File]:
    """A job for the app, one for each type, and one for each instance. See `systemd`."""
    filters: Filters = {
        "shell_word": lambda text: shell_word(str(text)),
        "exports": lambda process: shell_exports(process.env),
        "seconds": math.ceil,
    }
    return _render("upstart", formation, UPSTART, filters, folder, private=("*",))


def _render(
    kind: str,
    formation: Formation,
    templates: Mapping[str, str],
    filters: Filters,
    folder: str | None,
    *,
    private: Iterable[str],
) -> list[File]:
    check_variables(formation, kind)
    try:
        import jinja2  # honcho's exporters end the process when it is not there
    except ImportError:
        raise ProcdeckError(f"The export to {kind} needs jinja2: pip install 'honcho[export]'.") from None
    from honcho.export.base import dashrepl, percentescape

    loader = jinja2.DictLoader(dict(templates)) if folder is None else jinja2.FileSystemLoader([folder])
    environment = jinja2.Environment(loader=loader, keep_trailing_newline=folder is None)
    environment.filters |= {"dashrepl": dashrepl, "percentescape": percentescape, "shellquote": shell_word, **filters}
    exporter = importlib.import_module(f"honcho.export.{kind}").Export(template_env=environment)
    context: dict[str, Any] = {
        "app": formation.app,
        "app_root": str(formation.root),
        "log": formation.log,
        "shell": formation.shell,
        "user": formation.user,
    }
    try:
        rendered = list(exporter.render(formation.processes, context))
    except jinja2.TemplateError as error:
        raise ProcdeckError(f"The templates in {folder} cannot be filled in: {error}.") from None
    return _distinct(
        File(one.name, one.content, one.executable, any(part == "*" or part in f"/{one.name}" for part in private))
        for one in rendered
    )


def _distinct(files: Iterable[File]) -> list[File]:
    seen: dict[str, File] = {}
    for file in files:
        if file.name in seen:
            raise UsageError(f"Two types would be written to {file.name}: rename one of them in the Procfile.")
        seen[file.name] = file
    return list(seen.values())


def _dashed(name: str) -> str:
    return re.sub(r"\W", "-", name)
