"""Who is trusted, and which head is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.payloads import HEAD, Json, pull, pull_request
from tests.acceptance.simulator import (
    CONFIGURATION,
    PERMISSIONS,
    STRANGERS,
    TRUSTED,
    asks_for_approval,
    commented,
    happened,
    stranger_pull,
)

STARTING = ("opened", "reopened", "synchronize", "ready_for_review")


def trusting(*groups: str) -> str:
    """The configuration with these listed."""
    return f"trust: {list(groups)}\n{CONFIGURATION}"


class TestATrustedUser:
    @pytest.mark.parametrize("login", TRUSTED)
    @pytest.mark.parametrize("action", STARTING)
    def test_has_write_maintain_or_admin_permission(self, login: str, action: str) -> None:
        outcome = happened(pull_request(action, pull(author=login)))

        assert outcome.decision == "run"
        assert outcome.runs == {"unit", "lint"}

    @pytest.mark.parametrize("login", STRANGERS)
    @pytest.mark.parametrize("action", STARTING)
    def test_has_no_lesser_permission(self, login: str, action: str) -> None:
        outcome = happened(pull_request(action, pull(author=login, head_repository=f"{login}/widgets")))

        assert outcome.decision == "wait"
        assert not outcome.of("trigger")

    @pytest.mark.parametrize(
        ("group", "members"),
        [
            ("acme", {"acme": ["rita"]}),
            ("acme/ci", {"acme/ci": ["rita"]}),
            ("other", {"other": ["bob", "rita"]}),
        ],
    )
    def test_may_be_a_member_of_what_the_configuration_lists(
        self, group: str, members: dict[str, list[str]]
    ) -> None:
        theirs = pull(author="rita", head_repository="rita/widgets")
        outcome = happened(pull_request("opened", theirs), configuration=trusting(group), members=members)

        assert outcome.decision == "run"
        assert outcome.runs == {"unit", "lint"}
        manual = commented("/test deploy", by="rita", configuration=trusting(group), members=members)
        assert manual.runs == {"deploy"}

    @pytest.mark.parametrize(
        ("group", "members"),
        [
            ("acme", {"acme": []}),
            ("acme", {"acme": ["bob"], "other": ["rita"]}),
            ("acme/ci", {"acme/ci": ["bob"], "acme": ["rita"], "acme/docs": ["rita"]}),
        ],
    )
    def test_is_no_member_of_anything_else(self, group: str, members: dict[str, list[str]]) -> None:
        theirs = pull(author="rita", head_repository="rita/widgets")
        outcome = happened(pull_request("opened", theirs), configuration=trusting(group), members=members)

        assert outcome.decision == "wait"
        assert not outcome.of("trigger")

    def test_is_not_made_by_membership_that_nobody_listed(self) -> None:
        theirs = pull(author="rita", head_repository="rita/widgets")
        outcome = happened(pull_request("opened", theirs), members={"acme": ["rita"]})

        assert outcome.decision == "wait"

    def test_may_be_a_listed_app(self) -> None:
        theirs = pull(author="renovate[bot]", head_ref="renovate/all")

        assert happened(pull_request("opened", theirs)).decision == "wait"
        outcome = happened(pull_request("opened", theirs), configuration=trusting("renovate[bot]"))
        assert outcome.runs == {"unit", "lint"}

    @pytest.mark.parametrize("login", ["renovate", "dependabot[bot]"])
    def test_is_nobody_with_another_name_than_a_listed_app(self, login: str) -> None:
        theirs = pull(author=login)
        outcome = happened(
            pull_request("opened", theirs),
            configuration=trusting("renovate[bot]"),
            permissions={**PERMISSIONS, login: "none"},
        )

        assert not outcome.of("trigger")


UNTRUSTED: dict[str, tuple[Json, dict[str, Any]]] = {
    "a stranger's, from her fork": (stranger_pull(), {}),
    "a stranger's, from a trusted user's fork": (stranger_pull(head_repository="alice/widgets"), {}),
    "a stranger's, pushed by a trusted user": (stranger_pull(), {"pusher": "alice"}),
    "a stranger's, from the base repository": (
        stranger_pull(head_repository="acme/widgets"),
        {"pusher": "alice"},
    ),
    "a trusted author's, from somebody else's fork": (pull(head_repository="mallory/widgets"), {}),
    "a trusted author's, from another trusted user's fork": (pull(head_repository="bob/widgets"), {}),
    "a trusted author's, from a repository of another organisation": (
        pull(head_repository="evil/widgets"),
        {},
    ),
    "a trusted author's, from an owner whose name begins like hers": (
        pull(head_repository="alice-x/widgets"),
        {},
    ),
    "a trusted author's, from a repository named like the base": (
        pull(head_repository="evil/acme-widgets"),
        {},
    ),
    "a trusted author's, whose fork was deleted": (pull(head_repository=None), {}),
    "a trusted author's, to whose fork a stranger pushed": (
        pull(head_repository="alice/widgets"),
        {"pusher": "mallory"},
    ),
    "a trusted author's, to whose branch somebody with triage pushed": (
        pull(head_repository="alice/widgets"),
        {"pusher": "tina"},
    ),
}


@pytest.mark.parametrize(("theirs", "facts"), UNTRUSTED.values(), ids=UNTRUSTED)
class TestAnUntrustedHead:
    @pytest.mark.parametrize("action", STARTING)
    def test_waits(self, theirs: Json, facts: dict[str, Any], action: str) -> None:
        outcome = happened(pull_request(action, theirs, sender=facts.get("pusher", "")), **facts)

        assert outcome.decision == "wait"
        assert not outcome.of("trigger")
        assert outcome.statuses["unit"] == ("pending", "waiting for /ok-to-test")
        assert outcome.statuses["lint"] == ("pending", "waiting for /ok-to-test")
        assert outcome.statuses.get("docs", ("success", ""))[0] == "success", "it would not run"
        assert "deploy" not in outcome.statuses
        assert asks_for_approval(outcome.texts)
        assert "write" in outcome.texts

    @pytest.mark.parametrize("body", ["/test", "/test unit", "/test deploy", "/retest", "/dryrun unit"])
    @pytest.mark.parametrize("by", ["ada", "alice", "mallory"])
    def test_is_not_run_by_a_command(self, theirs: Json, facts: dict[str, Any], body: str, by: str) -> None:
        outcome = commented(body, by=by, of=theirs, **({"pusher": theirs["user"]["login"]} | facts))

        assert not outcome.of("trigger")
        assert outcome.reply

    def test_runs_once_it_is_approved(self, theirs: Json, facts: dict[str, Any]) -> None:
        outcome = happened(pull_request("reopened", theirs), approved_shas=[HEAD], **facts)

        assert outcome.runs == {"unit", "lint"}

    def test_is_approved_by_a_trusted_user(self, theirs: Json, facts: dict[str, Any]) -> None:
        pusher = {"pusher": theirs["user"]["login"]} | facts
        outcome = commented(f"/ok-to-test {HEAD[:12]}", by="bob", of=theirs, **pusher)

        assert outcome.runs == {"unit", "lint"}


class TestATrustedHead:
    @pytest.mark.parametrize("pusher", TRUSTED)
    @pytest.mark.parametrize("head_repository", ["acme/widgets", "alice/widgets", "alice/renamed-fork"])
    def test_is_a_trusted_author_s_and_pusher_s(self, pusher: str, head_repository: str) -> None:
        mine = pull(head_repository=head_repository)
        outcome = happened(pull_request("synchronize", mine, sender=pusher), pusher=pusher)

        assert outcome.decision == "run"
        assert outcome.runs == {"unit", "lint"}

    def test_is_pushed_by_the_sender_where_nothing_else_is_known(self) -> None:
        mine = pull(head_repository="alice/widgets")

        assert happened(pull_request("synchronize", mine, sender="bob")).decision == "run"
        assert happened(pull_request("synchronize", mine, sender="mallory")).decision == "wait"

    @pytest.mark.parametrize("pusher", STRANGERS)
    @pytest.mark.parametrize("sender", ["ada", "bob"])
    @pytest.mark.parametrize("action", ["labeled", "reopened", "ready_for_review", "edited"])
    def test_is_not_made_of_an_untrusted_one_by_a_trusted_sender(
        self, pusher: str, sender: str, action: str
    ) -> None:
        mine = pull(head_repository="alice/widgets", labels=("e2e",))
        configuration = 'pipelines: {unit: {dag: checks}, e2e: {dag: checks, labels: ["e2e"]}}\n'
        more: dict[str, Any] = {
            "labeled": {"label": mine["labels"][0]},
            "edited": {"changes": {"base": {"ref": {"from": "dev"}, "sha": {"from": "0" * 40}}}},
        }.get(action, {})
        outcome = happened(
            pull_request(action, mine, sender=sender, **more), pusher=pusher, configuration=configuration
        )

        assert not outcome.of("trigger")

    def test_is_anybody_s_to_test(self) -> None:
        assert commented("/test unit", by="mallory").runs == {"unit"}


class TestWhoIsAsked:
    def test_a_team_that_the_configuration_names(self) -> None:
        outcome = happened(
            pull_request("opened", stranger_pull()),
            configuration=f'notify: ["@acme/maintainers"]\n{CONFIGURATION}',
        )

        assert "@acme/maintainers" in outcome.texts

    def test_a_person_that_the_configuration_names(self) -> None:
        outcome = happened(
            pull_request("opened", stranger_pull()), configuration=f"notify: [ada]\n{CONFIGURATION}"
        )

        assert "@ada" in outcome.texts

    def test_the_owners_of_the_code_where_the_configuration_says_so(self) -> None:
        outcome = happened(
            pull_request("opened", stranger_pull()),
            configuration=f"notify: [codeowners]\n{CONFIGURATION}",
            codeowners="*.md @acme/writers\n*.py @acme/pythonists\n",
        )

        assert "@acme/pythonists" in outcome.texts
        assert "@acme/writers" not in outcome.texts, "nothing of theirs is changed"

    def test_nobody_where_it_names_none(self) -> None:
        outcome = happened(pull_request("opened", stranger_pull()))

        assert "@acme" not in outcome.texts


class TestTheConfigurationOfTheBaseBranch:
    def test_counts_even_if_the_pull_request_changes_it(self) -> None:
        outcome = happened(
            pull_request("opened"), changed_files=[".github/preflight.yaml"], proposed="pipelines: {}\n"
        )

        assert outcome.runs == {"unit", "lint"}
