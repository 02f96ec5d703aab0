from __future__ import annotations

from typing import Any

import pytest

from bot.models import PullRequest
from bot.policy.facts import MissingFact
from bot.simulate.pull_request import known_pull
from tests.examples import NOON, REPOSITORY, pull, pull_payload

FIELDS = {
    "open": "state",
    "author": "user.login",
    "head_sha": "head.sha",
    "head_ref": "head.ref",
    "head_repository": "head.repo.full_name",
    "base_ref": "base.ref",
}


def known(**told: Any) -> PullRequest:  # noqa: ANN401 - whatever JSON holds
    return known_pull(REPOSITORY, 12, told, NOON)


def test_all_of_it_may_be_known() -> None:
    payload: Any = pull_payload("opened", of=pull(draft=True, labels=("bug",)))

    told = known_pull(REPOSITORY, 12, payload["pull_request"], NOON)
    assert {name: getattr(told, name) for name in PullRequest.__slots__} == {
        name: getattr(pull(draft=True, labels=("bug",)), name) for name in PullRequest.__slots__
    }


@pytest.mark.parametrize(("field", "key"), FIELDS.items(), ids=FIELDS)
class TestWhatIsNotTold:
    def test_is_missed_when_it_is_asked_for(self, field: str, key: str) -> None:
        told = known()

        with pytest.raises(MissingFact) as missed:
            getattr(told, field)
        assert missed.value.name == f"pull_request.{key}"

    def test_is_null_or_of_another_type(self, field: str, key: str) -> None:
        first, *_ = key.split(".")

        values: tuple[object, ...] = (3, [], {}, {"repo": 3}, {"login": None})
        for value in values:
            with pytest.raises(MissingFact):
                getattr(known(**{first: value}), field)


def test_what_is_not_asked_for_is_not_missed() -> None:
    assert known().number == 12


def test_a_fork_needs_the_head_s_repository() -> None:
    with pytest.raises(MissingFact, match=r"pull_request\.head\.repo"):
        _ = known(head={"sha": "1"}).fork


def test_a_deleted_fork_is_known_to_be_gone() -> None:
    told = known(head={"sha": "1", "repo": None})

    assert told.head_repository is None
    assert told.fork


def test_a_deleted_account_is_github_s_ghost() -> None:
    assert known(user=None).author == "ghost"


@pytest.mark.parametrize(
    "told", [{}, {"draft": None, "labels": None, "title": None}], ids=["nothing", "null"]
)
def test_what_github_may_leave_out_is_none(told: dict[str, object]) -> None:
    pull = known(**told)

    assert (pull.draft, pull.labels, pull.title) == (False, (), "")


def test_labels_may_be_plain_names() -> None:
    assert known(labels=["bug", {"name": "e2e"}, 3, {"name": None}]).labels == ("bug", "e2e")
