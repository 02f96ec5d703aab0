"""`conf`: the contract with DAG authors, version 1."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy.configuration import RESERVED
from bot.runs.conf import build_conf, repository_in, run_id_in, with_ticket
from tests.examples import HEAD, TIP, branch, pull

if TYPE_CHECKING:
    from bot.models import Subject

RUN_ID = "0123456789abcdef" * 2


def conf(**changed: object) -> dict[str, object]:
    arguments: dict[str, object] = {
        "run_id": RUN_ID,
        "run_page": f"https://preflight.example/runs/{RUN_ID}",
        "subject": pull(),
        "pipeline": "unit",
        "values": {"steps": {"test": "pytest -q", "a": "x"}},
        "base_sha": TIP,
        "delivery_id": "d-1",
        "actor": "rita",
        "trigger": "command",
    }
    return dict(build_conf(**(arguments | changed)))  # type: ignore[arg-type]  # names are the test's


def test_the_whole_contract() -> None:
    assert conf(subject=pull(labels=("bug",), head_repository="alice/widgets", draft=True)) == {
        "steps": {"test": "pytest -q", "a": "x"},
        "dryrun": False,
        "REPO_OWNER": "acme",
        "REPO_NAME": "widgets",
        "PULL_NUMBER": "12",
        "PULL_PULL_SHA": HEAD,
        "PULL_BASE_SHA": TIP,
        "PULL_BASE_REF": "main",
        "PULL_REFS": f"main:{TIP},12:{HEAD}",
        "JOB_NAME": "unit",
        "JOB_TYPE": "presubmit",
        "BUILD_ID": RUN_ID,
        "CLONE_URL": "https://github.example/acme/widgets.git",
        "ARTIFACTS_PATH": f"pr-logs/pull/acme_widgets/12/unit/{RUN_ID}",
        "preflight": {
            "version": 1,
            "run_id": RUN_ID,
            "run_page": f"https://preflight.example/runs/{RUN_ID}",
            "delivery": "d-1",
            "actor": "rita",
            "trigger": "command",
            "head": {"ref": None, "sha": HEAD, "repository": "alice/widgets"},
            "base": {"ref": "main", "sha": TIP, "repository": "acme/widgets"},
            "order": {"steps": ["test", "a"]},
            "fork": True,
            "draft": True,
            "trusted": True,
            "untrusted": {
                "title": "Add a widget",
                "author": "alice",
                "head_ref": "widget",
                "labels": ["bug"],
            },
        },
    }


def test_a_pushed_branch() -> None:
    whole = conf(subject=branch("release/1"), base_sha=HEAD, trigger="branch")
    ours = whole["preflight"]
    assert isinstance(ours, dict)
    assert {name: whole[name] for name in whole if name.startswith(("PULL_", "JOB_", "ARTIFACTS"))} == {
        "PULL_NUMBER": "",
        "PULL_PULL_SHA": HEAD,
        "PULL_BASE_SHA": HEAD,
        "PULL_BASE_REF": "main",
        "PULL_REFS": f"main:{HEAD}",
        "JOB_NAME": "unit",
        "JOB_TYPE": "postsubmit",
        "ARTIFACTS_PATH": f"logs/unit/{RUN_ID}",
    }
    assert ours["head"] == {"ref": None, "sha": HEAD, "repository": "acme/widgets"}
    assert ours["base"] == {"ref": "main", "sha": HEAD, "repository": "acme/widgets"}
    assert (ours["fork"], ours["draft"], ours["trigger"]) == (False, False, "branch")
    assert ours["untrusted"] == {"title": "", "author": "", "head_ref": "release/1", "labels": []}


def test_a_merge_group() -> None:
    name = "gh-readonly-queue/main/pr-12-0123456789abcdef"
    whole = conf(subject=branch(name, merge_group=True), trigger="merge_group")
    assert {name: whole[name] for name in whole if name.startswith(("PULL_", "JOB_", "ARTIFACTS"))} == {
        "PULL_NUMBER": "",
        "PULL_PULL_SHA": HEAD,
        "PULL_BASE_SHA": TIP,
        "PULL_BASE_REF": "main",
        "PULL_REFS": f"main:{TIP},{HEAD}",
        "JOB_NAME": "unit",
        "JOB_TYPE": "batch",
        "ARTIFACTS_PATH": f"pr-logs/pull/batch/unit/{RUN_ID}",
    }
    assert whole["preflight"]["untrusted"]["head_ref"] == name  # type: ignore[index]  # it is a dict


@pytest.mark.parametrize(
    "subject", [pull(), branch(), branch(merge_group=True)], ids=["pull", "branch", "group"]
)
def test_every_subject_sets_the_same_names(subject: Subject) -> None:
    whole = conf(subject=subject, values={})
    assert whole.keys() == RESERVED
    assert whole["preflight"].keys() == conf()["preflight"].keys()  # type: ignore[attr-defined]  # dicts


def test_the_order_of_params_is_kept_where_airflow_forgets_it() -> None:
    """Airflow keeps conf as JSONB."""
    ours = conf()["preflight"]
    assert isinstance(ours, dict)
    assert ours["order"] == {"steps": ["test", "a"]}


def test_a_dry_run_says_so() -> None:
    assert conf(dryrun=True)["dryrun"] is True


def test_a_head_that_only_an_approval_lets_run_says_so() -> None:
    assert conf(trusted=False)["preflight"]["trusted"] is False  # type: ignore[index]  # it is a dict


def test_a_ticket_is_beside_the_rest_and_the_conf_that_we_keep_has_none() -> None:
    kept = conf()
    sent = with_ticket(kept, "pft_1")
    assert sent["preflight"] == {**kept["preflight"], "ticket": "pft_1"}  # type: ignore[dict-item]  # a dict
    assert {**sent, "preflight": kept["preflight"]} == kept
    assert "pft_1" not in json.dumps(kept)


def test_the_repository_is_known_by_its_name_when_it_was_decided() -> None:
    assert repository_in(conf()) == "acme/widgets"


def test_what_we_set_no_pipeline_may_set() -> None:
    assert conf(values={}).keys() == RESERVED


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_and_if_it_did_we_would_win(name: str) -> None:
    """The configuration refuses such params already; this is the second lock."""
    assert conf(values={name: "evil"})[name] == conf(values={})[name]


@pytest.mark.parametrize("repository", ["alice/widgets", None, "ACME/widgets"])
def test_a_fork_is_any_other_repository(repository: str | None) -> None:
    ours = conf(subject=pull(head_repository=repository))["preflight"]
    assert isinstance(ours, dict)
    assert ours["fork"] is (repository != "ACME/widgets")


@given(title=st.text(), head_ref=st.text(), labels=st.lists(st.text(), max_size=3))
def test_what_strangers_write_is_only_in_its_place_and_can_be_stored(
    title: str, head_ref: str, labels: list[str]
) -> None:
    whole = conf(subject=pull(title=title, head_ref=head_ref, labels=tuple(labels)))
    text = json.dumps(whole, ensure_ascii=False)
    text.encode()
    ours = whole.pop("preflight")
    assert isinstance(ours, dict)
    assert set(ours.pop("untrusted")) == {"title", "author", "head_ref", "labels"}
    expected = conf()
    inner = expected.pop("preflight")
    assert isinstance(inner, dict)
    inner.pop("untrusted")
    assert (whole, ours) == (expected, inner)


@pytest.mark.parametrize(
    "found",
    [{}, {"preflight": None}, {"preflight": []}, {"preflight": {}}, {"preflight": {"run_id": 3}}, {"x": 1}],
)
def test_a_conf_that_is_not_ours_has_no_run(found: dict[str, object]) -> None:
    assert run_id_in(found) is None


def test_ours_has() -> None:
    assert run_id_in(json.loads(json.dumps(conf()))) == RUN_ID
