"""`python -m bot pubsub-setup`: safe to repeat, says what it did, mends what can be mended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from google.api_core import exceptions
from google.pubsub_v1.types import DeadLetterPolicy, ExpirationPolicy, RetryPolicy, Subscription

from bot.adapters.pubsub import PubSubSetup
from bot.adapters.pubsub.connection import publisher, subscriber
from bot.adapters.pubsub.setup import ATTEMPTS, FIRST_WAIT, LONGEST_WAIT, as_wanted, facts
from bot.bootstrap import set_up
from bot.cli import main
from bot.cli.pubsub_setup import grants
from bot.models import Push, Queue
from bot.settings import PubSub

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fixtures.pubsub import Emulator

NAMES = ("preflight-parked", "preflight-deliveries", "preflight-events")
NOT_OFFERED = (
    "subscription preflight-parked: retention: 7 days, 0:00:00, should be 31 days, 0:00:00: not offered here"
)
FINE = [line for name in NAMES for line in (f"topic {name}: fine", f"subscription {name}: fine")]
FINE[1] = NOT_OFFERED


@pytest.fixture
def project(pubsub_emulator: Emulator) -> PubSub:
    """One in which nothing is made yet."""
    return pubsub_emulator.empty_project()


def said(pubsub: PubSub, *, dryrun: bool = False) -> list[str]:
    lines = list(set_up(pubsub, dryrun=dryrun))
    assert all(well for _, well in lines)
    return [line for line, _ in lines]


def subscription(pubsub: PubSub, name: str) -> Subscription:
    path = f"projects/{pubsub.project}/subscriptions/{name}"
    return subscriber(pubsub.emulator).get_subscription(subscription=path)


def made_by_hand(pubsub: PubSub, *, ordered: bool, expires: timedelta | None = None) -> None:
    """Somebody made the deliveries' topic and subscription with other properties."""
    topic = f"projects/{pubsub.project}/topics/{pubsub.deliveries}"
    name = f"projects/{pubsub.project}/subscriptions/{pubsub.deliveries}"
    publisher(pubsub.emulator).create_topic(name=topic)
    subscriber(pubsub.emulator).create_subscription(
        Subscription(
            name=name,
            topic=topic,
            enable_message_ordering=ordered,
            ack_deadline_seconds=10,
            expiration_policy=ExpirationPolicy(ttl=expires),
        )
    )


def change(pubsub: PubSub, changed: Subscription, *paths: str) -> None:
    """Somebody changes a subscription by hand."""
    request = {"subscription": changed, "update_mask": {"paths": paths}}
    subscriber(pubsub.emulator).update_subscription(request)


class TestMakes:
    def test_what_is_not_there(self, project: PubSub) -> None:
        assert said(project) == [
            line for name in NAMES for line in (f"topic {name}: made", f"subscription {name}: made")
        ]

    def test_deliveries_that_keep_their_order_and_never_end_by_an_outage(self, pubsub: PubSub) -> None:
        made = subscription(pubsub, pubsub.deliveries)
        assert made.enable_message_ordering
        assert made.ack_deadline_seconds == 60
        assert made.message_retention_duration == timedelta(days=7)
        assert not made.expiration_policy.ttl
        assert made.dead_letter_policy == DeadLetterPolicy(
            dead_letter_topic=f"projects/{pubsub.project}/topics/{pubsub.parked}",
            max_delivery_attempts=ATTEMPTS,
        )
        assert made.retry_policy.maximum_backoff == timedelta(minutes=10)

    def test_dead_letters_that_can_be_looked_at_again_soon(self, pubsub: PubSub) -> None:
        made = subscription(pubsub, pubsub.parked)
        assert made.ack_deadline_seconds == 10
        assert not made.retry_policy

    def test_hints_that_are_soon_forgotten(self, pubsub: PubSub) -> None:
        made = subscription(pubsub, pubsub.events)
        assert made.message_retention_duration == timedelta(minutes=10)
        assert not made.enable_message_ordering
        assert not made.push_config.push_endpoint

    def test_nothing_twice(self, pubsub: PubSub) -> None:
        assert said(pubsub) == FINE
        assert said(pubsub) == FINE

    def test_nothing_in_a_dry_run(self, project: PubSub) -> None:
        expected = [
            line
            for name in NAMES
            for line in (f"topic {name}: would be made", f"subscription {name}: would be made")
        ]
        assert said(project, dryrun=True) == expected
        assert said(project, dryrun=True) == expected


