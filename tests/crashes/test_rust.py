"""Real programs in Rust that crash."""

from __future__ import annotations

import subprocess

import pytest

from .support import Crash, Programs, line_of, tool

pytestmark = pytest.mark.xdist_group("crashes of Rust")

MAIN = """\
mod queue {
    pub fn pick(urls: &[&str], number: usize) -> usize {
        urls[number].len() // index
    }
}

struct Bad;

impl Drop for Bad {
    fn drop(&mut self) {
        panic!("in drop"); // drop
    }
}

fn down(number: u64) -> u64 {
    if number == 0 { 0 } else { down(number + 1) + 1 }
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("index") => println!("{}", queue::pick(&["a"], 5)),
        Some("unwrap") => {
            let none: Option<u32> = None;
            none.unwrap(); // unwrap
        }
        Some("other") => {
            let none: Option<u32> = None;
            none.unwrap(); // other
        }
        Some("expect") => {
            "x".parse::<u16>().expect("PORT must be a number"); // expect
        }
        Some("thread") => {
            let worker = std::thread::spawn(|| panic!("worker lost:\\n  second line"));
            worker.join().unwrap(); // thread
        }
        Some("drop") => {
            let _bad = Bad;
            panic!("first");
        }
        _ => println!("{}", down(1)),
    }
}
"""
CRASHES = {
    "index": "panic: index out of bounds: the len is 1 but the index is 5",
    "unwrap": "panic: called `Option::unwrap()` on a `None` value",
    "other": "panic: called `Option::unwrap()` on a `None` value",
    "expect": "panic: PORT must be a number: ParseIntError { kind: InvalidDigit }",
    "thread": "panic: called `Result::unwrap()` on an `Err` value: Any { .. }",
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    folder = tmp_path_factory.mktemp("rust")
    # The binary has the path of where it was built in it.
    programs = Programs(folder, {"main.rs": MAIN}, env={"RUST_BACKTRACE": None}, moves=False)
    command = [tool("rustc"), "-g", "--edition", "2021", "-A", "warnings", "-o", "shop", "main.rs"]
    subprocess.run(command, cwd=programs.folder, check=True, timeout=120)
    return programs


def crash_of(programs: Programs, how: str, backtrace: str | None = None) -> Crash:
    return programs.crash("./shop", how, env={"RUST_BACKTRACE": backtrace})


@pytest.mark.parametrize("backtrace", [None, "1", "full"])
@pytest.mark.parametrize("how", CRASHES)
def test_what_and_where(programs: Programs, how: str, backtrace: str | None) -> None:
    crash = crash_of(programs, how, backtrace)
    assert crash.headline == CRASHES[how]
    assert crash.place == f"main.rs:{line_of(MAIN, f'// {how}')}"
    assert not crash.exit.clean


def test_a_thread_that_panicked_is_the_cause_of_who_waited_for_it(programs: Programs) -> None:
    assert crash_of(programs, "thread").causes == ["panic: worker lost:"]


def test_a_panic_within_a_panic(programs: Programs) -> None:
    crash = crash_of(programs, "drop", "1")
    assert crash.headline == "panic: panic in a destructor during cleanup"
    assert crash.place == f"main.rs:{line_of(MAIN, '// drop')}"
    assert crash.causes == ["panic: in drop", "panic: first"]


def test_a_stack_that_is_full(programs: Programs) -> None:
    assert crash_of(programs, "deep").headline == "fatal runtime error: stack overflow"


@pytest.mark.parametrize("backtrace", [None, "1"])
def test_each_crash_has_a_print_of_its_own(programs: Programs, backtrace: str | None) -> None:
    names = (*CRASHES, "drop", "deep")
    prints = {how: crash_of(programs, how, backtrace).fingerprint for how in names if how != "other" or not backtrace}
    assert len(set(prints.values())) == len(prints), prints
