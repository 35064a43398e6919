"""The bytes that a terminal sends for a key."""

from __future__ import annotations

import difflib

_NAMED = {
    "escape": "\x1b",
    "enter": "\r",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "backspace": "\x7f",
    "space": " ",
    "ctrl+space": "\x00",
    "ctrl+@": "\x00",
    "ctrl+backspace": "\x08",
    "insert": "\x1b[2~",
    "delete": "\x1b[3~",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "f3": "\x1bOR",
    "f4": "\x1bOS",
    "f5": "\x1b[15~",
    "f6": "\x1b[17~",
    "f7": "\x1b[18~",
    "f8": "\x1b[19~",
    "f9": "\x1b[20~",
    "f10": "\x1b[21~",
    "f11": "\x1b[23~",
    "f12": "\x1b[24~",
}
_CURSOR = {"up": "A", "down": "B", "right": "C", "left": "D", "home": "H", "end": "F"}
_MODIFIERS = {"shift": 1, "alt": 2, "ctrl": 4}


def key_bytes(key: str, *, application_cursor: bool = False) -> bytes:
    """What an xterm sends for a key, named as Textual names it ("j", "+", "ctrl+c", "shift+tab", "alt+x", "pageup").

    Args:
        key: The key's name, or the character itself.
        application_cursor: Whether the program has switched the arrows to `ESC O` (DECCKM), as less and vim do.
    """
    if len(key) == 1:
        return key.encode()
    if key in _NAMED:
        return _NAMED[key].encode()
    *modifiers, name = key.split("+") if not key.endswith("++") else [*key[:-2].split("+"), "+"]
    if name in _CURSOR and set(modifiers) <= set(_MODIFIERS):
        if modifiers:
            return f"\x1b[1;{1 + sum(_MODIFIERS[modifier] for modifier in modifiers)}{_CURSOR[name]}".encode()
        return f"\x1b{'O' if application_cursor else '['}{_CURSOR[name]}".encode()
    if modifiers[:1] == ["alt"]:
        return b"\x1b" + key_bytes(key.removeprefix("alt+"))
    if modifiers == ["ctrl"] and len(name) == 1 and name.upper() in "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_":
        return bytes([ord(name.upper()) & 0x1F])
    near = difflib.get_close_matches(key, [*_NAMED, *_CURSOR], 1)
    hint = f", did you mean {near[0]!r}?" if near else ": to type a text use type()"
    raise ValueError(f"no key {key!r}{hint}")
