"""Real programs in JavaScript that crash."""

from __future__ import annotations

import pytest

from .support import Crash, Programs, line_of, tool

pytestmark = pytest.mark.xdist_group("crashes of Node")

FILES = {
    "lib.js": """\
exports.connect = function connect(env) {
  return env.queue.url; // HERE
};
""",
    "main.js": """\
const { connect } = require('./lib');
console.log('starting');
connect({});
""",
    "cause.js": """\
async function load() {
  throw new RangeError('bad range');
}
async function main() {
  try {
    await load();
  } catch (error) {
    throw new Error('cannot start\\nsecond line', { cause: error }); // HERE
  }
}
main();
""",
    "any.js": """\
const fail = (message) => Promise.reject(new TypeError(message)); // HERE
(async () => {
  await Promise.any([fail('one'), fail('two')]);
})();
""",
    "thrown.js": "throw 'just a text'; // HERE\n",
    "broken.js": "const a = 1;\nfunction ( { // HERE\n",
    "module.mjs": """\
import fs from 'node:fs';
export function read() {
  return fs.readFileSync('/nowhere/at/all'); // HERE
}
read();
""",
    "requires.js": "require('a-module-that-is-not-there'); // HERE\n",
    "event.js": """\
const { EventEmitter } = require('events');
const queue = new EventEmitter();
setTimeout(() => {
  queue.emit('error', new Error('lost')); // HERE
}, 1);
""",
    "coded.js": """\
class QueueError extends Error {
  constructor(message) {
    super(message);
    this.name = 'QueueError';
    this.code = 'E_QUEUE';
    this.retry = { in: 3 };
  }
}
setTimeout(() => {
  throw new QueueError('lost'); // HERE
}, 1);
""",
    "caught.js": """\
try {
  null.x; // HERE
} catch (error) {
  console.error('failed:', error);
  process.exitCode = 1;
}
""",
    "rejects.js": "Promise.reject('why');\n",
    "leaves.js": "console.error('cannot start');\nprocess.exit(1);\n",
}
CRASHES = {
    "main.js": ("TypeError: Cannot read properties of undefined (reading 'url')", "lib.js"),
    "cause.js": ("Error: cannot start", "cause.js"),
    "any.js": ("AggregateError: All promises were rejected", "any.js"),
    "thrown.js": ("Uncaught: just a text", "thrown.js"),
    "broken.js": ("SyntaxError: Function statements require a function name", "broken.js"),
    "module.mjs": ("Error: ENOENT: no such file or directory, open '/nowhere/at/all'", "module.mjs"),
    "requires.js": ("Error: Cannot find module 'a-module-that-is-not-there'", "requires.js"),
    "event.js": ("Error: lost", "event.js"),
    "coded.js": ("QueueError: lost", "coded.js"),
    "caught.js": ("TypeError: Cannot read properties of null (reading 'x')", "caught.js"),
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return Programs(tmp_path_factory.mktemp("node"), FILES, env={"NODE_OPTIONS": None})


def crash_of(programs: Programs, program: str) -> Crash:
    return programs.crash(tool("node"), program)


@pytest.mark.parametrize("program", CRASHES)
def test_what_and_where(programs: Programs, program: str) -> None:
    headline, file = CRASHES[program]
    crash = crash_of(programs, program)
    assert crash.headline == headline
    assert crash.place == f"{file}:{line_of(FILES[file])}"
    assert not crash.exit.clean


def test_what_it_came_from(programs: Programs) -> None:
    assert crash_of(programs, "cause.js").causes == ["RangeError: bad range"]
    assert crash_of(programs, "any.js").causes == ["TypeError: one", "TypeError: two"]


def test_a_rejection_without_an_error_says_why(programs: Programs) -> None:
    assert 'with the reason "why"' in crash_of(programs, "rejects.js").headline


def test_each_crash_has_a_print_of_its_own(programs: Programs) -> None:
    prints = {name: crash_of(programs, name).fingerprint for name in (*CRASHES, "rejects.js", "leaves.js")}
    assert len(set(prints.values())) == len(prints), prints


def test_who_leaves_with_words_did_not_throw(programs: Programs) -> None:
    assert crash_of(programs, "leaves.js").traceback is None
