"""Clone, fetch and push over smart HTTP: git's own `http-backend` as a CGI program, streaming both ways."""

from __future__ import annotations

import subprocess
import threading
from http import HTTPStatus
from typing import IO, TYPE_CHECKING

from flask import Flask, Response, redirect, request

from .auth import LEVELS, Caller, basic_credentials, caller_of_token
from .branches import may_push, notice_pushes
from .git import environment
from .hub import hub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.wrappers import Response as AnyResponse

    from .state import InstallationToken, Repository, World

SERVICES = ("info/refs", "git-upload-pack", "git-receive-pack")
CHUNK = 65_536
PUSH = "git-receive-pack"
TOKENS = ("ghp_", "ghs_")
NOT_GRANTED = "Write access to repository not granted."
"""What GitHub says to a token without the permission `contents`, also to one that only wants to read."""


def add_git_http(app: Flask) -> None:
    """Serve `/OWNER/NAME.git` (and without `.git`)."""
    for service in SERVICES:
        for suffix in ("", ".git"):
            routes_for = f"/<owner>/<name>{suffix}/{service}"
            app.add_url_rule(
                routes_for,
                endpoint=f"git{suffix}-{service.replace('/', '-')}",
                view_func=serve,
                methods=["GET", "POST"],
                defaults={"service": service},
            )


def serve(owner: str, name: str, service: str) -> AnyResponse:
    """Answer one request of a git client."""
    world = hub().world
    repository = world.find_repository(f"{owner}/{name}")
    if repository is None:
        moved = world.repositories.get(world.renamed.get(f"{owner}/{name}".lower(), 0))
        if moved is None:
            return _plain(HTTPStatus.NOT_FOUND, "Repository not found.")
        query = f"?{request.query_string.decode()}" if request.query_string else ""
        return redirect(
            f"{world.base_url}/{moved.full_name}.git/{service}{query}", HTTPStatus.MOVED_PERMANENTLY
        )
    caller = _caller(world)
    pushing = PUSH in (service, request.args.get("service"))
    refusal = _refusal(world, repository, caller, pushing=pushing)
    return refusal or _run(world, repository, caller or Caller(), service, pushing=pushing)


def _caller(world: World) -> Caller | None:
    """Who the credentials say it is; None when they are no good.

    A person's token may be the password or the name. The stand-in keeps no passwords: a known login with any
    other password is that person.
    """
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return Caller()
    login, password = basic_credentials(encoded)
    for token in (password, login):
        if found := caller_of_token(world, token):
            return found
    account = world.accounts.get(login.lower())
    if account is None or account.type != "User" or password.startswith(TOKENS):
        return None
    return Caller(account=account)


def _refusal(
    world: World, repository: Repository, caller: Caller | None, *, pushing: bool
) -> Response | None:
    if caller is None:
        return _unauthorized()
    if not caller.sees(repository):
        return (
            _unauthorized()
            if caller.account is None
            else _plain(HTTPStatus.NOT_FOUND, "Repository not found.")
        )
    if not pushing:
        return None if _may_read(repository, caller) else _plain(HTTPStatus.FORBIDDEN, NOT_GRANTED)
    if caller.account is None:
        return _unauthorized()
    if caller.token:
        allowed = caller.token.covers(repository) and _contents(caller.token) >= LEVELS.index("write")
    else:
        allowed = may_push(world, repository, caller.account)
    if allowed:
        return None
    return _plain(
        HTTPStatus.FORBIDDEN, f"Permission to {repository.full_name}.git denied to {caller.account.login}."
    )


def _may_read(repository: Repository, caller: Caller) -> bool:
    """Whether who sees the repository may have its content, too; that of a public one may everybody."""
    return not (repository.private and caller.token) or _contents(caller.token) >= LEVELS.index("read")


def _contents(token: InstallationToken) -> int:
    return LEVELS.index(token.permissions.get("contents", "none"))


def _unauthorized() -> Response:
    response = _plain(HTTPStatus.UNAUTHORIZED, "Invalid username or token.")
    response.headers["WWW-Authenticate"] = 'Basic realm="GitHub"'
    return response


def _plain(status: HTTPStatus, text: str) -> Response:
    return Response(text, status, mimetype="text/plain")


def _run(world: World, repository: Repository, caller: Caller, service: str, *, pushing: bool) -> Response:
    """Start http-backend and hand on what it says; a push's consequences follow before the answer ends."""
    git = subprocess.Popen(
        ["git", "http-backend"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={
            **environment(),
            "GIT_PROJECT_ROOT": str(world.directory),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "PATH_INFO": f"/{repository.git.path.name}/{service}",
            "QUERY_STRING": request.query_string.decode(),
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": request.headers.get("Content-Length", ""),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "REMOTE_USER": caller.account.login if caller.account else "",
            "REMOTE_ADDR": request.remote_addr or "",
        },
    )
    assert git.stdin is not None
    assert git.stdout is not None
    feeding = threading.Thread(target=_feed, args=(request.stream, git.stdin), daemon=True)
    feeding.start()
    status, headers = _cgi_headers(git.stdout)

    def answer(stdout: IO[bytes]) -> Iterator[bytes]:
        try:
            while chunk := stdout.read1(CHUNK):  # type: ignore[attr-defined] # a pipe's reader is buffered
                yield chunk
        finally:
            stdout.close()
            git.kill()
            git.wait()
            if pushing and caller.account:
                with world.lock:
                    notice_pushes(world, repository, caller.account)

    return Response(answer(git.stdout), status, headers)


def _feed(source: IO[bytes], stdin: IO[bytes]) -> None:
    try:
        with stdin:
            while chunk := source.read(CHUNK):
                stdin.write(chunk)
    except (OSError, ValueError):
        pass  # the client or git hung up; whoever is left notices


def _cgi_headers(stdout: IO[bytes]) -> tuple[int, list[tuple[str, str]]]:
    status = int(HTTPStatus.OK)
    headers: list[tuple[str, str]] = []
    for line in iter(stdout.readline, b""):
        name, colon, value = line.decode("latin-1").strip().partition(":")
        if not colon:
            return status, headers
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers.append((name, value.strip()))
    return int(HTTPStatus.INTERNAL_SERVER_ERROR), headers
