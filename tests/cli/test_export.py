"""`procdeck export`: what other process managers read is what stands in Procfile, .env and settings, whatever
characters are in it. Where a manager's own reader can be had, it does the reading; else one that was written from its
manual.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import kubernetes_validate
import psutil
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from procdeck.cli.exporters.quoting import (
    compose_string,
    envdir_value,
    kubernetes_string,
    shell_exports,
    shell_word,
    supervisor_variable,
    supervisor_word,
    systemd_string,
)
from procdeck.cli.exporters.yamltext import to_yaml
from tests.cli.support import PATIENCE, procdeck, refused
from tests.support.apps import Apps
from tests.support.processes import wait_until

VALUES = {
    "PLAIN": "x",
    "SPACES": "  a  b  ",
    "QUOTES": "it\"s 'so'",
    "APOS": "'quoted'",
    "PERCENT": "100% %h %(here)s %%",
    "DOLLAR": "$HOME $$ $(date) ${X-y} `id`",
    "BACKSLASH": "C:\\new\\table\\",
    "COMMENT": "a ; b # c",
    "LINES": "one\ntwo\n",
    "TAB": "a\tb",
    "UNICODE": "ü€😀",
    "EMPTY": "",
    "EQUALS": "a=b,c=d",
}
NASTY = (
    "FOO='bar baz'; printf '%s\\n' \"$FOO\" 100% '%h' %(here)s \"it's\" '\"' a\\\\b \"$PORT\" $(echo '$$') 'x ; y' "
    "'# no' ü€😀 \"`echo tick`\" > out # ; comment"
)
"""It writes its words to a file, one a line."""
WRITTEN = ["bar baz", "100%", "%h", None, "it's", '"', "a\\b", "5000", "$$", "x ; y", "# no", "ü€😀", "tick"]


def dotenv(values: Mapping[str, str]) -> str:
    """The text of a .env that says this."""
    escaped = {name: value.replace("\\", "\\\\").replace("'", "\\'") for name, value in values.items()}
    # python-dotenv puts variables in even between single quotes.
    return "".join(f"{name}='{value}'\n" for name, value in escaped.items() if "${" not in value)


KEPT = {name: value for name, value in VALUES.items() if "${" not in value}


@pytest.fixture
def nasty(app_dir: Apps) -> Path:
    """An app whose command and variables have everything in them that has a meaning somewhere."""
    command = NASTY.replace("%(here)s ", "'%(here)s' ")
    return app_dir({"web": command, "plain_2": "true"}, env=dotenv(KEPT))


def export(folder: Path, format: str, *args: str) -> Path:
    """Exports an app, and returns the folder with the files."""
    out = folder / format
    done = procdeck("export", format, str(out), *args, cwd=folder)
    assert done.status == 0, done.err
    assert sorted(done.out.splitlines()) == sorted(str(path) for path in out.rglob("*") if path.is_file())
    return out


def check_words(folder: Path) -> None:
    """The nasty command has written what was meant."""
    wanted = [word if word is not None else "%(here)s" for word in WRITTEN]
    assert (folder / "out").read_text().splitlines() == wanted


def run_shell(argv: list[str], folder: Path, env: Mapping[str, str]) -> None:
    path = {"PATH": os.environ["PATH"], "PROCDECK_TEST": os.environ["PROCDECK_TEST"]}
    subprocess.run(argv, cwd=folder, env={**path, **env}, check=True, timeout=PATIENCE)


# systemd


def unit(path: Path) -> dict[str, list[str]]:
    """The settings of a unit, each with its values in their order."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";")):
            found.setdefault(name, []).append(value)
    return found


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'", "s": " "}


def systemd_words(value: str, *, command: bool = False) -> list[str]:
    """What systemd makes of a value that is a list of words: systemd.syntax(7), systemd.unit(5), systemd.service(5)."""
    words: list[str] = []
    for raw in re.findall(r'"(?:[^"\\]|\\.)*"|\S+', value):
        word = raw[1:-1] if raw.startswith('"') else raw
        word = re.sub(
            r"\\(?:x([0-9a-f]{2})|(.))",
            lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPES[found[2]],
            word,
            flags=re.DOTALL,
        )
        assert not re.search(r"(?<!%)(?:%%)*%(?!%)", word), f"a specifier: {word}"
        word = word.replace("%%", "%")
        if command:
            assert not re.search(r"(?<!\$)(?:\$\$)*\$(?!\$)", word), f"a variable of the unit: {word}"
            word = word.replace("$$", "$")
        words.append(word)
    return words


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong_with_its_units(nasty: Path) -> None:
    out = export(nasty, "systemd", "-u", "daemon", "-c", "web=2")
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(out.iterdir()))],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    mentioned = [line for line in done.stderr.splitlines() if str(out) in line or "app" in line]
    assert (done.returncode, mentioned) == (0, [])


