"""A command that is not there, is no program, or may not be run; and an interpreter that a script asks for and that
is not there."""

import re

from .facts import Cause, CauseKind, Facts
from .statement import Statement, first_of, says

_NO_EXECUTE = 126
_NOT_FOUND = 127
"""What shells end with."""

_SHELL = r"^(?:(?:\S*/)?(?:ba|da|a|k|mk|z|c|tc|fi)?sh: (?:(?:line )?\d+: )?|\S+: (?:line )?\d+: )(?:exec: )?"
"""How a shell begins what it says, with or without a script and a line."""
_NAME = r"(?P<name>[^\s:][^:]*)"
_MISSING = [
    says(rf"^\S.*?: (?:(?:line )?\d+: )?{_NAME}: command not found$"),
    says(rf"{_SHELL}{_NAME}: (?:inaccessible or )?not found$"),
    says(r"^zsh:\d*:? ?command not found: (?P<name>\S+)$"),
    says(r"^fish: Unknown command:? (?P<name>\S+)$"),
    says(r"^(?:bundler: )?[Cc]ommand not found: (?P<name>\S+)$"),
    says(
        r"(?:failed to|cannot|could not) (?:run|execute|exec)(?: command)? §(?P<name>.+?)§: No such file or directory"
    ),
    says(r"exec: \"(?P<name>[^\"]+)\": executable file not found in \S*PATH"),
    says(r"\bfork/exec (?P<name>\S+): no such file or directory"),
    says(r"\bspawn(?:Sync)? (?P<name>\S+) ENOENT\b"),
    says(r"Cannot run program \"(?P<name>[^\"]+)\".*error=2\b"),
    says(r"^error: Failed to spawn: §(?P<name>\S+)§"),
    says(r"^error: no such command: §(?P<name>\S+)§"),
    says(r"the command (?P<name>\S+) could not be found within PATH"),
]
_NO_SUCH = r"§?(?P<name>[^:]+?)§?: (?:command not found|No such file or directory)$"
_MISSING_IF_127 = [
    says(rf"{_SHELL}{_NAME}: No such file or directory$"),
    says(rf"^(?:\S*/)?(?:nice|ionice|xargs|time|setsid|chroot|chrt|taskset|sudo|env): {_NO_SUCH}"),
]
_SCRIPT_MISSING = says(
    r"\b(?:npm|pnpm|yarn|bun|ERR_PNPM_NO_SCRIPT)\b.*"
    r"(?:Missing script:? |Script not found |Command )§?(?P<name>[\w:.-]+)§?(?: not found\.?)?$"
)
_ENV = says(r"^(?:\S*/)?env: §?(?P<name>[^:]+?)§?: No such file or directory$")
_INTERPRETER = [
    says(r"^\S.*?: (?P<script>[^\s:][^:]*): (?P<name>/[^:]+): bad interpreter: No such file"),
    says(r"^zsh:.*?(?P<script>[^\s:]+): bad interpreter: (?P<name>[^:]+): no such file"),
    says(rf"{_SHELL}(?P<script>[^:]+): cannot execute: required file not found$"),
]
_NO_PROGRAM = says(
    rf"{_SHELL}{_NAME}: (?:cannot execute binary file: )?(?:Exec format error|cannot execute binary file)$"
    r"|\[Errno 8\] Exec format error: '(?P<python>.+?)'|\b(?:fork/exec|exec) (?P<go>\S+?):? exec format error"
)
_FORBIDDEN_IF_126 = [
    says(rf"{_SHELL}{_NAME}: (?:cannot execute: )?Permission denied$"),
    says(r"^zsh:\d*:? ?permission denied: (?P<name>.+)$"),
]
_FORBIDDEN = [
    says(r"(?:failed to run|cannot run) command §(?P<name>.+?)§: Permission denied"),
    says(r"^(?:\S*/)?env: §?(?P<name>[^:]+?)§?: Permission denied$"),
    says(r"\bspawn(?:Sync)? (?P<name>\S+) EACCES\b"),
    says(r"\bfork/exec (?P<name>\S+): permission denied"),
    says(r"Cannot run program \"(?P<name>[^\"]+)\".*error=13\b"),
]
_IS_FOLDER = says(rf"{_SHELL}{_NAME}: Is a directory$")
_PYTHON_PATH = says(r"\[Errno (?:2|13)\] .*?: '(?P<name>.+?)'$")
_PYTHON_EXEC = says(r"File \"[^\"]*/subprocess\.py\", line \d+, in _execute_child|in _?execvpe?\b")
_RUBY_EXEC = says(r"^No such file or directory - (?P<name>[^@]\S*)$")


