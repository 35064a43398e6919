"""SHA-256 without OpenSSL, which `hashlib` loads: that costs every command milliseconds, and each process megabytes."""

from collections.abc import Callable
from typing import Any


def _find() -> Callable[[bytes], Any]:
    for name in ("_sha2", "_sha256"):  # from Python 3.12 on; before
        try:
            found: Callable[[bytes], Any] = __import__(name).sha256
        except (ImportError, AttributeError):
            continue
        return found
    import hashlib

    return hashlib.sha256


_sha256 = _find()


def sha256(data: bytes) -> str:
    """The digest in 64 hexadecimal digits."""
    digits: str = _sha256(data).hexdigest()
    return digits
