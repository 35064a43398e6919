"""Real programs in Ruby and PHP that crash, where these are on the machine."""

from __future__ import annotations

import pytest

from .support import Crash, Programs, line_of, tool

pytestmark = pytest.mark.xdist_group("crashes of Ruby and PHP")

FILES = {
    "queues.rb": """\
module Jobs
  def self.url(env)
    env.fetch("QUEUE_URL") # HERE
  end
end
""",
    "missing.rb": """\
require_relative "queues"

puts "starting"
Jobs.url({})
""",
    "outer.rb": """\
def inner
  nil.upcase
end

def outer
  inner
rescue NoMethodError
  raise ArgumentError, "outer failed\\nsecond line" # HERE
end

[1].each { outer }
""",
    "deep.rb": """\
def down(number)
  down(number + 1) # HERE
end

down(0)
""",
    "thread.rb": """\
Thread.new { raise KeyError, "in a thread" }.join # HERE
""",
    "imports_broken.rb": """\
require_relative "broken"
""",
    "broken.rb": """\
def url
  1 +
end end # HERE
""",
    "requires.rb": """\
require "a_library_that_is_not_there" # HERE
""",
    "Queue.php": """\
<?php
class Queue {
    function connect(string $name) {
        throw new RuntimeException("cannot reach $name"); // HERE
    }
}
""",
    "missing.php": """\
<?php
require __DIR__ . '/Queue.php';
(new Queue)->connect('redis');
""",
    "boot.php": """\
<?php
require __DIR__ . '/Queue.php';
function boot() {
    try {
        (new Queue)->connect('redis');
    } catch (RuntimeException $e) {
        throw new LogicException("boot failed\\nsecond line", 3, $e); // HERE
    }
}
array_map(function ($x) { boot(); }, [1]);
""",
    "undefined.php": """\
<?php
function f() {
    return undefined_function(1); // HERE
}
f();
""",
    "broken.php": """\
<?php
function f( { // HERE
}
""",
}
RUBY = {
    "missing.rb": ('KeyError: key not found: "QUEUE_URL"', "queues.rb"),
    "outer.rb": ("ArgumentError: outer failed", "outer.rb"),
    "deep.rb": ("SystemStackError: stack level too deep", "deep.rb"),
    "thread.rb": ("KeyError: in a thread", "thread.rb"),
    "imports_broken.rb": ("SyntaxError: ", "broken.rb"),
    "requires.rb": ("LoadError: cannot load such file -- a_library_that_is_not_there", "requires.rb"),
}
PHP = {
    "missing.php": ("RuntimeException: cannot reach redis", "Queue.php"),
    "boot.php": ("LogicException: boot failed", "boot.php"),
    "undefined.php": ("Error: Call to undefined function undefined_function()", "undefined.php"),
    "broken.php": ("Parse error: syntax error, unexpected ", "broken.php"),
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return Programs(tmp_path_factory.mktemp("ruby and php"), FILES, env={"RUBYOPT": None})


def crash_of(programs: Programs, program: str) -> Crash:
    if program.endswith(".php"):
        # As in a container without a php.ini.
        return programs.crash(tool("php"), "-n", program)
    return programs.crash(tool("ruby"), program)


@pytest.mark.parametrize("program", [*RUBY, *PHP])
def test_what_and_where(programs: Programs, program: str) -> None:
    headline, file = {**RUBY, **PHP}[program]
    crash = crash_of(programs, program)
    assert crash.headline.startswith(headline)
    assert crash.place == f"{file}:{line_of(FILES[file])}"
    assert not crash.exit.clean


def test_what_it_came_from_in_ruby(programs: Programs) -> None:
    (cause,) = crash_of(programs, "outer.rb").causes
    assert cause.startswith("NoMethodError: undefined method ")


def test_what_it_came_from_in_php(programs: Programs) -> None:
    assert crash_of(programs, "boot.php").causes == ["RuntimeException: cannot reach redis"]


@pytest.mark.parametrize("names", [RUBY, PHP], ids=["ruby", "php"])
def test_each_crash_has_a_print_of_its_own(programs: Programs, names: dict[str, object]) -> None:
    prints = {name: crash_of(programs, name).fingerprint for name in names}
    assert len(set(prints.values())) == len(prints), prints
