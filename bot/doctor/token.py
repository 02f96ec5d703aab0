"""Our personal token: whose is it, what may it do, and do the repositories tell us what happens there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.doctor.checks import Check
from bot.doctor.findings import Diagnosis, broken, fine, skipped, warning
from bot.doctor.github import ANSWERS, CREDENTIALS, PART, REACH, judge_quota
from bot.doctor.permissions import WITH_CHECKS, judge_events
from bot.doctor.webhook import judge_deliveries, judge_hook, same_address, same_host

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.models.doctor import SeenHook, SeenRepository, SeenToken
    from bot.ports.doctor import GitHubLook, TokenLook

NEW = "Make a new token for the bot's user and put it into PREFLIGHT_GITHUB_TOKEN."


def token_checks(
    github: GitHubLook, token: TokenLook, public_url: str, repositories: Sequence[str], wanted: Sequence[str]
) -> list[Check]:
    """What is looked at with a token; `repositories` are those served by their name."""
    events = [event for event in wanted if event not in WITH_CHECKS]  # no App, no check runs

    def permissions(name: str) -> tuple[Diagnosis, ...]:
        seen = github.repository(name)
        return (judge_writing(name, may_push=seen.may_push, told=token.may_set_status(seen.repository)),)

    def webhook(name: str) -> tuple[Diagnosis, ...]:
        return judge_hooks(github.repository(name), token.hooks(name), public_url, events)

    known = (ANSWERS, CREDENTIALS)
    return [
        Check(PART, "credentials", lambda: tuple(judge_token(token.token())), NEW, (ANSWERS,)),
        *(
            Check(PART, f"permissions {name}", partial(permissions, name), NEW, known)
            for name in repositories
        ),
        *(Check(PART, f"webhook {name}", partial(webhook, name), REACH, known) for name in repositories),
    ]


def judge_token(token: SeenToken) -> Iterator[Diagnosis]:
    """Whose the token is, what a classic one may do, and how much is left of the hour."""
    yield fine(f"we are {token.login}")
    scopes = token.scopes
    if scopes is not None and "repo" not in scopes:
        public = "public_repo" in scopes
        kind = warning if public else broken
        yield kind(
            f"the token's scopes are {', '.join(sorted(scopes)) or 'none'}, without repo"
            + (": private repositories can't be served" if public else ": no result is shown"),
            "Give it the scope repo; or make a fine-grained one with commit statuses, issues and pull "
            "requests: write, contents and metadata: read.",
        )
    if token.quota is not None:
        yield judge_quota(token.quota)


def judge_writing(name: str, *, may_push: bool | None, told: bool | None) -> Diagnosis:
    """Whether the token may write to a repository: by what GitHub says of its user, and `told` of itself."""
    if told is False or may_push is False:
        return broken(
            f"our token may not set statuses on {name}, so no result is shown",
            f"Give its user write access to {name}, and a fine-grained token the permissions commit "
            "statuses, issues and pull requests: write.",
        )
    if told is None:
        return skipped(f"GitHub does not tell whether our token may set statuses on {name}")
    return fine(f"our token may set statuses on {name}")


def judge_hooks(
    seen: SeenRepository, hooks: Sequence[SeenHook] | None, public_url: str, wanted: Sequence[str]
) -> tuple[Diagnosis, ...]:
    """The webhook of a repository; None: we may not see them. `wanted` are the events it should bring."""
    name = seen.repository.full_name
    where, ours = f"the webhook of {name}", f"{public_url}/webhook"
    if hooks is None:
        return (
            warning(
                f"our token may not see the webhooks of {name}: what we miss is not found again",
                "Let it (fine-grained: Webhooks, read and write; classic: admin:repo_hook; its user an admin "
                f"there). Until then see yourself that one leads to {ours}, and its Recent Deliveries.",
            ),
        )
    hook = _most_like(hooks, ours)
    if hook is None:
        kind, unless = (broken, "") if seen.owner_is_user else (warning, ", unless its organisation has one")
        return (
            kind(
                f"{name} has no webhook, so GitHub tells us nothing of it{unless}",
                f"Add one under Settings, Webhooks: {ours}, content type application/json, a secret of "
                "PREFLIGHT_WEBHOOK_SECRETS, events: pull requests, issue comments, pushes, merge groups, "
                "repositories.",
            ),
        )
    mend = f'Edit {where} on GitHub: tick it under "Let me select individual events".'
    return (
        *judge_hook(hook, public_url, where),
        *judge_events(hook.events or (), wanted, where, mend, writes_checks=False),
        judge_deliveries(hook.deliveries, where),
    )


def _most_like(hooks: Sequence[SeenHook], wanted: str) -> SeenHook | None:
    """The webhook that is ours, or else was probably meant to be: others belong to other programs."""
    for alike in (same_address, same_host, _same_path):
        for hook in hooks:
            if alike(hook.url, wanted):
                return hook
    return None


def _same_path(url: str, wanted: str) -> bool:
    return url.rstrip("/").rpartition("/")[2] == wanted.rpartition("/")[2]
