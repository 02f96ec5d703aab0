"""Head merged into base, from as little history as that takes."""

from pathlib import Path

from steps.errors import StepFailed
from steps.git import Git, GitError, RefusedError, RemoteError
from steps.release.request import Request

_DEPTHS = (50, 1000)
_SHOWN_FILES = 20


def begin(url: str, git: Git) -> None:
    """Make an empty repository whose `origin` is `url`."""
    git.run("init", "--quiet", "--template=", ".")
    for setting in (f"remote.origin.url={url}", "core.checkStat=minimal", "core.trustctime=false"):
        git.run("config", "--local", *setting.split("=", 1))


def fetch(wanted: Request, git: Git) -> None:
    """Fetch the two commits with as much history as their merge needs; origin/BRANCH becomes the base."""
    try:
        _fetch_by_sha(wanted, git)
    except RefusedError:
        print("The remote doesn't give commits by their SHA: fetching the branches instead.")
        _fetch_by_name(wanted, git)
    if wanted.branch:
        git.run("update-ref", "--end-of-options", f"refs/remotes/origin/{wanted.branch}", wanted.base)


def merge(wanted: Request, git: Git) -> dict[str, str]:
    """Merge head into base; a head that holds base stays. Returns the commit and its tree.

    The commit's dates are those of its parents, so that a retry makes the same commit again.

    Raises:
        StepFailed: they conflict; the message names the files.
    """
    git.run("checkout", "--quiet", "--detach", wanted.base, "--")
    dates = git.run("show", "--no-patch", "--format=%ct", wanted.base, wanted.head, "--").split()
    git.date(max((int(date) for date in dates), default=0))
    how = ("--quiet", "--ff", "--no-edit", "--no-stat", "--no-verify")
    try:
        git.run("merge", *how, "-m", f"Merge {wanted}", wanted.head)
    except GitError as error:
        raise StepFailed(_conflict(git) or f"can't merge {wanted}: {error}") from None
    return {
        name: git.run("rev-parse", of).strip() for name, of in (("commit", "HEAD"), ("tree", "HEAD^{tree}"))
    }


def _fetch_by_sha(wanted: Request, git: Git) -> None:
    for depth in _DEPTHS:
        git.fetch(f"--depth={depth}", "origin", wanted.base, wanted.head)
        if git.dryrun or _history_suffices(wanted, git):
            return
    git.fetch("--unshallow", "origin", wanted.base, wanted.head)


def _fetch_by_name(wanted: Request, git: Git) -> None:
    refs = [f"refs/heads/{wanted.branch}" if wanted.branch else "HEAD"]
    if wanted.pull:
        refs.append(f"refs/pull/{wanted.pull}/head")
    try:
        git.fetch("origin", *refs)
        _check_present(wanted, git)
    except RefusedError as error:
        # A commit pushed a moment ago can be missing on one of the remote's mirrors: worth another try.
        raise RemoteError(
            "can't fetch: the remote has neither branch nor pull request that holds "
            f"{wanted.base[:12]} and {wanted.head[:12]} (git says: {error})"
        ) from None


def _check_present(wanted: Request, git: Git) -> None:
    for commit in (wanted.base, wanted.head):
        try:
            git.run("cat-file", "-e", f"{commit}^{{commit}}")
        except GitError as error:
            raise RefusedError(str(error)) from None


def _history_suffices(wanted: Request, git: Git) -> bool:
    """Whether a shallow history has all that the merge looks at: no cut before the merge base."""
    cut = {*_words(git.folder / ".git" / "shallow")}
    return not cut or cut.isdisjoint(git.run("rev-list", f"{wanted.base}...{wanted.head}", "--").split())


def _conflict(git: Git) -> str:
    """Say which files conflict; empty when it is no conflict."""
    files = sorted(filter(None, git.run("diff", "--name-only", "--diff-filter=U", "-z").split("\0")))
    names = ", ".join(name if name.isprintable() else ascii(name) for name in files[:_SHOWN_FILES])
    more = f" and {len(files) - _SHOWN_FILES} more" if len(files) > _SHOWN_FILES else ""
    return names and f"merge conflict in {names}{more}"


def _words(file: Path) -> list[str]:
    return file.read_text(encoding="ascii").split() if file.exists() else []