class TestMends:
    def test_what_can_be_changed(self, project: PubSub) -> None:
        made_by_hand(project, ordered=True)
        lines = [line for line in said(project) if line.startswith("subscription preflight-deliveries: ")]
        changed = {line.split(": ")[1] for line in lines}
        assert changed == {"ack deadline", "dead letters", "backoff"}
        assert all(line.endswith(": changed") for line in lines)
        assert said(project) == FINE

    def test_dead_letters_that_hid_ever_longer(self, pubsub: PubSub) -> None:
        """As earlier versions set them up."""
        parked = subscription(pubsub, pubsub.parked)
        parked.ack_deadline_seconds = 60
        parked.retry_policy = RetryPolicy(minimum_backoff=FIRST_WAIT, maximum_backoff=LONGEST_WAIT)
        change(pubsub, parked, "ack_deadline_seconds", "retry_policy")
        lines = [line for line in said(pubsub) if line.startswith("subscription preflight-parked: ")]
        assert lines == [
            "subscription preflight-parked: ack deadline: 60 s, should be 10 s: changed",
            NOT_OFFERED,
            "subscription preflight-parked: backoff: 0:00:01 to 0:10:00, should be none: changed",
        ]
        assert said(pubsub) == FINE

    def test_a_retention_as_long_as_is_offered(self, pubsub: PubSub) -> None:
        parked = subscription(pubsub, pubsub.parked)
        parked.message_retention_duration = timedelta(minutes=10)
        change(pubsub, parked, "message_retention_duration")
        assert (
            "subscription preflight-parked: retention: 0:10:00, should be 31 days, 0:00:00: "
            "changed to 7 days, 0:00:00: more is not offered here"
        ) in said(pubsub)
        assert subscription(pubsub, pubsub.parked).message_retention_duration == timedelta(days=7)
        assert said(pubsub) == FINE

    def test_not_in_a_dry_run(self, project: PubSub) -> None:
        made_by_hand(project, ordered=True)
        said(project, dryrun=True)
        assert subscription(project, project.deliveries).ack_deadline_seconds == 10

    def test_says_what_can_not_be(self, project: PubSub) -> None:
        made_by_hand(project, ordered=False)
        wrong = [line for line, well in set_up(project, dryrun=False) if not well]
        (line,) = wrong
        assert line.startswith("subscription preflight-deliveries: order: not kept, should be kept: ")
        assert line.endswith(
            "Pub/Sub can't change that. Delete the subscription once it is empty; run this again"
        )

    def test_says_what_pubsub_refuses(self, project: PubSub) -> None:
        """The emulator can't change when a subscription expires."""
        made_by_hand(project, ordered=True, expires=timedelta(days=31))
        (line,) = [line for line, well in set_up(project, dryrun=False) if not well]
        assert line.startswith(
            "subscription preflight-deliveries: expiration: 31 days, 0:00:00, should be never: Pub/Sub re"
        )

    def test_where_events_are_pushed_to(self, pubsub: PubSub) -> None:
        push = Push("https://preflight.example.com/pubsub", "pusher@acme.example", "an audience")
        setup = PubSubSetup(pubsub.project, emulator=pubsub.emulator)
        queue = Queue(name=pubsub.events, retention=timedelta(minutes=10), push=push)
        *_, (line, well) = setup.ensure(queue)
        assert well
        assert line.startswith(
            "subscription preflight-events: push: none, should be https://preflight.example"
        )
        made = subscription(pubsub, pubsub.events)
        assert made.push_config.push_endpoint == push.url
        assert said(pubsub)[-1].endswith("should be none: changed")


def too_early(look: Callable[..., object]) -> Callable[..., object]:
    """It finds nothing when it is asked for the first time."""
    missing: Callable[[str], Exception] = exceptions.NotFound
    errors = iter([missing("not yet")])

    def looked(**what: object) -> object:
        for error in errors:
            raise error
        return look(**what)

    return looked


