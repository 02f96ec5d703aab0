"""One podman, one build and one installation for all tests here. Only `make test-deploy` runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from deploy.images.__main__ import image
from deploy.kustomize import make_secrets
from deploy.local import demo_repository
from deploy.local.environment import ROOT, STATE
from tests.images import base
from tests.images.cluster import Cluster, make_network
from tests.images.github import make_authority, serving
from tests.images.installation import Installation
from tests.images.manifests import Manifests
from tests.images.podman import Podman, own_podman

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

VERSION = "test-deploy"
REVISION = "0123456789abcdef"


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Whoever tests all of it doesn't want these: they need root, and install packages."""
    return None if any("images" in argument for argument in config.args) else True


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Tells people who wait what takes so long, although output is captured."""
    began = time.monotonic()
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None

    def tell(message: str) -> None:
        with capture.global_and_fixture_disabled():
            sys.stdout.write(f"\n[{time.monotonic() - began:4.0f} s] {message} ...\n")
            sys.stdout.flush()

    return tell


@pytest.fixture(scope="session")
def podman() -> Iterator[Podman]:
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # where iptables is, whatever the person's PATH
    with own_podman(STATE / "containers") as own:
        yield own


@pytest.fixture(scope="session")
def images(podman: Podman, say: Callable[[str], None]) -> dict[str, str]:
    """The images that `make build` makes of the shipped Dockerfile, by their plain names."""
    say("Debian's image: from the store, a registry, or Debian's packages")
    base.debian(podman)
    say("make build: both images, some minutes when it's the first time")
    options = ["--pull=never", *base.build_options(podman.folder)]
    subprocess.run(
        [
            *("make", "build", "ENGINE=podman", f"VERSION={VERSION}", f"REVISION={REVISION}"),
            *("DEBIAN=bookworm-slim", f"ARGS={' '.join(options)}"),
        ],
        cwd=ROOT,
        env=dict(podman.environ),
        check=True,
    )
    return {f"preflight-{target}": f"localhost/{image(target, VERSION)}" for target in ("bot", "airflow")}


@pytest.fixture(scope="session")
def installation(
    podman: Podman,
    images: dict[str, str],
    say: Callable[[str], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """deployment.yaml as it is shipped, with what every installation sets for itself."""
    folder = tmp_path_factory.mktemp("installation")
    shipped = Manifests.read(ROOT / "deployment.yaml").with_images(images)
    say("PostgreSQL's image: from a registry, or one that stands in for it")
    for name in shipped.images() - set(images.values()):
        base.postgres(podman, name)
    secrets = _secrets(folder)
    network = make_network(podman)
    cluster = Cluster(podman, network, folder)
    authority = make_authority(network.gateway)
    manifests = shipped.trusting(authority.certificate)
    cluster.play(
        manifests.with_secrets(secrets), "postgres"
    )  # from now on the network is up, and we have an address there
    with serving(folder, network.gateway, authority) as github:
        repository = demo_repository.make_repository(github.standin)
        app = github.standin.app(
            owner=demo_repository.OWNER,
            webhook_url=f"http://{cluster.address('preflight-web')}:8080/webhook",
            webhook_secret=(secrets / make_secrets.PREFLIGHT / "webhook-secrets").read_text(),
        )
        (secrets / make_secrets.PREFLIGHT / make_secrets.FROM_GITHUB).write_text(app.private_key)
        own = {"PREFLIGHT_GITHUB_API_URL": github.api_url, "PREFLIGHT_GITHUB_APP_ID": str(app.id)}
        installed = Installation(
            cluster=cluster,
            manifests=manifests.with_secrets(secrets).with_config("preflight-config", own),
            secrets=secrets,
            github=github.standin,
            repository=repository,
        )
        say("deployment.yaml's pods")
        installed.start()
        say("a pull request, and what else is to be seen")
        yield installed
    shutil.rmtree(folder)


def _secrets(folder: Path) -> Path:
    """What the runbook has the operator make; all but GitHub's private key."""
    secrets = folder / "secrets"
    make_secrets.make_all(make_secrets.Folder(secrets), "postgres:5432")
    return secrets
