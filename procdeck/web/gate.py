"""Who may come in: the rules by which a request is let in or refused. Pure; the web server asks it of every request.

The dashboard can stop and start programs, so any page that is open in the same browser, and any other user of the
machine, is taken for somebody who would like to. A page elsewhere is kept out by the Origin that its browser tells; a
page whose name was made to mean this machine (DNS rebinding), by the Host; whoever else can reach the port, by the
token.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

_NAMES = ("127.0.0.1", "localhost", "[::1]")
"""By which a browser on this machine may call it."""


class Refusal(Enum):
    """Why a request is not let in, in a sentence for whoever made it."""

    HOST = "procdeck answers only to 127.0.0.1, localhost and [::1], and to the port on which it listens."
    ORIGIN = "Another page may not speak with procdeck."
    TOKEN = "The token is missing or old: open the address that procdeck serve has printed."


@dataclass(frozen=True)
class Asked:
    """What of a request matters here."""

    path: str
    hosts: Sequence[str]
    """Its Host headers; a request that is whole has one."""
    origins: Sequence[str] = ()
    """Its Origin headers."""
    token: str | None = None
    """What its address tells for a token."""
    cookie: str | None = None
    """What its browser was given."""
    is_socket: bool = False
    """It asks for a websocket."""


@dataclass
class Gate:
    """The rules of one server."""

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    """For whoever may see the dashboard."""
    _tickets: set[str] = field(default_factory=set)

    @property
    def cookie_name(self) -> str:
        """Of this server alone: cookies are shared by all ports of a machine."""
        return f"procdeck-{self.port}"

    @property
    def address(self) -> str:
        """What a person opens."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def ticket_address(self) -> str:
        """An address that lets in once. For where others can read it, as they can a program's arguments."""
        ticket = secrets.token_urlsafe(32)
        self._tickets.add(ticket)
        return f"http://127.0.0.1:{self.port}/?token={ticket}"

    def refuses(self, asked: Asked) -> Refusal | None:
        """Why a request is not let in; None when it is. A ticket that it brings is used up."""
        if len(asked.hosts) != 1 or not self._is_ours(asked.hosts[0]):
            return Refusal.HOST
        # A websocket is not bound by the browser's same-origin rule: what keeps a foreign page out is that its Origin
        # is told. Whatever else tells one must be the page's own, too.
        if (asked.is_socket or asked.origins) and list(asked.origins) != [f"http://{asked.hosts[0]}"]:
            return Refusal.ORIGIN
        if asked.token is not None and asked.path == "/":
            return None if _same(asked.token, self.token) or self._takes(asked.token) else Refusal.TOKEN
        return None if asked.cookie is not None and _same(asked.cookie, self.token) else Refusal.TOKEN

    def _is_ours(self, host: str) -> bool:
        ours = {f"{name}:{self.port}" for name in _NAMES}
        # Port 80 is not written out.
        return host.lower() in (ours | set(_NAMES) if self.port == 80 else ours)

    def _takes(self, ticket: str) -> bool:
        found = [one for one in self._tickets if _same(ticket, one)]
        self._tickets.difference_update(found)
        return bool(found)


def headers(port: int) -> dict[str, str]:
    """What every answer tells the browser: to take nothing from elsewhere, to be in no frame, to tell nobody the
    address."""
    # xterm.js makes style elements; no script but ours runs. `'self'` is no websocket in every browser.
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": " ".join(["'self'", *(f"ws://{name}:{port}" for name in ("127.0.0.1", "localhost"))]),
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Server": "procdeck",
    }


def _same(given: str, right: str) -> bool:
    # In a time that does not tell how much of it is right; and headers may hold what is no ASCII.
    return secrets.compare_digest(given.encode(errors="replace"), right.encode())
