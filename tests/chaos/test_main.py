"""What can't be done is refused at once, and not with the code for violations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.__main__ import arguments

if TYPE_CHECKING:
    from pathlib import Path


def test_by_default() -> None:
    asked = arguments([])
    assert (asked.lives, asked.seed, asked.at_once, asked.only, asked.keep) == (200, None, 12, "", None)


def test_what_is_asked_for(tmp_path: Path) -> None:
    asked = arguments(
        ["--lives", "3", "--only", "after a write", "--patience", "0.5", "--keep", str(tmp_path)]
    )
    assert (asked.lives, asked.only, asked.patience) == (3, "after a write", 0.5)
    assert asked.keep == tmp_path
    assert arguments(["--keep", str(tmp_path / "new")]).keep == tmp_path / "new"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(("--lives", "0"), "'0' is no number from 1", id="no-lives"),
        pytest.param(("--lives", "-3"), "'-3' is no number from 1", id="fewer-lives-than-none"),
        pytest.param(("--lives", "many"), "'many' is no number from 1", id="lives-in-words"),
        pytest.param(("--at-once", "0"), "'0' is no number from 1", id="none-at-once"),
        pytest.param(("--patience", "0"), "'0' is no number of seconds above 0", id="no-patience"),
        pytest.param(("--patience", "nan"), "'nan' is no number of seconds above 0", id="no-number"),
        pytest.param(("--patience", "inf"), "'inf' is no number of seconds above 0", id="patience-for-ever"),
        pytest.param(
            ("--patience", "long"), "'long' is no number of seconds above 0", id="patience-in-words"
        ),
        pytest.param(("--only", "nonsense"), "no fault has 'nonsense' in its name", id="no-such-fault"),
        pytest.param(("--plant", "weeds"), "invalid choice: 'weeds'", id="no-such-plant"),
    ],
)
def test_what_can_not_be_done(given: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(given)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "postgres"], ids=["a-folder", "a-file"])
def test_nothing_is_kept_where_something_is(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "postgres").touch()
    with pytest.raises(SystemExit) as ended:
        arguments(["--keep", str(tmp_path / name)])
    assert ended.value.code == 2
    assert "choose another" in capsys.readouterr().err
