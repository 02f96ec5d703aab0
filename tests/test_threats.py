"""The threat model names a test for each row, and each of them exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from bot.settings import SETTINGS

HERE = Path(__file__).parent
TEXT = (HERE.parent / "deploy" / "THREATS.md").read_text()
HEADS = {"what they try", "what they have", "---"}
CELLS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line[:1] == "|"
]
ROWS = [cells for cells in CELLS if cells[0] not in HEADS]
SECRETS = [one.name for one in SETTINGS if one.secret or one.name.endswith("_FILE")]
NAMED = sorted({name for row in ROWS for name in re.findall(r"`([\w/]+\.py(?:::\w+)*)`", row[-1])})


@cache
def held_in(file: str) -> frozenset[str]:
    """What a file of tests holds: functions, classes, and functions of classes."""
    held: set[str] = set()
    for node in ast.parse((HERE / file).read_text()).body:
        if isinstance(node, ast.ClassDef):
            inner = (one.name for one in node.body if isinstance(one, ast.FunctionDef))
            held |= {node.name, *(f"{node.name}::{name}" for name in inner)}
        elif isinstance(node, ast.FunctionDef):
            held.add(node.name)
    return frozenset(held)


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:60] for row in ROWS])
def test_a_row_has_a_test(row: list[str]) -> None:
    assert all(row)
    assert re.search(r"`[\w/]+\.py(::\w+)*`", row[-1])


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_is_named_is_there(name: str) -> None:
    file, _, test = name.partition("::")
    assert (HERE / file).is_file()
    assert not test or test in held_in(file)


@pytest.mark.parametrize("setting", SECRETS)
def test_every_secret_has_a_row(setting: str) -> None:
    assert any(f"`{setting}`" in row[0] for row in ROWS)


def test_every_test_of_this_kind_belongs_to_a_row() -> None:
    files = {f"security/{file.name}" for file in (HERE / "security").glob("test_*.py")}
    assert files <= {name.partition("::")[0] for name in NAMED}
