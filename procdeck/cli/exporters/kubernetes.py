"""Kubernetes: for each type a Deployment, a Service for those that are reached by their PORT, and a Secret with what
.env says. `kubectl apply -f FOLDER` brings it about.
"""

import math
import re
from collections.abc import Mapping

from procdeck.cli.exporters.compose import in_subfolder
from procdeck.cli.exporters.formation import ExportedType, File, Formation
from procdeck.cli.exporters.quoting import kubernetes_string
from procdeck.cli.exporters.yamltext import Value, to_yaml
from procdeck.core.config import ReadyKind
from procdeck.core.errors import UsageError

_MOST_NAME = 63
_PERIOD = 5
"""Seconds between two probes."""
_SECRET_KEY = re.compile(r"[A-Za-z0-9._-]+")


def kubernetes(formation: Formation, image: str | None) -> list[File]:
    """A file for each type, and one for the Secret.

    Args:
        formation: what is exported.
        image: what its containers are made of; None: the app's name.

    Raises:
        UsageError: a name that Kubernetes does not take.
    """
    files: dict[str, File] = {}
    secret = _name(formation.app, "env")
    if formation.env:
        files[secret] = File(f"{secret}.yaml", _document(_secret(formation, secret)), private=True)
    for type_ in formation.types:
        name = _name(formation.app, type_.name)
        if name in files:
            raise UsageError(f"Two things would be named {name} in Kubernetes: rename the type {type_.name}.")
        text = _document(_deployment(type_, formation, name, image or formation.app.lower(), secret))
        if type_.listens:
            text += "---\n" + to_yaml(_service(type_, formation, name))
        files[name] = File(f"{name}.yaml", text, private=bool(type_.env))
    return list(files.values())


def left_out(formation: Formation) -> list[str]:
    """What the types' settings say that Kubernetes cannot be told, a sentence each."""
    said: list[str] = []
    for type_ in formation.types:
        if type_.restart.value == "never":
            said.append(f"{type_.name}: restart = never is left out, as a Deployment always starts it again.")
        if type_.stop_signal.name != "SIGTERM":
            said.append(f"{type_.name}: stop_signal is left out, as Kubernetes sends TERM or what the image says.")
        if type_.after:
            said.append(f"{type_.name}: after is left out, as Kubernetes starts everything at once.")
        if type_.ready is not None and type_.ready.kind is ReadyKind.LOG:
            said.append(f"{type_.name}: ready.log is left out, as Kubernetes reads no logs.")
    return said


def _name(app: str, part: str) -> str:
    """A DNS label (RFC 1123)."""
    name = re.sub(r"[^a-z0-9-]", "-", f"{app}-{part}".lower()).strip("-")
    if len(name) > _MOST_NAME:
        raise UsageError(
            f"{name} is longer than the {_MOST_NAME} characters that Kubernetes takes: shorten it with -a."
        )
    if not name[0].isalpha():
        raise UsageError(f"{name} begins with a digit, as no Service's name may: give another with -a.")
    return name


def _document(content: Mapping[str, Value]) -> str:
    return "# Written by procdeck export.\n" + to_yaml(content)


def _labels(formation: Formation, type_: ExportedType | None = None) -> dict[str, Value]:
    labels: dict[str, Value] = {"app.kubernetes.io/name": formation.app[:_MOST_NAME].rstrip("-_.")}
    if type_ is not None:
        labels["app.kubernetes.io/component"] = re.sub(r"^[-_]+|[-_]+$", "", type_.name[:_MOST_NAME])
    return labels


def _secret(formation: Formation, name: str) -> Mapping[str, Value]:
    for key in formation.env:
        if not _SECRET_KEY.fullmatch(key):
            raise UsageError(f"The variable {key} cannot be exported to Kubernetes: rename it.")
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": _labels(formation)},
        "type": "Opaque",
        "stringData": dict(formation.env),
    }


def _deployment(type_: ExportedType, formation: Formation, name: str, image: str, secret: str) -> Mapping[str, Value]:
    labels = _labels(formation, type_)
    pod: dict[str, Value] = {
        "containers": [_container(type_, formation, image, secret)],
        "terminationGracePeriodSeconds": max(1, math.ceil(type_.stop_timeout)),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": type_.quantity,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _container(type_: ExportedType, formation: Formation, image: str, secret: str) -> Mapping[str, Value]:
    container: dict[str, Value] = {
        "name": re.sub(r"[^a-z0-9-]", "-", type_.name.lower())[:_MOST_NAME].strip("-") or "main",
        "image": image,
        "command": [formation.shell, "-c", kubernetes_string(in_subfolder(type_))],
        "env": [
            {"name": name, "value": kubernetes_string(value)}
            for name, value in {**type_.env, "PORT": str(type_.port)}.items()
        ],
    }
    if formation.env:
        container["envFrom"] = [{"secretRef": {"name": secret}}]
    if type_.listens:
        container["ports"] = [{"name": "port", "containerPort": type_.port}]
    probe = _probe(type_, formation)
    if probe is not None:
        container["readinessProbe"] = probe
    if type_.memory_limit is not None:
        container["resources"] = {"limits": {"memory": str(type_.memory_limit)}}
    return container


def _probe(type_: ExportedType, formation: Formation) -> Mapping[str, Value] | None:
    kind = type_.ready.kind if type_.ready is not None else ReadyKind.PORT if type_.listens else ReadyKind.STARTED
    value = type_.ready.value if type_.ready is not None else ""
    match kind:
        case ReadyKind.PORT:
            return {"tcpSocket": {"port": type_.port}, "periodSeconds": _PERIOD}
        case ReadyKind.HTTP:
            return {"httpGet": {"path": value, "port": type_.port}, "periodSeconds": _PERIOD}
        case ReadyKind.COMMAND:
            return {"exec": {"command": [formation.shell, "-c", value]}, "periodSeconds": _PERIOD}
        case ReadyKind.STARTED | ReadyKind.LOG:
            return None


def _service(type_: ExportedType, formation: Formation, name: str) -> Mapping[str, Value]:
    labels = _labels(formation, type_)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "selector": labels,
            "ports": [{"name": "port", "port": type_.port, "targetPort": type_.port}],
        },
    }
