"""The peers that are known, and procdeck itself: how each is told to run so many instances of a program, with the
settings that are its defaults wherever the job does not ask for others."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

from ..formation import write_app
from .install import INSTALLED
from .peer import Job, Peer

FOLDER = Path(os.environ.get("PEERS") or "build/peers").resolve()
"""Where `install` put them."""
_PLACES = ("python/bin", "node/node_modules/.bin", "go", "gem/bin")
_UP, _DOWN = "\x1b[A", "\x1b[B"


def contenders() -> tuple[list[Peer], list[str]]:
    """procdeck and the peers that are here, and the names of those that are not."""
    found = [_procdeck(), _procdeck_plain()]
    missing = []
    for make in (_mprocs, _honcho, _supervisor, _circus, _pm2, _foreman, _node_foreman, _concurrently):
        peer = make()
        if peer:
            found.append(peer)
        else:
            missing.append(make.__name__.strip("_").replace("_", "-"))
    for name, tell, ptys in (
        ("overmind", _overmind, True),
        ("hivemind", _procfile, True),
        ("goreman", _goreman, False),
    ):
        command = _find(name)
        if command:
            found.append(Peer(name, command, _version(name, command), tell, ptys=ptys))
        else:
            missing.append(name)
    compose = _process_compose()
    if compose:
        found.append(compose)
    else:
        missing.append("process-compose")
    return found, missing


def _find(name: str, *, inside: Iterable[str] = _PLACES) -> tuple[str, ...]:
    """The command of this name, in the peers' folder or else on the PATH; empty: there is none."""
    for place in inside:
        if (FOLDER / place / name).exists():
            return (str(FOLDER / place / name),)
    path = shutil.which(name)
    return (path,) if path else ()


def _version(peer: str, command: tuple[str, ...], *, ask: str = "--version") -> str:
    """As it was installed; of one that was here before, what it says itself."""
    listed = FOLDER / INSTALLED
    known: dict[str, str] = json.loads(listed.read_text()) if listed.exists() else {}
    if peer in known and Path(command[0]).is_relative_to(FOLDER):
        return known[peer]
    package = Path(command[0]).resolve().parent.parent / "package.json"
    if package.exists():
        # pm2 cannot be asked without starting its daemon.
        return str(json.loads(package.read_text())["version"])
    said = subprocess.run([*command, ask], capture_output=True, text=True, timeout=20, check=False).stdout.split()
    return said[-1].lstrip("v") if said else "?"


def _simple(name: str, program: str, tell: Callable[[Job], list[str]], *, ask: str = "--version") -> Peer | None:
    command = _find(program)
    return Peer(name, command, _version(name, command, ask=ask), tell) if command else None


def _procdeck() -> Peer:
    def tell(job: Job) -> list[str]:
        app = _app(job)
        return ["up", "--root", str(app)]

    command = (sys.executable, "-m", "procdeck")
    return Peer(
        "procdeck",
        command,
        _our_version(),
        tell,
        chooses=True,
        hidden=True,
        prints=False,
        restarts=True,
        keys=("j", "k"),
        whole=("w.4", "quit"),
    )


def _procdeck_plain() -> Peer:
    def tell(job: Job) -> list[str]:
        return ["up", "--plain", "--root", str(_app(job))]

    command = (sys.executable, "-m", "procdeck")
    return Peer("procdeck --plain", command, _our_version(), tell, chooses=True, restarts=True)


def _our_version() -> str:
    return version("procdeck")


def _app(job: Job) -> Path:
    app = write_app(job.folder, {"w": str(job.script)}, tty=job.tty, quantity={"w": job.count})
    if job.restart:
        with (app / "procdeck.toml").open("a") as file:
            file.write('restart = "always"\nrestart_delay = 0\n')
    return app


def _mprocs() -> Peer | None:
    # Its npm command is a Node program that does nothing but wait for the real one.
    real = sorted((FOLDER / "node/node_modules/mprocs").glob(f"mprocs-*-linux-{os.uname().machine}-*/mprocs"))
    command = (str(real[0]),) if real else _find("mprocs")
    if not command:
        return None

    def tell(job: Job) -> list[str]:
        procs = {f"w{i}": {"cmd": [str(job.script)], "autorestart": job.restart} for i in range(job.count)}
        path = job.folder / "mprocs.yaml"
        path.write_text(json.dumps({"procs": procs}))
        return ["-c", str(path)]

    return Peer(
        "mprocs",
        command,
        _version("mprocs", command),
        tell,
        ptys=True,
        prints=False,
        restarts=True,
        keys=("j", "k"),
        whole=("w3",),
    )


def _honcho() -> Peer | None:
    return _simple("honcho", "honcho", lambda job: ["-f", _write_procfile(job), "start", "-c", f"w={job.count}"])


def _foreman() -> Peer | None:
    command = _find("foreman", inside=("gem/bin",))
    if not command:
        return None

    def tell(job: Job) -> list[str]:
        return ["start", "-f", _write_procfile(job), "-m", f"w={job.count}"]

    gems = {"GEM_HOME": str(FOLDER / "gem")} if Path(command[0]).is_relative_to(FOLDER) else {}
    return Peer("foreman", command, _version("foreman", command, ask="version"), tell, env=lambda job: gems)


