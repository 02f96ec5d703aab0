"""Removes clusters of ours whose time is over: what a crash left behind."""

import argparse
from dataclasses import replace

from steps.deploy.clusters import Clusters, Found, is_expired, why_not_ours
from steps.deploy.providers import clusters_of
from steps.deploy.target import Target, add_target, target_of
from steps.deploy.teardown import Removal
from steps.deploy.waiting import Patience, add_patience
from steps.errors import StepFailed, TryAgain
from steps.program import CommandOf, Step
from steps.tools import Tools


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_target(parser, cluster=False)
    add_patience(parser, timeout=1800)
    parser.add_argument("--list", action="store_true", help="only list ours, and which of them have expired")


def _run(args: argparse.Namespace, step: Step) -> None:
    target = target_of(args)
    if step.dryrun:
        _show(target, step.tools)
        return
    expired = _expired(clusters_of(target, step.tools))
    if args.list:
        return
    removals = {each: _removal(each, target, step.tools) for each in expired}
    failures: list[StepFailed | TryAgain] = []
    for removal in removals.values():  # all at once: each takes minutes
        _try_to_begin(removal)
    patience = Patience(args.timeout, args.poll)
    for each, removal in removals.items():
        try:
            with step.cases.case(f"{each.name} is gone"):
                removal.finish(patience)
        except (StepFailed, TryAgain) as error:
            failures.append(error)
    _judge(failures)


def _show(target: Target, tools: Tools) -> None:
    """Print what would be asked for, for a cluster called NAME: which there are, nobody is asked."""
    clusters_of(target, tools).ours()
    print("# then, for each of them that has expired:")
    anywhere = replace(target, location=target.location or "LOCATION")
    Removal(clusters_of(anywhere, tools), "NAME", _why_stay).show()


def _removal(found: Found, target: Target, tools: Tools) -> Removal:
    """Return what removes it where it is, which may be in any zone."""
    there = replace(target, location=found.location)
    return Removal(clusters_of(there, tools), found.name, _why_stay)


def _expired(clusters: Clusters) -> list[Found]:
    """List ours, and return those whose time is over."""
    ours = clusters.ours()
    expired = [each for each in ours if is_expired(each)]
    for each in ours:
        ends = (each.labels or {}).get("expires", "unknown")
        what = "expired" if each in expired else "stays"
        print(f"# {what}: {each.told} {each.location} expires={ends}")
    print(f"# {len(expired)} of {len(ours)} {clusters.noun}s of ours have expired")
    return expired


def _why_stay(found: Found) -> str:
    """Look again at what was listed: its run may have prolonged it, or another have made one of that name."""
    if found.labels is None:
        return ""
    return why_not_ours(found) or ("" if is_expired(found) else f"{found.name} is in use again")


def _try_to_begin(removal: Removal) -> None:
    try:
        removal.begin()
    except (StepFailed, TryAgain) as error:  # told when it is waited for
        print(error)


def _judge(failures: list[StepFailed | TryAgain]) -> None:
    words = "; ".join(map(str, failures))
    if failures and all(isinstance(error, TryAgain) for error in failures):
        raise TryAgain(words)
    if failures:
        raise StepFailed(words)


COMMAND = CommandOf("sweep", "remove expired clusters of ours, or --list them", _add_arguments, _run)