class TestMadeMeanwhile:
    """A first answer was lost, or somebody else sets up at the same time: what was not there is, now."""

    @staticmethod
    def looking_too_early(project: PubSub, monkeypatch: pytest.MonkeyPatch) -> PubSubSetup:
        """One that sees nothing when it first looks for a thing, and then makes it."""
        topics, subscriptions = publisher(project.emulator), subscriber(project.emulator)
        monkeypatch.setattr(topics, "get_topic", too_early(topics.get_topic))
        monkeypatch.setattr(subscriptions, "get_subscription", too_early(subscriptions.get_subscription))
        monkeypatch.setattr("bot.adapters.pubsub.setup.publisher", lambda _: topics)
        monkeypatch.setattr("bot.adapters.pubsub.setup.subscriber", lambda _: subscriptions)
        return PubSubSetup(project.project, emulator=project.emulator)

    def test_counts_as_made(self, pubsub: PubSub, monkeypatch: pytest.MonkeyPatch) -> None:
        queue = Queue(name=pubsub.events, retention=timedelta(minutes=10))
        assert list(self.looking_too_early(pubsub, monkeypatch).ensure(queue)) == [
            ("topic preflight-events: made", True),
            ("subscription preflight-events: fine", True),
        ]

    def test_and_is_mended(self, project: PubSub, monkeypatch: pytest.MonkeyPatch) -> None:
        made_by_hand(project, ordered=True)
        queue = Queue(name=project.deliveries, retention=timedelta(days=7), ordered=True)
        assert list(self.looking_too_early(project, monkeypatch).ensure(queue)) == [
            ("topic preflight-deliveries: made", True),
            ("subscription preflight-deliveries: ack deadline: 10 s, should be 60 s: changed", True),
        ]


def test_facts_tell_all_that_we_ask_for_apart() -> None:
    plain = Queue(name="one", retention=timedelta(days=7))
    others = (
        Queue(name="two", retention=timedelta(days=7)),
        Queue(name="one", retention=timedelta(days=8)),
        Queue(name="one", retention=timedelta(days=7), ordered=True),
        Queue(name="one", retention=timedelta(days=7), dead_letters="dead"),
        Queue(name="one", retention=timedelta(days=7), push=Push("https://x", "a", "b")),
    )
    assert len({tuple(facts(as_wanted("p", queue)).values()) for queue in (plain, *others)}) == 6


class TestCommand:
    @pytest.fixture(autouse=True)
    def _environment(self, project: PubSub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PREFLIGHT_PUBSUB_PROJECT", project.project)
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", project.emulator)

    def test_says_a_line_for_each(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["pubsub-setup", "--dryrun"]) == 0
        assert capsys.readouterr().out.count("would be made\n") == 6
        assert main(["pubsub-setup"]) == 0
        assert capsys.readouterr().out.count(": made\n") == 6

    def test_fails_where_something_stays_wrong(
        self, project: PubSub, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made_by_hand(project, ordered=False)
        assert main(["pubsub-setup"]) == 1
        assert "WRONG: subscription preflight-deliveries: order: not kept" in capsys.readouterr().out

    def test_fails_where_nobody_answers(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")
        assert main(["pubsub-setup"]) == 1
        assert "preflight: Pub/Sub does not answer" in capsys.readouterr().err

    def test_wants_a_project(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv("PREFLIGHT_PUBSUB_PROJECT")
        assert main(["pubsub-setup"]) == 2
        assert "PREFLIGHT_PUBSUB_PROJECT is missing" in capsys.readouterr().err


def test_the_grants_name_what_they_are_for() -> None:
    shown = grants(PubSub(project="acme-ci", prefix="ci"))
    assert "topics add-iam-policy-binding ci-parked --project=acme-ci " in shown
    assert "--role=roles/pubsub.publisher" in shown
    assert "subscriptions add-iam-policy-binding ci-deliveries --project=acme-ci " in shown
    assert "--role=roles/pubsub.subscriber" in shown
