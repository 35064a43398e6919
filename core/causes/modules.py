"""A module, package, gem, class or shared library that is not installed."""

from .facts import Cause, CauseKind, Facts
from .statement import Statement, says

_PATH = "look at its path"
_PLACE = "look at its name, and at the folder that it is started in"
_FIND = [
    ("module", r"\bNo module named §?(?P<name>[\w.]+)§?", "install it (pip install {top}), or " + _PLACE),
    ("module", r"Could not import (?:module )?§(?P<name>[\w.]+)§", _PLACE),
    ("package", r"Cannot find (?:package|module) §(?P<name>[^\"'.`/][^\"'`]*)§", "npm install"),
    ("module", r"Cannot find (?:package|module) §(?P<name>\.[^\"'`]*)§", _PATH),
    ("module", r"Cannot find (?:package|module) §(?P<name>/[^\"'`]*)§(?= imported from|\nRequire stack)", _PATH),
    ("file or gem", r"cannot load such file -- (?P<name>\S+)", "bundle install"),
    (
        "gem",
        r"Could not find (?:gem )?§?(?P<name>[\w.-]+).* in (?:any of the sources|locally installed gems|cached gems)",
        "bundle install",
    ),
    ("class", r"Could not find or load main class §?(?P<name>[\w.$/]+)", "build it, and look at the class path"),
    ("package", r"no required module provides package (?P<name>[^\s;:]+)", "go get {name}"),
    ("package", r"package (?P<name>\S+) is not in (?:std|GOROOT)", _PATH),
    ("package", r"cannot find package \"(?P<name>[^\"]+)\"", "go mod tidy"),
    ("crate", r"can't find crate for §(?P<name>\w+)§", "add it to Cargo.toml"),
    ("crate", r"no matching package named §(?P<name>[\w-]+)§ found", "look at Cargo.toml"),
    ("module", r"Can't locate (?P<name>[\w/]+)\.pm in @INC", "install it (cpanm)"),
    ("class", r"Class §(?P<name>[\w\\]+)§ not found", "composer install"),
    ("file", r"(?P<name>vendor/autoload\.php)\S*?\)?: [Ff]ailed to open stream", "composer install"),
    (
        "shared library",
        r"error while loading shared libraries: (?P<name>\S+): cannot open shared object file: No such file",
        "install it",
    ),
]
"""What is missing, how that is said, and what to do; `{top}` is a module's first part."""
_PATTERNS = [(what, says(pattern), advice) for what, pattern, advice in _FIND]
_CLASS = says(r"^(?P<name>[\w.$/]+)$")


def module_not_found(statement: Statement, facts: Facts) -> Cause | None:
    """It could not load something that has to be installed or built."""
    if statement.name in ("ClassNotFoundException", "NoClassDefFoundError"):
        found = statement.search(_CLASS)
        if found is not None:
            name = found["name"].replace("/", ".")
            return statement.cause(
                CauseKind.MODULE_NOT_FOUND,
                f"The class {name} was not found.",
                "build it, and look at the class path",
                found=found,
            )
    for what, pattern, advice in _PATTERNS:
        found = statement.search(pattern)
        if found is not None:
            name = found["name"]
            return statement.cause(
                CauseKind.MODULE_NOT_FOUND,
                f"The {what} {name} was not found.",
                advice.format(name=name, top=name.partition(".")[0]),
                found=found,
            )
    return None
