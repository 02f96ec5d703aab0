"""The small repository of the demo, with a pull request that passes and one that fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.github_standin.client import Pull, Repository, Standin
    from tests.github_standin.records import Comment, Status

OWNER = "acme"
NAME = f"{OWNER}/greeter"
DEVELOPER = "developer"

PREFLIGHT_YAML = """\
# Which pipelines run on a pull request. Read from the base branch, so that a pull request can't change it.
pipelines:
  unit:
    dag: checks
    params:
      steps:
        lint: python3 -m compileall -q src
        test: PYTHONPATH=src python3 run_tests.py
  docs:
    dag: checks
    paths: ["docs/**"]
    params:
      steps:
        title: head -n 1 docs/index.md | grep '^# '
report:
  as: both
"""
GREETER = '''\
"""Greets people."""


def greeting(name):
    """A friendly line for that person."""
    return f"Hello, {name}!"
'''
TESTS = """\
import unittest

from greeter import greeting


class GreetingTest(unittest.TestCase):
    def test_it_is_friendly(self):
        self.assertEqual(greeting("world"), "Hello, world!")
"""
ANOTHER_TEST = """
    def test_it_greets_everybody_at_once(self):
        self.assertEqual(greeting(), "Hello, everybody!")
"""
RUN_TESTS = '''\
"""Runs the tests, and leaves a JUnit file of them in $ARTIFACTS."""

import os
import sys
import time
import unittest
import xml.etree.ElementTree as ET


class Result(unittest.TextTestResult):
    suite = ET.Element("testsuite", name="tests")

    def startTest(self, test):
        super().startTest(test)
        file = os.path.relpath(sys.modules[type(test).__module__].__file__)
        self.case = ET.SubElement(
            self.suite, "testcase", classname=type(test).__qualname__, name=test._testMethodName, file=file
        )
        self.started = time.monotonic()

    def stopTest(self, test):
        self.case.set("time", f"{time.monotonic() - self.started:.3f}")
        super().stopTest(test)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.fail("failure", test, error)

    def addError(self, test, error):
        super().addError(test, error)
        self.fail("error", test, error)

    def fail(self, kind, test, error):
        ET.SubElement(self.case, kind, message=str(error[1])).text = self._exc_info_to_string(error, test)


tests = unittest.defaultTestLoader.discover("tests")
result = unittest.TextTestRunner(sys.stdout, verbosity=2, resultclass=Result).run(tests)
if "ARTIFACTS" in os.environ:
    ET.ElementTree(Result.suite).write(os.path.join(os.environ["ARTIFACTS"], "junit.xml"))
sys.exit(not result.wasSuccessful())
'''
FILES = {
    "README.md": "# Greeter\n\nA repository to try Preflight with.\n",
    ".github/preflight.yaml": PREFLIGHT_YAML,
    "run_tests.py": RUN_TESTS,
    "src/greeter.py": GREETER,
    "tests/test_greeter.py": TESTS,
    "docs/index.md": "# Greeter\n",
}


@dataclass(frozen=True)
class Demonstration:
    """One pull request, and what it should show in the end."""

    branch: str
    title: str
    files: Mapping[str, str]
    states: Mapping[str, str]
    """State by context."""
    in_comment: Sequence[str] = field(default=())
    """What the bot's comment contains."""

    def open(self, repository: Repository) -> Pull:
        """Open it."""
        return repository.open_pull(DEVELOPER, branch=self.branch, title=self.title, files=self.files)

    def unmet(self, statuses: Mapping[str, Status], comments: Sequence[Comment]) -> list[str]:
        """What is not as it should be, one sentence each; `comments` are the bot's."""
        problems = []
        for context, state in self.states.items():
            shown = statuses[context].state if context in statuses else "nothing"
            if shown != state:
                problems.append(f"{context} shows {shown}, should be {state}")
        if len(comments) != 1:
            problems.append(f"the bot made {len(comments)} comments, should be 1")
        text = "\n".join(comment.body for comment in comments)
        problems += [f"the bot's comment lacks {part!r}" for part in self.in_comment if part not in text]
        return problems


PASSING = Demonstration(
    branch="greet-everybody",
    title="Greet everybody at once",
    files={
        "src/greeter.py": GREETER.replace("greeting(name)", 'greeting(name="everybody")'),
        "tests/test_greeter.py": TESTS + ANOTHER_TEST,
    },
    states={"preflight/unit": "success", "preflight/docs": "success"},
    in_comment=["unit"],
)
FAILING = Demonstration(
    branch="say-goodbye",
    title="Say goodbye instead",
    files={"src/greeter.py": GREETER.replace("Hello", "Goodbye")},
    states={"preflight/unit": "failure", "preflight/docs": "success"},
    in_comment=["unit", "test", "AssertionError: 'Goodbye, world!' != 'Hello, world!'"],
)


def make_repository(github: Standin) -> Repository:
    """Make the repository, with one person who may write to it."""
    return github.repository(NAME, files=FILES, permissions={DEVELOPER: "write"})
