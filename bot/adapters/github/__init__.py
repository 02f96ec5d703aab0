"""The GitHub adapter: `GitHubClient` with a `PersonalToken` or an `AppKey`, and `GitHubSignIn` for people."""

from bot.adapters.github.access import Identity
from bot.adapters.github.client import GitHubClient
from bot.adapters.github.credentials import AppKey, PersonalToken
from bot.adapters.github.delivery_log import GitHubDeliveryLog
from bot.adapters.github.pull_lists import GitHubPullLists
from bot.adapters.github.sign_in import GitHubSignIn

__all__ = [
    "AppKey",
    "GitHubClient",
    "GitHubDeliveryLog",
    "GitHubPullLists",
    "GitHubSignIn",
    "Identity",
    "PersonalToken",
]
