"""Ask a starting Airflow over HTTP whether it works yet."""

from __future__ import annotations

import http.client
import json
from urllib.request import ProxyHandler, Request, build_opener

_SECONDS = 10.0


class Probe:
    """Questions to one Airflow; an error or no answer at all means "not yet"."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self._url = url
        self._login = {"username": username, "password": password}
        self._token: str | None = None
        self._opener = build_opener(
            ProxyHandler({})
        )  # a proxy that this machine uses doesn't lead back to it

    def warm_up(self) -> bool:
        """Whether the API that tasks call answers. Its first call takes seconds, so no run should make it."""
        return self._call("/execution/health") is not None

    def is_healthy(self, part: str) -> bool:
        """Whether that part ("scheduler", "dag_processor") sends heartbeats."""
        match self._call("/api/v2/monitor/health"):
            case dict() as health:
                return bool(health.get(part, {}).get("status") == "healthy")
            case _:
                return False

    def knows(self, dag: str) -> bool:
        """Whether that DAG has been read and can be triggered."""
        if self._token is None:
            match self._call("/auth/token", self._login):
                case {"access_token": str(token)}:
                    self._token = token
                case _:
                    return False
        return self._call(f"/api/v2/dags/{dag}") is not None

    def _call(self, path: str, body: object = None) -> object:
        """What Airflow answers to a GET, or to a POST of `body` as JSON; None if that's an error."""
        request = Request(self._url + path, headers={"Content-Type": "application/json"})  # noqa: S310 -- our URL
        if self._token is not None:
            request.add_header("Authorization", f"Bearer {self._token}")
        if body is not None:
            request.data = json.dumps(body).encode()
        try:
            with self._opener.open(request, timeout=_SECONDS) as response:
                return json.load(response)
        except (OSError, http.client.HTTPException, ValueError):  # urllib's errors are OSErrors
            return None
