"""The Dockerfile keeps its promises; `make test-deploy` builds and runs it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.environment import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()
STAGES = {
    stage[0]: stage[1]
    for stage in re.findall(
        r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", DOCKERFILE, flags=re.MULTILINE | re.DOTALL
    )
}
IMAGES = ("bot", "airflow")


@pytest.mark.parametrize("file", ["Dockerfile", "tests/images/postgres/Dockerfile"])
def test_hadolint_finds_nothing(file: str) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / file], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param("USER 10001:10001", id="runs as nobody special"),
        pytest.param('ENTRYPOINT ["tini", "-s", "--", ', id="an init passes signals on and reaps orphans"),
        pytest.param("HEALTHCHECK ", id="tells whether it is well"),
        pytest.param('org.opencontainers.image.version="${VERSION}"', id="says its version"),
        pytest.param('org.opencontainers.image.revision="${REVISION}"', id="says its commit"),
    ],
)
def test_each_image(image: str, wanted: str) -> None:
    assert wanted in STAGES[image]


def test_packages_are_wheels_with_hashes() -> None:
    installs = DOCKERFILE.count(" -m pip ")
    assert installs > 0
    assert installs == DOCKERFILE.count(" install --require-hashes --only-binary=:all: ")


@pytest.mark.parametrize("file", sorted(ROOT.glob("requirements-*-image.txt")), ids=lambda file: file.name)
def test_each_requirement_is_pinned_with_hashes(file: Path) -> None:
    requirements = re.split(r"\n(?=[a-zA-Z0-9])", file.read_text())[1:]
    assert requirements
    assert all("==" in one and "--hash=sha256:" in one for one in requirements)


@pytest.mark.parametrize(
    ("image", "tested"),
    [("requirements-bot-image", "requirements"), ("requirements-airflow-image", "requirements-airflow")],
)
def test_an_image_has_the_versions_that_were_tested(image: str, tested: str) -> None:
    assert pins(tested) - pins(image) == set()


def pins(name: str) -> set[tuple[str, str]]:
    text = (ROOT / f"{name}.txt").read_text()
    return set(re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", text, flags=re.MULTILINE))


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"https?://", id="address"),
        pytest.param(r"\b(docker\.io|ghcr\.io|gcr\.io|quay\.io)\b", id="registry"),
        pytest.param(r"(?i)https?_proxy|\.crt\b|\.pem\b", id="proxy or certificate"),
    ],
)
def test_it_names_no(pattern: str) -> None:
    assert re.findall(pattern, DOCKERFILE) == []


def test_only_what_is_copied_is_sent_to_the_engine() -> None:
    """So neither .env nor anything else of a checkout can get into an image by mistake."""
    assert next(line for line in IGNORED if not line.startswith("#")) == "*"
    sent = {line.removeprefix("!") for line in IGNORED if line.startswith("!")}
    assert sent == {"bot", "dags", "deploy/images", "requirements-*.txt"}


def test_an_engine_ignores_bytecode_of_the_checkout() -> None:
    assert {"**/__pycache__", "**/*.pyc"} <= set(IGNORED)