def test_systemd_reads_what_was_meant(nasty: Path) -> None:
    out = export(nasty, "systemd", "-a", "shop")
    assert sorted(path.name for path in out.iterdir()) == [
        *("shop-plain_2-1.service", "shop-plain_2.target", "shop-web-1.service", "shop-web.target", "shop.target"),
    ]
    service = unit(out / "shop-web-1.service")
    env = dict(systemd_words(value)[0].split("=", 1) for value in service["Environment"])
    assert {name: env[name] for name in KEPT} == KEPT
    assert (env["PORT"], env["PS"]) == ("5000", "web.1")
    (start,) = service["ExecStart"]
    argv = systemd_words(start, command=True)
    assert argv[:2] == ["/bin/sh", "-lc"]
    run_shell(["/bin/sh", "-c", *argv[2:]], nasty, env)
    check_words(nasty)
    assert unit(out / "shop.target")["Wants"] == ["shop-web.target shop-plain_2.target"]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30))
def test_whatever_a_text_is_systemd_gets_it(text: str) -> None:
    assert "\n" not in systemd_string(text)
    assert systemd_words(systemd_string(f"A={text}")) == [f"A={text}"]
    assert systemd_words(systemd_string(text + "$", command=True), command=True) == [text + "$"]


# supervisord


def by_supervisor(path: Path) -> dict[str, tuple[list[str], dict[str, str], Any]]:
    """What supervisord's own reader makes of a file: arguments, environment, and the rest, by program."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from supervisor.options import ServerOptions
    whole = path.with_name("whole.conf")
    whole.write_text(f"[supervisord]\n{path.read_text()}", encoding="utf-8")
    options = ServerOptions()
    options.realize(["-c", str(whole), "-n", "-u", "root"] if os.getuid() == 0 else ["-c", str(whole), "-n"])
    return {
        config.name: (shlex.split(config.command), config.environment, config)
        for group in options.process_group_configs
        for config in group.process_configs
    }


def test_supervisord_reads_what_was_meant(nasty: Path) -> None:
    out = export(nasty, "supervisord", "-a", "shop", "-u", "root", "-l", str(nasty))
    programs = by_supervisor(out / "shop.conf")
    assert sorted(programs) == ["plain_2-1", "web-1"]
    argv, env, config = programs["web-1"]
    assert argv[:2] == ["/bin/sh", "-c"]
    show = f'{sys.executable} -c \'import json, os; json.dump(dict(os.environ), open("env.json", "w"))\'; '
    exports, _, command = argv[2].rpartition("; FOO=")
    run_shell([*argv[:2], f"{exports}; {show}FOO={command}"], nasty, env)
    check_words(nasty)
    seen = json.loads((nasty / "env.json").read_text())
    assert {name: seen[name] for name in KEPT} == KEPT
    assert config.directory == str(nasty)
    assert (config.stopsignal, config.stopasgroup, config.killasgroup) == (signal.SIGTERM, True, True)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30))
def test_whatever_a_text_is_supervisord_gets_it(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from supervisor.datatypes import dict_of_key_value_pairs
        from supervisor.options import UnhosedConfigParser
    variable = supervisor_variable(text)
    parser = UnhosedConfigParser()
    lines = ["[program:x]", f"command=sh -c {supervisor_word(text)}", f"environment=A={variable}", ""]
    parser.read_string("\n".join(lines))
    parser.expand_here("/WRONG")
    assert shlex.split(parser.get("program:x", "command") % {}) == ["sh", "-c", text]
    if variable is not None:
        assert dict_of_key_value_pairs(parser.get("program:x", "environment") % {}) == {"A": text}


# runit


CHPST = """\
#!/usr/bin/env python3
# chpst as its manual has it: -e as far as it is used here, -P, -u.
import os, sys
args = sys.argv[1:]
while args[0].startswith("-"):
    flag = args.pop(0)
    if flag == "-P":
        os.setsid()
    elif flag == "-u":
        args.pop(0)
    elif flag == "-e":
        folder = args.pop(0)
        for name in os.listdir(folder):
            data = open(os.path.join(folder, name), "rb").read()
            if not data:
                os.environ.pop(name, None)
                continue
            os.environb[name.encode()] = data.split(b"\\n")[0].rstrip(b" \\t").replace(b"\\0", b"\\n")
