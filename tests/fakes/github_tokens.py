"""The fake GitHub's tokens for steps, which only an App can make."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.errors import GitHubRefused
from bot.models import RepositoryToken
from tests.fakes.github_calls import FakeCalls

if TYPE_CHECKING:
    from bot.models import Repository


class FakeTokens(FakeCalls):
    """Fulfils TokenMinter. `minted` are the tokens that were made, by the repository's id."""

    EXPIRES_AT = datetime(2026, 3, 4, 13, 0, tzinfo=UTC)

    def __init__(self) -> None:
        super().__init__()
        self.is_app = False
        self.minted: list[tuple[int, str]] = []
        self.not_installed: set[int] = set()

    def can_mint(self) -> bool:
        """Whether our credentials are an App's."""
        return self.is_app

    def mint(self, repository: Repository) -> RepositoryToken:
        """A new token for that repository."""
        with self.call("mint", repository):
            if not self.is_app:
                raise GitHubRefused("only a GitHub App can make tokens for steps")
            if repository.id in self.not_installed:
                raise GitHubRefused(f"the GitHub App is not installed on {repository.full_name}")
            token = f"ghs_{next(self.ids)}"
            self.minted.append((repository.id, token))
            return RepositoryToken(token, self.EXPIRES_AT)
