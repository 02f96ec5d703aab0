"""One logged-in connection to Airflow's REST API, shared by all threads.

Logs in at the first call and again when Airflow does not accept the token any more, never twice at once.
Every failure comes out as an error of `bot.errors`; no message holds a password or a token.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, TypeVar

import urllib3
from airflow_client.client import ApiClient, Configuration
from airflow_client.client.exceptions import ApiException
from pydantic import ValidationError

from bot.adapters.in_time import keep_time, longest
from bot.breaker import Breakers, Refused
from bot.errors import AirflowAway, AirflowLoginRefused, AirflowRefused, AirflowUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")

SERVICE = "airflow"
"""Its name before breakers."""

CONCURRENT_CALLS = 8
"""Airflow's api-server stalls under 16 and more."""

_TIMEOUT = (3.0, 10.0)
"""Seconds to connect, and seconds without a byte of the answer."""

_LONGEST_STREAM = 600.0
"""Seconds that a log may take in all. Whoever reads it gives up earlier, but can't while a line drips."""

_UNAUTHORIZED = frozenset({401, 403})
"""An expired token gets 401, one signed with another key 403, and so does a role that may not."""

_PASSING = frozenset({408, 425, 429})
"""Refusals that may pass by themselves, as all 5xx may."""

_OF_GATEWAYS = frozenset({502, 503, 504})
"""What proxies answer for an Airflow that does not."""

_OF_EMPTY_PLACES = frozenset({404, 405})
"""What proxies answer too where nobody is behind them; only Airflow itself says what it does not have."""

_REASON_CHARACTERS = 300
_ERROR_BYTES = 64 * 1024


