"""The demo's one address: it is never the reason for which the demo cannot be shown."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from procdeck.cli.demonstration import _free_route
from procdeck.core.config import Config, TypeSpec
from procdeck.core.formation import ProcessType
from procdeck.demo import PROCFILE
from tests.cli.support import running
from tests.engine.support import free_base


def config(base: int) -> Config:
    specs = tuple(TypeSpec(ProcessType(name, "true", index)) for index, name in enumerate(("web", "load")))
    return Config(root=Path("/app"), title="app", procfile="/app/Procfile", specs=specs, base_port=base)


def test_a_port_that_somebody_has_is_passed_over() -> None:
    first = _free_route(config(5000))
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", first)):
        assert _free_route(config(5000)) > first


def test_so_are_the_ports_of_its_own_instances() -> None:
    assert _free_route(config(7950)) not in range(7950, 8150)


def test_the_load_goes_through_it(tmp_path: Path) -> None:
    base = free_base()
    with running(
        "demo", "--plain", "-p", str(base), "-c", "all=0,web=1,load=1", cwd=tmp_path, root=PROCFILE.parent
    ) as deck:
        deck.wait_line(r"load\.1 .*[1-9]\d* req/s through port \d+ .*errors 0")
        types = {type_.name: type_.route for type_ in deck.snapshot().types}
        assert types["web"] is not None
        assert set(types.values()) == {types["web"], None}
