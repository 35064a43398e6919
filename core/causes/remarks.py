"""What lines are that do not say why a program ended: remarks on the end itself, what was handled, requests, the
verdicts of tests, and what only goes on with the line before. Words of many tools and servers are known here.
"""

import re

from ..levels import Level, belongs_to_line_before, level_of


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_ONLY_THE_END = _any_of(
    # What ran the program.
    r"npm (?:ERR!|error)|(?:yarn )?error Command failed with|info Visit https://yarnpkg|.*\bELIFECYCLE\b",
    r"Lifecycle script|error: script \"|error: \"\S+\" exited with code|Node\.js v\d|\S*/?env: use -",
    r"g?make(?:\[\d+\])?: \*\*\* .*(?:Error \d+|Killed|Aborted)|signal: \w+$|error: process didn't exit successfully",
    r"(?:\S+: line \d+: +\d+ )?(?:Killed|Aborted|Terminated)\b.*$|(?:See|Run) 'docker|ERRO\[\d+\]",
    r"\[ERROR\] +(?:->|Re-run|To see|For more|\[Help|Failed to execute goal)|\[ERROR\]\s*$",
    r"FAILURE: Build failed|\* (?:What went wrong|Try|Exception is):|Execution failed for task|> |BUILD FAILED",
    r"Sentry is attempting|Waiting up to \d+|Press Ctrl",
    # What the program says of its end.
    r".*\b(?:shutting down|shut down|shutdown complete|waiting for application shutdown|finished server process)",
    r".*\b(?:startup failed\. exiting|exiting\b|stopping|stopped|aborting|terminating\b|quitting)",
    r".*\b(?:exited with (?:code|status)|bye\b|goodbye|completed? log of this run)",
    r".*(?:Worker failed to boot|still could not bind\(\)|could not create any TCP/IP sockets|Application run failed)",
    r".*(?:Failed listening on port \d+|could not create listen socket|See \"docker run)",
    # What it says around the cause.
    r"(?:Description|Action):$|APPLICATION FAILED TO START|Identify and stop (?:the|that) process|note: |HINT: ",
    r"\(Background on this error|\[SQL: |\[parameters: |Please make sure your database",
    r"Install missing gem|Run `bundle install`|[*=-]+$|-{3,} .*-{3,}$",
    r"(?:The server must be started|possible system security|more information on how)\b",
)
_HANDLED = _any_of(
    r"\b(?:re-?trying|re-?tries in|will (?:re-?try|try)|try(?:ing)? (?:again|another|the next|\d+ instead))",
    r"\b(?:falling back|fall back|fallback|ignor(?:ed|ing)|skipp?(?:ed|ing)|continu(?:e|ing)|disabl(?:ed|ing))",
    r"\b(?:recovered|reconnecting|instead|optional|attempt \d+ (?:of|/))",
)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
_GRAVE_ALL_THE_SAME = re.compile(
    r"Could not create server TCP|could not bind IPv[46]|Connection in use:|\[emerg\]|start the server with a different"
)
"""Redis, Postgres, gunicorn, nginx and Flask end after these, whatever level they give them."""
_REQUEST = re.compile(r"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (?:/|https?:)")
_VERDICT = re.compile(
    r"=+ .*\b(?:failed|passed|error)s?\b.* in [\d.]+ ?s\b|FAILED \S+|(?:--- )?FAIL\b|Tests?: +\d+|Failures?: "
    r"|\d+ examples?, |not ok \d+|test result: FAILED|E {2,}|\d+ (?:tests?|specs?|passing|failing)\b"
)
_GOES_ON = _any_of(
    r"\b(?:listening|started|connected|ready|serving|running on|recovered|established|succe(?:ss|eded)\w*)\b",
    r"\b(?:completed?|resumed|up and running|accepted|loaded|received|processed|done)\b",
)
_WRONG = _any_of(
    r"\b(?:error|exception|fatal|panic|fail(?:ed|ure|s)?|cannot|can't|could not|couldn't|unable|invalid|denied)\b",
    r"\b(?:refused|abort\w*|traceback|not found|missing|undefined|unexpected|no such|uncaught|unhandled)\b",
    r"\b(?:assert\w*|unknown|illegal|bad)\b|\w(?:Error|Exception)\b",
)
_BELONGS = re.compile(
    r"Emitted '\w+' event|goroutine \d+ |exit status \d+$|Require stack:|[+-] |Stack trace:$|#\d+ |\d+: 0x"
)
"""What Node, Go and PHP write in the middle of what they say."""


def tells_only_the_end(line: str) -> bool:
    """It tells that something ended, not why; or it is what tools and servers put around that."""
    return _ONLY_THE_END.match(line) is not None


def was_handled(line: str) -> bool:
    """Whoever wrote it went on: it says so, or it is a warning, or about a request."""
    if _GRAVE_ALL_THE_SAME.search(line):
        return False
    level = level_of(line)
    below = level is not None and level < Level.ERROR
    return below or _REQUEST.search(line) is not None or _HANDLED.search(_QUOTED.sub("", line)) is not None


def is_a_verdict(line: str) -> bool:
    """A test runner says that a test failed: what failed in it is what somebody looked for."""
    return _VERDICT.match(line) is not None


def is_an_error(line: str) -> bool:
    """It says itself that it is an error."""
    return level_of(line) is Level.ERROR


def says_how_it_went(line: str) -> bool:
    """It tells of a success, or of something that went wrong."""
    return _WRONG.search(line) is not None or _GOES_ON.search(line) is not None or is_an_error(line)


def belongs(line: str) -> bool:
    """It goes on with the line before."""
    return belongs_to_line_before(line) or _BELONGS.match(line) is not None
