"""`conf`: the contract with DAG authors. Version 1 is documented in dags/README.md.

Prow's names and the pipeline's params stand at the top, where Airflow merges and validates them as
Params. What strangers control as free text stands only under `preflight.untrusted`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import ARTIFACTS_PATH, Branch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import PullRequest, Subject

VERSION = 1


def build_conf(
    *,
    run_id: str,
    run_page: str,
    subject: Subject,
    pipeline: str,
    values: Mapping[str, object],
    base_sha: str,
    delivery_id: str,
    actor: str,
    trigger: str,
    trusted: bool = True,
    dryrun: bool = False,
) -> Mapping[str, object]:
    """All that a run's steps learn about the pull request or branch.

    `values` are the pipeline's params with the inputs that somebody gave. `base_sha` is the tip of the base
    branch; of a pushed branch, the commit that was pushed. `trigger` is push, command, merge_group or branch.
    `trusted` is False where the head runs only because somebody approved it.
    """
    repository = subject.repository
    names = _of_branch(subject, base_sha) if isinstance(subject, Branch) else _of_pull(subject, base_sha)
    return {
        **values,
        "dryrun": dryrun,
        "REPO_OWNER": repository.owner,
        "REPO_NAME": repository.name,
        "PULL_PULL_SHA": subject.head_sha,
        "PULL_BASE_SHA": base_sha,
        "PULL_BASE_REF": subject.base_ref,
        **names,
        "JOB_NAME": pipeline,
        "BUILD_ID": run_id,
        "CLONE_URL": repository.clone_url,
        ARTIFACTS_PATH: f"{_logs(subject)}/{pipeline}/{run_id}",
        "preflight": {
            "version": VERSION,
            "run_id": run_id,
            "run_page": run_page,
            "delivery": delivery_id,
            "actor": actor,
            "trigger": trigger,
            "head": {"ref": None, "sha": subject.head_sha, "repository": subject.head_repository},
            "base": {"ref": subject.base_ref, "sha": base_sha, "repository": repository.full_name},
            # Airflow keeps conf as JSONB, which forgets the order of keys.
            "order": {name: list(value) for name, value in values.items() if isinstance(value, dict)},
            "fork": not isinstance(subject, Branch) and subject.fork,
            "draft": not isinstance(subject, Branch) and subject.draft,
            "trusted": trusted,
            "untrusted": _untrusted(subject),
        },
    }


def _of_pull(pull: PullRequest, base_sha: str) -> Mapping[str, str]:
    return {
        "PULL_NUMBER": str(pull.number),
        "PULL_REFS": f"{pull.base_ref}:{base_sha},{pull.number}:{pull.head_sha}",
        "JOB_TYPE": "presubmit",
    }


def _of_branch(branch: Branch, base_sha: str) -> Mapping[str, str]:
    """A merge group has no numbers that we know of; its commit follows the base's as it is."""
    if branch.merge_group:
        refs, kind = f"{branch.base_ref}:{base_sha},{branch.head_sha}", "batch"
    else:
        refs, kind = f"{branch.base_ref}:{branch.head_sha}", "postsubmit"
    return {"PULL_NUMBER": "", "PULL_REFS": refs, "JOB_TYPE": kind}


def _logs(subject: Subject) -> str:
    """The folder of the subject's runs, as Prow lays them out; Airflow's side decides below which root."""
    if isinstance(subject, Branch):
        return "pr-logs/pull/batch" if subject.merge_group else "logs"
    repository = subject.repository
    return f"pr-logs/pull/{repository.owner}_{repository.name}/{subject.number}"


def _untrusted(subject: Subject) -> Mapping[str, object]:
    """Free text by strangers; nobody but its pusher names a branch."""
    if isinstance(subject, Branch):
        return {"title": "", "author": "", "head_ref": subject.name, "labels": []}
    return {
        "title": subject.title,
        "author": subject.author,
        "head_ref": subject.head_ref,
        "labels": list(subject.labels),
    }


def run_id_in(conf: Mapping[str, object]) -> str | None:
    """The run that a conf was made for, None if it is not one of ours."""
    run_id = _ours(conf).get("run_id")
    return run_id if isinstance(run_id, str) else None


def repository_in(conf: Mapping[str, object]) -> str:
    """The base repository ("owner/name") by the name that it had when the run was decided on."""
    return f"{conf.get('REPO_OWNER', '')}/{conf.get('REPO_NAME', '')}"


def with_ticket(conf: Mapping[str, object], ticket: str) -> Mapping[str, object]:
    """The conf with the ticket in it, for Airflow's eyes only."""
    return {**conf, "preflight": {**_ours(conf), "ticket": ticket}}


def _ours(conf: Mapping[str, object]) -> Mapping[str, object]:
    ours = conf.get("preflight")
    return ours if isinstance(ours, dict) else {}
