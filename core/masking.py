"""Which values of an environment are nobody else's business, and how they are shown. Pure. Whoever prints an
environment passes it through here.
"""

import re
from collections.abc import Mapping

MASK = "••••••"
_NAME = re.compile(
    r"pass|pwd|secret|token|key|credential|cred$|auth|private|dsn|cookie|salt|session|signature|cert|jwt|bearer",
    re.IGNORECASE,
)
_PUBLIC = frozenset({"PWD", "OLDPWD", "SSH_AUTH_SOCK", "XDG_SESSION_ID", "XDG_SESSION_TYPE", "DESKTOP_SESSION"})
"""Names that look like it and are none."""
_URL = re.compile(r"(?P<head>[A-Za-z][A-Za-z0-9+.-]*://[^\s/@:]*:)(?P<password>[^\s/@]+)(?=@)")
_LOOKS_SECRET = re.compile(
    r"gh[pousr]_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|sk-[\w-]{16,}|AKIA[0-9A-Z]{12,}|eyJ[\w-]{10,}\.[\w-]+\."
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
)


def masked(name: str, value: str) -> str:
    """A variable's value for other eyes: hidden when the name or the value says that it is a secret, and without the
    password of a URL."""
    if not value:
        return value
    if name not in _PUBLIC and (_NAME.search(name) or _LOOKS_SECRET.search(value)):
        return MASK
    return _URL.sub(lambda found: found["head"] + MASK, value)


def masked_environment(values: Mapping[str, str]) -> dict[str, str]:
    """All of an environment for other eyes."""
    return {name: masked(name, value) for name, value in values.items()}
