"""Tests what was deployed: by the chart's own tests, or by a command."""

import argparse
import contextlib
import re
import shlex
import sys
from dataclasses import dataclass

from steps.child import hear
from steps.command_line import fail
from steps.deploy import names
from steps.deploy.target import Target, add_target, connect
from steps.errors import StepFailed, TryAgain
from steps.program import CommandOf, Step
from steps.tools import ToolError, Tools

_SIGNALLED = 128


@dataclass(frozen=True)
class Suite:
    """A test of a chart: a pod or a job."""

    name: str
    phase: str
    """Succeeded, Failed, Running or Unknown."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument(
        "--timeout",
        type=names.seconds,
        default=1800,
        metavar="SECONDS",
        help="how long the tests may take (default: 1800)",
    )
    parser.add_argument(
        "command",
        nargs="*",
        metavar="-- COMMAND",
        help="run instead of helm test, with KUBECONFIG, CLUSTER, NAMESPACE and RELEASE in its environment; "
        "nothing out of the pull request, for it sees the cluster's credentials",
    )


def _run(args: argparse.Namespace, step: Step) -> int | None:
    with step.cases.case("credentials"):
        target = connect(args, step.tools)
    if args.command:
        return _run_command(args, target, step)
    _run_helm_test(args, target, step)
    return None


def _run_command(args: argparse.Namespace, target: Target, step: Step) -> int:
    """Run a command of somebody else once; its exit code is ours."""
    command = shlex.join(args.command)
    own = {"CLUSTER": target.cluster, "NAMESPACE": target.namespace, "RELEASE": target.release}
    if step.dryrun:
        print(" ".join(f"{name}={shlex.quote(value)}" for name, value in own.items()), command)
        return 0
    try:
        ended = hear(args.command, env=step.tools.environ | own, on_output=_say, timeout=args.timeout)
    except OSError as error:
        raise StepFailed(f"{args.command[0]} can't be run: {error.strerror or error}") from None
    if ended.timed_out:
        reason, code = f"{command} took longer than {args.timeout:g}s", 1
    else:
        code = ended.exit_code if ended.exit_code >= 0 else _SIGNALLED - ended.exit_code
        reason = f"{command} ended with exit code {code}" if code else ""
    step.cases.add(command, failure=reason)
    return fail(reason, code) if code else 0


def _say(chunk: bytes) -> None:
    sys.stdout.write(chunk.decode("utf-8", "backslashreplace"))
    sys.stdout.flush()


def _run_helm_test(args: argparse.Namespace, target: Target, step: Step) -> None:
    """Run the chart's tests, tell of each, and show the logs of those that failed."""
    where = (f"--namespace={target.namespace}",)
    try:
        said = step.tools.run("helm", "test", target.release, *where, f"--timeout={args.timeout:.0f}s")
    except ToolError as error:
        failed = [suite for suite in _tell(error.said, step) if suite.phase != "Succeeded"]
        for suite in failed:
            _show_log(suite, target, step.tools)
        if not failed:
            raise
        raise StepFailed(f"helm test: {', '.join(f'{each.name} {each.phase}' for each in failed)}") from None
    if not _tell(said, step) and not step.dryrun:
        step.cases.add("helm test", skipped="the chart has no tests")
        print("the chart has no tests: a pod with the annotation helm.sh/hook: test is one")


def _tell(said: str, step: Step) -> list[Suite]:
    """Add one case for each test that helm tells of."""
    suites = suites_of(said)
    for suite in suites:
        step.cases.add(suite.name, failure="" if suite.phase == "Succeeded" else suite.phase)
    return suites


def suites_of(said: str) -> list[Suite]:
    """Return the tests that `helm test` tells of: `TEST SUITE: NAME` and, some lines on, `Phase: PHASE`."""
    found = re.findall(r"^TEST SUITE: +(\S+)$(?:\n(?!TEST SUITE:).*)*?\nPhase: +(\S+)$", said, re.MULTILINE)
    return [Suite(name, phase) for name, phase in found if name != "None"]


def _show_log(suite: Suite, target: Target, tools: Tools) -> None:
    """Print the log of a test, which is a pod or a job: nothing else tells which."""
    for kind in ("pod", "job"):
        with contextlib.suppress(StepFailed, TryAgain):
            where = (f"--namespace={target.namespace}", "--all-containers", "--tail=200")
            tools.run("kubectl", "logs", f"{kind}/{suite.name}", *where)
            return


COMMAND = CommandOf("test", "run the chart's tests, or a command", _add_arguments, _run)
