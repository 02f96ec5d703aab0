"""The web process's pages on a port of their own: a database and an Airflow that tests fill, real files."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from bot.adapters.artifacts import FsspecArtifacts
from bot.adapters.github import GitHubSignIn
from bot.pages import artifacts, schema, sign_in, site
from bot.pages.gate import PublicGate
from bot.pages.logs import LogReader
from bot.pages.sessions import Seal
from bot.pages.sign_in import GitHubGate
from tests.examples import at
from tests.github_standin import wait_for
from tests.pages.showing import SECRET, Airflow, Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from bot.models import Repository
    from bot.pages.gate import Gate
    from tests.github_standin import Standin
    from tests.github_standin.records import App

GITHUB = "https://github.example"
AIRFLOW = "https://airflow.example"


class Runs(Store):
    """Knows which private repositories have runs."""

    def private_repositories(self) -> Sequence[Repository]:
        return [one.repository for one in self.listed if one.repository.private]


@dataclass(frozen=True)
class Asked:
    """One request as the server answered it. `condition` is what the browser said it has already."""

    path: str
    status: int
    condition: str


@dataclass
class Log:
    """Sees every request. `under_way` are those that are not answered to the end yet."""

    asked: list[Asked] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)

    def around(self, app: WSGIApplication) -> WSGIApplication:
        def answered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            query = environ.get("QUERY_STRING", "")
            path = environ["PATH_INFO"] + (f"?{query}" if query else "")
            condition = environ.get("HTTP_IF_NONE_MATCH", "")

            def start(status: str, *rest: object) -> object:
                self.asked.append(Asked(path, int(status.split(maxsplit=1)[0]), condition))
                return start_response(status, *rest)  # type: ignore[arg-type]  # passed on as they came

            self.under_way.append(path)
            try:
                with closing(app(environ, start)) as pieces:  # type: ignore[arg-type, type-var]  # Flask's
                    return [b"".join(pieces)]
            finally:
                self.under_way.remove(path)

        return answered

    def of(self, path: str) -> list[Asked]:
        """The requests for exactly that."""
        return [one for one in list(self.asked) if one.path == path]

    def wait_for(self, path: str, times: int) -> None:
        """Until exactly that was asked for so many times."""
        wait_for(lambda: len(self.of(path)) == times)


@dataclass
class Served:
    """The pages at `url`. It is `now` seconds after noon there."""

    url: str
    files: FsspecArtifacts
    store: Runs = field(default_factory=Runs)
    airflow: Airflow = field(default_factory=Airflow)
    log: Log = field(default_factory=Log)
    now: float = 95

    def clock(self) -> datetime:
        return at(self.now)


@contextmanager
def serving(folder: Path, github: Standin | None = None, app: App | None = None) -> Iterator[Served]:
    """Serve until the end, with what runs left in that folder; with a GitHub and an App, people can sign in.

    Other than ours, that GitHub is at `localhost`: another site, as it is in life.
    """
    flask = Flask("bot.pages", static_folder=None)
    server = make_server("127.0.0.1", 0, flask, threaded=True, request_handler=_Quiet)
    served = Served(f"http://127.0.0.1:{server.server_port}", FsspecArtifacts(str(folder)))
    gate: Gate = PublicGate()
    if github is not None and app is not None:
        github.set_callback_url(app, f"{served.url}/signed-in")
        web_url = github.url.replace("127.0.0.1", "localhost")
        viewers = GitHubSignIn(github.api_url, web_url, app.client_id, app.client_secret)
        seal = Seal(["a key"], served.clock)
        gate = GitHubGate(seal, viewers, served.store, sign_in.cookie_name(served.url))
        flask.register_blueprint(sign_in.blueprint(seal, viewers, served.url))
    _register(flask, served, gate)
    server.app = served.log.around(flask.wsgi_app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


def _register(flask: Flask, served: Served, gate: Gate) -> None:
    """As bootstrap does."""
    flask.register_blueprint(schema.blueprint())
    flask.register_blueprint(artifacts.blueprint(served.store, served.files, gate))
    flask.register_blueprint(
        site.blueprint(
            reader=served.store,
            lister=served.store,
            logs=LogReader(served.airflow, [SECRET]),
            gate=gate,
            clock=served.clock,
            secrets=[SECRET],
            github_url=GITHUB,
            airflow_url=AIRFLOW,
            artifacts=served.files,
            past=served.store,
        )
    )


class _Quiet(WSGIRequestHandler):
    """Says nothing: the log knows."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Nothing."""