os.execvp(args[0], args)
"""


def test_runit_runs_what_was_meant(nasty: Path, tmp_path: Path) -> None:
    out = export(nasty, "runit", "-a", "shop", "-u", "nobody")
    tool = tmp_path / "bin" / "chpst"
    tool.parent.mkdir()
    tool.write_text(CHPST)
    tool.chmod(0o755)
    service = out / "shop-web-1"
    assert sorted(path.name for path in service.iterdir()) == ["control", "env", "log", "run"]
    script = (service / "run").read_text()
    (service / "run").write_text(script.replace(" -c ", " -c 'env -0 > env.out; '", 1))
    run_shell([str(service / "run")], service, {"PATH": f"{tool.parent}:{os.environ['PATH']}"})
    check_words(nasty)
    pairs = (nasty / "env.out").read_text().split("\0")[:-1]
    seen = dict(pair.split("=", 1) for pair in pairs)
    assert {name: seen.get(name) for name in KEPT} == KEPT
    for path in (service / "run", service / "log" / "run", service / "control" / "t"):
        assert path.stat().st_mode & stat.S_IXUSR
        subprocess.run(["/bin/sh", "-n", str(path)], check=True)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20))
def test_whatever_a_value_is_a_file_of_chpst_holds_it_or_it_is_set_otherwise(text: str) -> None:
    content = envdir_value(text)
    if content is not None:
        assert content.split("\n")[0].rstrip(" \t").replace("\0", "\n") == text
    else:
        assert text[-1] in " \t"


def test_the_whole_group_is_stopped(nasty: Path) -> None:
    systemd = unit(export(nasty, "systemd") / "app-web-1.service")
    assert (systemd["KillMode"], systemd["KillSignal"]) == (["control-group"], ["SIGTERM"])
    supervisord = (export(nasty, "supervisord") / "app.conf").read_text()
    assert "stopasgroup=true\nkillasgroup=true\n" in supervisord
    assert "kill signal SIGTERM" in (export(nasty, "upstart") / "app-web-1.conf").read_text()
    service = export(nasty, "runit") / "app-web-1"
    (service / "supervise").mkdir()
    process = subprocess.Popen(
        ["/bin/sh", "-c", "sleep 30 & echo $!; wait"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        (service / "supervise" / "pid").write_text(f"{process.pid}\n")
        told = subprocess.run(["./control/t"], cwd=service, check=False).returncode
        if told:
            os.killpg(process.pid, signal.SIGKILL)
        assert (told, process.wait(PATIENCE)) == (0, -signal.SIGTERM)
    wait_until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie", what="its end")


# upstart


def test_upstart_runs_what_was_meant(nasty: Path) -> None:
    out = export(nasty, "upstart", "-a", "shop", "-u", "nobody")
    assert sorted(path.name for path in out.iterdir()) == [
        *("shop-plain_2-1.conf", "shop-plain_2.conf", "shop-web-1.conf", "shop-web.conf", "shop.conf")
    ]
    job = (out / "shop-web-1.conf").read_text()
    assert job.count("end script") == 1
    script = job.partition("script\n")[2].partition("end script")[0]
    run_shell(
        ["/bin/sh", "-e", "-c", script.replace("exec /bin/sh -c ", "env -0 > env.out\nexec /bin/sh -c ")], nasty, {}
    )
    check_words(nasty)
    seen = dict(pair.split("=", 1) for pair in (nasty / "env.out").read_text().split("\0")[:-1])
    assert {name: seen[name] for name in KEPT} == KEPT


@given(
    st.dictionaries(
        st.just("A"),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
        min_size=1,
    )
)
def test_whatever_a_value_is_a_shell_sets_it_on_one_line(env: dict[str, str]) -> None:
    (line,) = shell_exports(env)
    assert "\n" not in line
    done = subprocess.run(["/bin/sh", "-c", f'{line}\nprintf %s "$A"'], capture_output=True, check=True)
    assert done.stdout.decode() == env["A"]


# Containers


def compose_schema() -> Any:
    path = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    return json.loads(path.read_text())


def interpolated(text: str) -> str:
    """What Compose makes of a text: `$$` is a `$`, anything else behind one is a variable."""
    assert not re.search(r"(?<!\$)(?:\$\$)*\$(?!\$)", text), text
    return text.replace("$$", "$")


def test_compose_reads_what_was_meant(nasty: Path) -> None:
    out = export(nasty, "compose", "-c", "web=3")
    document = yaml.safe_load((out / "compose.yaml").read_text())
    jsonschema.validate(document, compose_schema())
    assert list(document["services"]) == ["web", "plain_2"]
    web = document["services"]["web"]
    env = {name: interpolated(value) for name, value in web["environment"].items()}
    assert {name: env[name] for name in KEPT} == KEPT
    assert web["build"] == ".."
    assert web["ports"] == ["5000-5002:5000"]
    assert web["deploy"] == {"replicas": 3}
    argv = [interpolated(word) for word in web["command"]]
    run_shell(argv, nasty, env)
    check_words(nasty)
    assert "ports" not in document["services"]["plain_2"]


def test_an_image_can_be_named(app_dir: Apps) -> None:
    folder = app_dir({"web": "x"})
    document = yaml.safe_load((export(folder, "compose", "--image", "shop:3") / "compose.yaml").read_text())
    assert document["services"]["web"]["image"] == "shop:3"
    assert "build" not in document["services"]["web"]


def kubernetes(folder: Path, *args: str) -> dict[tuple[str, str], Any]:
    """The exported objects by kind and name, each validated against Kubernetes' schema."""
    found: dict[tuple[str, str], Any] = {}
    for path in export(folder, "kubernetes", *args).iterdir():
        for document in yaml.safe_load_all(path.read_text()):
            kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
            key = document["kind"], document["metadata"]["name"]
            assert key not in found
            found[key] = document
    return found


