"""Cloud Build, where there is no engine: submitted, followed, and cancelled with the step."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from steps import archive
from steps.errors import StepFailed
from steps.release.cloud_build import CloudBuild, configuration, digest
from steps.release.recipe import Recipe
from steps.tools import Tools
from tests.dags.conftest import Done
from tests.dags.tools.stand_ins import StandIns

DIGEST = "sha256:" + "1".rjust(64, "0")
OPTIONS = ("--image=app", "--registry=gcr.io/p", "--push", "--builder=cloudbuild", "--project=my-project")
RECIPE = Recipe("gcr.io/p/app", "v1", Path("/src"), Path("/src/app/Dockerfile"), {"a": "$b"})


def recipe_in(folder: Path) -> Recipe:
    return replace(RECIPE, context=folder, dockerfile=folder / "Dockerfile")


def build(status: str, **more: object) -> str:
    """What `gcloud builds describe --format=json` prints."""
    images = [{"name": "gcr.io/p/app", "digest": DIGEST}]
    return json.dumps({"status": status, "results": {"images": images}, **more})


@pytest.fixture
def tools(tmp_path: Path) -> StandIns:
    tools = StandIns.install(tmp_path / "tools")
    tools.says("gcloud builds submit", stdout="b-1\n")
    return tools


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """The command line of a build of what was cloned."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "Dockerfile").write_text("FROM scratch\n")
    archive.pack(tree, tmp_path / "source.tar.gz", {"preflight.commit": "c" * 40})
    return ["steps.release", "build", f"--archive={tmp_path}/source.tar.gz", *OPTIONS]


Run = Callable[..., Done]


@pytest.fixture
def run(step: Callable[..., Done], tools: StandIns, command: list[str]) -> Run:
    return lambda **environment: step(*command, PATH=tools.path, **environment)


def test_the_image_is_named_by_its_digest(run: Run, tools: StandIns) -> None:
    tools.says("gcloud builds describe", stdout=build("SUCCESS"))
    done = run()
    assert json.loads(done.handed_on.read_text())["image"] == f"gcr.io/p/app@{DIGEST}", done.output
    (submit,) = tools.calls("gcloud builds submit")
    staging = "--gcs-source-staging-dir=gs://my-project-preflight-builds/source"
    assert {"--project=my-project", "--async", staging} <= {*submit.argv}
    assert done.left_behind == []


