"""Small JUnit files and their summaries."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from steps.junit.__main__ import summarise
from steps.junit.places import Sources
from steps.junit.summary import Summary

SOURCES = Sources(["/steps/x"], "acme/app")


def told(folder: Path, *, passed: bool = False, sources: Sources = SOURCES) -> dict[str, Any]:
    """Summarise a folder."""
    summary = Summary(sources, passed=passed)
    summarise(folder, summary)
    tests = summary.told()
    assert tests is not None
    return tests


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files, in this order."""
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def suite(*cases: str, name: str = "unit") -> str:
    return f'<testsuite name="{name}">{"".join(cases)}</testsuite>'


def ok(name: str, classname: str = "Sum") -> str:
    return f'<testcase classname="{classname}" name="{name}"/>'


def bad(name: str, classname: str = "Sum", message: str = "boom") -> str:
    return f'<testcase classname="{classname}" name="{name}"><failure message="{message}"/></testcase>'
