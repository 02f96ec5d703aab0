"""What the bot would do about a payload, by the code that the worker runs, without network or database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot import events
from bot.errors import MalformedPayload
from bot.events.issue_comment import CommentEvent
from bot.models import Delivery, Permission
from bot.policy.decision import Decision, DecisionKind
from bot.policy.facts import Facts, MissingFact
from bot.simulate.answers import Answers, Config, NotGiven
from bot.simulate.given import Given
from bot.simulate.given import read as read_facts
from bot.simulate.json_reading import mapping_at, number_at, text_at
from bot.simulate.scene import scene_of
from bot.simulate.show import show_actions, show_comment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.events.types import Event
    from bot.simulate.show import Json

__all__ = ["Config", "Given", "Simulation", "read_facts", "simulate"]

GIVE_CONFIG = "pass the base branch's file with --config"
EXTREMES: Mapping[str, tuple[object, object]] = {
    "permission": (Permission.NONE, Permission.ADMIN),
    "member": (False, True),
}
"""The least and the most that a fact can say, where more never takes anything away."""

MOST_GUESSES = 4


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the bot would do, as JSON; `missing` names the fact without which nobody can say, else empty."""

    shown: Json
    missing: str = ""


def simulate(event: str, body: bytes, given: Given, config: Config | None = None) -> Simulation:
    """What the bot would do about a delivery of that event. Never raises on account of the body."""
    if events.is_ours(event):
        return Simulation(
            _shown(event, {}, None, Decision(DecisionKind.IGNORE, "GitHub sends no such event"))
        )
    try:
        happened = events.parse(Delivery("simulated", event, body, ""))
    except MalformedPayload as error:
        return Simulation(_shown(event, _payload(body), None, Decision(DecisionKind.ERROR, str(error))))
    payload = _payload(body)
    answers = Answers(given, scene_of(event, payload, given), config)
    try:
        decision = _decide(happened, Facts(), answers)
    except NotGiven as error:
        decision = Decision(DecisionKind.ERROR, str(error))
        return Simulation(_shown(event, payload, happened, decision), error.fact)
    if config is None and decision.base is not None and decision.base.configuration is None:
        decision = replace(decision, reason=f"{decision.reason}: {GIVE_CONFIG}")
    return Simulation(_shown(event, payload, happened, decision))


def _payload(body: bytes) -> Mapping[str, object]:
    try:
        return events.load(body)
    except MalformedPayload:
        return {}


def _decide(event: Event, facts: Facts, answers: Answers, guesses: int = 0) -> Decision:
    """The decision once all that it asks for was answered; raises NotGiven."""
    while True:
        try:
            return event.decide(facts)
        except MissingFact as missing:
            try:
                facts = facts.learn(missing, answers.find(missing))
            except NotGiven as unknown:
                if missing.name not in EXTREMES or guesses == MOST_GUESSES:
                    raise
                tried = [facts.learn(missing, extreme) for extreme in EXTREMES[missing.name]]
                return _whichever(event, tried, answers, guesses + 1, unknown)


def _whichever(
    event: Event, tried: Sequence[Facts], answers: Answers, guesses: int, unknown: NotGiven
) -> Decision:
    """The decision if it is the same whatever the unknown fact says; else the fact is needed."""
    try:
        first, second = (_decide(event, facts, answers, guesses) for facts in tried)
    except NotGiven:
        raise unknown from None
    if (first.kind, first.reason, show_actions(first)) != (second.kind, second.reason, show_actions(second)):
        raise unknown
    return first


def _shown(event: str, payload: Mapping[str, object], happened: Event | None, decision: Decision) -> Json:
    commands, errors = show_comment(happened.parsed) if isinstance(happened, CommentEvent) else ([], [])
    number = number_at(payload, "pull_request.number")
    if number is None and "pull_request" in mapping_at(payload, "issue"):
        number = number_at(payload, "issue.number")
    return {
        "event": event,
        "action": text_at(payload, "action"),
        "repository": text_at(payload, "repository.full_name"),
        "pull_request": number,
        "commands": commands,
        "errors": errors,
        "decision": decision.kind.value,
        "reason": decision.reason,
        "actions": show_actions(decision),
    }
