"""Real programs in Go that crash."""

from __future__ import annotations

import os
import subprocess

import pytest

from .support import Crash, Programs, tool

pytestmark = pytest.mark.xdist_group("crashes of Go")

MAIN = """\
package main

import (
	"os"

	"example.com/shop/queue"
)

func again() {
	defer func() {
		panic(recover())
	}()
	queue.Fail()
}

func down(number int) {
	if number == 0 {
		panic("bottom") // deep
	}
	down(number - 1)
}

func main() {
	switch os.Args[1] {
	case "index":
		(&queue.Queue{}).Connect(5)
	case "nil":
		var none *queue.Queue
		none.Connect(1)
	case "fail":
		queue.Fail()
	case "again":
		again()
	case "map":
		var counts map[string]int
		counts["x"] = 1 // map
	case "deep":
		down(2000)
	case "goroutine":
		go func() {
			panic("aside") // goroutine
		}()
		select {}
	case "deadlock":
		<-make(chan int) // deadlock
	}
}
"""
QUEUE = """\
package queue

import "errors"

type Queue struct{ urls []string }

func (q *Queue) Connect(number int) string {
	return q.urls[number] // index nil
}

func Fail() {
	panic(errors.New("cannot reach redis\\nsecond line")) // fail again
}
"""
FILES = {"go.mod": "module example.com/shop\n\ngo 1.18\n", "main.go": MAIN, "queue/queue.go": QUEUE}
CRASHES = {
    "index": ("panic: runtime error: index out of range [5] with length 0", "queue.go"),
    "nil": ("panic: runtime error: invalid memory address or nil pointer dereference", "queue.go"),
    "fail": ("panic: cannot reach redis", "queue.go"),
    "again": ("panic: cannot reach redis", "queue.go"),
    "map": ("panic: assignment to entry in nil map", "main.go"),
    "deep": ("panic: bottom", "main.go"),
    "goroutine": ("panic: aside", "main.go"),
    "deadlock": ("fatal error: all goroutines are asleep - deadlock!", "main.go"),
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    folder = tmp_path_factory.mktemp("go")
    # The binary has the paths of where it was built in it.
    programs = Programs(folder, FILES, env={"GOTRACEBACK": None}, moves=False)
    env = {
        **os.environ,
        "GOPROXY": "off",
        "GOFLAGS": "-mod=mod",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        "GOCACHE": str(folder.with_name("go-cache")),
        "GOPATH": str(folder.with_name("go-path")),
    }
    # Of Go's own packages only the few that are needed are compiled; that takes some seconds.
    subprocess.run([tool("go"), "build", "-o", "shop", "."], cwd=folder, env=env, check=True, timeout=120)
    return programs


def crash_of(programs: Programs, how: str) -> Crash:
    return programs.crash("./shop", how)


def line(file: str, how: str) -> int:
    source = {"main.go": MAIN, "queue.go": QUEUE}[file]
    return next(number for number, text in enumerate(source.splitlines(), 1) if how in text.partition("// ")[2].split())


@pytest.mark.parametrize("how", CRASHES)
def test_what_and_where(programs: Programs, how: str) -> None:
    headline, file = CRASHES[how]
    crash = crash_of(programs, how)
    assert crash.headline == headline
    assert crash.place == f"{file}:{line(file, how)}"
    assert not crash.exit.clean


def test_without_a_stack_there_is_a_panic_still(programs: Programs) -> None:
    crash = programs.crash("./shop", "fail", env={"GOTRACEBACK": "none"})
    assert (crash.headline, crash.place) == ("panic: cannot reach redis", "")


def test_each_crash_has_a_print_of_its_own(programs: Programs) -> None:
    prints = {how: crash_of(programs, how).fingerprint for how in CRASHES}
    assert len(set(prints.values())) == len(prints), prints
