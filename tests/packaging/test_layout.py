"""What pyproject.toml says of the checkout, held against the checkout."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import procdeck
from procdeck.demo import PROCFILE

REPO = Path(__file__).parents[2]
PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PROJECT["tool"]["setuptools"]["packages"]


def test_every_package_is_listed() -> None:
    """Setuptools installs what is listed and nothing else; a checkout works without."""
    found = {
        ".".join(Path("" if top == "procdeck" else "procdeck", Path(folder).relative_to(REPO)).parts)
        for top in ("procdeck", "core", "tui")
        for folder, _, files in os.walk(REPO / top)  # does not follow the links in procdeck/
        if any(name.endswith(".py") for name in files)
    }
    assert found == set(PACKAGES)


def test_every_package_has_an_init() -> None:
    assert [name for name in PACKAGES if not REPO.joinpath(*name.split("."), "__init__.py").is_file()] == []


def test_the_version_is_the_same_in_both_places() -> None:
    assert PROJECT["project"]["version"] == procdeck.__version__


def test_the_sample_at_the_top_is_the_one_of_the_demo() -> None:
    assert (REPO / "Procfile.sample").samefile(PROCFILE)
