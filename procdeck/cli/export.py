"""`procdeck export`: writes the formation for another process manager. What is written is made in
`procdeck.cli.exporters`; here it is asked for, and put into a folder.
"""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from procdeck.cli.dropin import app, initial, quantities
from procdeck.cli.exporters.formation import File, Formation, formation_of
from procdeck.core.config import Config, Options
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.formation import nearest
from procdeck.core.loading import load
from procdeck.core.policy import RestartPolicy
from procdeck.core.settings import read_settings

FORMATS = ("systemd", "supervisord", "runit", "upstart", "compose", "kubernetes")


@click.command()
@app
@quantities
@click.option("-a", "--app", "name", metavar="NAME", help="The app's name (default: its folder's).")
@click.option("-u", "--user", metavar="NAME", help="As whom it is to run (default: the app's name).")
@click.option("-l", "--log", metavar="FOLDER", help="Where logs are to be (default: /var/log/APP).")
@click.option("-s", "--shell", metavar="PATH", default="/bin/sh", help="What reads the commands (default: /bin/sh).")
@click.option("-t", "--template-dir", "templates", metavar="FOLDER", help="Templates to use in place of the built-in.")
@click.option("--image", metavar="NAME", help="The containers' image (default: built by Compose; the app's name).")
@click.option("--json", "as_json", is_flag=True, help="What was written as one JSON object.")
@click.argument("format", metavar="FORMAT")
@click.argument("location", metavar="FOLDER")
def export(
    procfile: str | None,
    root: str | None,
    env_files: str | None,
    port: str | None,
    formation: str | None,
    concurrency: str | None,
    name: str | None,
    user: str | None,
    log: str | None,
    shell: str,
    templates: str | None,
    image: str | None,
    as_json: bool,
    format: str,
    location: str,
) -> int:
    """Write the formation for systemd, supervisord, runit, upstart, compose (Docker) or kubernetes.

    The paths of what was written are printed. It holds the values of .env.

    \b
    Examples:
      procdeck export systemd /etc/systemd/system -a shop -u www -c web=2
      procdeck export compose .
      procdeck export kubernetes k8s --image registry.example.com/shop:3
    """
    if format not in FORMATS:
        guess = nearest(format, FORMATS)
        hint = f"did you mean {guess}?" if guess else f"there are {', '.join(FORMATS)}."
        raise UsageError(f"There is no format {format}: {hint}")
    options = Options(
        procfile=procfile,
        root=root,
        env_files=env_files,
        port=port,
        formation=initial(formation, concurrency),
        # A machine that nobody watches starts again what has ended, unless a type says otherwise.
        restart=RestartPolicy.ALWAYS,
    )
    config = load(options)
    asked = {type_: entry.ready is not None for type_, entry in read_settings(config.root).types.items()}
    exported = formation_of(config, asked, app=name, user=user, log=log, shell=shell)
    _check(exported, config)
    folder = Path(location)
    files = _files(format, exported, image, folder, templates)
    paths = [write(folder, file) for file in files]
    if as_json:
        print(json.dumps({"format": format, "files": [str(path) for path in paths]}, indent=2))
    else:
        for path in paths:
            print(path)
    return 0


def _check(formation: Formation, config: Config) -> None:
    if not any(type_.quantity for type_ in formation.types):
        raise UsageError("Every type is at 0, so there is nothing to export: give a quantity, as in -c web=1.")
    for path in (config.root, *(type_.folder for type_ in formation.types)):
        if not str(path).isprintable() or str(path).endswith("\\"):
            raise UsageError(f"The path {str(path)!r} cannot be written to such files: rename the folder.")


def _files(format: str, formation: Formation, image: str | None, folder: Path, templates: str | None) -> Sequence[File]:
    if format in ("compose", "kubernetes"):
        if templates is not None:
            raise UsageError(f"-t: the export to {format} has no templates.")
        if format == "compose":
            from procdeck.cli.exporters.compose import compose

            return compose(formation, image, folder)
        from procdeck.cli.exporters.kubernetes import kubernetes, left_out

        _tell(left_out(formation))
        return kubernetes(formation, image)
    if image is not None:
        raise UsageError(f"--image: the export to {format} has no images.")
    if templates is not None and not Path(templates).is_dir():
        raise ProcdeckError(f"There is no folder {templates}: give one with templates to -t.")
    from procdeck.cli.exporters import honcho_formats

    return getattr(honcho_formats, format)(formation, templates)  # type: ignore[no-any-return]


def _tell(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        print(f"procdeck: {sentence}", file=sys.stderr)


def write(folder: Path, file: File) -> Path:
    """Writes a file below a folder, and returns its path.

    Raises:
        ProcdeckError: it cannot be written.
    """
    path = folder / file.name
    mode = (0o700 if file.executable else 0o600) if file.private else (0o755 if file.executable else 0o666)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as stream:
            if file.private or file.executable:
                os.fchmod(stream.fileno(), mode)
            stream.write(file.content)
    except OSError as error:
        raise ProcdeckError(f"{path} cannot be written: {error.strerror}.") from None
    return path
