"""Files: forbidden ones, missing ones, too many of them open, a full disk, one that does not parse."""

import re

from .facts import Cause, CauseKind, Facts
from .statement import Statement, first_of, says

_TOO_MANY = re.compile(
    r"\bEMFILE\b|\bENFILE\b|\bToo many open files\b|\[Errno 2[34]\]|\bos error 2[34]\b|shared object file: Error 24\b",
    re.IGNORECASE,
)
_IN_SYSTEM = re.compile(r"\bENFILE\b|open files in system|\[Errno 23\]|os error 23\b", re.IGNORECASE)
_WATCHERS = re.compile(
    r"limit for number of file watchers reached|inotify (?:watch|instance)\w* limit|inotify instances", re.IGNORECASE
)
_FULL = re.compile(
    r"\bNo space left on device\b|\bENOSPC\b|\bStorageFull\b|\bDisk quota exceeded\b|\bEDQUOT\b", re.IGNORECASE
)

_PATH = r"§?(?P<path>[^\s:\"'`‘’]+)§?"
_WHO = r"^(?!(?i:error|fatal|warning|exception|panic)\b)[\w./-]+: (?:(?:line )?\d+: )?(?:cd: )?"
"""The command that speaks."""
_DENIED = [
    says(r"\[Errno (?:1|13)\] [^:]*: b?'(?P<path>.+?)'(?: -> .*)?$"),
    says(r"\b(?:EACCES|EPERM): [\w ]+, \w+ '(?P<path>[^']+)'"),
    says(r"^(?:Permission denied|Operation not permitted) @ \w+ - (?P<path>.+)$"),
    says(r"^(?P<path>\S.*?) \(Permission denied\)$"),
    says(
        r"\b(?:open|mkdir|create|rename|remove|unlink|unlinkat|stat|lstat|chdir|readdirent|chmod|chown|symlink|link)"
        r" (?P<path>\S+): permission denied$"
    ),
    says(r"\b(?:open|mkdir|unlink|rename|stat|opendir)\(\) \"(?P<path>[^\"]+)\" failed \(13: Permission denied\)"),
    says(r"\((?P<path>[^()\s]+)\): [Ff]ailed to open stream: Permission denied"),
    says(
        r"could not (?:open|access|create|read|write|change permissions of|stat) [\w ]+ §(?P<path>[^\"']+)§: "
        r"(?:Permission denied|Operation not permitted)"
    ),
    says(r"data directory §(?P<path>[^\"']+)§ has (?:wrong ownership|invalid permissions)"),
    says(r"permission denied while trying to connect to the Docker daemon socket at (?:unix://)?(?P<path>[^\s:]+)"),
    says(rf"{_WHO}(?:cannot (?:create|open|access|remove|create directory|touch) )?{_PATH}: Permission denied$"),
]
_DENIED_NAMELESS = re.compile(
    r"\[Errno (?:1|13)\] |\bkind: PermissionDenied\b|\bPermission denied \(os error 13\)|\b(?:EACCES|EPERM): "
)
_BIND_DENIED = re.compile(
    r"\bbind\b.{0,80}permission denied|permission denied.{0,40}\bbind\b|listen EACCES", re.IGNORECASE
)
_BIND = re.compile(r"\.bind\(|in bind\b|in server_bind\b|create_server")
_DENIED_PORT = says(
    r"(?:\bEACCES: permission denied \S*:|\blisten \w+ \S*:|\bbind\(\) to \S*:|\bport )"
    r"(?P<port>\d{1,5})\b(?=$|: bind: permission denied| failed \(13)"
)
_ROOT = says(
    r"\"root\" execution of the (?P<what>\w+) server is not permitted|(?P<other>initdb): error: cannot be run as root"
)

_GONE = [
    says(r"can't open (?:file|config file|script file) '(?P<path>[^']+)': (?:\[Errno 2\] )?No such file"),
    says(r"\[Errno 2\] [^:]*: b?'(?P<path>.+?)'(?: -> .*)?$"),
    says(r"\bENOENT: no such file or directory, \w+ '(?P<path>[^']+)'"),
    says(r"^No such file or directory @ \w+ - (?P<path>.+)$"),
    says(r"^(?P<path>\S.*?) \(No such file or directory\)$"),
    says(r"\bcan't cd to (?P<path>\S+)$"),
    says(r"Unable to access jarfile (?P<path>\S+)"),
    says(r"\b(?:open|stat|lstat|chdir|readdirent|read) (?P<path>\S+): no such file or directory$"),
    says(r"\b(?:open|stat|opendir|chdir)\(\) \"(?P<path>[^\"]+)\" failed \(2: No such file"),
    says(r"\((?P<path>[^()\s]+)\): [Ff]ailed to open stream: No such file"),
    says(r"could not (?:open|access|find|read|stat) (?:[\w ]+ )?§(?P<path>[^\"'`]+)§(?:: No such file| in )"),
    says(r"^\S+?: (?:(?:line )?\d+: )?\.: (?:cannot open |can't open )?'?(?P<path>[^:']+)'?(?:: No such file.*)?$"),
    says(
        rf"{_WHO}(?:cannot (?:create|open|access|stat) )?{_PATH}: (?:No such file or directory|Directory nonexistent)$"
    ),
]
_NODE_SCRIPT = says(r"Cannot find module §(?P<path>/[^\"'`]*)§(?! imported from|\nRequire stack)")
_GONE_NAMELESS = re.compile(r"\bkind: NotFound\b|\bNo such file or directory \(os error 2\)")

