"""What tests and the demo do with a running stand-in: people, repositories, pull requests, limits and faults.

There is one way in: every call is an HTTP request to the stand-in's control address (`/_standin/...`), so the
same class serves a stand-in in a thread of the test (`running`) and one in another process
(`Standin("http://127.0.0.1:9000")`). Control calls cost no quota and are not in the request log.

    with running(tmp_path) as github:
        github.user("alice")
        repository = github.repository("acme/app", files={"README.md": "hi"}, permissions={"alice": "write"})
        repository.hook("http://127.0.0.1:8080/webhook", secret="s3cret")
        pull = repository.open_pull("alice", branch="fix", files={"README.md": "better"})
        pull.comment("alice", "/test")
        wait_for(lambda: pull.state_of("preflight/unit") == "success")
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import requests

from .client_pull import Files, Pull, packed
from .client_repository import Repository
from .records import EVENTS, App, Delivery, DeliveryFault, LoggedRequest, Role, User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["DeliveryFault", "Files", "Pull", "Repository", "Role", "Standin", "StandinError", "wait_for"]

Answer = TypeVar("Answer")
COOKIE = "standin_login"
"""Says in a browser who is signed in."""


class StandinError(Exception):
    """The stand-in refused a control call; the message says why."""


def wait_for(condition: Callable[[], Answer], timeout: float = 30.0, every: float = 0.02) -> Answer:
    """Ask until the answer is truthy and return it; TimeoutError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still {answer!r} after {timeout:g} s")
        time.sleep(every)
    return answer


