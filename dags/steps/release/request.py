"""What is to be cloned: what was asked for, and what the remote says about the rest of it."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from steps.arguments import is_ref, is_sha
from steps.errors import StepFailed
from steps.git import Git
from steps.release.latest_green import latest_green

_HEADS = "refs/heads/"
_LINE = re.compile(r"(?:ref: (?P<symbolic>\S+)|(?P<sha>[0-9a-f]+))\t(?P<name>[^\t]+)")


@dataclass(frozen=True)
class Request:
    """A head that is merged into a base, unless it holds the base already. What is empty is found out."""

    url: str
    head: str = ""
    base: str = ""
    branch: str = ""
    """The base's name, shown to tools as origin/NAME."""
    pull: str = ""
    """Number of the pull request; empty for a branch's own commit."""
    green: str = ""
    """Where a `latest_green.json` names the head."""

    def label(self) -> str:
        """Return all of it as text: two requests of one label want the same."""
        return json.dumps(asdict(self), sort_keys=True)

    def __str__(self) -> str:
        return f"{self.head[:12]} into {self.base[:12]}"


@dataclass(frozen=True)
class Advertised:
    """What a remote says that it has."""

    tips: Mapping[str, str] = field(default_factory=dict)
    """SHA by the ref's whole name."""
    default: str = ""
    """Name of the default branch, where the remote tells."""

    @classmethod
    def parsed(cls, printed: str) -> "Advertised":
        """Read what `git ls-remote --symref` prints; what is no ref of ours is left out."""
        tips: dict[str, str] = {}
        default = ""
        for line in printed.split("\n"):
            found = _LINE.fullmatch(line)
            if found is None:
                continue
            sha, name, symbolic = found["sha"], found["name"], found["symbolic"] or ""
            if sha and is_sha(sha):
                tips[name] = sha
            elif name == "HEAD" and symbolic.startswith(_HEADS) and is_ref(symbolic.removeprefix(_HEADS)):
                default = symbolic.removeprefix(_HEADS)
        return cls(tips, default)


def completed(request: Request, git: Git) -> Request:
    """Return the request with both commits; the remote is asked only when something is missing.

    Raises:
        StepFailed: the remote has no such pull request or branch; and whatever `git.ask_remote` raises.
    """
    if request.green:
        return _settled(_green(request, dryrun=git.dryrun))
    needs_base = not request.base and (bool(request.pull) or not request.head)
    refs = [_head_ref(request)] if request.pull and not request.head else []
    refs += [f"{_HEADS}{request.branch}" if request.branch else "HEAD"] if needs_base else []
    if not refs:
        return _settled(request)
    printed = git.ask_remote("--symref", "origin", *refs)
    if git.dryrun:
        print("# HEAD_SHA and BASE_SHA are what the remote answered")
        head = request.head or ("HEAD_SHA" if request.pull else "")
        return _settled(replace(request, head=head, base=request.base or "BASE_SHA"))
    there = Advertised.parsed(printed)
    return _settled(_filled(request, there, needs_base=needs_base))


def _filled(request: Request, there: Advertised, *, needs_base: bool) -> Request:
    head, base, branch = request.head, request.base, request.branch
    if request.pull and not head:
        head = there.tips.get(_head_ref(request), "")
        if not head:
            raise StepFailed(f"{request.url} has no pull request {request.pull}")
    if needs_base:
        base = there.tips.get(f"{_HEADS}{branch}" if branch else "HEAD", "")
        if not base:
            named = f"branch {branch}" if branch else "commit yet"
            raise StepFailed(f"{request.url} has no {named}")
        branch = branch or there.default
    return replace(request, head=head, base=base, branch=branch)


def _green(request: Request, *, dryrun: bool) -> Request:
    if dryrun:
        print(f"# HEAD_SHA is the commit that {request.green} names")
        return replace(request, head="HEAD_SHA")
    green = latest_green(request.green)
    return replace(request, head=green.commit, branch=green.branch)


def _settled(request: Request) -> Request:
    """A branch's commit is its own base, and the base its own head, where no other is named."""
    if request.pull:
        return request
    return replace(request, head=request.head or request.base, base=request.base or request.head)


def _head_ref(request: Request) -> str:
    return f"refs/pull/{request.pull}/head"
