"""Which files are the project's, and where they are when a language names them by half."""

from pathlib import Path

import pytest

from procdeck.core.tracebacks import find
from procdeck.core.tracebacks.places import LOOKS, Places

ROOT = Path("/srv/shop")

LIBRARIES = [
    "/usr/lib/python3.11/asyncio/runners.py",
    "/usr/local/lib/python3.13/site-packages/flask/app.py",
    "/usr/lib/python3/dist-packages/yaml/__init__.py",
    "/srv/shop/.venv/lib/python3.11/site-packages/flask/app.py",
    "/srv/shop/venv/lib/python3.11/site-packages/flask/app.py",
    "/srv/shop/env/lib/python3.11/site-packages/flask/app.py",
    "/srv/shop/.tox/py311/lib/python3.11/site-packages/flask/app.py",
    "/home/me/.pyenv/versions/3.11.7/lib/python3.11/json/decoder.py",
    "/home/me/.local/share/uv/python/cpython-3.12.1-linux-x86_64-gnu/lib/python3.12/socket.py",
    "<frozen importlib._bootstrap>",
    "<string>",
    "<stdin>",
    "node:internal/modules/cjs/loader",
    "node:fs",
    "internal/modules/cjs/loader.js",
    "/srv/shop/node_modules/express/lib/router/index.js",
    "/usr/local/lib/node_modules/npm/lib/cli.js",
    "file:///srv/shop/node_modules/got/index.js",
    "<anonymous>",
    "/usr/local/go/src/runtime/panic.go",
    "/home/me/sdk/go1.22.1/src/net/http/server.go",
    "/opt/hostedtoolcache/go/1.22.1/x64/src/net/http/server.go",
    "/home/me/go/pkg/mod/github.com/gin-gonic/gin@v1.9.1/context.go",
    "github.com/gin-gonic/gin@v1.9.1/context.go",
    "runtime/panic.go",
    "net/http/server.go",
    "/srv/shop/vendor/github.com/gin-gonic/gin/context.go",
    "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/std/src/panicking.rs",
    "/usr/src/rustc-1.63.0/library/core/src/panicking.rs",
    "/home/me/.cargo/registry/src/index.crates.io-6f17d22bba15001f/tokio-1.37.0/src/runtime/task/core.rs",
    "/home/me/.rustup/toolchains/stable/lib/rustlib/src/rust/library/core/src/option.rs",
    "<internal:/usr/lib/ruby/vendor_ruby/rubygems/core_ext/kernel_require.rb>",
    "/usr/lib/ruby/3.1.0/logger.rb",
    "/var/lib/gems/3.1.0/gems/puma-6.0.0/lib/puma/server.rb",
    "/srv/shop/vendor/bundle/ruby/3.1.0/gems/rack-2.2.4/lib/rack.rb",
    "/home/me/.rbenv/versions/3.2.2/lib/ruby/gems/3.2.0/gems/rack-2.2.4/lib/rack.rb",
    "/usr/share/php/Symfony/Component/Console/Application.php",
    "/srv/shop/vendor/symfony/console/Application.php",
    "[internal function]",
    "",
]
PROJECT = [
    "/srv/shop/app.py",
    "/srv/shop/env/settings.py",
    "/srv/shop/src/shop/native.py",
    "/srv/shop/lib/queue.rb",
    "/srv/shop/gems/own/lib/own.rb",
    "/srv/shop/./src/../src/main.rs",
    "file:///srv/shop/main.mjs",
    "file:///srv/shop/with%20space/main.mjs",
    "app.py",
    "./src/main.rs",
    "src/main.rs",
    "native_ext.py",
    "http_server.py",
    "internal/store.go",
    "webpack:///./src/a.ts",
]


@pytest.mark.parametrize("file", LIBRARIES)
def test_libraries_are_known_by_where_they_lie(file: str) -> None:
    assert not Places(ROOT).frame(file, 1).project
    assert not Places().frame(file, 1).project


@pytest.mark.parametrize("file", [file for file in PROJECT if file != "internal/store.go"])
def test_what_lies_in_the_project_is_its_own(file: str) -> None:
    assert Places(ROOT).frame(file, 1).project
    assert Places().frame(file, 1).project


def test_what_lies_elsewhere_is_not_its_own() -> None:
    places = Places(ROOT)
    assert not places.frame("/srv/other/app.py", 1).project
    assert not places.frame("/srv/shopping/app.py", 1).project
    assert not places.frame("/srv/shop/../other/app.py", 1).project
    assert not places.frame("../other/app.py", 1).project
    assert Places(ROOT, ROOT / "web").frame("../app.py", 1).project


