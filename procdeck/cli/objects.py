"""What is told in JSON: the same object for an instance from every command. Its keys stay, others may be added."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from procdeck.cli.table import measurements
from procdeck.core.messages import InstanceView, Sample, Snapshot
from procdeck.core.router.control import Traffic
from procdeck.core.state import Exit

Object = dict[str, Any]


def formation_object(snapshot: Snapshot, instances: Iterable[InstanceView]) -> Object:
    """A formation with some of its instances."""
    samples = measurements(snapshot.instances, snapshot.samples)
    traffic = {one.name: one for one in snapshot.traffic}
    return {
        "title": snapshot.title,
        "root": snapshot.root,
        "procfile": snapshot.procfile,
        "engine_pid": snapshot.engine_pid,
        "detached": not snapshot.owned,
        "stopping": snapshot.stopping,
        "formation": {type_.name: type_.wanted for type_ in snapshot.types},
        "routes": {
            type_.name: {
                "port": type_.route,
                "waiting": snapshot.waiting.get(type_.name, 0),
                "traffic": traffic_object(traffic.get(type_.name)),
            }
            for type_ in snapshot.types
            if type_.route is not None
        },
        "instances": [instance_object(view, samples.get(view.name), traffic.get(view.name)) for view in instances],
        "notices": list(snapshot.notices),
    }


def instance_object(view: InstanceView, sample: Sample | None = None, traffic: Traffic | None = None) -> Object:
    """An instance. Times are seconds, memory is bytes, and CPU is in percent of one core; null is not known, or not
    so."""
    return {
        "name": view.name,
        "type": view.type,
        "number": view.number,
        "state": view.state.value,
        "ready": view.ready,
        "pid": view.pid,
        "port": view.port,
        "cpu": None if sample is None else round(sample.cpu, 1),
        "memory": None if sample is None else sample.memory,
        "processes": None if sample is None else sample.processes,
        "threads": None if sample is None else sample.threads,
        "uptime": _seconds(view.uptime),
        "run": view.run,
        "restarts": view.restarts,
        "crashes": view.crashes,
        "looping": view.looping,
        "held": view.held,
        "removing": view.removing,
        "outdated": view.outdated,
        "retry_in": _seconds(view.retry_in),
        "kill_in": _seconds(view.kill_in),
        "traffic": traffic_object(traffic),
        "last_exit": None if view.last_exit is None else exit_object(view.last_exit, view),
        "note": view.note,
    }


def traffic_object(traffic: Traffic | None) -> Object | None:
    """What went through the router in the last second; rates are a second, times are seconds."""
    if traffic is None:
        return None
    return {
        "connections": traffic.connections,
        "opened": round(traffic.opened, 3),
        "requests": round(traffic.requests, 3),
        "received": round(traffic.received),
        "sent": round(traffic.sent),
        "first_byte_p50": _moment(traffic.first_byte_p50),
        "first_byte_p95": _moment(traffic.first_byte_p95),
        "failures": traffic.failures,
    }


def exit_object(exit_: Exit, view: InstanceView) -> Object:
    """The end of an instance's latest run that has ended."""
    return {
        "text": str(exit_),
        "code": exit_.code,
        "signal": exit_.signal,
        "core_dumped": exit_.core_dumped,
        "error": exit_.error,
        "cause": exit_.cause,
        "wanted": view.last_wanted,
        "uptime": _seconds(view.last_uptime),
    }


def as_line(value: Mapping[str, Any]) -> str:
    """One line of JSON, in ASCII, so that it is read the same whatever the locale."""
    return json.dumps(value)


def _moment(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
