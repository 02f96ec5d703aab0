"""`clone`: the tree that is tested, with its `.git`, as one archive; a retry finds it made."""

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from steps import archive
from steps.errors import StepFailed
from steps.git import Access, DeniedError, Git, MovedError
from steps.program import Step
from steps.release.merge import begin, fetch, merge
from steps.release.request import Request, completed
from steps.release.ticket import Ticket
from steps.workspace import workspace

HELP = "fetch what is tested and pack it"
_ASKED = "preflight.asked"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_RESULT = ("commit", "tree")
_DENIED_WITH = (
    "can't be read with the token that the bot got for it: is the GitHub App installed on the repository, "
    "with the permission `contents: read`?"
)
_DENIED_WITHOUT = (
    "can't be read without credentials: it is private, or not there. For private repositories the bot must "
    "be a GitHub App with the permission `contents: read`; with a personal token it gives its runs none."
)


def run(ticket: Ticket | None, args: argparse.Namespace, step: Step) -> Mapping[str, str]:
    """Make the archive, unless this run has it already; returns `commit` and `tree`."""
    request: Request = args.asked(args)
    if step.dryrun:
        _show(ticket, request, args.archive)
        return {}
    made = archive.labels_of(args.archive)
    if made.get(_ASKED) == request.label():
        os.utime(args.archive)
        print(f"Reusing {args.archive}, made before for the same request.")
        step.cases.add("fetch", skipped="the archive was made before")
        result = {name: made.get(f"preflight.{name}", "") for name in _RESULT}
    else:
        result = _make(request, ticket, args.archive, step)
    if args.prune:
        print(f"Removed {archive.prune(args.prune)} files of runs older than {archive.KEPT_DAYS} days.")
    return result


def _make(request: Request, ticket: Ticket | None, file: Path, step: Step) -> dict[str, str]:
    with workspace() as folder:
        with step.cases.case("fetch"):
            access = _access(request.url, ticket)
            git = Git(folder, access=access)
            with _explained(request.url, access):
                begin(request.url, git)
                wanted = completed(request, git)
                fetch(wanted, git)
        with step.cases.case("merge"):
            result = merge(wanted, git)
        labels = {_ASKED: request.label(), "preflight.url": request.url}
        archive.pack(folder, file, labels | {f"preflight.{name}": value for name, value in result.items()})
    size = file.stat().st_size
    print(f"Merged {wanted.head} into {wanted.base}: commit {result['commit']}, {size:,} bytes in {file}")
    return result


def _access(url_: str, ticket: Ticket | None) -> Access | None:
    """Exchange the ticket, if there is one: then the repository is private."""
    if ticket is None:
        return None
    parts = urlsplit(url_)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise StepFailed(f"a token is sent over https only, and not to {url_}: correct CLONE_URL")
    return Access(url_, ticket.exchange())


@contextmanager
def _explained(url_: str, access: Access | None) -> Iterator[None]:
    """Say what to do about a repository that git can't read."""
    try:
        yield
    except DeniedError as error:
        raise StepFailed(
            f"{url_} {_DENIED_WITH if access else _DENIED_WITHOUT} (git says: {error})"
        ) from None
    except MovedError as error:
        raise StepFailed(
            f"{url_} answers with a redirect, which a token must not follow: was the repository renamed or "
            f"moved? Start the pipeline anew. (git says: {error})"
        ) from None


def _show(ticket: Ticket | None, request: Request, file: Path) -> None:
    git = Git(Path(), dryrun=True)
    if ticket is not None:
        print(f"# the ticket is exchanged for a token at {ticket.url}; git gets it by its environment")
    print("# in a fresh folder, removed at the end:")
    begin(request.url, git)
    wanted = completed(request, git)
    fetch(wanted, git)
    merge(wanted, git)
    print(f"# then the tree is packed as {file}")
    print(f"# environment: {' '.join(sorted(git.environment(os.environ)))}")
