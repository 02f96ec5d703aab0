"""What a push or another try changed, and when people are notified of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.pages import page_at
from tests.stories.pulls import checks
from tests.stories.suites import as_pytest, leave

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.conftest import MakeRepository
    from tests.stories.pulls import StoryPull

TESTS = "tests/test_app.py"


def results(**failing: str) -> str:
    """Of three tests, of which these fail."""
    names = ("test_one", "test_two", "test_three")
    return as_pytest(TESTS, failing, passing=[name for name in names if name not in failing])


def comment_ids(pull: StoryPull) -> list[int]:
    """When all is done, the ids of the bot's comments."""
    pull.bot.rest()
    return [said.id for said in pull.comments(by=pull.bot.login)]


def test_only_what_newly_fails_is_posted_anew(repository_with: MakeRepository) -> None:
    steps = {"test": leave(), "lint": "test -e src/well.py"}
    repository = repository_with({"unit": checks(**steps)}, files={"junit.xml": results()})
    pull = repository.opened(files={"junit.xml": results(test_one="assert 1 == 2")})
    pull.expect_comment("**`unit` failed**", "`unit` / `lint`", "test_one")
    (first,) = comment_ids(pull)

    pull.pushed(**{"junit.xml": results(test_two="assert 2 == 3"), "src/well.py": "\n"})
    pull.expect_comment(
        pull.head_sha[:7],
        f"Fixed: `lint`, `{TESTS}::test_one` in `unit`. Newly failing: `{TESTS}::test_two` in `unit`.",
    )
    (second,) = comment_ids(pull)
    assert second != first

    pull.pushed()
    said = pull.expect_comment("**`unit` failed**", pull.head_sha[:7], "test_two")
    assert "Newly failing" not in said
    assert comment_ids(pull) == [second]

    pull.pushed(**{"junit.xml": results()})
    pull.expect_comment("**`unit` passed**", "Fixed: `unit`.")
    assert comment_ids(pull) == [second]


def test_a_test_is_flaky_that_passes_at_the_same_commit(
    repository_with: MakeRepository, tmp_path: Path
) -> None:
    mended = tmp_path / "mended"
    repository = repository_with(
        {"unit": checks(test=f"if test -e {mended}; then mv green.xml red.xml; fi; {leave('red.xml')}")},
        files={"red.xml": results(test_two="TimeoutError"), "green.xml": results()},
    )
    pull = repository.opened()
    assert "Flaky:" not in pull.expect_comment("1 of 3 tests failed", "`/retest`")
    mended.touch()

    pull.says("/retest")

    status = pull.expect_status("preflight/unit", "success")
    pull.expect_comment(
        "**`unit` passed**", f"Flaky: `{TESTS}::test_two` in `unit` (failed in 1 of its last 2 runs)."
    )
    assert len(comment_ids(pull)) == 1
    page = page_at(status.target_url).text
    assert "Failed and then passed at the same commit." in page
    assert "failed in 1 of its last 2 runs" in page
