"""Whether an object has ended, and how; what is wrong with its pods, in words. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

SUCCESS = ("Complete", "Completed", "Succeeded")
FAILURE = ("Failed", "Error", "Aborted")
"""Types of conditions, and phases, by which an object says that it has ended: a Job, Kubeflow's training
jobs, a JobSet, Argo's Workflow, Volcano's Job, Spark's application and Ray's job."""
_PHASES = (("phase",), ("state",), ("state", "phase"), ("applicationState", "state"), ("jobStatus",))
_LONGEST = 300

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """How an object has ended."""

    outcome: Literal["succeeded", "failed"]
    words: str = ""
    """What it says about it."""


@dataclass(frozen=True)
class Trouble:
    """What is wrong with a pod."""

    pod: str
    words: str
    keeps_waiting: bool = False
    """The pod can't start, and will not by itself."""
    not_its_fault: bool = False
    """Its node was taken from it: the same may pass elsewhere."""

    def __str__(self) -> str:
        return f"pod {self.pod} {self.words}"


def verdict_of(
    content: Fields, success: Sequence[str] = SUCCESS, failure: Sequence[str] = FAILURE
) -> Verdict | None:
    """Return how an object has ended; None while it has not. One that says both has failed."""
    said = dict(_said(_mapping(content, "status")))
    outcomes: tuple[tuple[Literal["failed", "succeeded"], Sequence[str]], ...] = (
        ("failed", failure),
        ("succeeded", success),
    )
    for outcome, types in outcomes:
        for kind in types:
            if kind.lower() in said:
                return Verdict(outcome, said[kind.lower()])
    return None


def troubles_of(pod: Fields) -> list[Trouble]:
    """Return what is wrong with a pod, the most telling first."""
    name = str(_mapping(pod, "metadata").get("name"))
    status = _mapping(pod, "status")
    found = [*_node_troubles(name, status)]
    if any(trouble.not_its_fault for trouble in found):
        return found  # what its containers say follows from it
    for container in _containers(status):
        found += _container_troubles(name, container, pod)
    if not found and status.get("phase") == "Failed":
        found.append(Trouble(name, f"failed{_after(_short(status.get('message') or status.get('reason')))}"))
    return found


def in_words(troubles: Iterable[Trouble], most: int = 3) -> str:
    """Return the first of them in one line."""
    texts = [*dict.fromkeys(map(str, troubles))]
    more = f"; and {len(texts) - most} more" if len(texts) > most else ""
    return "; ".join(texts[:most]) + more


def _said(status: Fields) -> Iterator[tuple[str, str]]:
    """Yield what the object says that it is, in small letters, and its words about it."""
    for path in _PHASES:
        value: Any = status
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, str):
            yield value.lower(), _short(status.get("message") or "")
    for condition in _mappings(status, "conditions"):
        if condition.get("status") == "True":
            words = ": ".join(str(condition[key]) for key in ("reason", "message") if condition.get(key))
            yield str(condition.get("type")).lower(), _short(words)


def _node_troubles(name: str, status: Fields) -> Iterator[Trouble]:
    if status.get("reason") == "Evicted":
        yield Trouble(name, f"was evicted{_after(_short(status.get('message')))}", not_its_fault=True)
    for condition in _mappings(status, "conditions"):
        kind, true = condition.get("type"), condition.get("status") == "True"
        words = _short(condition.get("message") or condition.get("reason"))
        if kind == "PodScheduled" and not true and condition.get("reason") == "Unschedulable":
            yield Trouble(name, f"finds no node{_after(words)}")
        if kind == "DisruptionTarget" and true:
            yield Trouble(name, f"was taken off its node{_after(words)}", not_its_fault=True)


def _container_troubles(name: str, container: Fields, pod: Fields) -> Iterator[Trouble]:
    state = _mapping(container, "state")
    waiting = _mapping(state, "waiting")
    reason, words = str(waiting.get("reason") or ""), _short(waiting.get("message"))
    if (
        "Image" in reason or reason == "RegistryUnavailable"
    ):  # ErrImagePull, ImagePullBackOff, InvalidImageName
        image = container.get("image") or "its image"
        yield Trouble(name, f"can't get {image} ({reason}){_after(words)}", keeps_waiting=True)
    elif reason.endswith("Error"):  # CreateContainerConfigError, CreateContainerError, RunContainerError
        why = f"can't start {container.get('name')} ({reason}){_after(words)}"
        yield Trouble(name, why, keeps_waiting=True)
    ended = _mapping(state, "terminated")
    if reason == "CrashLoopBackOff":
        ended = _mapping(_mapping(container, "lastState"), "terminated") or {"exitCode": "unknown"}
    if ended and ended.get("exitCode") != 0:
        yield Trouble(name, _how_it_ended(container, ended, pod))


def _how_it_ended(container: Fields, ended: Fields, pod: Fields) -> str:
    name, code, reason = container.get("name"), ended.get("exitCode"), ended.get("reason")
    if reason == "OOMKilled":
        limit = _memory_limit(pod, str(name))
        return f"ran out of memory: {name} was killed (OOMKilled{limit and f', its limit is {limit}'})"
    own = "" if reason in {None, "", "Error"} else f" ({reason})"
    words = _short(ended.get("message"))
    return f"failed: {name} ended with exit code {code}{own}{_after(words)}"


def _memory_limit(pod: Fields, name: str) -> str:
    for container in _mappings(_mapping(pod, "spec"), "containers"):
        if container.get("name") == name:
            return str(_mapping(_mapping(container, "resources"), "limits").get("memory", ""))
    return ""


def _containers(status: Fields) -> list[Fields]:
    return [*_mappings(status, "initContainerStatuses"), *_mappings(status, "containerStatuses")]


def _mapping(value: Fields, key: str) -> Fields:
    inner = value.get(key)
    return inner if isinstance(inner, Mapping) else {}


def _mappings(value: Fields, key: str) -> list[Fields]:
    inner = value.get(key)
    return [each for each in inner if isinstance(each, Mapping)] if isinstance(inner, list) else []


def _short(text: object) -> str:
    line = " ".join(str(text or "").split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _after(words: str) -> str:
    return words and f": {words}"