@pytest.mark.parametrize(
    ("one", "account", "bucket"),
    [
        pytest.param(
            CloudBuild("my-project", push=True),
            "preflight-builds@my-project.iam.gserviceaccount.com",
            "my-project-preflight-builds",
            id="as setup made it",
        ),
        pytest.param(
            CloudBuild("my-project", push=True, account="a@b.iam.gserviceaccount.com", bucket="c"),
            "a@b.iam.gserviceaccount.com",
            "c",
            id="as others made it",
        ),
    ],
)
def test_it_builds_as_an_account_of_its_own_never_as_the_projects(
    one: CloudBuild, account: str, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    one.build_and_push(Tools(dryrun=True), RECIPE)
    config, submit, *_ = capsys.readouterr().out.splitlines()
    made = json.loads(config.removeprefix("# CONFIG is a file that holds "))
    assert made["serviceAccount"] == f"projects/my-project/serviceAccounts/{account}"
    assert (made["logsBucket"], made["options"]) == (f"gs://{bucket}/logs", {"logging": "GCS_ONLY"})
    assert f"--gcs-source-staging-dir=gs://{bucket}/source" in submit
    assert submit.startswith("(cd /src && gcloud builds submit . ")


def test_what_is_missing_in_the_project_is_told_with_what_to_do(tmp_path: Path) -> None:
    tools = StandIns.install(tmp_path / "tools")
    said = "ERROR: (gcloud.builds.submit) The user is forbidden from accessing the bucket [b]."
    tools.says("gcloud builds submit", stderr=said, exit_code=1)
    with pytest.raises(StepFailed, match=r"forbidden.* deploy/gcp/setup makes"):
        CloudBuild("my-project", push=True).build_and_push(
            Tools(environ={"PATH": tools.path}), recipe_in(tmp_path)
        )


def test_who_may_not_read_its_log_may_build(run: Run, tools: StandIns) -> None:
    tools.says("gcloud builds log", stderr="ERROR: (gcloud.builds.log) PERMISSION_DENIED\n", exit_code=1)
    tools.says("gcloud builds describe", stdout=build("SUCCESS"))
    assert json.loads(run().handed_on.read_text())["image"] == f"gcr.io/p/app@{DIGEST}"


def test_what_its_log_says_decides_nothing(run: Run, tools: StandIns) -> None:
    tools.says("gcloud builds log", stdout="connection refused\nplease try again\n", exit_code=1)
    tools.says("gcloud builds describe", stdout=build("SUCCESS"))
    assert json.loads(run().handed_on.read_text())["image"] == f"gcr.io/p/app@{DIGEST}"
    assert [call.argv[1] for call in tools.calls()] == ["submit", "log", "describe"]


def test_it_tells_why_it_failed(run: Run, tools: StandIns) -> None:
    tools.says(
        "gcloud builds describe", stdout=build("FAILURE", failureInfo={"detail": "step 0 exited with 1"})
    )
    done = run()
    reason = "Cloud Build b-1: FAILURE: step 0 exited with 1"
    assert (done.exit_code, json.loads(done.handed_on.read_text())) == (1, {"reason": reason})


def test_it_acts_as_the_service_account_whose_key_the_step_has(run: Run, tools: StandIns) -> None:
    tools.says("gcloud builds describe", stdout=build("SUCCESS"))
    run(GOOGLE_APPLICATION_CREDENTIALS="/keys/key.json")
    (submit,) = tools.calls("gcloud builds submit")
    assert "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE" in submit.environment


def test_a_build_is_cancelled_with_its_step(
    tools: StandIns, command: list[str], environment: dict[str, str]
) -> None:
    tools.says("gcloud builds log", hangs=True)
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        env=environment | {"PATH": tools.path},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    ) as process:
        tools.wait_for("gcloud builds log")
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
    assert tools.commands()[-1] == "gcloud builds cancel b-1 --project=my-project"


def test_a_build_that_goes_on_is_waited_for(tools: StandIns, tmp_path: Path) -> None:
    tools.says("gcloud builds describe", stdout=build("WORKING"), times=2)
    tools.says("gcloud builds describe", stdout=build("SUCCESS"))
    pauses: list[float] = []
    one = CloudBuild("p", push=True, pause=pauses.append)
    assert (
        one.build_and_push(Tools(environ={"PATH": tools.path}), recipe_in(tmp_path))
        == f"gcr.io/p/app@{DIGEST}"
    )
    assert pauses == [5.0, 5.0]


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        pytest.param(CloudBuild("", push=True), "no --project", id="no project"),
        pytest.param(CloudBuild("p", push=False), "nobody asked to --push", id="nothing is to be pushed"),
        pytest.param(CloudBuild("p", push=True), "gcloud is not on PATH", id="no gcloud"),
    ],
)
def test_it_says_why_it_can_not_build(one: CloudBuild, reason: str) -> None:
    assert reason in one.trouble(Tools(environ={"PATH": ""}))


def test_its_configuration_holds_values_not_substitutions() -> None:
    made = configuration(RECIPE)
    assert made["steps"][0]["args"] == [
        *("build", "--file=app/Dockerfile", "--tag=gcr.io/p/app:v1", "--label=a=$$b", ".")
    ]
    assert made["images"] == ["gcr.io/p/app:v1"]


def test_a_dockerfile_elsewhere_is_refused() -> None:
    with pytest.raises(StepFailed, match="only in the --context"):
        configuration(Recipe("a", "b", Path("/src/app"), Path("/src/Dockerfile"), {}))


@pytest.mark.parametrize("said", ["", "[]", "{", '{"status": "SUCCESS", "results": 7}', "null"])
def test_a_description_that_is_none_is_said(said: str) -> None:
    with pytest.raises(StepFailed, match="not understood"):
        digest(said, "b-1")


def test_a_success_without_an_image_has_no_digest() -> None:
    assert digest('{"status": "SUCCESS"}', "b-1") == ""