def command_cause(statement: Statement, facts: Facts) -> Cause | None:
    """A shell or a program could not run a command: not there, no program, or not allowed."""
    return _interpreter(statement, facts) or _missing(statement, facts) or _forbidden(statement, facts)


def _interpreter(statement: Statement, facts: Facts) -> Cause | None:
    found = first_of(statement, *_INTERPRETER)
    if found is not None:
        script = found["script"]
        name = found.groupdict().get("name") or facts.interpreter(script)
        return _no_interpreter(statement, found, script, name)
    found = statement.search(_ENV)
    if found is not None and not _is_named(facts.command, found["name"]):
        return _no_interpreter(statement, found, "a script", found["name"])
    found = statement.search(_NO_PROGRAM)
    if found is not None:
        name = found["name"] or found["python"] or found["go"]
        return statement.cause(
            CauseKind.INTERPRETER_NOT_FOUND,
            f"{name} is no program that this machine can run.",
            "build it for this machine; a script needs a first line that begins with #!",
            found=found,
        )
    return None


def _no_interpreter(statement: Statement, found: re.Match[str], script: str, name: str | None) -> Cause:
    if name is None:
        sentence, advice = f"The interpreter that {script} asks for was not found.", "look at its first line (#!)"
    elif name.endswith(("\r", "\\r")):
        name = name.removesuffix("\r").removesuffix("\\r")
        sentence = f"The interpreter {name} was not found, because {script} has Windows line ends."
        advice = "save it with Unix line ends (LF)"
    else:
        sentence = f"The interpreter {name} that {script} asks for was not found."
        advice = f"install {name}, or mend the script's first line (#!)"
    return statement.cause(CauseKind.INTERPRETER_NOT_FOUND, sentence, advice, found=found)


def _missing(statement: Statement, facts: Facts) -> Cause | None:
    code = facts.exit.code
    found = first_of(statement, *_MISSING)
    if found is None and code == _NOT_FOUND:
        found = first_of(statement, *_MISSING_IF_127) or statement.search(_ENV)
    if found is None and _PYTHON_EXEC.search(statement.nearby) and statement.name == "FileNotFoundError":
        found = statement.search(_PYTHON_PATH)
    if found is None and statement.name == "ENOENT":
        found = statement.search(_RUBY_EXEC)
    if found is not None:
        return _not_found(statement, facts, found)
    found = statement.search(_SCRIPT_MISSING)
    if found is not None:
        return statement.cause(
            CauseKind.COMMAND_NOT_FOUND,
            f"package.json has no script named {found['name']}.",
            "add it there, or mend the command",
            found=found,
        )
    found = statement.search(_IS_FOLDER)
    if found is not None and code == _NO_EXECUTE:
        return statement.cause(
            CauseKind.COMMAND_NOT_FOUND, f"{found['name']} is a folder, not a command.", "mend the command", found=found
        )
    return None


def _not_found(statement: Statement, facts: Facts, found: re.Match[str]) -> Cause:
    name = found["name"]
    if "/" in name:
        interpreter = facts.interpreter(name)
        if interpreter is not None:
            return _no_interpreter(statement, found, name, interpreter)
        return statement.cause(
            CauseKind.COMMAND_NOT_FOUND,
            f"The command {name} was not found: there is no such file.",
            "mend its path, or build it",
            found=found,
        )
    return statement.cause(
        CauseKind.COMMAND_NOT_FOUND,
        f"The command {name} was not found.",
        f"install {name}, or put its folder on PATH",
        found=found,
    )


def _forbidden(statement: Statement, facts: Facts) -> Cause | None:
    found = first_of(statement, *_FORBIDDEN)
    if found is None and facts.exit.code == _NO_EXECUTE:
        found = first_of(statement, *_FORBIDDEN_IF_126)
    if found is None and _PYTHON_EXEC.search(statement.nearby) and statement.name == "PermissionError":
        found = statement.search(_PYTHON_PATH)
    if found is None:
        return None
    return statement.cause(
        CauseKind.PERMISSION,
        f"{found['name']} may not be run: it is not marked as a program, or lies where that is not allowed.",
        f"chmod +x {found['name']}",
        found=found,
    )


def _is_named(command: str, name: str) -> bool:
    return re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w./-])", command) is not None