_PYTHON_PLACE = says(r"File \"(?P<file>[^\"]+)\", line (?P<line>\d+)$")
_NODE_PLACE = says(r"^(?P<file>/\S+|file:\S+):(?P<line>\d+)$")
_NODE_COMPILES = re.compile(
    r"\bat (?:wrapSafe|compileFunction|compileSourceTextModule|internalCompileFunction|checkSyntax|new Script)\b"
    r"|\bModuleLoader\.moduleStrategy"
)
_SYNTAX = [
    says(r"^(?P<file>\S+): (?:-c: )?(?:line )?(?P<line>\d+): (?P<what>[Ss]yntax error.*)$"),
    says(r"Parse error: +(?P<what>syntax error.*?) in (?P<file>\S+) on line (?P<line>\d+)"),
    says(r"^(?P<file>\S+?):(?P<line>\d+): (?P<what>syntax errors?.*)$"),
]
"""Of shells, PHP and Ruby."""


def file_limit(statement: Statement, facts: Facts) -> Cause | None:
    """It, or the whole machine, had too many files open or watched."""
    found = statement.search(_WATCHERS)
    if found is not None:
        return statement.cause(
            CauseKind.FILE_LIMIT,
            "As many files are watched as one user may watch.",
            "raise it: sysctl fs.inotify.max_user_watches=524288",
            found=found,
        )
    found = statement.search(_TOO_MANY)
    if found is None and statement.name not in ("EMFILE", "ENFILE"):
        return None
    if statement.search(_IN_SYSTEM) or statement.name == "ENFILE":
        return statement.cause(
            CauseKind.FILE_LIMIT,
            "As many files are open as the whole machine allows.",
            "end what holds them: lsof; or raise fs.file-max",
            found=found,
        )
    limit = "" if facts.file_limit is None else f": {facts.file_limit}"
    known = [] if facts.file_limit is None else [f"ulimit -n is {facts.file_limit}"]
    return statement.cause(
        CauseKind.FILE_LIMIT,
        f"It had as many files open as one process may have{limit}.",
        "look what it does not close, or raise it with ulimit -n",
        *known,
        found=found,
    )


def disk_full(statement: Statement, facts: Facts) -> Cause | None:
    """It could not write because there is no room."""
    found = statement.search(_FULL)
    if found is None and statement.name not in ("ENOSPC", "EDQUOT"):
        return None
    return statement.cause(CauseKind.DISK_FULL, "The disk is full.", "make room: df -h tells where", found=found)


def permission(statement: Statement, facts: Facts) -> Cause | None:
    """The system forbade it to use a file or a port; an application's own rules are something else."""
    found = statement.search(_ROOT)
    if found is not None:
        return statement.cause(
            CauseKind.PERMISSION,
            f"{found['what'] or found['other']} refuses to run as root.",
            "run it as another user",
            found=found,
        )
    found = statement.search(_BIND_DENIED)
    if found is not None or (statement.name == "PermissionError" and _BIND.search(statement.nearby)):
        port = statement.search(_DENIED_PORT)
        which = f"port {port['port']}" if port is not None else "its port"
        return statement.cause(
            CauseKind.PERMISSION,
            f"It may not listen on {which}: ports below 1024 are root's.",
            f"let it listen on its PORT, which is {facts.port}" if facts.port else "let it listen on a higher port",
            found=found,
        )
    if statement.name == "AccessDeniedException" and statement.type.startswith("java.nio."):
        path: str | None = statement.text.partition("\n")[0].strip()
    else:
        found = first_of(statement, *_DENIED)
        path = None if found is None else found["path"]
        found = found or statement.search(_DENIED_NAMELESS)
        if found is None:
            return None
    return statement.cause(
        CauseKind.PERMISSION,
        f"It may not use {path}." if path else "It may not use a file that it needs.",
        f"look at who may: ls -ld {path}" if path else "see the line of code which one",
        found=found,
    )


def file_not_found(statement: Statement, facts: Facts) -> Cause | None:
    """It ended because a file is not there."""
    if statement.name == "NoSuchFileException":
        found, path = None, statement.text.partition("\n")[0].strip()
    else:
        found = first_of(statement, *_GONE, _NODE_SCRIPT)
        path = found["path"].rstrip("\\") if found is not None else ""
        found = found or statement.search(_GONE_NAMELESS)
        if found is None:
            return None
    return statement.cause(
        CauseKind.FILE_NOT_FOUND,
        f"{path} does not exist." if path else "A file or command that it needs does not exist.",
        "look at the path, and at the folder that it is started in",
        found=found,
    )


def syntax_error(statement: Statement, facts: Facts) -> Cause | None:
    """A file of code does not parse; text that the program itself parses is something else."""
    found = first_of(statement, *_SYNTAX)
    if found is not None:
        return _does_not_parse(statement, found["file"], found["line"], found["what"], found)
    what = statement.text.partition("\n")[0]
    if statement.name in ("SyntaxError", "IndentationError", "TabError"):
        places = [*_PYTHON_PLACE.finditer(statement.around)]
        # What a program parses itself (eval, literal_eval) has no file.
        if places and not places[-1]["file"].startswith("<"):
            return _does_not_parse(statement, places[-1]["file"], places[-1]["line"], what, None)
    if statement.name == "SyntaxError" and _NODE_COMPILES.search(statement.around):
        place = _NODE_PLACE.search(statement.around)
        if place is not None:
            return _does_not_parse(statement, place["file"], place["line"], what, None)
    return None


def _does_not_parse(statement: Statement, file: str, line: str, what: str, found: re.Match[str] | None) -> Cause:
    if re.fullmatch(r"\w*sh", file):
        file = "The command"
    return statement.cause(
        CauseKind.SYNTAX_ERROR,
        f"{file} does not parse: {what.strip().rstrip('.')} (line {line}).",
        f"mend line {line}, or the one before",
        found=found,
    )
