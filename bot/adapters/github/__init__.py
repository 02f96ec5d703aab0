"""The GitHub adapter: `GitHubClient` with a `PersonalToken` or an `AppKey`."""

from bot.adapters.github.access import Identity
from bot.adapters.github.client import GitHubClient
from bot.adapters.github.credentials import AppKey, PersonalToken

__all__ = ["AppKey", "GitHubClient", "Identity", "PersonalToken"]
