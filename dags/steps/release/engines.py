"""Engines that build, tag and push images on this machine: docker, podman, buildah.

Their build takes the same options: https://docs.docker.com/reference/cli/docker/buildx/build/,
https://docs.podman.io/en/latest/markdown/podman-build.1.html, buildah-build(1).
"""

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from steps.environment import PROXIES, clean
from steps.errors import StepFailed, TryAgain
from steps.release.recipe import Recipe, with_digest, without_tag
from steps.release.registries import sign_in
from steps.tools import Tools
from steps.try_again import is_temporary

_RAN = re.compile(
    r"did not complete successfully: exit code"  # docker: BuildKit
    r"|returned a non-zero code"  # docker: the builder before
    r"|while running runtime: exit status"  # podman and buildah
)
_VERDICT = re.compile(r"^error\b.*", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Engine:
    """One of them."""

    name: str
    asks: tuple[str, ...]
    """Arguments that make it talk to what does the work: a client alone builds nothing."""

    def trouble(self, tools: Tools) -> str:
        """Say why it can't be used here; empty when it can."""
        if not tools.has(self.name):
            return "not on PATH"
        try:
            # Once: an engine that isn't there now is not waited for.
            Tools(dryrun=tools.dryrun, environ=tools.environ, tries=1).ask(self.name, *self.asks, timeout=60)
        except (StepFailed, TryAgain) as error:
            return str(error)
        return ""

    def build(self, tools: Tools, recipe: Recipe) -> None:
        """Build the image.

        Raises:
            StepFailed: it doesn't build; also when a command of the Dockerfile failed for want of something.
            TryAgain: the engine can't pull what it is built from now.
        """
        labels = (f"--label={name}={value}" for name, value in sorted(recipe.labels.items()))
        files = (f"--file={recipe.dockerfile}", f"--tag={recipe.reference}")
        own = self._without_secrets(tools)
        tools.run(
            self.name, "build", *own, *files, *labels, str(recipe.context), temporary=is_temporary_build
        )

    def _without_secrets(self, tools: Tools) -> tuple[str, ...]:
        """Keep a proxy's password from the commands of the Dockerfile: podman and buildah hand proxies on."""
        if self.name == "docker" or not has_secret_proxy(tools.environ):
            return ()
        print("# The proxy has a password: the Dockerfile's commands are run without it.")
        return ("--http-proxy=false",)

    def push(self, tools: Tools, reference: str) -> str:
        """Push a tag; returns the image's name with its digest (in a dry run: with its tag)."""
        sign_in(tools, self.name, reference)
        name = without_tag(reference)
        digest = self._push_and_inspect if self.name == "docker" else self._push_with_file
        pushed = digest(tools, reference)
        return reference if tools.dryrun else with_digest(name, pushed)

    def pull(self, tools: Tools, image: str) -> None:
        """Fetch an image from its registry."""
        sign_in(tools, self.name, image)
        tools.run(self.name, "pull", image)

    def tag(self, tools: Tools, image: str, reference: str) -> None:
        """Give an image another name."""
        tools.run(self.name, "tag", image, reference)

    def _push_and_inspect(self, tools: Tools, reference: str) -> str:
        tools.run(self.name, "push", reference)
        said = tools.ask(self.name, "image", "inspect", "--format={{json .RepoDigests}}", reference)
        digests = json.loads(said) if said.strip().startswith("[") else []
        of_name = (each.partition("@") for each in digests if isinstance(each, str))
        return next((digest for name, _, digest in of_name if name == without_tag(reference)), "")

    def _push_with_file(self, tools: Tools, reference: str) -> str:
        with tempfile.TemporaryDirectory(prefix="preflight-push-") as folder:
            file = Path("DIGEST_FILE") if tools.dryrun else Path(folder, "digest")
            tools.run(self.name, "push", f"--digestfile={file}", reference)
            return file.read_text(encoding="ascii").strip() if file.exists() else ""


def has_secret_proxy(environ: Mapping[str, str]) -> bool:
    """Whether a proxy is set there that steps see only where they declare it: one with a password."""
    harmless = clean(environ)
    return any(environ.get(name) and name not in harmless for name in PROXIES)


def is_temporary_build(said: str) -> bool:
    """Whether a build that failed may succeed in a moment, by the engine's own last words.

    All that it printed before are words of the pull request: what its commands print must not buy it more
    builds, nor make a broken test look like trouble with the network.
    """
    verdicts = _VERDICT.findall(said)
    return bool(verdicts) and not _RAN.search(said) and is_temporary(verdicts[-1])


ENGINES = (
    Engine("docker", ("version", "--format={{.Server.Version}}")),
    Engine("podman", ("info", "--format={{.Version.Version}}")),
    Engine("buildah", ("info",)),
)
"""In the order in which they are tried."""
