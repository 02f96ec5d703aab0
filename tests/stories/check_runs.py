"""What stories expect of check runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.pulls import DEVELOPER
from tests.stories.waiting import idle, until

if TYPE_CHECKING:
    from tests.github_standin.records import CheckRun
    from tests.stories.pulls import StoryPull


def expect_check(
    pull: StoryPull,
    name: str,
    conclusion: str | None,
    title: str = "",
    *,
    status: str = "",
    sha: str = "",
    hurried: bool = False,
) -> CheckRun:
    """The head (or `sha`) comes to show that check run so, with these words in its title.

    `hurried`: they would have to wait for half a minute, since something was shown just before.
    """

    def found() -> CheckRun | None:
        check = pull.check(name, sha=sha or None)
        if check is None or check.conclusion != conclusion or status not in ("", check.status):
            return None
        return check if title in (check.title or "") else None

    def so_far() -> str:
        shown = pull.check_runs(sha=sha or None, every=True)
        lines = [f"  {check.name} {check.status} {check.conclusion}: {check.title}" for check in shown]
        return "\n".join([*lines, pull.so_far()])

    wanted = f"{name} showing {status} {conclusion} {title!r}"
    return until(found, wanted, so_far, meanwhile=pull.bot.hurry if hurried else idle)


def press(pull: StoryPull, name: str, label: str, by: str = DEVELOPER) -> None:
    """Somebody presses the button that reads so."""
    check = pull.check(name)
    assert check is not None
    (identifier,) = [action.identifier for action in check.actions if action.label == label]
    pull.click(by, name, identifier)