def expanded(text: str) -> str:
    """What Kubernetes makes of a command's text when none of its variables is named."""
    return re.sub(r"\$\$|\$\(\w+\)", lambda found: "$" if found[0] == "$$" else "WRONG", text)


def test_kubernetes_reads_what_was_meant(nasty: Path) -> None:
    objects = kubernetes(nasty, "-a", "shop", "-c", "web=3", "--image", "registry/shop:3")
    assert sorted(objects) == [
        *(("Deployment", "shop-plain-2"), ("Deployment", "shop-web"), ("Secret", "shop-env"), ("Service", "shop-web"))
    ]
    assert objects["Secret", "shop-env"]["stringData"] == KEPT
    spec = objects["Deployment", "shop-web"]["spec"]
    assert spec["replicas"] == 3
    (container,) = spec["template"]["spec"]["containers"]
    assert container["image"] == "registry/shop:3"
    assert container["env"] == [{"name": "PORT", "value": "5000"}]
    assert container["envFrom"] == [{"secretRef": {"name": "shop-env"}}]
    assert container["readinessProbe"] == {"tcpSocket": {"port": 5000}, "periodSeconds": 5}
    run_shell([expanded(word) for word in container["command"]], nasty, {**KEPT, "PORT": "5000"})
    check_words(nasty)
    service = objects["Service", "shop-web"]["spec"]
    assert service["selector"] == spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    assert service["ports"] == [{"name": "port", "port": 5000, "targetPort": 5000}]
    (plain,) = objects["Deployment", "shop-plain-2"]["spec"]["template"]["spec"]["containers"]
    assert "readinessProbe" not in plain


@given(st.text(max_size=30))
def test_whatever_a_text_is_containers_get_it(text: str) -> None:
    assert interpolated(compose_string(text)) == text
    assert expanded(kubernetes_string(text)) == text


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
        st.recursive(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.integers() | st.booleans(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=8,
        ),
        max_size=5,
    )
)
def test_what_is_written_as_yaml_is_read_as_it_was(document: Any) -> None:
    assert (yaml.safe_load(to_yaml(document)) or {}) == document


# Settings