class Refusal(AirflowRefused):
    """Airflow answered 4xx; `status` and its own short `reason` are for whoever knows what that means."""

    def __init__(self, message: str, status: int, reason: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class Busy(AirflowUnavailable):
    """Airflow asks us to come back later; it is well enough to say so."""


class Session:
    """Calls Airflow as one user. Nothing is sent before the first call, nor while a breaker is open."""

    def __init__(self, url: str, username: str, password: str, breakers: Breakers | None = None) -> None:
        self.url = url.rstrip("/")
        self._breaker = (breakers or Breakers()).of(SERVICE)
        # retries=False: urllib3's own three would multiply the timeouts, and repeat writes.
        configuration = Configuration(
            host=self.url,
            retries=False,
            connection_pool_maxsize=CONCURRENT_CALLS,
        )
        self.api = ApiClient(configuration)
        keep_time(self.api.rest_client.pool_manager)
        self._username = username
        self._password = password
        self._token: str | None = None
        self._login = threading.Lock()
        self._slots = threading.BoundedSemaphore(CONCURRENT_CALLS)

    def call(self, request: Callable[[dict[str, Any]], _T]) -> _T:
        """What `request` returns. It hands the keyword arguments it is given to a method of the client.

        Raises:
            AirflowUnavailable: no answer, 5xx, 429, or an answer that is not Airflow's, such as a proxy's 404
                (AirflowAway: nothing was sent, since several calls before met that).
            AirflowLoginRefused: the login or the role is not good enough; Refusal for any other 4xx.
        """
        try:
            with self._slots, self._breaker.call(_is_failure):
                return self._called(request)
        except Refused as refused:
            raise AirflowAway(
                f"Airflow at {self.url} has not answered of late, so nothing was sent", refused.seconds
            ) from None

    def _called(self, request: Callable[[dict[str, Any]], _T]) -> _T:
        """Call with the token that we have, once more with a new one if that is not accepted."""
        token = self._token or self._renewed(None)
        try:
            return self._sent(request, token)
        except ApiException as error:
            if error.status not in _UNAUTHORIZED:
                raise self._explained(error) from error
        try:
            return self._sent(request, self._renewed(token))
        except ApiException as error:
            raise self._explained(error) from error

    def stream(
        self, request: Callable[[dict[str, Any]], urllib3.BaseHTTPResponse]
    ) -> urllib3.BaseHTTPResponse:
        """As `call`, for a request whose body is still to be read; it occupies no slot while that lasts."""
        with longest(_LONGEST_STREAM):
            return self.call(lambda options: _checked(request(options)))

    def unavailable(
        self, why: object, kind: type[AirflowUnavailable] = AirflowUnavailable
    ) -> AirflowUnavailable:
        """The error for an Airflow that does not answer as it should."""
        return kind(
            f"Airflow at {self.url} does not answer: {_shortened(str(why))}. "
            "Check PREFLIGHT_AIRFLOW_URL, and that the api-server runs and can be reached from here."
        )

    def _sent(self, request: Callable[[dict[str, Any]], _T], token: str) -> _T:
        auth = {"type": "oauth2", "in": "header", "key": "Authorization", "value": f"Bearer {token}"}
        try:
            return request({"_request_timeout": _TIMEOUT, "_request_auth": auth})
        except urllib3.exceptions.HTTPError as error:
            raise self.unavailable(error) from error
        except (ValidationError, UnicodeError, json.JSONDecodeError) as error:
            unavailable = self.unavailable(
                f"{type(error).__name__} in what it sent, so that may not be Airflow"
            )
            unavailable.said = "its answer can't be read"
            raise unavailable from error

    def _renewed(self, refused: str | None) -> str:
        """A token other than the `refused` one; the first thread to come logs in for all."""
        with self._login:
            if self._token is None or self._token == refused:
                self._token = self._logged_in()
            return self._token

    def _logged_in(self) -> str:
        try:
            response = self.api.call_api(
                "POST",
                f"{self.url}/auth/token",
                {"Content-Type": "application/json", "Accept": "application/json"},
                {"username": self._username, "password": self._password},
                _request_timeout=_TIMEOUT,
            )
            body: bytes = response.response.data
        except urllib3.exceptions.HTTPError as error:
            raise self.unavailable(error) from error
        except ApiException as error:
            raise self._explained(error) from error
        if response.status in _UNAUTHORIZED:
            raise AirflowLoginRefused(
                f"Airflow at {self.url} does not accept the login of {self._username!r}. "
                "Check PREFLIGHT_AIRFLOW_USERNAME and PREFLIGHT_AIRFLOW_PASSWORD."
            )
        try:
            return str(json.loads(body)["access_token"])
        except (ValueError, TypeError, KeyError) as error:
            raise self.unavailable(f"its login answered {response.status} without a token") from error

    def _explained(self, error: ApiException) -> AirflowUnavailable | AirflowRefused:
        status = int(error.status or 0)
        if status in _UNAUTHORIZED:
            return AirflowLoginRefused(
                f"Airflow at {self.url} does not let {self._username!r} do this ({status}). Give that user "
                "the role `user` (SimpleAuthManager) or `Op` (FAB)."
            )
        reason = _reason(error)
        empty = status in _OF_EMPTY_PLACES and _detail(error) is None
        if empty or status in _PASSING or not 400 <= status < 500:  # noqa: PLR2004 -- the classes of HTTP statuses
            kind = Busy if status in _PASSING else AirflowUnavailable
            unavailable = self.unavailable(f"{status or ''} {reason}".strip(), kind)
            unavailable.retry_after = _seconds(error)
            if not empty and status not in _PASSING | _OF_GATEWAYS:
                unavailable.said = f"{status or ''} {reason}".strip()
            return unavailable
        return Refusal(f"Airflow refuses ({status}): {reason}", status, reason)


def _is_failure(error: Exception) -> bool:
    """Whether Airflow is not well: it may refuse or be busy, but then it answers."""
    return isinstance(error, AirflowUnavailable) and not isinstance(error, Busy)


def _checked(response: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
    """The response if it is a good one; the client does not look at those whose body it leaves to us."""
    if response.status == 200:  # noqa: PLR2004 -- as HTTP has it
        return response
    try:
        body = response.read(_ERROR_BYTES).decode(errors="replace")
    finally:
        response.close()
    raise ApiException(status=response.status, reason=response.reason, body=body)


def _detail(error: ApiException) -> object | None:
    """What Airflow says in the body of every refusal of its own; None where it does not say anything."""
    try:
        detail: object = json.loads(error.body or "")["detail"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return detail


def _reason(error: ApiException) -> str:
    """Airflow's own words for its refusal, in one short line."""
    detail = _detail(error)
    if detail is None:
        return _shortened(str(error.reason))
    if isinstance(detail, list) and detail:
        detail = detail[0]
    if isinstance(detail, dict):
        detail = detail.get("reason") or detail.get("msg") or detail
    return _shortened(str(detail))


def _shortened(text: str) -> str:
    line = text.strip().partition("\n")[0].rstrip(" .:")
    return line if len(line) <= _REASON_CHARACTERS else f"{line[:_REASON_CHARACTERS]}…"


def _seconds(error: ApiException) -> float | None:
    value = (error.headers or {}).get("Retry-After", "")
    return float(value) if value.isdecimal() else None
