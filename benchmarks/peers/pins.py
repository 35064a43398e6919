"""Which peers are brought, by which package client, and in which version."""

from dataclasses import dataclass
from enum import Enum


class Client(Enum):
    """Who brings it."""

    PIP = "pip"
    NPM = "npm"
    GO = "go"
    GEM = "gem"


@dataclass(frozen=True)
class Pin:
    """One peer's package."""

    peer: str
    """Its name in the tables, and in `known`."""
    client: Client
    package: str
    version: str


PINS = (
    Pin("honcho", Client.PIP, "honcho", "2.0.0"),
    Pin("circus", Client.PIP, "circus", "0.19.0"),
    Pin("supervisor", Client.PIP, "supervisor", "4.3.0"),
    Pin("mprocs", Client.NPM, "mprocs", "0.9.6"),
    Pin("pm2", Client.NPM, "pm2", "7.0.4"),
    Pin("concurrently", Client.NPM, "concurrently", "9.2.1"),
    Pin("node-foreman", Client.NPM, "foreman", "3.0.1"),
    Pin("overmind", Client.GO, "github.com/DarthSim/overmind/v2", "2.5.1"),
    Pin("hivemind", Client.GO, "github.com/DarthSim/hivemind", "1.1.0"),
    Pin("goreman", Client.GO, "github.com/mattn/goreman", "0.3.16"),
    # Its main package has the name of its folder, so its program is called `src`.
    Pin("process-compose", Client.GO, "github.com/f1bonacc1/process-compose/src", "1.64.1"),
    Pin("foreman", Client.GEM, "foreman", "0.88.1"),
)
