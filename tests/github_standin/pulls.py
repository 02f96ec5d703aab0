"""What people do with issues and pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from . import merge_queue, shapes_pull
from .branches import close, emit_pull, follow_head, notice_pushes
from .checks import unmet
from .git import MergeConflict
from .shapes_push import person
from .state import Issue, Label, Pull, Refused, now

if TYPE_CHECKING:
    from .state import Account, Repository, World


def open_issue(world: World, repository: Repository, by: Account, title: str, body: str) -> Issue:
    """Open an issue."""
    number, moment = _next_number(repository), now()
    issue = Issue(world.new_id("issue"), number, repository, title, body or None, by, moment, moment)
    repository.issues[number] = issue
    return issue


def open_pull(
    world: World,
    repository: Repository,
    by: Account,
    head: Repository,
    branch: str,
    *,
    base: str,
    title: str,
    body: str,
    draft: bool,
    maintainer_can_modify: bool,
) -> Pull:
    """Open a pull request from a branch that is there, of the repository or of a fork."""
    for missing, home, name in (
        (base not in repository.heads, repository, base),
        (branch not in head.heads, head, branch),
    ):
        if missing:
            raise Refused(f"{home.full_name} has no branch {name!r}")
    sha = head.heads[branch]
    if any(
        pull.repository is repository and pull.base_ref == base for pull in world.pulls_from(head, branch)
    ):
        raise Refused(f"A pull request already exists for {head.owner.login}:{branch}")
    number, moment = _next_number(repository), now()
    pull = Pull(
        world.new_id("issue"),
        number,
        repository,
        title or head.git.commit(sha).message.split("\n")[0],
        body or None,
        by,
        moment,
        moment,
        pull_id=world.new_id("pull"),
        head_repository=head,
        head_owner=head.owner,
        head_ref=branch,
        base_ref=base,
        base_sha=repository.heads[base],
        draft=draft,
        maintainer_can_modify=maintainer_can_modify and head is not repository,
    )
    follow_head(pull, sha)
    if repository.git.merge_base(pull.base_tip, sha) is None:
        raise Refused(f"{base} and {branch} have no history in common")
    repository.issues[number] = pull
    emit_pull(world, "opened", pull, by)
    return pull


def set_state(world: World, pull: Pull, by: Account, state: Literal["open", "closed"]) -> None:
    """Close or reopen; what is so already stays so."""
    if pull.state == state:
        return
    if state == "closed":
        if any(group.pull is pull for group in pull.repository.queue):
            merge_queue.dequeue(world, pull, by)
        close(world, pull, by)
        return
    if pull.merged_at or pull.head_repository is None or pull.head_ref not in pull.head_repository.heads:
        raise Refused("a merged pull request, or one without a head branch, can't be reopened")
    follow_head(pull, pull.head_repository.heads[pull.head_ref])
    pull.state, pull.closed_at, pull.closed_by, pull.updated_at = "open", None, None, now()
    emit_pull(world, "reopened", pull, by)


def set_draft(world: World, pull: Pull, by: Account, *, draft: bool) -> None:
    """Convert to a draft, or mark as ready for review."""
    if pull.draft != draft:
        pull.draft, pull.updated_at = draft, now()
        emit_pull(world, "converted_to_draft" if draft else "ready_for_review", pull, by)


def edit(
    world: World, pull: Pull, by: Account, *, title: str | None, body: str | None, base: str | None
) -> None:
    """Change title, body or base branch."""
    changes: dict[str, object] = {}
    if title is not None and title != pull.title:
        changes["title"] = {"from": pull.title}
        pull.title = title
    if body is not None and body != pull.body:
        changes["body"] = {"from": pull.body}
        pull.body = body
    if base is not None and base != pull.base_ref:
        if base not in pull.repository.heads:
            raise Refused(f"{pull.repository.full_name} has no branch {base!r}")
        changes["base"] = {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}
        pull.base_ref, pull.base_sha = base, pull.repository.heads[base]
    if changes:
        pull.updated_at = now()
        emit_pull(world, "edited", pull, by, changes=changes)


def set_label(world: World, pull: Pull, by: Account, name: str, *, add: bool) -> None:
    """Add or remove a label."""
    known = pull.repository.labels.setdefault(name, Label(world.new_id("label"), name))
    if add == (known in pull.labels):
        return
    (pull.labels.append if add else pull.labels.remove)(known)
    pull.updated_at = now()
    shown = shapes_pull.label(world, pull.repository, known)
    emit_pull(world, "labeled" if add else "unlabeled", pull, by, label=shown)


def set_auto_merge(world: World, pull: Pull, by: Account, *, on: bool) -> None:
    """Wish that a pull request be merged when its checks are green, or no longer."""
    if on == (pull.auto_merge_by is not None):
        return
    pull.auto_merge_by = by if on else None
    pull.updated_at = now()
    emit_pull(
        world,
        "auto_merge_enabled" if on else "auto_merge_disabled",
        pull,
        by,
        **({} if on else {"reason": "disabled by a person"}),
    )


def merge(world: World, pull: Pull, by: Account) -> str:
    """Merge with a merge commit, which becomes the base branch's tip."""
    if pull.state != "open" or pull.draft:
        raise Refused("only an open pull request that is no draft can be merged")
    home = pull.repository
    if missing := unmet(home, pull.base_ref, pull.head_sha):
        raise Refused(" ".join(missing))
    message = f"Merge pull request #{pull.number} from {pull.head_ref}\n\n{pull.title}"
    try:
        sha = home.git.merge(
            pull.base_tip, pull.head_sha, author=person(by), message=message, when=int(now())
        )
    except MergeConflict as conflict:
        raise Refused(f"merge conflict: {conflict}") from conflict
    pull.merged_into = pull.base_tip
    home.git.set_ref(f"refs/heads/{pull.base_ref}", sha)
    pull.merged_at, pull.merged_by, pull.merge_commit_sha = now(), by, sha
    notice_pushes(world, home, by)
    close(world, pull, by)
    return sha


def _next_number(repository: Repository) -> int:
    return max(repository.issues, default=0) + 1
