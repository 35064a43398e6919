"""Docker Compose: one service for each type, in one file, by the Compose Specification."""

import os
from collections.abc import Mapping
from pathlib import Path

from procdeck.cli.exporters.formation import ExportedType, File, Formation
from procdeck.cli.exporters.quoting import compose_string, shell_word
from procdeck.cli.exporters.yamltext import Value, to_yaml
from procdeck.core.config import ReadyKind
from procdeck.core.policy import RestartPolicy

_RESTARTS = {RestartPolicy.ALWAYS: "always", RestartPolicy.ON_FAILURE: "on-failure", RestartPolicy.NEVER: "no"}


def compose(formation: Formation, image: str | None, folder: Path) -> list[File]:
    """`compose.yaml`.

    Args:
        formation: what is exported.
        image: what its containers are made of; None: it is built from the app's folder.
        folder: where the file will be.
    """
    services = {type_.name: _service(type_, formation, image, folder) for type_ in formation.types}
    document = to_yaml({"name": _project(formation.app), "services": services})
    head = f"# {formation.app}, written by procdeck export. `docker compose up` starts it.\n"
    return [File("compose.yaml", head + document, private=True)]


def _project(app: str) -> str:
    return app.lower().replace(".", "-")


def _service(type_: ExportedType, formation: Formation, image: str | None, folder: Path) -> Mapping[str, Value]:
    env = {**formation.env, **type_.env, "PORT": str(type_.port)}
    service: dict[str, Value] = {}
    if image is None:
        service["build"] = compose_string(os.path.relpath(formation.root, folder))
    else:
        service["image"] = compose_string(image)
    service["command"] = [formation.shell, "-c", compose_string(in_subfolder(type_))]
    # The shell is not to be process 1, which hears no TERM.
    service["init"] = True
    service["environment"] = {name: compose_string(value) for name, value in env.items()}
    if type_.listens:
        last = type_.port + max(1, type_.quantity) - 1
        # Its instances share the port within, each in a network of its own; outside each has procdeck's.
        outside = str(type_.port) if last == type_.port else f"{type_.port}-{last}"
        service["ports"] = [f"{outside}:{type_.port}"]
    deploy: dict[str, Value] = {"replicas": type_.quantity}
    if type_.memory_limit is not None:
        deploy["resources"] = {"limits": {"memory": str(type_.memory_limit)}}
    service["deploy"] = deploy
    service["restart"] = _RESTARTS[type_.restart]
    service["stop_signal"] = type_.stop_signal.name
    service["stop_grace_period"] = f"{round(type_.stop_timeout * 1000)}ms"
    test = _health(type_)
    if test is not None:
        service["healthcheck"] = {"test": ["CMD-SHELL", compose_string(test)], "interval": "5s", "start_period": "30s"}
    if type_.after:
        checked = {other.name for other in formation.types if _health(other) is not None}
        service["depends_on"] = {
            name: {"condition": "service_healthy" if name in checked else "service_started"} for name in type_.after
        }
    return service


def in_subfolder(type_: ExportedType) -> str:
    """The command of a type, run in its folder within an image of the app."""
    if not type_.subfolder:
        return type_.command
    return f"cd {shell_word(type_.subfolder)} || exit\n{type_.command}"


def _health(type_: ExportedType) -> str | None:
    """A shell command that tells whether it is ready; None when that is not known, or cannot be told from within."""
    if type_.ready is None:
        return None
    match type_.ready.kind:
        case ReadyKind.HTTP:
            url = shell_word(f"http://127.0.0.1:{type_.port}{type_.ready.value}")
            return f"curl -fsS -o /dev/null {url} || wget -q -O /dev/null {url}"
        case ReadyKind.COMMAND:
            return type_.ready.value
        case ReadyKind.PORT | ReadyKind.STARTED | ReadyKind.LOG:
            return None
