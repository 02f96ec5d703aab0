"""What the images are made with and checked by: tools from elsewhere, and the health check."""

from __future__ import annotations

import hashlib
import http.server
import io
import tarfile
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deploy.images import healthcheck, tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from deploy.images.tools import Tool


def program(text: str = "#!/bin/sh\necho works\n") -> bytes:
    return text.encode()


def archive(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


PUBLISHED = {
    "kubectl": program(),
    "helm": archive({"linux-amd64/README.md": b"", "linux-amd64/helm": program()}),
    "gcloud": archive(
        {
            "google-cloud-sdk/bin/gcloud": program(
                '#!/bin/sh\ncp "$0" "$(dirname "$0")/gke-gcloud-auth-plugin"; echo "$@" > "$0.args"\n'
            ),
        }
    ),
}


def published(tmp_path: Path, name: str) -> Tool:
    """The tool as it is known, but published here."""
    file = tmp_path / "published" / name
    file.parent.mkdir()
    file.write_bytes(PUBLISHED[name])
    digest = hashlib.sha256(PUBLISHED[name]).hexdigest()
    return replace(tools.TOOLS[name], url=file.as_uri(), sha256={"amd64": digest})


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_a_tool_is_installed_where_path_leads(tmp_path: Path, name: str) -> None:
    installed = tools.install(published(tmp_path, name), name, tmp_path / "tools", "amd64")
    assert installed == tmp_path / "tools" / "bin" / name
    assert installed.stat().st_mode & 0o111


def test_gcloud_brings_what_kubectl_signs_in_with(tmp_path: Path) -> None:
    programs = tools.install(published(tmp_path, "gcloud"), "gcloud", tmp_path, "amd64").parent
    assert (programs / "gke-gcloud-auth-plugin").exists()
    arguments = (tmp_path / "google-cloud-sdk/bin/gcloud.args").read_text()
    assert arguments.split() == ["components", "install", "gke-gcloud-auth-plugin", "--quiet"]


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_what_has_another_checksum_is_not_installed(tmp_path: Path, name: str) -> None:
    other = replace(published(tmp_path, name), sha256={"amd64": "0" * 64})
    with pytest.raises(tools.ToolNotInstalled, match="should have 000"):
        tools.install(other, name, tmp_path / "tools", "amd64")
    assert not (tmp_path / "tools" / "bin" / name).exists()


def test_what_cannot_be_fetched_is_said(tmp_path: Path) -> None:
    gone = replace(published(tmp_path, "helm"), url=(tmp_path / "nothing").as_uri())
    with pytest.raises(tools.ToolNotInstalled, match="can't be fetched"):
        tools.install(gone, "helm", tmp_path / "tools", "amd64")


@pytest.mark.parametrize("name", sorted(tools.TOOLS))
def test_each_tool_is_pinned_for_both_machines(name: str) -> None:
    tool = tools.TOOLS[name]
    assert set(tool.sha256) == set(tool.machines) == {"amd64", "arm64"}
    assert all(len(digest) == 64 for digest in tool.sha256.values())
    assert tool.url.startswith("https://")
    assert "{version}" in tool.url


def test_an_unknown_tool_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        tools.main(["--into", str(tmp_path), "terraform"])
    assert "no such tool: terraform; there are kubectl, helm, gcloud" in capsys.readouterr().err


INIT = ["tini", "-s", "--"]


@pytest.mark.parametrize(
    ("image", "command", "environ", "url"),
    [
        pytest.param("bot", ["web"], {}, "http://127.0.0.1:8081/healthz", id="web"),
        pytest.param(
            "bot",
            ["web"],
            {"PREFLIGHT_INTERNAL_LISTEN": "0.0.0.0:9001"},
            "http://127.0.0.1:9001/healthz",
            id="web, elsewhere",
        ),
        pytest.param("bot", ["worker"], {}, "http://127.0.0.1:8082/", id="worker"),
        pytest.param("bot", ["migrate"], {}, None, id="what ends by itself"),
        pytest.param("airflow", ["api-server"], {}, "http://127.0.0.1:8080/api/v2/version", id="api-server"),
        pytest.param("airflow", ["scheduler"], {}, "http://127.0.0.1:8974/health", id="scheduler"),
        pytest.param("airflow", ["dag-processor"], {}, None, id="dag-processor"),
    ],
)
def test_where_the_health_check_asks(
    image: str, command: list[str], environ: dict[str, str], url: str | None
) -> None:
    assert healthcheck.address(image, [*INIT, *command], environ) == url


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "healthy"),
    [
        pytest.param(200, b"ok\n", True, id="ok"),
        pytest.param(200, b'{"version": "3.3.2"}', True, id="a version"),
        pytest.param(200, b'{"scheduler": {"status": "healthy"}}', True, id="Airflow is well"),
        pytest.param(200, b'{"scheduler": {"status": "unhealthy"}}', False, id="Airflow is not"),
        pytest.param(503, b"not ready\n", False, id="an error"),
    ],
)
def test_what_the_health_check_makes_of_an_answer(status: int, body: bytes, *, healthy: bool) -> None:
    with answering(status, body) as url:
        assert healthcheck.is_healthy(url) is healthy


def test_no_answer_is_not_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    assert healthcheck.is_healthy("http://127.0.0.1:1/") is False
    assert "127.0.0.1:1" in capsys.readouterr().err
