"""Which output ends at a debugger's prompt: what real debuggers wrote on a terminal that mostly answers nothing, and
what looks like a prompt and is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.logstore import ArrivalCounter, LogStore
from procdeck.core.messages import RunMark
from procdeck.core.prompts import QUIET, prompt_at_end, prompt_of
from procdeck.core.state import Exit

RECORDED = {
    "pdb": (b'start\n> /srv/a.py(4)<module>()\n-> print("end", x)\n(Pdb) ', "(Pdb)"),
    "pdb, debugging within": (b"ENTERING RECURSIVE DEBUGGER\n((Pdb)) ", "((Pdb))"),
    "pdb, coloured": (b"-> main()\n\x1b[1;35m(Pdb) \x1b[0m", "(Pdb)"),
    "pdb++": (b"-> \x1b[38;5;28mprint\x1b[39m\n\x1b[?1h\x1b=\x1b[?25l\x1b[1A\n(Pdb++) \x1b[?12l\x1b[?25h", "(Pdb++)"),
    "ipdb": (
        b"CPR).\r\n\x1b[?2004h\x1b[?25l\x1b[0m\x1b[?7l\x1b[0m\x1b[J\x1b[0mipdb>\x1b[5D\x1b[6C\x1b[?7h\x1b[0m"
        b"\x1b[?12l\x1b[?25h",
        "ipdb>",
    ),
    "ipdb, coloured": (b"\x1b[J\x1b[0;38;5;28mipdb> \x1b[6D\x1b[6C\x1b[?7h\x1b[0m", "ipdb>"),
    "ipdb, on a terminal that answers": (
        b"\x1b[?25l\x1b[?7l\x1b[6D\x1b[0mipdb>\x1b[0m" + 14 * b"\r\n" + b"\x1b[0m \x08\x1b[14A\x1b[6C\x1b[?7h\x1b[0m",
        "ipdb>",
    ),
    "IPython": (
        b"CPR).\r\n\x1b[?2004h\x1b[?25l\x1b[0m\x1b[?7l\x1b[0m\x1b[J\x1b[0mIn [1]:\x1b[7D\x1b[8C\x1b[?7h\x1b[0m"
        b"\x1b[?12l\x1b[?25h",
        "In [1]:",
    ),
    "IPython, on a terminal that answers": (
        b"\x1b[6n\x1b[?2004h\x1b[J\x1b[0mIn [12]:\x1b[8D\x1b[9C\x1b[?25l\x1b[9D\x1b[0mIn [12]:\x1b[0m"
        + 14 * b"\r\n"
        + b"\x1b[0m \x08\x1b[14A\x1b[9C\x1b[?7h",
        "In [12]:",
    ),
    "code.interact": (b"hello\n>>> ", ">>>"),
    "node inspect": (b"\x1b[1G\x1b[0KBreak on start in a.js:1\n> 1 f();\n\x1b[1G\x1b[0Jdebug> \x1b[8G", "debug>"),
    "pry": (b"    5: puts 1\n\n\x1b[0G[1] pry(main)> ", "[1] pry(main)>"),
    "pry in a named application, in an object": (b"\n[2] shop(#<Cart:0x0001>):1> ", "[2] shop(#<Cart:0x0001>):1>"),
    "irb": (b"\x1b[1G\x1b[K\x1b[6n\x1b[1Girb(main):001:0> \x1b[K\x1b[1G\x1b[18G", "irb(main):001:0>"),
    "irb, in the midst of a string": (b'\nirb(main):002:0" ', 'irb(main):002:0"'),
    "Rails console": (b"Loading development environment\nshop(dev)> ", "shop(dev)>"),
    "irb, before its terminal has answered": (b"\x1b[0m\n\x1b[1G\xe2\x96\xbd\x1b[6n", "(ruby)"),
    "byebug": (b'=> 4: puts "end"\n(byebug) ', "(byebug)"),
    "rdbg": (b"\x1b[1G\xe2\x96\xbd\x1b[6n\x1b[1G\x1b[K\x1b[6n\x1b[1G(rdbg) \x1b[K\x1b[1G\x1b[8G", "(rdbg)"),
    "rdbg, in a process": (b"\n(rdbg:#12) ", "(rdbg:#12)"),
    "dlv": (b"Type 'help' for list of commands.\n(dlv) ", "(dlv)"),
    "gdb": (b"\x1b[?2004h\x1b[?2004l\r\x1b[?2004h(gdb) ", "(gdb)"),
    "lldb": (b"(lldb) \x1b[1G\x1b[2m(lldb) \x1b[0m\x1b[8G", "(lldb)"),
    "jdb": (b'Breakpoint hit: "thread=main", M.main(), line=1 bci=0\n1    class M {}\n\nmain[1] ', "main[1]"),
    "perl -d": (b"main::(a.pl:1):\t0\n\x1b[4m  DB<1> \x1b[24m\x1b[1m\x1b[0m\x1b[0m", "DB<1>"),
    "behind words without a newline": (b"loading ... (Pdb) ", "(Pdb)"),
    "over a progress bar": (b" 37 %\r 38 %\r(Pdb) ", "(Pdb)"),
    "somebody types at it": (b"-> main()\n(Pdb) p 6*", "(Pdb)"),
    "somebody types at node": (b"\x1b[1G\x1b[0Jdebug> \x1b[8Gex", "debug>"),
}

NO_PROMPT = {
    "nothing": b"",
    "a whole line": b"(Pdb) \n",
    "a line of a log that ends in an arrow": b"12:04:31 INFO shop -> ",
    "an arrow": b"> ",
    "a question": b"Continue? [y/N] ",
    "a progress bar": b"\r 37 %|#####>      | 37/100 [00:01<00:02, 30.1it/s]",
    "another": b"[12] downloading (3 of 7) ==> ",
    "arrows within text": b"merge conflict: >>> theirs",
    "arrows behind text": b"<<< ours >>> ",
    "a REPL's input that is no REPL's": b">>> Starting server",
    "a step, not a thread": b"step[1] ",
    "a thread that no debugger spoke of": b'hit: "thread=other", line=1\nmain[1] ',
    "a painted screen": b"\x1b[?1049h\x1b[H" + b"\x1b[1;1H\x1b[7mfile.txt (Pdb) \x1b[K" * 40,
    "a long line that mentions one": b"x" * 300 + b" (gdb) ",
    "a shell": b"root@host:/srv# ",
    "a prompt that was answered": b"(Pdb) c\nserving on port 5000 ... ",
}


@pytest.mark.parametrize(("output", "prompt"), RECORDED.values(), ids=RECORDED)
def test_a_debugger_waits(output: bytes, prompt: str) -> None:
    assert prompt_at_end(output) == prompt


@pytest.mark.parametrize("output", NO_PROMPT.values(), ids=NO_PROMPT)
def test_nobody_waits(output: bytes) -> None:
    assert prompt_at_end(output) == ""


@pytest.mark.parametrize(("output", "prompt"), RECORDED.values(), ids=RECORDED)
def test_what_is_answered_does_not_wait_any_more(output: bytes, prompt: str) -> None:
    assert prompt_at_end(output + b"c\r\n") == ""
    assert prompt_at_end(output + b"c\r\ngoing on\r\n") == ""


@given(st.lists(st.sampled_from([*b"()[]>Pdb \n\r\x1b:0A1", *b"irb(main)"]), max_size=60).map(bytes))
def test_any_output_is_judged(output: bytes) -> None:
    prompt = prompt_at_end(output)
    assert "\x1b" not in prompt
    assert "\n" not in prompt


def log(*chunks: bytes, at: float = 100.0) -> LogStore:
    store = LogStore("web.1", ArrivalCounter())
    for chunk in chunks:
        store.append(chunk, at=at, run=1)
    return store


def test_the_end_of_a_log_is_looked_at() -> None:
    assert prompt_of(log(b"start\n", b"(Pd", b"b) "), at=200.0) == "(Pdb)"
    assert prompt_of(log(b"x" * 300_000 + b"\n(Pdb) "), at=200.0) == "(Pdb)"
    assert prompt_of(log(), at=200.0) == ""
    assert prompt_of(log(b"(Pdb) \n"), at=200.0) == ""


def test_the_rest_of_a_line_may_be_on_its_way() -> None:
    store = log(b"(Pdb) ")
    assert prompt_of(store, at=100.0) == ""
    assert prompt_of(store, at=100.0 + QUIET / 2) == ""
    assert prompt_of(store, at=100.0 + QUIET) == "(Pdb)"
    # A clock that is set back does not hide it.
    assert prompt_of(store, at=50.0) == "(Pdb)"


def test_a_run_that_has_ended_waits_for_nothing() -> None:
    store = log(b"(Pdb) ")
    store.mark_end(RunMark(1, Exit(code=1), 1.0), at=101.0)
    assert prompt_of(store, at=200.0) == ""
