"""Run events over Google Cloud Pub/Sub, published by the listener in Airflow's own Python."""

import base64
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.pubsub import PubSubSubscription
from bot.intake.hints import HintPuller
from bot.intake.loops import Loop
from bot.intake.signature import sign
from bot.settings import PubSub
from tests.dags.airflow_server import Server
from tests.fakes import google
from tests.fakes.nudged import Nudged
from tests.stories.waiting import until

RUN = "preflight~home~o~r~1~unit~0123456789ab~1"
TOPIC = "/v1/projects/a-project/topics/preflight-events:publish"
EVENTS = {"PREFLIGHT_EVENTS": "pubsub", "PREFLIGHT_PUBSUB_PROJECT": "a-project"}


@dataclass
class Rest:
    """Pub/Sub's REST API, as far as publishing goes; or a proxy on the way, which lets nothing through."""

    host: str = ""
    asked: list[str] = field(default_factory=list)
    messages: list[dict[str, object]] = field(default_factory=list)


@contextmanager
def serving(answer: Callable[[int], int] = lambda _number: 200) -> Iterator[Rest]:
    """Serve; `answer` gives the status of the request of that number, and may take its time."""
    at = Rest()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            at.asked.append(self.path)
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = answer(len(at.asked))
            at.messages += body["messages"] if status == 200 else []
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def do_CONNECT(self) -> None:
            at.asked.append(self.path)
            self.send_error(403)

        def log_message(self, *_args: object) -> None:
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        at.host = f"127.0.0.1:{listening.server_port}"
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield at
        finally:
            listening.shutdown()


def published(at: Rest) -> list[dict[str, object]]:
    """The hints, without the time at which each was given."""
    hints = [json.loads(base64.b64decode(str(message["data"]))) for message in at.messages]
    return [{key: value for key, value in hint.items() if key != "sent_at"} for hint in hints]


def test_each_is_published_before_the_process_ends(server: Server) -> None:
    with serving() as at:
        server.ask(do="nudge", env=EVENTS | {"PUBSUB_EMULATOR_HOST": at.host})
    assert set(at.asked) == {TOPIC}
    assert published(at) == [
        {
            "dag_id": "checks",
            "dag_run_id": RUN,
            "task_id": "step",
            "map_index": map_index,
            "try_number": 1,
            "state": state,
        }
        for map_index in (None, 2)
        for state in ("running", "success", "failed")
    ]


@pytest.mark.parametrize("in_a_file", [False, True], ids=["in the environment", "in a file"])
def test_each_is_signed_where_there_is_a_secret(server: Server, tmp_path: Path, *, in_a_file: bool) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    secret = (
        {"PREFLIGHT_NUDGE_SECRET_FILE": str(tmp_path / "secret")}
        if in_a_file
        else {"PREFLIGHT_NUDGE_SECRET": "s3cret"}
    )
    with serving() as at:
        server.ask(do="nudge", env=EVENTS | secret | {"PUBSUB_EMULATOR_HOST": at.host})
    assert len(at.messages) == 6
    for message in at.messages:
        data = base64.b64decode(str(message["data"]))
        assert message["attributes"] == {"signature": sign(data, "s3cret")}


def test_without_a_secret_they_are_not(server: Server) -> None:
    with serving() as at:
        server.ask(do="nudge", env=EVENTS | {"PUBSUB_EMULATOR_HOST": at.host})
    assert [message["attributes"] for message in at.messages] == [{}] * 6


def test_the_topic_has_the_installations_prefix(server: Server) -> None:
    with serving() as at:
        server.ask(
            do="nudge", env=EVENTS | {"PUBSUB_EMULATOR_HOST": at.host, "PREFLIGHT_PUBSUB_PREFIX": "ours"}
        )
    assert set(at.asked) == {"/v1/projects/a-project/topics/ours-events:publish"}


def test_nothing_is_posted_to_the_bot_then(server: Server) -> None:
    with serving() as at, serving() as bot:
        nudges = {"PREFLIGHT_NUDGE_URL": f"http://{bot.host}/nudge", "PREFLIGHT_NUDGE_SECRET": "s3cret"}
        server.ask(do="nudge", env=EVENTS | nudges | {"PUBSUB_EMULATOR_HOST": at.host})
    assert (len(at.messages), bot.asked) == (6, [])


def test_what_is_refused_is_lost_and_the_rest_is_not(server: Server) -> None:
    with serving(lambda number: 500 if number in (1, 4) else 200) as at:
        server.ask(do="nudge", env=EVENTS | {"PUBSUB_EMULATOR_HOST": at.host})
    assert len(at.messages) == 4


def test_a_key_is_used_without_fetching_a_token(server: Server, tmp_path: Path) -> None:
    """Application Default Credentials; that nothing but Pub/Sub is asked for, a proxy sees."""
    key = {
        "type": "service_account",
        "project_id": "a-project",
        "private_key_id": "1",
        "private_key": google.pem(),
        "client_email": "airflow@a-project.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    (tmp_path / "key.json").write_text(json.dumps(key))
    with serving() as proxy:
        server.ask(
            do="nudge",
            env=EVENTS
            | {
                "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json"),
                "HTTPS_PROXY": f"http://{proxy.host}",
                "https_proxy": f"http://{proxy.host}",
            },
        )
    assert set(proxy.asked) == {"pubsub.googleapis.com:443"}


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"PREFLIGHT_PUBSUB_PROJECT": ""}, id="no project"),
        pytest.param({"PUBSUB_EMULATOR_HOST": "127.0.0.1:9"}, id="nobody listens"),
        pytest.param({"PUBSUB_EMULATOR_HOST": "no such host"}, id="no host"),
        pytest.param({"GOOGLE_APPLICATION_CREDENTIALS": "/missing.json"}, id="no credentials"),
        pytest.param({"PREFLIGHT_NUDGE_SECRET_FILE": "/missing"}, id="no secret file"),
    ],
)
def test_without_pubsub_nothing_happens(server: Server, settings: dict[str, str]) -> None:
    nowhere = {"PUBSUB_EMULATOR_HOST": "127.0.0.1:9"}
    assert server.ask(do="nudge", env=EVENTS | nowhere | settings)


def test_a_pubsub_that_hangs_delays_a_task_by_a_bounded_time(server: Server) -> None:
    go_on = threading.Event()

    def hang(_number: int) -> int:
        go_on.wait(30)
        return 200

    with serving(hang) as at:
        took = server.ask(do="nudge", env=EVENTS | {"PUBSUB_EMULATOR_HOST": at.host})
        go_on.set()
    assert max(took.values()) < 10


def test_what_is_published_reaches_the_bots_loop(server: Server, pubsub: PubSub) -> None:
    """By way of Google's own emulator."""
    runs = Nudged()
    subscription = PubSubSubscription(pubsub.project, pubsub.events, emulator=pubsub.emulator)
    hints = HintPuller(subscription, runs, "s3cret", lambda: datetime.now(UTC))  # type: ignore[arg-type]  # nudge is all it needs
    loop = Loop("hint", hints.work, hints.next_due, 1)
    loop.start()
    try:
        place = {"PREFLIGHT_PUBSUB_PROJECT": pubsub.project, "PUBSUB_EMULATOR_HOST": pubsub.emulator}
        server.ask(do="nudge", env=EVENTS | place | {"PREFLIGHT_NUDGE_SECRET": "s3cret"})
        until(lambda: runs.began, "a look", lambda: str(runs.nudges))
    finally:
        loop.stop()
        assert loop.join(10)
    assert set(runs.nudges) == {RUN}