@pytest.mark.parametrize(
    "root", ["/home/me/vendor/shop", "/srv/env/shop", "/srv/venv/shop", "/var/lib/gems/x-1/shop", "/go1/src/shop", "/"]
)
def test_a_project_may_lie_where_libraries_do(root: str) -> None:
    places = Places(Path(root))
    assert places.frame(f"{root}/app.py", 1).project
    assert not places.frame(f"{root}/node_modules/x/index.js", 1).project


def test_a_project_reached_by_a_link_is_the_same_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    places = Places(tmp_path / "link")
    assert places.frame(f"{tmp_path}/real/app.py", 1).project
    assert places.frame(f"{tmp_path}/link/app.py", 1).project


def test_urls_of_files_are_told_as_paths() -> None:
    places = Places(ROOT)
    assert places.frame("file:///srv/shop/with%20space/main.mjs", 1).file == "/srv/shop/with space/main.mjs"
    assert places.frame("webpack:///./src/a.ts", 1).file == "src/a.ts"


def test_other_paths_are_told_as_printed() -> None:
    assert Places(ROOT).frame("./src/main.rs", 3).file == "./src/main.rs"
    assert Places(ROOT).frame("/srv/shop/a/../b.py", 3).file == "/srv/shop/a/../b.py"


# Named by half --------------------------------------------------------------------------------------------------------


def touch(root: Path, *files: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


@pytest.mark.parametrize(
    "folder",
    [
        "src/main/java/",
        "src/main/kotlin/",
        "src/test/java/",
        "src/",
        "",
        "app/src/main/java/",
        "billing/src/main/java/",
    ],
)
def test_a_java_class_is_found_by_its_package(tmp_path: Path, folder: str) -> None:
    touch(tmp_path, f"{folder}com/acme/Main.java")
    frame = Places(tmp_path).java_frame("Main.java", 16, "com.acme.Main$Inner", "run")
    assert (frame.file, frame.line, frame.project) == (f"{folder}com/acme/Main.java", 16, True)
    assert frame.function == "com.acme.Main$Inner.run"


def test_a_java_class_that_is_not_there_is_a_librarys(tmp_path: Path) -> None:
    touch(tmp_path, "src/main/java/com/acme/Main.java")
    places = Places(tmp_path)
    for name, file in (
        ("org.springframework.boot.SpringApplication", "SpringApplication.java"),
        ("com.acme.B", "B.java"),
    ):
        frame = places.java_frame(file, 3, name, "run")
        assert (frame.file, frame.project) == (file, False)
    assert not places.java_frame("Main.java", 3, "java.lang.Main", "run").project


def test_without_a_project_well_known_packages_are_libraries() -> None:
    assert Places().java_frame("Main.java", 3, "com.acme.Main", "run").project
    assert (
        not Places()
        .java_frame("SpringApplication.java", 3, "org.springframework.boot.SpringApplication", "run")
        .project
    )
    assert not Places().java_frame("Thread.java", 3, "java.lang.Thread", "run").project


def test_a_path_with_a_modules_name_in_front_is_found(tmp_path: Path) -> None:
    touch(tmp_path, "queue/queue.go", "src/lib.rs")
    places = Places(tmp_path)
    assert places.frame("example.com/shop/queue/queue.go", 7).file == "queue/queue.go"
    assert places.frame("crates/shop/src/lib.rs", 7).file == "src/lib.rs"
    assert places.frame("example.com/shop/gone.go", 7).file == "example.com/shop/gone.go"


def test_what_is_looked_up_is_named_from_where_the_program_ran(tmp_path: Path) -> None:
    touch(tmp_path, "src/main/java/com/acme/Main.java", "web/app.py")
    places = Places(tmp_path, tmp_path / "web")
    assert places.frame("app.py", 1).file == "app.py"
    assert (
        places.java_frame("Main.java", 1, "com.acme.Main", "run").file == f"{tmp_path}/src/main/java/com/acme/Main.java"
    )


def test_files_that_are_gone_are_still_the_projects() -> None:
    assert Places(Path("/nowhere/at/all")).frame("/nowhere/at/all/app.py", 1).project
    assert Places(Path("/nowhere/at/all")).frame("app.py", 1).project


def test_a_deep_trace_asks_the_file_system_a_bounded_number_of_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(200):
        touch(tmp_path, f"module{number}/src/main/java/x")
    asked = 0
    exists = Path.exists

    def counting(path: Path) -> bool:
        nonlocal asked
        asked += 1
        return exists(path)

    monkeypatch.setattr(Path, "exists", counting)
    lines = ['Exception in thread "main" java.lang.Error: x']
    lines += [f"\tat com.acme.p{number}.Main{number}.run(Main{number}.java:3)" for number in range(1000)]
    assert find(lines, root=tmp_path) is not None
    assert 0 < asked <= LOOKS


def test_a_number_that_no_file_has_is_left_out() -> None:
    assert Places().frame("/a.py", 10**30).line is None
    assert Places().frame("/a.py", 10**6).line == 10**6
