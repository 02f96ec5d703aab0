"""Tokens for steps: an installation's, narrowed to reading the content of one repository."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.adapters.github.answers import Unprocessable
from bot.errors import GitHubNotFound, GitHubRefused, GitHubUnavailable
from bot.models import RepositoryToken

if TYPE_CHECKING:
    from bot.adapters.github.requester import Requester
    from bot.models import Repository

PERMISSIONS = {"contents": "read"}
GIVEN_BY_ITSELF = {"metadata": "read"}
"""What every token of an installation may, whether asked for or not."""


def mint(app: Requester, installation: int, repository: Repository) -> RepositoryToken:
    """Have GitHub make one, with an App's own credentials; the repository is named by its id. One request.

    https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
    """
    wanted = {"repository_ids": [repository.id], "permissions": PERMISSIONS}
    path = f"/app/installations/{installation}/access_tokens"
    try:
        _, made = app.requestJsonAndCheck("POST", path, input=wanted)
    except GitHubNotFound as error:
        raise GitHubUnavailable(
            f"the GitHub App was uninstalled from {repository.full_name}, or installed anew: looking again"
        ) from error
    except Unprocessable as error:
        raise GitHubRefused(
            f"{error}: the GitHub App needs the permission contents: read, and its installation access to "
            f"{repository.full_name}"
        ) from error
    if made["repository_selection"] != "selected" or dict(made["permissions"]) not in (
        PERMISSIONS,
        PERMISSIONS | GIVEN_BY_ITSELF,
    ):
        raise GitHubUnavailable("GitHub did not narrow the token that it made, so nobody gets it")
    return RepositoryToken(str(made["token"]), datetime.fromisoformat(made["expires_at"]).astimezone(UTC))


def no_app() -> GitHubRefused:
    """Why a personal token will not do."""
    return GitHubRefused("only a GitHub App can make tokens for steps, and we have a personal token")
