"""Who the bot is on GitHub, and with which credentials it speaks about a repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cachetools import TTLCache
from github.Auth import AppAuth, Token
from github.InstallationAuthorization import InstallationAuthorization

from bot.adapters.github import step_tokens
from bot.adapters.github.answers import Moved, sent_at
from bot.adapters.github.cache import SharedCache
from bot.adapters.github.installation_auth import InstallationAuth, MintedToken
from bot.errors import GitHubNotFound, GitHubRefused, GitHubUnavailable

if TYPE_CHECKING:
    from github.NamedUser import NamedUser
    from github.Organization import Organization

    from bot.adapters.github.credentials import AppKey, PersonalToken
    from bot.adapters.github.endpoint import Endpoint
    from bot.adapters.github.requester import Requester
    from bot.adapters.github.usage import Usage
    from bot.models import Repository, RepositoryToken

INSTALLATION_IS_GOOD_FOR = 3600.0
"""Seconds for which a repository is believed to belong to an installation: it may move to another account."""

THE_TOKEN = "token"  # noqa: S105 - a name for it
"""The account of a personal token."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The bot's account.

    `user_id` is None for a GitHub App: its login ends in "[bot]", which no person's may, so that the login
    alone tells who wrote something.
    """

    login: str
    user_id: int | None = None

    def wrote(self, author: NamedUser | Organization | None) -> bool:
        """Whether a comment by this author is our own (None: the author's account was deleted)."""
        if author is None:
            return False
        if self.user_id is not None:
            return author.id == self.user_id
        return author.login.lower() == self.login.lower()


class Access(Protocol):
    """What both kinds of credentials offer."""

    def requester(self, repository: Repository, name: str) -> Requester:
        """What to ask about a repository with, whose full name is now `name`."""
        ...

    def identity(self) -> Identity:
        """The bot's account, asked for once."""
        ...

    def owner(self) -> str | None:
        """The login of the account that owns the App; None with a personal token."""
        ...

    def app_id(self) -> int | None:
        """The App's number; None with a personal token."""
        ...

    def itself(self) -> Requester | None:
        """What to ask with as the App itself, about its own webhook; None with a personal token."""
        ...

    def account(self, repository: Repository) -> str:
        """A name for the credentials for a repository, the same in every process. Asks nothing."""
        ...

    def usage(self, repository: Repository) -> Usage | None:
        """How much these were used, None if they were not yet. Asks nothing."""
        ...

    def mint(self, repository: Repository) -> RepositoryToken:
        """A new token that only reads the content of that repository."""
        ...

    def forget(self, repository: Repository) -> None:
        """With what a repository is asked about may have changed."""
        ...


class TokenAccess:
    """Access with a personal token: the same for every repository."""

    def __init__(self, endpoint: Endpoint, credentials: PersonalToken) -> None:
        self._requester = endpoint.requester(Token(credentials.token), THE_TOKEN)
        self._identity: SharedCache[str, Identity] = SharedCache({})

    def requester(self, repository: Repository, name: str) -> Requester:  # noqa: ARG002 - one for all of them
        """What to ask with."""
        return self._requester

    def identity(self) -> Identity:
        """The account that the token belongs to."""
        return self._identity.get("user", self._ask_who_we_are)

    def owner(self) -> None:
        """Nobody: there is no App."""

    def app_id(self) -> None:
        """None: there is no App."""

    def itself(self) -> None:
        """None: there is no App."""

    def account(self, repository: Repository) -> str:  # noqa: ARG002 - one for all of them
        """The token's."""
        return THE_TOKEN

    def usage(self, repository: Repository) -> Usage:  # noqa: ARG002 - one for all of them
        """Of the token."""
        return self._requester.usage

    def mint(self, repository: Repository) -> RepositoryToken:  # noqa: ARG002 - of none of them
        """Refused: this token can do what it can."""
        raise step_tokens.no_app()

    def forget(self, repository: Repository) -> None:
        """Nothing: the token is the same for all."""

    def _ask_who_we_are(self) -> Identity:
        _, user = self._requester.requestJsonAndCheck("GET", "/user")
        return Identity(str(user["login"]), int(user["id"]))


@dataclass(frozen=True, slots=True)
class _Itself:
    """What an App is."""

    identity: Identity
    owner: str
    app_id: int


class AppAccess:
    """Access as a GitHub App: each installation has one token, which all threads share."""

    def __init__(self, endpoint: Endpoint, credentials: AppKey) -> None:
        self._endpoint = endpoint
        self._app = endpoint.app_requester(AppAuth(credentials.app_id, credentials.private_key))
        self._itself: SharedCache[str, _Itself] = SharedCache({})
        self._installations: SharedCache[int, int] = SharedCache(
            TTLCache(10_000, INSTALLATION_IS_GOOD_FOR, endpoint.clock)
        )
        self._usages: dict[str, Usage] = {}
        self._requesters: SharedCache[int, Requester] = SharedCache({})
        self._gone: set[int] = set()

    def requester(self, repository: Repository, name: str) -> Requester:
        """What to ask with: the requester of the installation that covers the repository."""
        told = repository.installation if repository.installation not in self._gone else None
        installation = self._installations.get(repository.id, lambda: told or self._find_installation(name))

        def mint() -> MintedToken:
            try:
                return self._mint(installation)
            except GitHubNotFound as error:
                self._gone.add(installation)  # whatever an older delivery says
                self._installations.clear()
                raise GitHubUnavailable(
                    f"the GitHub App was uninstalled from {name}, or installed anew: looking again"
                ) from error

        found = self._requesters.get(
            installation,
            lambda: self._endpoint.requester(
                InstallationAuth(mint, self._endpoint.clock), f"installation {installation}"
            ),
        )
        self._usages[self.account(repository)] = found.usage
        return found

    def identity(self) -> Identity:
        """The App's bot account."""
        return self._itself.get("app", self._ask_who_we_are).identity

    def owner(self) -> str:
        """The account that owns the App."""
        return self._itself.get("app", self._ask_who_we_are).owner

    def app_id(self) -> int:
        """The App's number, which its credentials need not hold (they may hold its client id)."""
        return self._itself.get("app", self._ask_who_we_are).app_id

    def itself(self) -> Requester:
        """With the App's own JWT."""
        return self._app

    def account(self, repository: Repository) -> str:
        """The owner, for all of whose repositories an App has one installation."""
        return repository.owner.lower()

    def usage(self, repository: Repository) -> Usage | None:
        """Of the installation that was last used for a repository of that owner."""
        return self._usages.get(self.account(repository))

    def mint(self, repository: Repository) -> RepositoryToken:
        """A new token that only reads the content of that repository; its installation is looked up anew.

        Who asks for these hears of no events, so would not learn that the repository has moved.
        """
        installation = self._find_installation(repository.full_name)
        return step_tokens.mint(self._app, installation, repository)

    def forget(self, repository: Repository) -> None:
        """Look the repository's installation up anew, and have it mint a new token.

        Its requester stays: it knows for how long GitHub wants us to slow down.
        """
        installation = self._installations.known(repository.id)
        self._installations.forget(lambda known: known == repository.id)
        requester = None if installation is None else self._requesters.known(installation)
        if requester is not None and isinstance(requester.auth, InstallationAuth):
            requester.auth.expire()

    def _ask_who_we_are(self) -> _Itself:
        _, app = self._app.requestJsonAndCheck("GET", "/app")
        return _Itself(Identity(f"{app['slug']}[bot]"), str(app["owner"]["login"]), int(app["id"]))

    def _find_installation(self, name: str) -> int:
        path = f"/repos/{name}/installation"
        try:
            try:
                _, found = self._app.requestJsonAndCheck("GET", path)
            except Moved as moved:
                if not moved.location.startswith(f"{self._endpoint.api_url}/"):
                    raise
                _, found = self._app.requestJsonAndCheck("GET", moved.location)
        except GitHubNotFound as error:
            raise GitHubRefused(
                f"the GitHub App is not installed on {name}: install it there, or add the repository to "
                "those that its installation may see"
            ) from error
        return int(found["id"])

    def _mint(self, installation: int) -> MintedToken:
        answered, answer = self._app.requestJsonAndCheck(
            "POST", f"/app/installations/{installation}/access_tokens", input={}
        )
        minted = InstallationAuthorization(self._app, answered, answer)
        return MintedToken(
            minted.token, (minted.expires_at - sent_at({"Date": answered.get("date", "")})).total_seconds()
        )
