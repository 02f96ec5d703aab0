"""What test runners leave: JUnit files, as pytest writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def as_pytest(file: str, failing: Mapping[str, str], *, passing: Iterable[str] = ()) -> str:
    """The results of that file's tests: the Nth of the failing ones, with their messages, at line N."""
    module = quoteattr(file.removesuffix(".py").replace("/", "."))
    found = [f'<testcase classname={module} name={quoteattr(name)} time="0.001" />' for name in passing]
    for line, (name, message) in enumerate(failing.items(), 1):
        text = escape(f"def {name}():\n>   {message}\nE   {message}\n\n{file}:{line}: AssertionError")
        found.append(
            f'<testcase classname={module} name={quoteattr(name)} time="0.002">'
            f"<failure message={quoteattr(message)}>{text}</failure></testcase>"
        )
    counts = f'errors="0" failures="{len(failing)}" skipped="0" tests="{len(found)}" time="0.1"'
    suite = f'<testsuite name="pytest" {counts}>{"".join(found)}</testsuite>'
    return f'<?xml version="1.0" encoding="utf-8"?><testsuites>{suite}</testsuites>\n'


def leave(file: str = "junit.xml") -> str:
    """A command that leaves that file of the repository as its results, and fails if one of them did."""
    return f'cp {file} "$ARTIFACTS/junit.xml"; ! grep -q "<failure" {file}'
