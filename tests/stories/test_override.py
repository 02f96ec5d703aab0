"""`/override`: a maintainer's word against a result, at one head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.pulls import DEVELOPER, checks, until_there
from tests.stories.snapshots import assert_reads

if TYPE_CHECKING:
    from pathlib import Path

    from tests.github_standin import Standin
    from tests.stories.conftest import MakeRepository

MAINTAINER = "maintainer"
SAID = f"overridden by @{MAINTAINER}: the mirror is down"


def told(github: Standin, action: str, word: str) -> int:
    """The delivery of that action whose payload holds the word."""
    return next(each.id for each in github.settle() if each.action == action and word in str(each.payload))


def test_it_outlives_later_results_until_somebody_tests_again(
    repository_with: MakeRepository, github: Standin, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    repository = repository_with(
        {"unit": checks(wait=until_there(gate), test="exit 3")}, people={MAINTAINER: "maintain"}
    )
    pull = repository.opened()
    pull.expect_running("wait")

    refused = pull.says("/override unit I am in a hurry")
    assert pull.expect_reply(refused) == (
        f"Sorry, `{DEVELOPER}` can't override a result: only people with the maintain or admin role can."
    )
    bare = pull.says("/override unit", by=MAINTAINER)
    assert "say which pipeline and why" in pull.expect_reply(bare)
    pull.says("/override unit the mirror is down", by=MAINTAINER)
    pull.expect_status("preflight/unit", "success", SAID)

    gate.touch()
    for action, word in (("opened", repository.full_name), ("created", "the mirror is down")):
        github.redeliver(told(github, action, word))
    pull.expect_dag_runs("failed")
    pull.expect_history("preflight/unit", "pending", "success")
    pull.expect_status("preflight/unit", "success", SAID)
    assert_reads("overridden.md", pull.expect_comment("**`unit` was overridden**"))

    group = pull.enqueue(DEVELOPER)
    repository.expect_status(group.head_sha, "preflight/unit", "failure", "test failed: exit 3")
    pull.expect_status("preflight/unit", "success", SAID)

    everything = pull.says("/test")
    assert "Overridden, so left as it is: `unit`" in pull.expect_reply(everything)
    pull.says("/test unit")
    pull.expect_status("preflight/unit", "failure", "test failed: exit 3")
    pull.expect_comment("**`unit` failed**")
    pull.expect_dag_runs("failed", "failed")


def test_a_new_head_knows_nothing_of_it(repository_with: MakeRepository) -> None:
    pull = repository_with({"unit": checks(test="exit 3")}, people={MAINTAINER: "admin"}).opened()
    pull.expect_status("preflight/unit", "failure")
    pull.says("/override unit the mirror is down", by=MAINTAINER)
    pull.expect_status("preflight/unit", "success", SAID)

    pull.pushed()

    pull.expect_status("preflight/unit", "failure", "test failed: exit 3")
    pull.expect_dag_runs("failed", "failed")
