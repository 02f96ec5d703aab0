"""Checks every REST request and response against GitHub's OpenAPI document (its extract, `openapi.json`)."""

from __future__ import annotations

import io
import json
import re
import threading
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from werkzeug.wrappers import Request

from .request_log import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .state import Json

EXTRACT = Path(__file__).with_name("openapi.json")
URI = "urn:github:openapi"
WITH_SLASHES = ("path", "ref", "branch", "basehead")
"""Path parameters that may hold slashes, which the document can't say."""
ERRORS = range(400, 600)
JSON = "application/json"
EMPTY = (204, 304)
ERROR: Json = {
    "type": "object",
    "required": ["message", "documentation_url", "status"],
    "properties": {
        "message": {"type": "string"},
        "documentation_url": {"type": "string"},
        "status": {"type": "string"},
        "errors": {"type": "array"},
    },
    "additionalProperties": False,
}


class Schemas:
    """Validators for the schemas of one extract."""

    def __init__(self, extract: Path) -> None:
        self.document: Json = json.loads(extract.read_text())
        resource = DRAFT202012.create_resource(self.document)
        self._registry = Registry().with_resource(URI, resource)
        self._formats = FormatChecker(())
        self._formats.checks("date-time", raises=ValueError)(_is_date_time)
        self._formats.checks("uri", raises=ValueError)(_is_uri)
        self.validator = cache(self._validator)

    def errors(self, pointer: str, value: object) -> Iterator[str]:
        """What is wrong with a value, by the schema at a JSON pointer."""
        for found in self.validator(pointer).iter_errors(value):
            # Of an anyOf or oneOf, say what is wrong with the alternative that comes closest.
            error = best_match([found]) or found
            place = "/".join(str(step) for step in error.absolute_path)
            yield f"{place or 'the whole'}: {error.message[:300]}"

    def _validator(self, pointer: str) -> Draft202012Validator:
        schema = {"$ref": f"{URI}#{pointer}"}
        return Draft202012Validator(schema, registry=self._registry, format_checker=self._formats)


@dataclass(frozen=True)
class Exchange:
    """A request and its answer."""

    method: str
    path: str
    query: str
    sent: bytes
    status: int
    headers: dict[str, str]
    answered: bytes


class OpenApiCheck:
    """A WSGI middleware that notes violations; it changes nothing of what it lets through."""

    def __init__(self, app: WSGIApplication, extract: Path | None = EXTRACT) -> None:
        self.app = app
        self._lock = threading.Lock()
        self._violations: list[str] = []
        self._schemas = Schemas(extract) if extract else None
        self._operations = sorted(_operations(self._schemas), key=lambda each: each[2])

    def violations(self, *, forget: bool = False) -> list[str]:
        """What was found so far."""
        with self._lock:
            found = list(self._violations)
            if forget:
                self._violations.clear()
        return found

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Check a request, have it answered, check the answer."""
        path = environ["PATH_INFO"]
        if self._schemas is None or not path.startswith(PREFIX):
            return self.app(environ, start_response)
        method, path = environ["REQUEST_METHOD"], path.removeprefix(PREFIX)
        body = Request(environ).get_data(cache=False)
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        answered: list[tuple[str, list[tuple[str, str]]]] = []

        def noting(status: str, headers: list[tuple[str, str]], *more: object) -> object:
            answered.append((status, headers))
            return start_response(status, headers, *more)  # type: ignore[arg-type] # handed on as they came

        answer = self.app(environ, noting)  # type: ignore[arg-type] # a start_response all the same
        chunks = list(answer)
        if hasattr(answer, "close"):
            answer.close()
        status, headers = answered[-1]
        exchange = Exchange(
            method,
            path,
            environ["QUERY_STRING"],
            body,
            int(status.split(maxsplit=1)[0]),
            dict(headers),
            b"".join(chunks),
        )
        found = [f"{method} {path}: {reason}" for reason in self._check(exchange)]
        with self._lock:
            self._violations += found
        return chunks

    def _check(self, exchange: Exchange) -> Iterator[str]:
        for name, pattern, _ in self._operations:
            match = pattern.fullmatch(exchange.path)
            if match and name.startswith(f"{exchange.method} "):
                query = dict(parse_qsl(exchange.query, keep_blank_values=True))
                yield from self._check_parameters(name, "path", match.groupdict())
                yield from self._check_parameters(name, "query", query)
                yield from self._check_body(name, exchange.sent)
                yield from self._check_answer(name, exchange)
                return
        yield "no such operation in the extract of GitHub's OpenAPI document"

    def _check_parameters(self, name: str, kind: str, given: dict[str, str]) -> Iterator[str]:
        assert self._schemas is not None
        known = self._schemas.document["operations"][name][kind]
        for parameter, text in given.items():
            if parameter not in known:
                yield f"{kind} parameter {parameter!r} is unknown"
                continue
            value = _typed(known[parameter].get("type", ""), text)
            pointer = _pointer("operations", name, kind, parameter)
            yield from (f"{kind} {parameter}: {each}" for each in self._schemas.errors(pointer, value))

    def _check_body(self, name: str, sent: bytes) -> Iterator[str]:
        assert self._schemas is not None
        known = self._schemas.document["operations"][name].get("body")
        if known is None:
            if sent and sent not in (b"{}", b"null"):
                yield "a request body where none belongs"
            return
        if not sent:
            if known["required"]:
                yield "no request body"
            return
        try:
            value = json.loads(sent)
        except ValueError:
            yield "the request body is not JSON"
            return
        pointer = _pointer("operations", name, "body", "schema")
        yield from (f"request, {each}" for each in self._schemas.errors(pointer, value))

    def _check_answer(self, name: str, exchange: Exchange) -> Iterator[str]:
        assert self._schemas is not None
        status, known = exchange.status, self._schemas.document["operations"][name]["responses"]
        if status in EMPTY:
            if exchange.answered:
                yield f"{status} with a body"
        elif status in ERRORS:
            checked = Draft202012Validator(ERROR).iter_errors(_parsed(exchange.answered))
            yield from (f"{status}, error: {error.message}" for error in checked)
        elif str(status) not in known:
            yield f"{status} is not documented"
        elif known[str(status)] is not None and exchange.headers.get("Content-Type", "").startswith(JSON):
            pointer = _pointer("operations", name, "responses", str(status))
            errors = self._schemas.errors(pointer, _parsed(exchange.answered))
            yield from (f"{status}, {each}" for each in errors)


def _operations(schemas: Schemas | None) -> Iterator[tuple[str, re.Pattern[str], tuple[int, int]]]:
    """Each operation with the paths it takes; the more of a path is literal, the earlier it is tried."""
    for name in schemas.document["operations"] if schemas else ():
        template = name.split(" ")[1]
        pattern = re.sub(
            r"\\{(\w+)\\}",
            lambda found: f"(?P<{found[1]}>{'.*' if found[1] in WITH_SLASHES else '[^/]+'})",
            re.escape(template),
        )
        literal = len(re.sub(r"\{\w+\}", "", template))
        yield name, re.compile(pattern), (-literal, template.count("{"))


def _pointer(*steps: str) -> str:
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def _typed(kind: object, text: str) -> object:
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    return {"true": True, "false": False}.get(text, text) if kind == "boolean" else text


def _parsed(answered: bytes) -> object:
    try:
        return json.loads(answered)
    except ValueError:
        return None


def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)