def _node_foreman() -> Peer | None:
    return _simple("node-foreman", "nf", lambda job: ["-j", _write_procfile(job), "start", f"w={job.count}"])


def _concurrently() -> Peer | None:
    command = _find("concurrently")
    if not command:
        return None

    def tell(job: Job) -> list[str]:
        return [*(["--restart-tries", "-1"] if job.restart else []), *[str(job.script)] * job.count]

    return Peer("concurrently", command, _version("concurrently", command), tell, restarts=True)


def _overmind(job: Job) -> list[str]:
    return ["start", "-f", _write_procfile(job), "-m", f"w={job.count}", "-s", str(job.folder / "overmind.sock"), "-N"]


def _procfile(job: Job) -> list[str]:
    return [_write_procfile(job, entries=job.count)]


def _goreman(job: Job) -> list[str]:
    return ["-f", _write_procfile(job, entries=job.count), "-rpc-server=false", "start"]


def _write_procfile(job: Job, *, entries: int = 1) -> str:
    names = ["w"] if entries == 1 else [f"w{i}" for i in range(entries)]
    path = job.folder / "Procfile"
    path.write_text("".join(f"{name}: {job.script}\n" for name in names))
    return str(path)


def _supervisor() -> Peer | None:
    command = _find("supervisord")
    if not command:
        return None

    def tell(job: Job) -> list[str]:
        logs = job.folder / "logs"
        logs.mkdir()
        path = job.folder / "supervisord.conf"
        path.write_text(
            f"[supervisord]\nnodaemon = true\nlogfile = {job.folder}/supervisord.log\n"
            f"pidfile = {job.folder}/supervisord.pid\nchildlogdir = {logs}\nuser = {os.getuid()}\n"
            f"[program:w]\ncommand = {job.script}\nnumprocs = {job.count}\n"
            "process_name = %(program_name)s_%(process_num)d\n"
        )
        return ["-c", str(path)]

    return Peer(
        "supervisor",
        command,
        _version("supervisor", command),
        tell,
        logs=lambda job: list((job.folder / "logs").iterdir()),
        restarts=True,
    )


def _circus() -> Peer | None:
    command = _find("circusd")
    if not command:
        return None

    def tell(job: Job) -> list[str]:
        path = job.folder / "circus.ini"
        sockets = "".join(
            f"{name} = ipc://{job.folder}/{name}\n" for name in ("endpoint", "pubsub_endpoint", "stats_endpoint")
        )
        path.write_text(
            f"[circus]\nstatsd = true\n{sockets}"
            f"[watcher:w]\ncmd = {job.script}\nnumprocesses = {job.count}\ncopy_env = true\n"
            f"stdout_stream.class = FileStream\nstdout_stream.filename = {job.folder}/circus.out\n"
        )
        return [str(path)]

    return Peer(
        "circus",
        command,
        _version("circus", command),
        tell,
        logs=lambda job: [job.folder / "circus.out"],
        restarts=True,
        monitor=(str(Path(command[0]).with_name("circus-top")), "--endpoint", "ipc://{folder}/stats_endpoint"),
        whole=("circusd-stats",),
    )


def _pm2() -> Peer | None:
    command = _find("pm2")
    if not command:
        return None

    def tell(job: Job) -> list[str]:
        path = job.folder / "ecosystem.config.js"
        app = {"name": "w", "script": str(job.script), "interpreter": "none", "exec_mode": "fork"}
        path.write_text(f"module.exports = {json.dumps({'apps': [{**app, 'instances': job.count}]})}\n")
        return ["start", str(path)]

    return Peer(
        "pm2",
        command,
        _version("pm2", command),
        tell,
        env=lambda job: {"PM2_HOME": str(job.folder / "pm2"), "PM2_DISABLE_VERSION_CHECK": "1"},
        logs=lambda job: list((job.folder / "pm2" / "logs").glob("*.log")),
        restarts=True,
        monitor=(*command, "monit"),
        keys=(_DOWN, _UP),
        whole=("w", "Metadata"),
        daemon=True,
    )


def _process_compose() -> Peer | None:
    # `go install` calls it by its folder.
    command = _find("src", inside=("go",)) or _find("process-compose")
    if not command:
        return None

    def tell(job: Job) -> list[str]:
        path = job.folder / "process-compose.yaml"
        program: dict[str, object] = {"command": str(job.script), "replicas": job.count}
        if job.restart:
            program["availability"] = {"restart": "always"}
        path.write_text(json.dumps({"version": "0.5", "processes": {"w": program}}))
        return ["up", "-f", str(path), "--no-server"]

    return Peer(
        "process-compose",
        command,
        _version("process-compose", command, ask="version"),
        tell,
        prints=False,
        restarts=True,
        keys=(_DOWN, _UP),
        whole=("w-3",),
    )
