"""`deploy/gcp/setup`: what is there stays, what is missing is made, what went wrong is said."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bot.settings import PubSub
from deploy.gcp.plan import ACCOUNTS, Options, Part, plan
from deploy.gcp.run import main
from deploy.local.environment import ROOT
from steps.tools import Tools
from tests.dags.tools.stand_ins import StandIns

PROJECT = "a-project"
NUMBER = "1234567890"
NOT_THERE = "ERROR: (gcloud) NOT_FOUND: it does not exist"
SUBSCRIPTIONS = "pubsub subscriptions describe"


@pytest.fixture
def google(tmp_path: Path) -> StandIns:
    return StandIns.install(tmp_path / "google", ["gcloud"])


def nothing_is_there(google: StandIns, *, but: str = "projects describe") -> None:
    google.says(but, stdout=NUMBER)
    google.says(" describe ", stderr=NOT_THERE, exit_code=1)
    google.says(".*")


def setup(google: StandIns, *options: str, pauses: list[float] | None = None) -> int:
    seen = pauses if pauses is not None else []
    environ = os.environ | {"PATH": google.path}
    return main(
        ["--project", PROJECT, *options],
        tools=lambda dryrun: Tools(dryrun=dryrun, environ=environ, pause=seen.append),
        pause=seen.append,
    )


def made(google: StandIns) -> list[str]:
    return [line for line in google.commands() if " describe " not in line]


def test_an_empty_project_gets_all_of_the_plan_in_order(google: StandIns) -> None:
    nothing_is_there(google, but=f"projects describe|{SUBSCRIPTIONS}")
    assert setup(google) == 0
    options = Options(PROJECT, "us-central1", f"{PROJECT}-preflight", "preflight", "preflight", number=NUMBER)
    assert [call.argv for call in google.calls() if "describe" not in call.argv] == [
        tuple(part.create[1:]) for part in plan(options)
    ]


def test_who_pulls_is_said_once_there_are_subscriptions(
    google: StandIns, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing_is_there(google)
    assert setup(google, "--prefix=ours") == 0
    assert not google.calls("pubsub.subscriber")
    told = capsys.readouterr().out
    assert (
        f"PREFLIGHT_PUBSUB_PROJECT={PROJECT} PREFLIGHT_PUBSUB_PREFIX=ours python -m bot pubsub-setup" in told
    )
    later = StandIns.install(tmp_path / "later", ["gcloud"])
    later.says(".*")
    assert setup(later, "--prefix=ours") == 0
    assert len(later.calls("pubsub.subscriber")) == 3
    assert "pubsub-setup" not in capsys.readouterr().out


def test_what_is_there_stays_as_it_is(google: StandIns, capsys: pytest.CaptureFixture[str]) -> None:
    google.says(".*")
    assert setup(google) == 0
    assert not [line for line in made(google) if " create " in line]
    assert "there:   bucket a-project-preflight" in capsys.readouterr().out


def test_what_somebody_made_meanwhile_is_no_failure(google: StandIns) -> None:
    google.says("topics create", stderr="ALREADY_EXISTS: Resource already exists", exit_code=1)
    nothing_is_there(google)
    assert setup(google) == 0


def test_an_account_that_is_not_known_everywhere_yet_is_waited_for(google: StandIns) -> None:
    nothing_is_there(google)
    google.forget()
    again = StandIns.install(google.folder / "again", ["gcloud"])
    again.says("projects add-iam", stderr="Service account x does not exist.", exit_code=1, times=2)
    nothing_is_there(again)
    pauses: list[float] = []
    assert setup(again, pauses=pauses) == 0
    assert len(pauses) == 2


def test_a_refusal_is_said_and_ends_it(google: StandIns, capsys: pytest.CaptureFixture[str]) -> None:
    google.says("services enable", stderr="PERMISSION_DENIED: not authorized", exit_code=1)
    google.says(".*", stdout=NUMBER)
    assert setup(google) == 1
    told = capsys.readouterr().err
    assert "PERMISSION_DENIED" in told
    assert "run it again" in told
    assert len(made(google)) == 1


def test_keys_are_made_once_in_a_folder_for_their_owner(google: StandIns, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    for name in ("preflight-bot", "preflight-airflow", "preflight-e2e"):
        google.says(f"keys create {keys / name}.json", writes={str(keys / f"{name}.json"): "{}"})
    nothing_is_there(google)
    assert setup(google, f"--keys={keys}") == 0
    assert keys.stat().st_mode & 0o777 == 0o700
    google.forget()
    assert setup(google, f"--keys={keys}") == 0
    assert not google.calls("keys create"), "a key that is there is not made again"
    assert not google.calls("workloadIdentityUser")


def test_a_dry_run_prints_every_command_and_asks_nobody(google: StandIns) -> None:
    done = subprocess.run(
        [ROOT / "deploy/gcp/setup", "--project", PROJECT, "--dryrun"],
        env=os.environ | {"PATH": google.path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert google.calls() == []
    for name in (*ACCOUNTS, "preflight-deliveries", "preflight-parked", "preflight-events"):
        assert f"create {name}" in done.stdout
    assert done.stdout.count("\ngcloud ") > 20


@pytest.mark.parametrize("project", ["", "-x", "Big", "a b", "x" * 40, "a-project;rm"])
def test_what_can_not_be_a_project_is_refused(project: str) -> None:
    with pytest.raises(SystemExit):
        main(["--project", project, "--dryrun"])


def test_no_account_owns_the_project() -> None:
    parts = plan(Options("p-roject", "r", "b", "i", "n"))
    roles = {word.rpartition("=")[2] for part in parts for word in part.create if "roles/" in word}
    assert not roles & {"roles/owner", "roles/editor", "roles/container.admin", "roles/storage.admin"}


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        pytest.param(
            "preflight-nodes",
            {("p-roject", "container.defaultNodeServiceAccount"), ("i", "artifactregistry.reader")},
            id="nodes log, and pull images",
        ),
        pytest.param(
            "preflight-builds",
            {
                ("i", "artifactregistry.writer"),
                ("gs://p-roject-preflight-builds", "storage.objectAdmin"),
                ("gs://p-roject-preflight-builds", "storage.legacyBucketReader"),
            },
            id="builds read sources, and push images",
        ),
    ],
)
def test_what_pull_requests_could_act_as_may_do_no_more(name: str, roles: set[tuple[str, str]]) -> None:
    member = f"--member=serviceAccount:{name}@p-roject.iam.gserviceaccount.com"
    parts = [part for part in plan(Options("p-roject", "r", "b", "i", "n")) if member in part.create]
    assert {(_subject(part), _role(part)) for part in parts} == roles


AGENT = f"service-{NUMBER}@gcp-sa-pubsub"


@pytest.mark.parametrize(
    ("account", "roles"),
    [
        pytest.param(
            "preflight-bot@p-roject",
            {
                ("topics", "ours-deliveries", "publisher"),
                ("topics", "ours-parked", "publisher"),
                ("subscriptions", "ours-deliveries", "subscriber"),
                ("subscriptions", "ours-events", "subscriber"),
                *(
                    (kind, f"ours-{name}", "viewer")
                    for kind in ("topics", "subscriptions")
                    for name in ("deliveries", "parked", "events")
                ),
            },
            id="the bot publishes, pulls, and looks whether all is there",
        ),
        pytest.param(
            "preflight-airflow@p-roject", {("topics", "ours-events", "publisher")}, id="Airflow tells"
        ),
        pytest.param(
            AGENT,
            {("topics", "ours-parked", "publisher"), ("subscriptions", "ours-deliveries", "subscriber")},
            id="Pub/Sub moves dead letters",
        ),
        pytest.param("preflight-push@p-roject", set(), id="who pushes may nothing"),
        pytest.param("preflight-e2e@p-roject", set(), id="pipelines have nothing to do with it"),
    ],
)
def test_who_may_what_at_pubsub(account: str, roles: set[tuple[str, str, str]]) -> None:
    member = f"--member=serviceAccount:{account}.iam.gserviceaccount.com"
    parts = plan(Options("p-roject", "r", "b", "i", "n", number=NUMBER, prefix="ours"))
    given = [part for part in parts if member in part.create and part.create[1] == "pubsub"]
    assert {(part.create[2], _subject(part), _role(part).removeprefix("pubsub.")) for part in given} == roles


def test_pubsub_signs_as_the_account_that_pushes_and_as_no_other() -> None:
    parts = plan(Options("p-roject", "r", "b", "i", "n", number=NUMBER))
    signing = [part for part in parts if "--role=roles/iam.serviceAccountTokenCreator" in part.create]
    assert [_subject(part) for part in signing] == ["preflight-push@p-roject.iam.gserviceaccount.com"]
    assert f"--member=serviceAccount:{AGENT}.iam.gserviceaccount.com" in signing[0].create


def test_topics_are_called_as_the_bot_calls_them() -> None:
    options, bot = Options("p-roject", "r", "b", "i", "n", prefix="ours"), PubSub(project="p", prefix="ours")
    topics = {part.create[4] for part in plan(options) if part.create[1:4] == ("pubsub", "topics", "create")}
    assert topics == {bot.deliveries, bot.parked, bot.events}


def _subject(part: Part) -> str:
    """What a binding is about: the word behind the verb."""
    return part.create[part.create.index("add-iam-policy-binding") + 1]


def _role(part: Part) -> str:
    return next(word for word in part.create if word.startswith("--role=")).removeprefix("--role=roles/")


@pytest.mark.parametrize(
    ("executor", "accounts"),
    [
        pytest.param("local", {"preflight"}, id="steps in the scheduler's pod: the bot alone"),
        pytest.param(
            "kubernetes",
            {"preflight", "airflow", "airflow-scheduler", "preflight-e2e"},
            id="steps in pods of their own",
        ),
    ],
)
def test_which_accounts_of_kubernetes_have_an_identity(executor: str, accounts: set[str]) -> None:
    parts = [*plan(Options("p-roject", "r", "b", "i", "n", executor=executor))]
    members = {word for part in parts for word in part.create if ".svc.id.goog[" in word}
    assert members == {f"--member=serviceAccount:p-roject.svc.id.goog[n/{name}]" for name in accounts}


def test_keys_folder_is_named_in_the_plan_only_when_asked_for() -> None:
    with_keys = Options("p-roject", "r", "b", "i", "n", keys=Path("keys"))
    assert [part.makes for part in plan(with_keys) if part.makes] == [
        Path("keys/preflight-bot.json"),
        Path("keys/preflight-airflow.json"),
        Path("keys/preflight-e2e.json"),
    ]
