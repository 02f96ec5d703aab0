"""`conf`: the contract with DAG authors. Version 1 is documented in dags/README.md.

Prow's names and the pipeline's params stand at the top, where Airflow merges and validates them as
Params. What strangers control as free text stands only under `preflight.untrusted`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import PullRequest

VERSION = 1


def build_conf(
    *,
    run_id: str,
    run_page: str,
    pull: PullRequest,
    pipeline: str,
    params: Mapping[str, object],
    base_sha: str,
    delivery_id: str,
    actor: str,
    trigger: str,
    dryrun: bool = False,
) -> Mapping[str, object]:
    """All that a run's steps learn about the pull request.

    `ARTIFACTS_PATH` is relative: Airflow's side decides below which root it lies.
    """
    repository = pull.repository
    return {
        **params,
        "dryrun": dryrun,
        "REPO_OWNER": repository.owner,
        "REPO_NAME": repository.name,
        "PULL_NUMBER": str(pull.number),
        "PULL_PULL_SHA": pull.head_sha,
        "PULL_BASE_SHA": base_sha,
        "PULL_BASE_REF": pull.base_ref,
        "PULL_REFS": f"{pull.base_ref}:{base_sha},{pull.number}:{pull.head_sha}",
        "JOB_NAME": pipeline,
        "JOB_TYPE": "presubmit",
        "BUILD_ID": run_id,
        "CLONE_URL": repository.clone_url,
        "ARTIFACTS_PATH": (
            f"pr-logs/pull/{repository.owner}_{repository.name}/{pull.number}/{pipeline}/{run_id}"
        ),
        "preflight": {
            "version": VERSION,
            "run_id": run_id,
            "run_page": run_page,
            "delivery": delivery_id,
            "actor": actor,
            "trigger": trigger,
            "head": {"ref": None, "sha": pull.head_sha, "repository": pull.head_repository},
            "base": {"ref": pull.base_ref, "sha": base_sha, "repository": repository.full_name},
            # Airflow keeps conf as JSONB, which forgets the order of keys.
            "order": {name: list(value) for name, value in params.items() if isinstance(value, dict)},
            "fork": pull.fork,
            "draft": pull.draft,
            "untrusted": {
                "title": pull.title,
                "author": pull.author,
                "head_ref": pull.head_ref,
                "labels": list(pull.labels),
            },
        },
    }


def run_id_in(conf: Mapping[str, object]) -> str | None:
    """The run that a conf was made for, None if it is not one of ours."""
    ours = conf.get("preflight")
    run_id = ours.get("run_id") if isinstance(ours, dict) else None
    return run_id if isinstance(run_id, str) else None