SETTINGS = """\
[types.web]
quantity = 2
ready = { http = "/health" }
memory_limit = "300M"
stop_signal = "QUIT"
stop_timeout = 12.5
env = { EXTRA = "1" }

[types.worker]
restart = "on-failure"
after = ["web"]
cwd = "sub dir"
ready = { command = "test -e up" }

[types.once]
restart = "never"
"""


@pytest.fixture
def settled(app_dir: Apps) -> Path:
    return app_dir(
        {"web": "serve", "worker": "work", "once": "true", "release": "migrate"},
        toml=SETTINGS,
        files={"sub dir/x": ""},
    )


def test_settings_are_exported_where_there_is_a_word_for_them(settled: Path) -> None:
    systemd = export(settled, "systemd")
    web, worker = unit(systemd / "app-web-2.service"), unit(systemd / "app-worker-1.service")
    assert (web["Restart"], web["MemoryMax"], web["KillSignal"], web["TimeoutStopSec"]) == (
        *(["always"], ["314572800"], ["SIGQUIT"], ["12.5"]),
    )
    assert '"EXTRA=1"' in web["Environment"]
    assert (worker["Restart"], worker["WorkingDirectory"]) == (["on-failure"], [f"{settled.resolve()}/sub dir"])
    assert worker["After"] == ["network.target app-web.target"]
    assert unit(systemd / "app-once-1.service")["Restart"] == ["no"]

    supervisord = (export(settled, "supervisord") / "app.conf").read_text()
    for words in ("autorestart=unexpected", "autorestart=false", "stopsignal=QUIT", "stopwaitsecs=13"):
        assert words in supervisord
    assert "kill -s QUIT" in (export(settled, "runit") / "app-web-1" / "control" / "t").read_text()
    upstart = (export(settled, "upstart") / "app-web-1.conf").read_text()
    assert "kill signal SIGQUIT\nkill timeout 13\n" in upstart

    services = yaml.safe_load((export(settled, "compose") / "compose.yaml").read_text())
    jsonschema.validate(services, compose_schema())
    web, worker = services["services"]["web"], services["services"]["worker"]
    assert web["deploy"] == {"replicas": 2, "resources": {"limits": {"memory": "314572800"}}}
    assert (web["stop_signal"], web["stop_grace_period"], web["restart"]) == ("SIGQUIT", "12500ms", "always")
    assert "http://127.0.0.1:5000/health" in web["healthcheck"]["test"][1]
    assert worker["depends_on"] == {"web": {"condition": "service_healthy"}}
    assert worker["healthcheck"]["test"] == ["CMD-SHELL", "test -e up"]
    assert worker["command"][2] == "cd 'sub dir' || exit\nwork"
    assert services["services"]["once"]["restart"] == "no"

    objects = kubernetes(settled)
    (container,) = objects["Deployment", "app-web"]["spec"]["template"]["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/health", "port": 5000}
    assert container["resources"] == {"limits": {"memory": "314572800"}}
    assert {"name": "EXTRA", "value": "1"} in container["env"]
    pod = objects["Deployment", "app-worker"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["readinessProbe"]["exec"]["command"] == ["/bin/sh", "-c", "test -e up"]
    assert objects["Deployment", "app-web"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 13


def test_what_kubernetes_cannot_be_told_is_said(settled: Path) -> None:
    told = procdeck("export", "kubernetes", "k8s", cwd=settled).err.splitlines()
    assert [line.partition(" is left out")[0] for line in told] == [
        *("procdeck: web: stop_signal", "procdeck: worker: after", "procdeck: once: restart = never"),
    ]


@pytest.mark.parametrize("format", ["systemd", "supervisord", "runit", "upstart", "compose", "kubernetes"])
def test_a_task_of_a_deploy_is_no_process(settled: Path, format: str) -> None:
    assert "migrate" not in "".join(path.read_text() for path in export(settled, format).rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("command", "listens"),
    [("serve", False), ("serve -p $PORT", True), ("serve ${PORT:-80}", True), ("serve $PORTS", False)],
)
def test_what_uses_its_port_is_reached_by_it(app_dir: Apps, command: str, listens: bool) -> None:
    objects = kubernetes(app_dir({"api": command}))
    assert (("Service", "app-api") in objects) is listens


# Files


def test_what_holds_values_is_for_nobody_else(nasty: Path) -> None:
    for format, name in (
        *(("supervisord", "app.conf"), ("runit", "app-web-1/env/PLAIN"), ("upstart", "app-web-1.conf")),
        *(("compose", "compose.yaml"), ("kubernetes", "app-env.yaml")),
    ):
        assert stat.S_IMODE((export(nasty, format) / name).stat().st_mode) & 0o077 == 0, name


def test_it_can_be_exported_again(nasty: Path) -> None:
    out = nasty / "out"
    for count in ("2", "1"):
        assert procdeck("export", "systemd", str(out), "-c", f"web={count}", cwd=nasty).status == 0
    assert unit(out / "app-web.target")["Wants"] == ["app-web-1.service"]


def test_json_tells_what_was_written(app_dir: Apps) -> None:
    done = procdeck("export", "compose", "out", "--json", cwd=app_dir({"web": "x"}))
    assert json.loads(done.out) == {"format": "compose", "files": ["out/compose.yaml"]}


def test_templates_of_ones_own_get_what_honchos_get(app_dir: Apps) -> None:
    words = "{{ p.name | dashrepl }} {{ p.cmd | percentescape }} {{ user }} {{ p.env.PORT }}"
    template = f"{{% for p in processes %}}{words}\n{{% endfor %}}"
    folder = app_dir({"web": "100%"}, files={"own/supervisord.conf": template})
    out = export(folder, "supervisord", "-t", "own", "-u", "me")
    assert (out / "app.conf").read_text() == "web-1 100%% me 5000\n"


@pytest.mark.parametrize(
    ("args", "status", "says"),
    [
        (("sysemd", "out"), 2, "There is no format sysemd: did you mean systemd?"),
        (("zzz", "out"), 2, "there are systemd, supervisord, runit, upstart, compose, kubernetes"),
        (("systemd",), 2, "Missing argument"),
        (("systemd", "Procfile"), 1, "Procfile/app.target cannot be written: File exists"),
        (("systemd", "/proc/nowhere"), 1, "cannot be written"),
        (("systemd", "out", "-a", "../x"), 2, "-a is '../x'"),
        (("systemd", "out", "-a", "a b"), 2, "-a is 'a b'"),
        (("systemd", "out", "-u", "a b"), 2, "-u is 'a b'"),
        (("runit", "out", "-l", "log"), 2, "-l is 'log': give a path that begins with a slash"),
        (("systemd", "out", "-s", "sh"), 2, "-s is 'sh'"),
        (("systemd", "out", "-c", "web=0"), 2, "nothing to export"),
        (("systemd", "out", "-t", "nowhere"), 1, "There is no folder nowhere"),
        (("systemd", "out", "-t", "."), 1, "The templates in . cannot be filled in"),
        (("systemd", "out", "--image", "x"), 2, "--image: the export to systemd has no images"),
        (("compose", "out", "-t", "."), 2, "-t: the export to compose has no templates"),
        (("kubernetes", "out", "-a", "1st"), 2, "begins with a digit"),
        (("kubernetes", "out", "-a", "x" * 70), 2, "longer than the 63 characters"),
    ],
)
def test_a_mistake_is_said_in_a_sentence(app_dir: Apps, args: tuple[str, ...], status: int, says: str) -> None:
    folder = app_dir({"web": "x"})
    refused(procdeck("export", *args, cwd=folder), status, says)
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("procfile", "env", "format", "says"),
    [
        ("web: x\nweb-1: y\n", "", "upstart", "Two types would be written to app-web-1.conf"),
        ("a_b: x\na-b: y\n", "", "kubernetes", "Two things would be named app-a-b"),
        ("web: x\n", "a.b=1\n", "systemd", "The variable a.b cannot be exported to systemd"),
        ("web: x\n", "a/b=1\n", "kubernetes", "The variable a/b cannot be exported to Kubernetes"),
        ("web: x\nworker\n", "", "systemd", "Procfile:2:"),
    ],
)
def test_what_cannot_be_written_is_refused(app_dir: Apps, procfile: str, env: str, format: str, says: str) -> None:
    done = procdeck("export", format, "out", cwd=app_dir(procfile, env=env))
    assert done.status in (1, 2)
    assert says in done.err
    assert done.err.count("\n") == 1


def test_a_word_of_a_shell_needs_no_quotes_when_it_is_plain() -> None:
    assert [shell_word(text) for text in ("a-b", "a b", "")] == ["a-b", "'a b'", "''"]
