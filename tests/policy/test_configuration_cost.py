"""What a file may cost: anybody's pull request has its own version of the file checked."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import pytest

from bot.policy.configuration import ConfigurationError, parse, validate
from bot.policy.configuration.problems import MAX_PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Sequence


def inputs(*patterns: str) -> bytes:
    """A pipeline with an input for each of the patterns."""
    lines = [f"      a{number}: {{pattern: '{pattern}'}}" for number, pattern in enumerate(patterns)]
    return "\n".join(["pipelines:", "  unit:", "    dag: checks", "    inputs:", *lines]).encode()


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words for which a similar one was looked for."""
    words: list[str] = []
    look = difflib.get_close_matches

    def counted(word: str, known: Sequence[str], n: int = 3, cutoff: float = 0.6) -> list[str]:
        words.append(word)
        return look(word, known, n, cutoff)

    monkeypatch.setattr("difflib.get_close_matches", counted)
    return words


class TestSuggestions:
    """difflib is slow, and takes minutes for thousands of long words that are nearly right."""

    def test_are_looked_for_only_where_they_are_shown(self, compared: list[str]) -> None:
        names = [f"{'abcdefgh' * 7}{number:03d}" for number in range(20)]
        needs = ", ".join(f"{'abcdefhg' * 7}x{number:02d}" for number in range(20))
        lines = [f"  {name}: {{dag: checks, needs: [{needs}]}}" for name in names]
        assert len(validate("\n".join(["pipelines:", *lines]).encode())) == MAX_PROBLEMS
        assert len(compared) <= MAX_PROBLEMS

    def test_of_keys_too(self, compared: list[str]) -> None:
        lines = [f"pipelineX{number}: 1" for number in range(500)]
        validate("\n".join(["pipelines: {unit: {dag: checks}}", *lines]).encode())
        assert len(compared) <= MAX_PROBLEMS


class TestPatterns:
    """A short expression can stand for megabytes of automaton, and 100 ms of work."""

    @pytest.mark.parametrize("pattern", [r"\pL{140}", r"[\pL\pN]{100}", r"(\pL{10}){30}"])
    def test_a_few_that_are_large_are_refused(self, pattern: str) -> None:
        with pytest.raises(ConfigurationError):
            parse(inputs(*(f"{pattern}{number}" for number in range(20))))

    def test_of_ordinary_size_are_fine(self) -> None:
        parse(inputs(*(f"[a-z]{{1,40}}-v{number}" for number in range(20))))
