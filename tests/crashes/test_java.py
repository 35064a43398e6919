"""Real programs in Java that crash."""

from __future__ import annotations

import subprocess

import pytest

from .support import Crash, Programs, line_of, tool

pytestmark = pytest.mark.xdist_group("crashes of Java")

MAIN = """\
package com.acme;

import com.acme.queue.Queue;
import java.util.List;

public class Main {
    static class Resource implements AutoCloseable {
        public void close() {
            throw new IllegalArgumentException("close failed");
        }
    }

    static int down(int number) {
        return down(number + 1) + 1; // deep
    }

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "deep":
                down(0);
            case "suppressed":
                try (Resource resource = new Resource()) {
                    throw new IllegalStateException("body"); // suppressed
                }
            case "thread":
                Thread thread = new Thread(() -> {
                    throw new RuntimeException("in a thread\\nsecond line"); // thread
                }, "pool-1");
                thread.start();
                thread.join();
                System.exit(3);
            case "lambda":
                List.of("x").forEach(x -> {
                    Integer.parseInt(x); // lambda
                });
            case "print":
                try {
                    new Queue().connect(null);
                } catch (Exception exception) {
                    exception.printStackTrace();
                    System.exit(1);
                }
            case "start":
                try {
                    new Queue().connect(null);
                } catch (RuntimeException exception) {
                    throw new IllegalStateException("cannot start", exception); // start
                }
        }
    }
}
"""
QUEUE = """\
package com.acme.queue;

public class Queue {
    public void connect(String url) {
        try {
            url.length();
        } catch (NullPointerException exception) {
            throw new RuntimeException("no url", exception); // HERE
        }
    }
}
"""
FILES = {"src/main/java/com/acme/Main.java": MAIN, "src/main/java/com/acme/queue/Queue.java": QUEUE}
CRASHES = {
    "start": "java.lang.IllegalStateException: cannot start",
    "deep": "java.lang.StackOverflowError",
    "suppressed": "java.lang.IllegalStateException: body",
    "thread": "java.lang.RuntimeException: in a thread",
    "lambda": 'java.lang.NumberFormatException: For input string: "x"',
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    programs = Programs(tmp_path_factory.mktemp("java"), FILES)
    tool("java")
    command = [tool("javac"), "-J-XX:TieredStopAtLevel=1", "-d", "classes", *FILES]
    subprocess.run(command, cwd=programs.folder, check=True, timeout=60)
    return programs


def crash_of(programs: Programs, how: str) -> Crash:
    quick = ("-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:+UseSerialGC")
    return programs.crash(tool("java"), *quick, "-cp", "classes", "com.acme.Main", how)


@pytest.mark.parametrize("how", CRASHES)
def test_what_and_where(programs: Programs, how: str) -> None:
    crash = crash_of(programs, how)
    assert crash.headline == CRASHES[how]
    assert crash.place == f"Main.java:{line_of(MAIN, f'// {how}')}"
    assert not crash.exit.clean


def test_where_is_told_by_the_path_from_the_projects_folder(programs: Programs) -> None:
    traceback = crash_of(programs, "print").traceback
    assert traceback is not None and traceback.place is not None
    assert traceback.place.file == "src/main/java/com/acme/queue/Queue.java"
    assert traceback.place.line == line_of(QUEUE)


def test_what_it_came_from(programs: Programs) -> None:
    causes = crash_of(programs, "start").causes
    assert causes[0] == "java.lang.RuntimeException: no url"
    assert causes[1].startswith("java.lang.NullPointerException: ")
    assert crash_of(programs, "suppressed").causes == ["java.lang.IllegalArgumentException: close failed"]


def test_a_class_that_is_not_there(programs: Programs) -> None:
    crash = programs.crash(tool("java"), "-cp", "classes", "com.acme.Nowhere")
    assert crash.headline == "Error: Could not find or load main class com.acme.Nowhere"


def test_each_crash_has_a_print_of_its_own(programs: Programs) -> None:
    prints = {how: crash_of(programs, how).fingerprint for how in (*CRASHES, "print")}
    assert len(set(prints.values())) == len(prints), prints
