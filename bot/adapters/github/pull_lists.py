"""Many pull requests at once, and what they show: what audits compare."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bot.adapters.github.answers import Moved, Unprocessable
from bot.adapters.github.asking import understanding
from bot.errors import GitHubNotFound
from bot.models import ListedPull, Repository, Status, StatusState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from github.Repository import Repository as GitHubRepository

    from bot.adapters.github.client import GitHubClient

PER_PAGE = 100
LATEST = {"sort": "updated", "direction": "desc"}


class GitHubPullLists:
    """The PullLister port, asked with a client's credentials."""

    def __init__(self, client: GitHubClient) -> None:
        self._client = client

    def repository(self, full_name: str) -> Repository:
        """The repository of that name, or that has it no more but is found by it. One request, or two."""
        asked = Repository(0, full_name)
        with understanding():
            requester = self._client.access.requester(asked, full_name)
            try:
                _, found = requester.requestJsonAndCheck("GET", f"/repos/{quote(full_name)}")
            except Moved as moved:
                _, found = requester.requestJsonAndCheck("GET", moved.location)
            finally:
                self._client.access.forget(asked)  # which has no id yet
            return Repository(
                int(found["id"]), str(found["full_name"]), bool(found["private"]), str(found["clone_url"])
            )

    def pulls_since(self, repository: Repository, since: datetime) -> Sequence[ListedPull]:
        """All that changed since then, open and closed, the latest first. One request for each 100.

        Whatever changes meanwhile moves to the front, so that the first page is looked at again.
        """

        def ask(there: GitHubRepository) -> list[ListedPull]:
            found: dict[int, ListedPull] = {}
            asked = {"state": "all", **LATEST}
            for page in _pages(there, repository, asked):
                found |= {each.number: each for each in page}
                if any(each.updated_at < since for each in page):
                    break
            if len(found) > PER_PAGE:
                found |= {each.number: each for each in next(_pages(there, repository, asked))}
            changed = [each for each in found.values() if each.updated_at >= since]
            return sorted(changed, key=lambda each: each.updated_at, reverse=True)

        return self._client.asking.ask(repository, ask)

    def committed_at(self, repository: Repository, sha: str) -> datetime | None:
        """When that commit was made, as its committer says; None if there is none. One request."""
        try:
            return self._client.asking.ask(
                repository,
                lambda there: _time(
                    there.requester.requestJsonAndCheck(
                        "GET",
                        f"{there.url}/commits/{sha}",
                        parameters={"per_page": 1},  # of its files
                    )[1]["commit"]["committer"]["date"]
                ),
            )
        except (GitHubNotFound, Unprocessable):  # GitHub answers 422 for a SHA that it does not know
            return None

    def open_pulls(self, repository: Repository) -> Sequence[ListedPull]:
        """All open pull requests, oldest first. One request for each 100."""

        def ask(there: GitHubRepository) -> list[ListedPull]:
            pages = _pages(there, repository, {"state": "open", "sort": "created", "direction": "asc"})
            return list({each.number: each for each in itertools.chain.from_iterable(pages)}.values())

        return self._client.asking.ask(repository, ask)

    def statuses(self, repository: Repository, sha: str) -> Mapping[str, Status]:
        """The latest status of each context. One request for each 100 contexts."""

        def ask(there: GitHubRepository) -> dict[str, Status]:
            found: dict[str, Status] = {}
            for page in itertools.count(1):
                _, combined = there.requester.requestJsonAndCheck(
                    "GET",
                    f"{there.url}/commits/{sha}/status",
                    parameters={"per_page": PER_PAGE, "page": page},
                )
                found |= {each["context"]: _status(each) for each in combined["statuses"]}
                if len(combined["statuses"]) < PER_PAGE:
                    break
            return found

        return self._client.asking.ask(repository, ask)

    def has_comment(self, repository: Repository, comment_id: int) -> bool:
        """Whether the comment is still there. One request."""
        try:
            self._client.asking.ask(
                repository,
                lambda there: there.requester.requestJsonAndCheck(
                    "GET", f"{there.url}/issues/comments/{comment_id}"
                ),
            )
        except GitHubNotFound:
            return False
        return True


def _pages(
    there: GitHubRepository, repository: Repository, asked: Mapping[str, str]
) -> Iterator[list[ListedPull]]:
    """Pages until there are no more; Moved if another repository took over the name of ours."""
    for page in itertools.count(1):
        _, listed = there.requester.requestJsonAndCheck(
            "GET", f"{there.url}/pulls", parameters={**asked, "per_page": PER_PAGE, "page": page}
        )
        for each in listed:
            if int(each["base"]["repo"]["id"]) != repository.id:
                raise Moved(f"GET {there.url}", str(each["base"]["repo"]["url"]))
        yield [_listed(each) for each in listed]
        if len(listed) < PER_PAGE:
            return


def _listed(entry: Mapping[str, Any]) -> ListedPull:
    return ListedPull(
        number=int(entry["number"]),
        open=entry["state"] == "open",
        draft=bool(entry.get("draft", False)),
        head_sha=str(entry["head"]["sha"]),
        base_ref=str(entry["base"]["ref"]),
        created_at=_time(entry["created_at"]),
        updated_at=_time(entry["updated_at"]),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _status(entry: Mapping[str, Any]) -> Status:
    return Status(
        str(entry["context"]),
        StatusState(entry["state"]),
        str(entry["description"] or ""),
        str(entry["target_url"] or ""),
    )
