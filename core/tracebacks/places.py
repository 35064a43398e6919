"""Which files of a traceback are the project's and which a library's, and where in the project they are when a language
names them by another path. Looks whether files exist, a bounded number of times, and never into one.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

from ..reports import Frame

LOOKS = 400
"""Questions to the file system for one traceback."""
_MODULES = 60
"""Folders of a project that may hold sources of their own, as Maven's and Gradle's modules do."""

_LIBRARY = re.compile(
    r"/(?:site-packages|dist-packages|node_modules|bower_components|vendor|venv|\.venv|virtualenv|\.virtualenvs|\.tox"
    r"|\.nox|__pypackages__|\.yarn|\.pnpm-store|\.bundle|\.cargo|\.rustup|\.gradle|\.m2)/"
    # A folder `env` can be a package of the project.
    r"|/(?:env|ENV)/(?:lib|lib64|bin)/"
    r"|/lib(?:64)?/(?:python|pypy)\d|/Python\.framework/|/(?:python|pypy)\d[\d.]*\.zip/"
    r"|/pkg/mod/|/go[\d.-]*/src/|/go/[\d.]+/x64/src/|@v\d[\w.+-]*/"
    r"|/library/(?:std|core|alloc|test|proc_macro|panic_unwind|portable-simd)/|/rustc/[0-9a-f]+/|/rustc-\d"
    r"|/lib/ruby/|/ruby/gems/|/gems/[^/]+-\d[^/]*/|/rubygems-integration/"
    r"|/share/(?:php|node|nodejs)/|/\.composer/|/sysdeps/|/csu/"
)
"""Somewhere in a path from the project's folder; in the whole path where that is not known."""

_GO_STANDARD = re.compile(
    r"(?:archive|bufio|builtin|bytes|cmp|compress|container|context|crypto|database|debug|embed|encoding|errors|expvar"
    r"|flag|fmt|go|hash|html|image|index|internal|io|iter|log|maps|math|mime|net|os|path|plugin|reflect|regexp|runtime"
    r"|slices|sort|strconv|strings|structs|sync|syscall|testing|text|time|unicode|unique|unsafe|weak)/.*\.go$"
)
"""Go's own packages, as they are named in a program built with -trimpath."""
_NO_FILE = re.compile(
    r"[<\[]|\(eval|(?:node|bun|ext|phar|https?|data|blob):|internal/.*\.js$|evalmachine\.<|(?:native|-e|eval)$"
)
"""What stands where others have a file."""
_ROOTS_OF_JAVA = tuple(
    f"{top}{kind}"
    for top in ("src/main/", "src/test/", "app/src/main/", "src/", "app/src/", "")
    for kind in ("java/", "kotlin/", "scala/", "groovy/", "clojure/", "")
)
_JDK = ("java.", "javax.", "jdk.", "sun.", "com.sun.", "kotlin.", "kotlinx.", "scala.", "groovy.", "clojure.")
_KNOWN_OF_JAVA = (
    *_JDK,
    *("org.springframework.", "org.apache.", "org.hibernate.", "org.junit.", "org.slf4j.", "org.eclipse."),
    *("org.jboss.", "org.gradle.", "org.codehaus.", "ch.qos.logback.", "com.google.", "com.fasterxml."),
    *("com.zaxxer.", "io.netty.", "io.micronaut.", "io.quarkus.", "io.vertx.", "io.grpc.", "io.micrometer."),
    *("reactor.", "akka.", "okhttp3."),
)
"""For where no project's folder is known; otherwise a source that is not found in it is a library's."""