class Standin:
    """A running stand-in GitHub at `url`, for instance `http://127.0.0.1:9000`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    @property
    def api_url(self) -> str:
        """The REST API's base, what PREFLIGHT_GITHUB_API_URL is set to."""
        return f"{self.url}/api/v3"

    def call(self, action: str, /, **arguments: object) -> Any:  # noqa: ANN401 - JSON is what it is
        """Perform one control action and return its JSON answer; StandinError when it is refused."""
        with requests.Session() as session:
            session.trust_env = False
            response = session.post(f"{self.url}/_standin/{action}", json=arguments, timeout=60)
        if response.status_code != requests.codes.ok:
            raise StandinError(f"{action}: {response.text}")
        return response.json()

    # People, repositories, Apps

    def user(self, login: str) -> User:
        """A person, made when new, with a personal token that may do what the person may.

        `x[bot]`, here and wherever a login is asked for, is an App's bot: `type` "Bot", and no token.
        """
        return User(**self.call("user", login=login))

    def repository(
        self,
        full_name: str,
        *,
        files: Files | None = None,
        permissions: Mapping[str, Role] | None = None,
        private: bool = False,
        default_branch: str = "main",
    ) -> Repository:
        """Make a repository with one commit of `files` on its default branch.

        An owner nobody has made before becomes an organisation; people named in `permissions` are made.
        """
        made = self.call(
            "repository",
            full_name=full_name,
            files=packed(files or {"README.md": f"# {full_name}\n"}),
            permissions=dict(permissions or {}),
            private=private,
            default_branch=default_branch,
        )
        return Repository(self, made["id"])

    def find_repository(self, full_name: str) -> Repository:
        """A repository that exists, by its full name; StandinError if there is none."""
        return Repository(self, self.call("find_repository", full_name=full_name)["id"])

    def app(
        self,
        slug: str = "preflight",
        *,
        owner: str = "acme",
        webhook_url: str | None = None,
        webhook_secret: str = "",
        events: Iterable[str] = EVENTS,
        permissions: Mapping[str, str] | None = None,
        callback_url: str = "",
        install: bool = True,
    ) -> App:
        """Register a GitHub App with a fresh private key; `install` it on all its owner's repositories.

        With `checks: write` among its permissions (so unless told otherwise) it hears of check runs and
        suites, whatever its `events`. With a `callback_url` people can sign in with it.
        """
        made = self.call(
            "app",
            slug=slug,
            owner=owner,
            webhook_url=webhook_url,
            webhook_secret=webhook_secret,
            events=list(events),
            permissions=None if permissions is None else dict(permissions),
            callback_url=callback_url,
            install=install,
        )
        return App(**made)

    def install(
        self, app: App, account: str, repositories: Sequence[str] | None = None, *, by: str = ""
    ) -> int:
        """Install an App on an account (some of its repositories, or all); returns the installation's id.

        Done again, it changes which repositories these are: installation_repositories added, removed.
        """
        made = self.call("install", app=app.id, account=account, repositories=repositories, by=by)
        return int(made["id"])

    def uninstall(self, installation: int, *, by: str = "") -> None:
        """Take an App off an account: installation deleted; its tokens are refused (401)."""
        self.call("uninstall", installation=installation, by=by)

    def suspend(self, installation: int, *, by: str = "") -> None:
        """Suspend an installation: it hears of nothing more, and its tokens are refused (403)."""
        self.call("suspend", installation=installation, by=by, suspended=True)

    def unsuspend(self, installation: int, *, by: str = "") -> None:
        """End a suspension."""
        self.call("suspend", installation=installation, by=by, suspended=False)

    def set_webhook(self, hook_id: int, url: str | None, secret: str = "") -> None:
        """Point a hook (an App's `hook_id` or what `Repository.hook` returned) at another address."""
        self.call("set_webhook", hook=hook_id, url=url, secret=secret)

    def installation_token(self, installation: int) -> str:
        """A token for an installation, minted without asking the App: for `git` in tests."""
        return str(self.call("mint", installation=installation)["token"])

    def revoke_tokens(self) -> None:
        """Make every installation token minted so far invalid (401), as if it had expired."""
        self.call("revoke_tokens")

    # Signing in with an App

    def set_callback_url(self, app: App, url: str) -> None:
        """Send people back to this address after they signed in with an App ("": nobody can)."""
        self.call("set_callback_url", app=app.id, url=url)

    def sign_in(self, login: str) -> dict[str, str]:
        """The cookie of a browser in which a person is signed in to GitHub, who is then not asked again."""
        return {COOKIE: self.user(login).login}

    def continue_as(self, login: str, url: str) -> str:
        """What a browser does that an App sent to `url` (.../login/oauth/authorize?...), as a person.

        Returns the address that GitHub sends it back to, with `code` and `state`, or with `error`.
        """
        with requests.Session() as session:
            session.trust_env = False
            cookies = self.sign_in(login)
            response = session.get(url, cookies=cookies, allow_redirects=False, timeout=60)
        if not response.is_redirect:
            raise StandinError(f"{url}: {response.status_code}, and no way back")
        return response.headers["Location"]

    def revoke_user_tokens(self, login: str = "") -> None:
        """A person (or everybody) revokes what Apps were given to act as them: tokens are refused (401)."""
        self.call("revoke_user_tokens", login=login)

    # Organisations and teams

    def put_member(
        self, org: str, login: str, *, public: bool = False, role: Literal["member", "admin"] = "member"
    ) -> None:
        """Make a person a member of an organisation, or change what kind of member the person is.

        `public`: everybody may know; otherwise only members and Apps with `members: read` do. A member may
        read the organisation's repositories; its owners (role `admin`) are admins of them.
        """
        self.call("put_member", org=org, login=login, public=public, role=role)

    def remove_member(self, org: str, login: str) -> None:
        """Take a person out of an organisation and its teams."""
        self.call("remove_member", org=org, login=login)

    def put_team_member(
        self,
        org: str,
        team: str,
        login: str,
        *,
        role: Literal["member", "maintainer"] = "member",
        pending: bool = False,
    ) -> None:
        """Put a person into a team, made when new; the person becomes a member of the organisation too.

        `pending`: invited, but not accepted: no member yet, though GitHub answers 200 with that state.
        """
        self.call("put_team_member", org=org, team=team, login=login, role=role, pending=pending)

    def remove_team_member(self, org: str, team: str, login: str) -> None:
        """Take a person out of a team."""
        self.call("remove_team_member", org=org, team=team, login=login)

    # What happened

    def mark(self) -> int:
        """A point in the request log, for `requests(since=...)`."""
        return int(self.call("mark")["mark"])

    def requests(self, since: int = 0, *, method: str = "", path: str = "") -> list[LoggedRequest]:
        """REST requests received since a mark, oldest first; `path` is a regular expression searched for."""
        found = self.call("requests", since=since, method=method, path=path)
        return [LoggedRequest(**entry) for entry in found]

    def refused(self, since: int = 0) -> list[LoggedRequest]:
        """Requests that were refused for one of the limits since a mark; their `limit` says for which."""
        return [request for request in self.requests(since) if request.limit]

    def deliveries(self, *, event: str = "", hook_id: int | None = None) -> list[Delivery]:
        """Webhook deliveries, oldest first, also those still waiting to be sent."""
        return [Delivery(**entry) for entry in self.call("deliveries", event=event, hook=hook_id)]

    def redeliver(self, delivery_id: int) -> None:
        """Send a delivery once more, with the same guid, as the button on GitHub's page does."""
        self.call("redeliver", delivery=delivery_id)

    def age_deliveries(self, seconds: float) -> None:
        """As if all that was delivered so far had been delivered so much earlier.

        GitHub keeps three days: what is older is not in its log, and its API can't deliver it again.
        """
        self.call("age_deliveries", seconds=seconds)

    def settle(self, timeout: float = 30.0) -> list[Delivery]:
        """Wait until every delivery made so far was sent and answered (or failed), and return them all."""
        self.wait_settled(timeout)
        return self.deliveries()

    def wait_settled(self, timeout: float = 30.0) -> None:
        """Wait as `settle` does; the list of all deliveries takes long where there are many."""
        wait_for(lambda: self.call("settled")["settled"], timeout)

    def violations(self, *, forget: bool = False) -> list[str]:
        """Requests and responses that broke GitHub's OpenAPI document; a test asserts that it is empty.

        `forget`: start anew afterwards, for a test that broke it on purpose.
        """
        return list(self.call("violations", forget=forget))

    # Limits and faults

    def limits(self, **limits: float | bool | None) -> None:
        """Change limits; a number that is None is not enforced.

        `core` requests an hour (5000), `points` a minute (900: a read costs 1, a write 5), `content_minute`
        (80) and `content_hour` (500: comments made, edited, deleted; with `statuses_are_content` (False) also
        statuses and check runs), `concurrent` requests of one token (100), `status` of a refusal (403),
        `retry_after` seconds (60), `token_seconds` of life of an installation token (3600) and
        `user_token_seconds` of one for which a person signed in (28800). What was used so far is forgotten.
        """
        self.call("limits", **limits)

    def age_requests(self, seconds: float) -> None:
        """As if all that was requested so far had been requested so much earlier, as limits count it."""
        self.call("age_requests", seconds=seconds)

    def fault(
        self,
        path: str = "",
        *,
        method: str = "",
        times: int | None = 1,
        seconds: float | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        message: str = "",
        executed: bool = False,
        drop: bool = False,
        delay: float = 0.0,
        per_path: bool = False,
    ) -> int:
        r"""Script a fault for requests whose method and path match; returns its number for `clear_faults`.

        Args:
            path: regular expression to find in the path as sent (`/api/v3/repos/...`, `/acme/app.git/...`).
            method: only this method.
            times: only the next so many matching requests; None for all of them.
            seconds: only during so many seconds from now.
            status: answer with this status, for instance 502.
            headers: sent with that answer, for instance `{"Retry-After": "1"}`.
            message: the answer's `message`.
            executed: carry the request out before answering with the fault (502 after the write was done).
            drop: cut the connection instead of answering.
            delay: wait so many seconds before anything else happens.
            per_path: count `times` per path (`times=2, status=404`: any object lags two reads).
        """
        fault = self.call(
            "fault",
            path=path,
            method=method,
            times=times,
            seconds=seconds,
            status=status,
            headers=dict(headers or {}),
            message=message,
            executed=executed,
            drop=drop,
            delay=delay,
            per_path=per_path,
        )
        return int(fault["id"])

    def outage(self, seconds: float, status: int = 503) -> int:
        """GitHub fails every REST and git request, and sign-ins, for so many seconds."""
        return self.fault(r"^/api/|\.git/|^/login/oauth/", times=None, seconds=seconds, status=status)

    def clear_faults(self, fault: int | None = None) -> None:
        """End one fault, or all, those of deliveries too."""
        self.call("clear_faults", fault=fault)

    def delivery_fault(
        self,
        kind: DeliveryFault,
        *,
        event: str = "",
        action: str = "",
        times: int = 1,
        seconds: float = 0.0,
    ) -> None:
        """Script what happens to the next `times` deliveries (of one event, of one action).

        `drop`: logged as failed, never sent. `duplicate`: sent twice with one guid. `delay`: sent after
        `seconds`, others pass it. `reorder`: the next `times` are held back, then sent in reverse order.
        `hold`: held back until `release_deliveries`, others pass them.
        """
        self.call("delivery_fault", kind=kind, event=event, action=action, times=times, seconds=seconds)

    def release_deliveries(self, *, newest_first: bool = False) -> None:
        """Send what was held back, in the order it was made or the other way round, and hold nothing more."""
        self.call("release", newest_first=newest_first)
