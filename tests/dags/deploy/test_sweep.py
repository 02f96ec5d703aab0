import json
import time

import pytest

from steps.errors import StepFailed
from tests.dags.deploy.conftest import TARGETS, Deploy


@pytest.fixture(autouse=True)
def _clusters(deploy: Deploy) -> None:
    """One that has expired, one that has time left, one that is not ours, one without a time."""
    for provider in TARGETS:
        for name, labels in {
            "old": {"created-by": "preflight", "expires": "1000"},
            "new": {"created-by": "preflight", "expires": f"{time.time() + 1000:.0f}"},
            "other": {"expires": "1000"},
            "odd": {"created-by": "preflight", "expires": "soon"},
        }.items():
            deploy.there(provider, name=name, labels=labels)


@pytest.mark.parametrize("provider", TARGETS)
def test_removes_what_has_expired_and_is_ours(provider: str, deploy: Deploy) -> None:
    before = deploy.stand_ins.left()
    deploy("sweep", f"--provider={provider}", "--project=my-project")
    what = "namespace" if provider == "current" else "cluster"
    before.remove(f"{what} old")
    assert deploy.stand_ins.left() == before


@pytest.mark.parametrize("provider", TARGETS)
def test_they_can_be_listed(provider: str, deploy: Deploy, capsys: pytest.CaptureFixture[str]) -> None:
    before = deploy.stand_ins.left()
    deploy("sweep", f"--provider={provider}", "--project=my-project", "--list")
    assert deploy.stand_ins.left() == before
    printed = capsys.readouterr().out
    assert "# expired: old" in printed
    assert "# stays: new" in printed


@pytest.mark.parametrize("provider", TARGETS)
def test_a_dry_run_shows_the_commands_and_asks_nobody(
    provider: str, deploy: Deploy, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy.stand_ins.forget()
    deploy("sweep", f"--provider={provider}", "--project=my-project", dryrun=True)
    assert deploy.stand_ins.calls() == []
    shown = capsys.readouterr().out
    assert " delete " in shown
    assert "NAME" in shown


def test_one_that_was_prolonged_meanwhile_stays(deploy: Deploy) -> None:
    listed = [{"name": "new", "resourceLabels": {"created-by": "preflight", "expires": "1000"}}]
    listed[0] |= {"status": "RUNNING", "location": "us-central1-a"}
    deploy.stand_ins.says("clusters list", json.dumps(listed))
    with pytest.raises(StepFailed, match="new is in use again"):
        deploy("sweep", "--project=my-project", "--zone=us-central1-a")
    assert deploy.asked() == []


def test_goes_on_where_one_can_not_be_removed(deploy: Deploy) -> None:
    deploy.there(name="older", labels={"created-by": "preflight", "expires": "900"})
    deploy.stand_ins.says("clusters delete old ", stderr="ERROR: code=403, message=No", exit_code=1)
    with pytest.raises(StepFailed, match="message=No"):
        deploy("sweep", "--project=my-project")
    assert "cluster older" not in deploy.stand_ins.left()
