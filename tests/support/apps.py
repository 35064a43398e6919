"""Folders with an application in them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path


class Apps:
    """The `app_dir` fixture: makes folders with a Procfile and what goes with it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __call__(
        self,
        procfile: str | Mapping[str, str] | None = None,
        *,
        env: str | None = None,
        toml: str | None = None,
        files: Mapping[str, str] | None = None,
        name: str = "app",
    ) -> Path:
        """Make a new folder. Texts may be indented; what is None is not written.

        Args:
            procfile: The Procfile's text, or its commands by process type.
            env: The text of .env.
            toml: The text of procdeck.toml.
            files: Further files by their path in the folder; executable when they begin with `#!`.
            name: The folder's name; a number is added to the second of that name.
        """
        folder = self._root / name
        number = 1
        while folder.exists():
            number += 1
            folder = self._root / f"{name}-{number}"
        folder.mkdir(parents=True)
        if isinstance(procfile, Mapping):
            procfile = "".join(f"{kind}: {command}\n" for kind, command in procfile.items())
        texts = {"Procfile": procfile, ".env": env, "procdeck.toml": toml, **(files or {})}
        for path, text in texts.items():
            if text is not None:
                write(folder / path, text)
        return folder


def write(path: Path, text: str) -> None:
    """Write an indented text without its indentation; executable when it begins with `#!`."""
    text = textwrap.dedent(text).lstrip("\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if text.startswith("#!"):
        path.chmod(0o755)