class Places:
    """The files of one program's tracebacks."""

    def __init__(self, root: Path | None = None, cwd: Path | None = None) -> None:
        """
        Args:
            root: the project's folder; None when it is not known, then a file is the project's unless it lies where
                libraries do.
            cwd: the folder in which the program ran; None for the project's.
        """
        self._roots: list[str] = []
        if root is not None:
            self._roots = list(dict.fromkeys((_normal(root), str(root.resolve()))))
        self._cwd = _normal(cwd) if cwd is not None else self._roots[0] if self._roots else None
        # What is looked up is named from the folder in which the program ran, as all that is relative.
        self._to_root = "" if not self._roots or self._cwd in self._roots else f"{self._roots[0]}/"
        self._looks = 0
        self._known: dict[str, tuple[str, bool]] = {}
        self._known_java: dict[str, tuple[str, bool]] = {}
        self._modules: list[str] | None = None

    def frame(self, file: str, line: int | None, function: str = "", code: str = "") -> Frame:
        """A frame of a file as printed."""
        known = self._known.get(file)
        if known is None:
            known = self._known[file] = self._place(file)
        return Frame(known[0], _number(line), function, code.strip(), known[1])

    def java_frame(self, file: str, line: int | None, class_name: str, method: str) -> Frame:
        """A frame of a file that is named without its folder, in the package of a class."""
        package = class_name.rpartition(".")[0].replace(".", "/")
        path = f"{package}/{file}" if package else file
        known = self._known_java.get(path)
        if known is None:
            known = self._known_java[path] = self._place_java(file, path, class_name)
        return Frame(known[0], _number(line), f"{class_name}.{method}", "", known[1])

    def _place(self, printed: str) -> tuple[str, bool]:
        file = _path_of_url(printed)
        if not file or _NO_FILE.match(file) or "\0" in file:
            return file, False
        if not file.startswith("/"):
            return self._place_relative(file)
        path = os.path.normpath(file)
        if not self._roots:
            return file, _LIBRARY.search(path) is None
        inside = self._inside(path)
        return file, inside is not None and _LIBRARY.search(f"/{inside}") is None

    def _place_relative(self, file: str) -> tuple[str, bool]:
        if _LIBRARY.search(f"/{file}") or _GO_STANDARD.match(file):
            return file, False
        if self._cwd is None:
            return file, True
        path = os.path.normpath(f"{self._cwd}/{file}")
        inside = self._inside(path) if self._roots else file
        if self._roots and not self._exists(path):
            # From the folder of a workspace, or with a module's name in front as by `go build -trimpath`.
            steps = [step for step in file.split("/") if step not in ("", ".")]
            for start in range(0 if self._cwd not in self._roots else 1, min(len(steps), 8)):
                shorter = "/".join(steps[start:])
                if ".." not in steps and self._exists(f"{self._roots[0]}/{shorter}"):
                    return self._to_root + shorter, _LIBRARY.search(f"/{shorter}") is None
        return file, inside is not None and _LIBRARY.search(f"/{inside}") is None

    def _place_java(self, file: str, path: str, class_name: str) -> tuple[str, bool]:
        if not file or class_name.startswith(_JDK):
            return file, False
        if not self._roots:
            return file, not class_name.startswith(_KNOWN_OF_JAVA)
        for folder in self._source_folders():
            if self._exists(f"{self._roots[0]}/{folder}{path}"):
                return self._to_root + folder + path, _LIBRARY.search(f"/{folder}{path}") is None
        return file, False

    def _source_folders(self) -> Iterable[str]:
        """Where sources of Java can lie, as paths from the project's folder; the likeliest first."""
        yield from _ROOTS_OF_JAVA
        if self._modules is None:
            self._modules = self._list_modules()
        for module in self._modules:
            yield f"{module}/src/main/java/"
            yield f"{module}/src/main/kotlin/"
            yield f"{module}/src/"

    def _list_modules(self) -> list[str]:
        found: list[str] = []
        try:
            with os.scandir(self._roots[0]) as entries:
                for count, entry in enumerate(entries):
                    if count >= 1000 or len(found) >= _MODULES:
                        break
                    if entry.name[:1] != "." and entry.is_dir() and self._exists(f"{entry.path}/src"):
                        found.append(entry.name)
        except OSError:
            pass
        return sorted(found)

    def _inside(self, path: str) -> str | None:
        """The way from the project's folder, None for a path that lies elsewhere."""
        for root in self._roots:
            if path.startswith(root if root.endswith("/") else root + "/"):
                return path[len(root) :].lstrip("/")
        return None

    def _exists(self, path: str) -> bool:
        if self._looks >= LOOKS:
            return False
        self._looks += 1
        try:
            return Path(path).exists()
        except (OSError, ValueError):
            return False


def _normal(folder: Path) -> str:
    return os.path.normpath(folder.absolute())


def _number(line: int | None) -> int | None:
    """No file is that long, and no message could carry the number."""
    return line if line is None or line < 1_000_000_000 else None


def _path_of_url(printed: str) -> str:
    """`/app/main.mjs` of `file:///app/main.mjs`, `src/a.ts` of `webpack:///./src/a.ts`."""
    if printed.startswith("file://"):
        return unquote(printed.removeprefix("file://"))
    if printed.startswith(("webpack://", "webpack-internal://")):
        return printed.partition("://")[2].partition("/")[2].removeprefix("./")
    return printed
