"""An environment variable that a program needs and was not given."""

import re

from .facts import Cause, CauseKind, Facts
from .statement import Statement, first_of, says

_NAME = r"(?P<name>[A-Z][A-Z0-9_]{1,63})"
_ANY_CASE = r"(?P<name>[A-Za-z_][A-Za-z0-9_]{1,63})"
_SNAKE = r"(?P<name>[A-Z][A-Z0-9]*_[A-Z0-9_]+)"
"""Hardly anything but a variable or a constant is written so."""
_VARIABLE = r"(?i:environment|env)[ -]?(?i:var(?:iable)?s?)"
_IS_UNSET = (
    r"(?:is |are |was |were )?(?:not (?:been )?(?:set|provided|configured)|missing|required|unset"
    r"|must be (?:set|provided)|needs to be set)\b"
)
_IS_MISSING = (
    r"(?:is |are |was |were |has |have )?(?:because it is )?(?:a )?"
    r"(?:not (?:been )?(?:set|defined|found|present|provided|configured|exist)|missing|required|undefined|unset"
    r"|must be (?:set|defined|provided|present|given)|needs to be set|does not exist)\b"
)
_SAID = [
    says(rf"{_VARIABLE}[ :]*§?{_ANY_CASE}§?,? {_IS_MISSING}"),
    says(rf"\b{_ANY_CASE}§? {_VARIABLE} {_IS_MISSING}"),
    says(rf"(?i:missing|required|undefined|unset)(?: required)? {_VARIABLE}(?: is missing| not set)?:?\s+§?{_NAME}\b"),
    says(rf"(?i:set) (?:the )?§?{_NAME}§? {_VARIABLE}"),
    says(rf"\brequired (?:key|variable) §?{_NAME}§? (?:is )?missing (?:a )?value"),
    says(rf"\b{_SNAKE}§? (?:not found\. Declare it as envvar|{_IS_UNSET}(?=.*\bNotPresent\b))"),
    says(rf"§{_SNAKE}§\s*\](?s:.){{0,120}}?(?:Required|received undefined)"),
]
_SAID_OF_SOMETHING = [says(rf"\b{_SNAKE}§? {_IS_UNSET}"), says(rf"(?i:missing) §?{_SNAKE}\b")]
"""What may be about a setting of another kind, too."""
_IN_CODE = ("ReferenceError", "NameError", "UnboundLocalError")
"""What is missing there is a variable of the program."""
_LIST = says(r"(?:(?:,| and|, and) §?[A-Z][A-Z0-9_]+\b§?)*")
"""Further names, after one."""
_ONE = re.compile(r"[A-Z][A-Z0-9_]+")
_SHELL = says(rf"^\S.*?: (?:(?:line )?\d+: )?{_NAME}: (?:unbound variable|parameter (?:not set|null)(?: or \w+)*)$")
_SHELL_WITH_WORDS = says(rf"^(?:\S*/)?(?:ba|da|a|k|z)?sh: (?:(?:line )?\d+: ){_NAME}: (?!.*not found$).+$")
"""What `${NAME:?words}` says."""
_MAY_BE_EMPTY = re.compile(r"\bnull\b|\bempty\b")
_FIELD = re.compile(
    r"(?:validation errors? for \w*(?:Settings|Config|Configuration|Env|Environment)\n(?P<name>\w+)\n +Field required"
    r"|missing value for field (?P<other>\w+))"
)
"""pydantic's settings; Rust's envy."""
_PLACEHOLDER = re.compile(r"Could not resolve placeholder '(?P<name>[\w.-]+)'")
_FROM_ENVIRON = re.compile(r"File \"(?:<frozen os>|[^\"]*/os\.py)\", line \d+, in __getitem__")
_KEY = says(r"^'(?P<name>[^']+)'$")
_RUBY_KEY = re.compile(r"key not found: \"(?P<name>[A-Z][A-Z0-9_]+)\"")
_NAMELESS = re.compile(r"(?:^|: )NotPresent\b|^environment variable not found\b|: environment variable not found\b")


def missing_variable(statement: Statement, facts: Facts) -> Cause | None:
    """It said which variable is not set, and that one was really not set."""
    if statement.name in _IN_CODE:
        return None
    key = _key_of_environ(statement, facts)
    if key is not None:
        return key
    found = first_of(statement, *_SAID, _SHELL, _SHELL_WITH_WORDS)
    if found is not None:
        return _named(statement, facts, found["name"], found)
    found = first_of(statement, *_SAID_OF_SOMETHING)
    if found is not None:
        return _named(statement, facts, found["name"], found, certain=False)
    found = statement.search(_FIELD) or (None if statement.type else _FIELD.search(statement.nearby))
    if found is not None:
        return _named(statement, facts, (found["name"] or found["other"]).upper(), found)
    found = statement.search(_PLACEHOLDER)
    if found is not None:
        name = re.sub(r"[.-]", "_", found["name"]).upper()
        return _named(statement, facts, name, found, certain=name == found["name"])
    found = statement.search(_NAMELESS)
    if found is not None:
        return statement.cause(
            CauseKind.MISSING_VARIABLE,
            "An environment variable that it needs is not set.",
            "see the line of code which one, and put it into .env",
            found=found,
        )
    return None


def _key_of_environ(statement: Statement, facts: Facts) -> Cause | None:
    """A key that is missing in the environment, not in any other mapping."""
    if statement.name != "KeyError":
        return None
    found = statement.search(_KEY)
    if found is not None and _FROM_ENVIRON.search(statement.nearby):
        return _named(statement, facts, found["name"], found)
    found = statement.search(_RUBY_KEY)
    if found is not None:
        return _named(statement, facts, found["name"], found, certain="ENV" in statement.nearby)
    return None


def _named(
    statement: Statement, facts: Facts, name: str, found: re.Match[str], *, certain: bool = True
) -> Cause | None:
    if name in facts.environment:
        if not _MAY_BE_EMPTY.search(statement.text):
            return None
        return statement.cause(
            CauseKind.MISSING_VARIABLE,
            f"The environment variable {name} is empty.",
            f"give {name} a value in .env",
            found=found,
        )
    further = _LIST.match(found.string, found.end())
    names = [name, *(_ONE.findall(further[0]) if further is not None else ())]
    names = [one for one in names if one not in facts.environment]
    text = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return statement.cause(
        CauseKind.MISSING_VARIABLE,
        f"The environment variable{'s' * (len(names) > 1)} {text} {'is' if len(names) == 1 else 'are'} not set.",
        f"put {text} into .env",
        found=found,
        certain=certain,
    )
