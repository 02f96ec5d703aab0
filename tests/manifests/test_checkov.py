"""checkov finds nothing in the manifests but what is so on purpose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.manifests import tools
from tests.manifests.rendered import FOLDERS, manifests

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SKIPPED: Mapping[str, str] = {
    "CKV_K8S_15": "imagePullPolicy Always: versions are never moved to another image, and a registry that is "
    "away must not keep pods from starting",
    "CKV_K8S_43": "images by digest: known after `make push` only, they belong into an overlay's `images`",
}
"""Checks that say nothing useful here, and why."""

ACCEPTED: Mapping[tuple[str, str], str] = {
    (
        "CKV_K8S_35",
        "airflow-api-server",
    ): "secrets as environment: steps run as Airflow's user and could read files; "
    "its processes' environments are closed to them",
    ("CKV_K8S_35", "airflow-scheduler"): "likewise",
    ("CKV_K8S_35", "airflow-dag-processor"): "likewise",
    ("CKV_K8S_40", "postgres"): "user 999 is the image's own, and initdb wants one that /etc/passwd knows",
    ("CKV_K8S_9", "airflow-dag-processor"): "readiness: nobody sends it anything",
    ("CKV_K8S_38", "airflow-scheduler"): "its token: with the KubernetesExecutor it makes pods",
    **{
        (check, f"filled-in-by-airflow{which}"): why
        for which in ("", "-with-keys")
        for check, why in (
            ("CKV_K8S_35", "secrets as environment: likewise"),
            ("CKV_K8S_8", "liveness: a step ends by itself, or by its timeout"),
            ("CKV_K8S_9", "readiness: nobody sends it anything"),
            ("CKV_K8S_14", "Airflow fills the image in"),
            ("CKV_K8S_21", "Airflow fills the namespace in"),
        )
    },
}
"""What is found and stays: the check, where, and why."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """Failed checks of all manifests, as (check, name): checkov is started once, it takes seconds."""
    folder = tmp_path_factory.mktemp("manifests")
    for name in FOLDERS:
        write(folder / f"{name}.yaml", [*manifests(name).documents, *manifests(name).pod_templates])
    return checkov(folder)


def write(file: Path, documents: list[dict[str, object]]) -> None:
    file.write_text(yaml.safe_dump_all(documents))


def checkov(folder: Path) -> set[tuple[str, str]]:
    options = ("--framework", "kubernetes", "--skip-download", "--quiet", "--compact", "--output", "json")
    skip = ("--skip-check", ",".join(SKIPPED))
    report = json.loads(tools.run("checkov", "--directory", str(folder), *options, *skip))
    failed = report["results"]["failed_checks"]
    assert report["summary"]["parsing_errors"] == 0
    return {(one["check_id"], one["resource"].split(".")[2]) for one in failed}


def test_nothing_else_is_found(found: set[tuple[str, str]]) -> None:
    assert sorted(found - set(ACCEPTED)) == []


def test_nothing_is_accepted_that_is_not_there(found: set[tuple[str, str]]) -> None:
    assert sorted(set(ACCEPTED) - found) == []


def test_it_would_find_a_container_that_may_too_much(tmp_path: Path) -> None:
    documents = yaml.safe_load(yaml.safe_dump(manifests("base").of("Deployment")["preflight-web"]))
    documents["spec"]["template"]["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    write(tmp_path / "broken.yaml", [documents])
    assert ("CKV_K8S_16", "preflight-web") in checkov(tmp_path)
