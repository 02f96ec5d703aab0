"""People who sign in with the GitHub App, and what GitHub lets them read: each asked about as themselves."""

from __future__ import annotations

import json
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from cachetools import TTLCache
from github.Auth import Token

from bot.adapters.github.answers import LONGEST_MESSAGE, CredentialsRefused, Moved, check_answer
from bot.adapters.github.api_url import check_api_url
from bot.adapters.github.asking import understanding
from bot.adapters.github.cache import SharedCache
from bot.adapters.github.requester import USER_AGENT, Requester
from bot.adapters.github.transport import Transport
from bot.errors import GitHubNotFound, GitHubRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.adapters.github.transport import OnCall
    from bot.breaker import Breakers
    from bot.models import Repository

ANSWER_IS_GOOD_FOR = 300.0
"""Seconds for which it is believed what somebody may read. A no as well: a list of runs asks about many
repositories, and people have 5,000 requests an hour."""

TOKEN_IS_GOOD_FOR = 8 * 3600.0
"""Seconds for which we use a token that GitHub let have no end."""

WHY_NOT = {
    "bad_verification_code": "this sign-in was used already, or took over ten minutes: please sign in again",
    "unverified_user_email": "GitHub wants your primary email address verified: verify it and sign in again",
    "redirect_uri_mismatch": "the GitHub App does not know our address: add it to its callback URLs",
    "incorrect_client_credentials": (
        "GitHub does not accept PREFLIGHT_GITHUB_CLIENT_ID with PREFLIGHT_GITHUB_CLIENT_SECRET: take both "
        "from the settings page of the GitHub App"
    ),
}
"""By the name of GitHub's error: the first two are for whoever signs in, the others for the operator."""


class GitHubSignIn:
    """Fulfils Viewers; to be shared by any number of threads. No token is kept, nor written anywhere.

    Args:
        api_url: of the REST API: https://api.github.com, or https://HOST/api/v3 for GitHub Enterprise Server.
        web_url: where people see GitHub: https://github.com, or https://HOST. Our secret is sent there.
        client_id: of the GitHub App.
        client_secret: of the GitHub App.
        on_call: told of every request: method, kind of endpoint ("user"), status (0: no answer), seconds.
        max_concurrent: requests at one time.
        connect_timeout: seconds.
        read_timeout: seconds.
        breakers: those of this process.
        clock: seconds from any fixed moment, for how long answers are remembered.

    Raises:
        SettingsError: an address that credentials must not be sent to.
    """

    def __init__(
        self,
        api_url: str,
        web_url: str,
        client_id: str,
        client_secret: str,
        *,
        on_call: OnCall | None = None,
        max_concurrent: int = 16,
        connect_timeout: float = 3.0,
        read_timeout: float = 10.0,
        breakers: Breakers | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api_url = check_api_url(api_url)
        self._web_url = web_url.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._transport = Transport(
            on_call=on_call,
            max_concurrent=max_concurrent,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            breakers=breakers,
        )
        self._readable: SharedCache[tuple[bytes, int], bool] = SharedCache(
            TTLCache(50_000, ANSWER_IS_GOOD_FOR, clock)
        )

    def close(self) -> None:
        """Close the connections that are kept."""
        self._transport.close()

    def sign_in_url(self, state: str, redirect_uri: str) -> str:
        """Where GitHub asks people whether they want to sign in here. Asks nothing."""
        query = {"client_id": self._client_id, "redirect_uri": redirect_uri, "state": state}
        return f"{self._web_url}/login/oauth/authorize?{urlencode(query)}"

    def token_for(self, code: str, redirect_uri: str) -> tuple[str, float]:
        """The user's token that a sign-in's code stands for, and the seconds it is good for. One request.

        A code is good once and for ten minutes, at the address that it was made for: else GitHubRefused.
        """
        if not code:
            raise GitHubRefused("GitHub sent no code: whoever wanted to sign in said no there")
        with understanding():
            answer = self._trade(code, redirect_uri)
            if "error" in answer:
                raise GitHubRefused(_why_not(answer))
            token = str(answer["access_token"])
            return token, float(answer.get("expires_in") or TOKEN_IS_GOOD_FOR)

    def login(self, token: str) -> str:
        """Whose token it is; GitHubRefused if it is no longer good. One request."""
        with understanding():
            return str(self._ask(token, "/user")["login"])

    def can_read(self, token: str, repository: Repository) -> bool:
        """Whether that user may read the repository of that id, whatever its name is now.

        Remembered for five minutes. At most two requests. GitHubRefused if the token is no longer good.
        """
        whose = sha256(token.encode()).digest()
        return self._readable.get((whose, repository.id), lambda: self._sees(token, repository))

    def _sees(self, token: str, repository: Repository) -> bool:
        with understanding():
            for path in (f"/repos/{quote(repository.full_name)}", f"/repositories/{repository.id}"):
                try:
                    found = self._ask(token, path)
                except Moved:
                    continue
                except CredentialsRefused:
                    raise
                except (GitHubNotFound, GitHubRefused):  # hidden, forbidden, or taken down by law
                    return False
                if found["id"] == repository.id:
                    return True
                # Another one took over the name: ours may have a new one.
        return False

    def _ask(self, token: str, path: str) -> dict[str, Any]:
        """What GitHub answers to the user."""
        requester = Requester(self._api_url, Token(token), self._transport, self._clock)
        try:
            _, found = requester.requestJsonAndCheck("GET", path)
        except CredentialsRefused as error:
            raise CredentialsRefused(
                "GitHub does not accept this sign-in any more: please sign in again"
            ) from error
        return dict(found)

    def _trade(self, code: str, redirect_uri: str) -> dict[str, Any]:
        url = f"{self._web_url}/login/oauth/access_token"
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
        }
        body = {
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "code": code,
            "redirect_uri": redirect_uri,
        }
        status, answered, text = self._transport.send("POST", url, "sign-in", headers, json.dumps(body))
        try:
            check_answer("POST", url, status, answered, text)
        except GitHubNotFound as error:  # also its answer to a client id that it does not know
            raise GitHubRefused(WHY_NOT["incorrect_client_credentials"]) from error
        return dict(json.loads(text))


def _why_not(answer: dict[str, Any]) -> str:
    """A sentence for the error in GitHub's answer, of which its own words have nothing secret."""
    name = str(answer["error"])
    words = f"{name}: {answer.get('error_description', '')}"[:LONGEST_MESSAGE]
    return WHY_NOT.get(name, f"GitHub refused the sign-in ({words})")
