"""What is built and installed: it is complete, it is nothing else, and it runs where no checkout is.

Nothing is downloaded: setuptools and the dependencies are those of the Python that runs the tests.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import venv
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

import procdeck
from tests.support.processes import with_variable

REPO = Path(__file__).parents[2]

# One worker builds, and has all tests of what was built.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("distributions")]


def run(*command: str | os.PathLike[str], cwd: Path) -> str:
    """Run a command to its end, without the checkout on its path.

    Returns:
        What it printed.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.run(
        command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, f"{command} ended with {process.returncode}\n{process.stdout}\n{process.stderr}"
    return process.stdout


def build(kind: str, source: Path, into: Path) -> Path:
    """Have setuptools build a "wheel", an "sdist" or an "editable" wheel, as pip does without isolation."""
    into.mkdir()
    run(sys.executable, "-c", f"from setuptools.build_meta import *; build_{kind}({str(into)!r})", cwd=source)
    (built,) = into.iterdir()
    return built


def contents(wheel: Path) -> dict[str, bytes]:
    """Read what is in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@dataclass(frozen=True)
class Built:
    """The distributions, and the checkout's copy that they were built from: a build writes into its source."""

    checkout: Path
    wheel: Path
    sdist: Path
    unpacked: Path
    wheel_of_sdist: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build from the checkout, and from the sdist."""
    folder = tmp_path_factory.mktemp("built")
    checkout = folder / "checkout"
    checkout.mkdir()
    for path in REPO.iterdir():
        if path.is_file():
            shutil.copy(path, checkout, follow_symlinks=False)
    for name in ("core", "tui", "procdeck", "tests", "docs"):
        shutil.copytree(REPO / name, checkout / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    # The sdist first: it must not depend on what building a wheel leaves behind.
    sdist = build("sdist", checkout, folder / "sdist")
    (folder / "unpacked").mkdir()
    # Python's own way to unpack demands an argument from 3.12 on that 3.11 does not know.
    run("tar", "-xf", sdist, cwd=folder / "unpacked")
    (unpacked,) = (folder / "unpacked").iterdir()
    return Built(
        checkout,
        wheel=build("wheel", checkout, folder / "wheel"),
        sdist=sdist,
        unpacked=unpacked,
        wheel_of_sdist=build("wheel", unpacked, folder / "wheel_of_sdist"),
    )


def test_a_wheel_has_all_of_the_packages_and_nothing_else(built: Built) -> None:
    wanted = set()
    for top, package in ("procdeck", "procdeck"), ("core", "procdeck/core"), ("tui", "procdeck/tui"):
        for folder, _, names in os.walk(REPO / top):  # does not follow the links in procdeck/
            at = Path(package, Path(folder).relative_to(REPO / top))
            wanted |= {str(at / name) for name in names if not name.endswith(".pyc")}
    wanted.add(f"procdeck-{procdeck.__version__}.data/data/share/man/man1/procdeck.1")
    found = {name for name in contents(built.wheel) if not re.match(r"procdeck-[\d.]+\.dist-info/", name)}
    assert found == wanted
    assert {"procdeck/core/py.typed", "procdeck/tui/app.tcss", "procdeck/demo/Procfile.sample"} <= found


def test_a_wheel_is_the_same_from_the_sdist(built: Built) -> None:
    assert contents(built.wheel_of_sdist) == contents(built.wheel)


def test_the_sdist_has_the_sample_as_a_file_of_its_own(built: Built) -> None:
    sample = built.unpacked / "Procfile.sample"
    assert not sample.is_symlink()
    assert sample.read_bytes() == (REPO / "procdeck" / "demo" / "Procfile.sample").read_bytes()


def test_the_sdist_has_each_module_once(built: Built) -> None:
    assert not (built.unpacked / "procdeck" / "core").exists()
    assert not (built.unpacked / "procdeck" / "tui").exists()


@dataclass(frozen=True)
class Installation:
    """A virtual environment with procdeck in it, and an empty folder to call it from."""

    bin: Path
    empty: Path


def install(wheel: Path, folder: Path) -> Installation:
    """Install a wheel where nothing is yet, then let it find its dependencies."""
    empty = folder / "empty"
    empty.mkdir()
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    options = ("--quiet", "--no-deps", "--no-index", "--no-cache-dir", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", python, "install", *options, wheel, cwd=empty)
    (site_packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    # A path file makes no path files on that path work: this procdeck's editable installation stays out.
    borrowed = [path for path in sys.path if path.endswith("-packages")]
    (site_packages / "borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
    return Installation(python.parent, empty)


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Install the wheel that has come the longest way."""
    return install(built.wheel_of_sdist, tmp_path_factory.mktemp("installed"))


@pytest.mark.parametrize("command", ["procdeck", "python -m procdeck"])
def test_the_installed_command_tells_its_version(installed: Installation, command: str) -> None:
    program, *arguments = command.split()
    printed = run(installed.bin / program, *arguments, "--version", cwd=installed.empty)
    assert re.fullmatch(r"procdeck \d+\.\d+\.\d+\n", printed)


# Prints where the package is, and that nothing can be imported by the short names of its parts.
_LOOK = """
from importlib.util import find_spec
import procdeck.tui.app
print(procdeck.tui.app.__file__, find_spec("core"), find_spec("tui"))
"""


def test_the_installed_package_has_one_name_only(installed: Installation) -> None:
    file, *short = run(installed.bin / "python", "-c", _LOOK, cwd=installed.empty).split()
    assert Path(file).is_relative_to(installed.bin.parent)
    assert short == ["None", "None"]


def test_an_editable_installation_is_the_checkout(built: Built, tmp_path: Path) -> None:
    installation = install(build("editable", built.checkout, tmp_path / "wheel"), tmp_path)
    file, *short = run(installation.bin / "python", "-c", _LOOK, cwd=installation.empty).split()
    assert Path(file).samefile(built.checkout / "tui" / "app.py")
    assert short == ["None", "None"]


def free_port() -> int:
    """Find a port to count from, below those that the system gives away."""
    for port in random.sample(range(10_000, 30_000, 500), 40):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


def test_the_installed_demo_runs_and_ends(installed: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH")
    with subprocess.Popen(
        [installed.bin / "procdeck", "demo", "--plain", "--port", str(free_port())],
        cwd=installed.empty,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if re.search(r" web\.1 +\| listening on ", line):
                break
        else:
            pytest.fail("web.1 said nothing:\n" + "".join(lines))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert with_variable("PROCDECK_TEST", os.environ["PROCDECK_TEST"]) == []
