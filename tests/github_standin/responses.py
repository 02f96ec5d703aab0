"""Errors, pages and small conventions that all REST answers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from flask import Response, g, jsonify, request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .state import Json

MOST_PER_PAGE = 100
DOCUMENTATION = "https://docs.github.com/rest"
Item = TypeVar("Item")


class ApiError(Exception):
    """A refusal as GitHub words it: status, message, and for 422 which field was wrong and why."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers or {}


def not_found() -> ApiError:
    """There is no such thing, or the caller may not know of it."""
    return ApiError(404, "Not Found")


def invalid(resource: str, field: str, message: str, code: str = "custom") -> ApiError:
    """A field that was refused."""
    error = {"resource": resource, "code": code, "field": field, "message": message}
    return ApiError(422, "Validation Failed", errors=[error])


def error_body(status: int, message: str, errors: Sequence[Mapping[str, str]] = ()) -> Json:
    """An error's JSON."""
    body: Json = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
    if errors:
        body["errors"] = list(errors)
    return body


def error_response(error: ApiError) -> Response:
    """An error as a response."""
    response = jsonify(error_body(error.status, error.message, error.errors))
    response.status_code = error.status
    response.headers.extend(error.headers)
    return response


def page_of(items: Sequence[Item], default: int = 30) -> Sequence[Item]:
    """The part of a list that the query asks for; the Link header is added to the response later."""
    per_page = min(max(number_from_query("per_page", default), 1), MOST_PER_PAGE)
    page = max(number_from_query("page", 1), 1)
    last = max(-(-len(items) // per_page), 1)
    links: dict[str, int] = {}
    if page < last:
        links |= {"next": page + 1, "last": last}
    if page > 1:
        links |= {"first": 1, "prev": min(page - 1, last)}
    g.link = ", ".join(f'<{_with_query(page=target)}>; rel="{name}"' for name, target in links.items())
    return items[(page - 1) * per_page : page * per_page]


def cursor_page_of(items: Sequence[Item], ids: Sequence[int]) -> Sequence[Item]:
    """The part of a delivery log that the query asks for: pages follow one another by cursor."""
    per_page = min(max(number_from_query("per_page", 30), 1), MOST_PER_PAGE)
    cursor = request.args.get("cursor", "")
    start = 0
    if cursor:
        if not cursor.startswith("v1_") or not cursor[3:].isdigit():
            raise ApiError(400, "Invalid cursor")
        start = next((place for place, each in enumerate(ids) if each < int(cursor[3:])), len(ids))
    end = start + per_page
    g.link = f'<{_with_query(cursor=f"v1_{ids[end - 1]}")}>; rel="next"' if end < len(ids) else ""
    return items[start:end]


def number_from_query(name: str, default: int) -> int:
    """A number in the query; anything else counts as not given."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else default


def body_object() -> Json:
    """The request's JSON object; 400 when it can't be parsed."""
    if not request.get_data():
        return {}
    parsed = request.get_json(force=True, silent=True)
    if not isinstance(parsed, dict):
        raise ApiError(400, "Problems parsing JSON")
    return parsed


def _with_query(**changed: object) -> str:
    query = {**request.args.to_dict(), **changed}
    return f"{request.base_url}?{urlencode(query)}"
