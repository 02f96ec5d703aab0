"""Google Cloud Build: builds where there is no engine. What it builds is only in the registry.

https://cloud.google.com/build/docs/build-config-file-schema,
https://cloud.google.com/build/docs/securing-builds/configure-user-specified-service-accounts
"""

import contextlib
import json
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steps.deploy.names import address, bucket_of
from steps.errors import StepFailed, TryAgain
from steps.release.recipe import Recipe, with_digest
from steps.tools import ToolError, Tools

_DOCKER = "gcr.io/cloud-builders/docker"  # Cloud Build's own image of the docker client
BUILDS = "preflight-builds"
"""The account that deploy/gcp/setup makes for builds, and, behind the project's name, their bucket."""
_HINT = "what builds need deploy/gcp/setup makes; --build-account and --build-bucket name others"
_DENIED = re.compile(
    r"forbidden|PERMISSION_DENIED|does not have .*(permission|access)|NOT_FOUND|not found|does not exist",
    re.IGNORECASE,
)
_GOING = frozenset({"", "STATUS_UNKNOWN", "PENDING", "QUEUED", "WORKING"})
_POLL = 5.0


@dataclass(frozen=True)
class CloudBuild:
    """Builds and pushes in one go."""

    project: str
    push: bool
    account: str = ""
    """As whom it builds; empty: the project's BUILDS. Never who it would be by itself, who may do more."""
    bucket: str = ""
    """For sources and logs; empty: the project's."""
    pause: Callable[[float], None] = time.sleep
    name: str = "cloudbuild"

    def trouble(self, tools: Tools) -> str:
        """Say why it can't be used here; empty when it can."""
        if not self.project:
            return "no --project"
        if not self.push:
            return "what it builds is only in the registry, and nobody asked to --push"
        return "" if tools.has("gcloud") else "gcloud is not on PATH"

    def build_and_push(self, tools: Tools, recipe: Recipe) -> str:
        """Return the image's name with its digest (in a dry run: with its tag).

        Raises:
            StepFailed: the build failed; and whatever `tools` raise.
        """
        build = self._submit(tools, recipe)
        try:
            # Who may build may not always read logs; and the words in them are the pull request's.
            with contextlib.suppress(StepFailed, TryAgain):
                tools.run(
                    "gcloud", "builds", "log", build, "--stream", self._project, temporary=lambda _: False
                )
            return self._result(tools, recipe, build)
        except SystemExit:  # the step is cancelled
            with contextlib.suppress(StepFailed, TryAgain):
                Tools(environ=tools.environ, tries=1).ask("gcloud", "builds", "cancel", build, self._project)
            raise

    def _submit(self, tools: Tools, recipe: Recipe) -> str:
        """Return the build's id: known before it ends, so that a cancel can end it."""
        config = json.dumps(configuration(recipe) | self._as_whom())
        submit = (
            "gcloud",
            "builds",
            "submit",
            ".",  # from there: of another folder's broken links gcloud makes a crash
            self._project,
            f"--gcs-source-staging-dir=gs://{self._bucket}/source",
            "--async",
            "--format=value(id)",
        )
        if tools.dryrun:
            print(f"# CONFIG is a file that holds {config}")
            tools.ask(*submit, "--config=CONFIG", cwd=recipe.context)
            return "BUILD_ID"
        with tempfile.TemporaryDirectory(prefix="preflight-build-") as folder:
            file = Path(folder, "cloudbuild.json")
            file.write_text(config, encoding="utf-8")
            try:
                build = tools.ask(*submit, f"--config={file}", cwd=recipe.context).strip()
            except ToolError as error:
                hint = f" ({_HINT})" if _DENIED.search(error.said) else ""
                raise StepFailed(f"{error}{hint}") from None
        if not build:
            raise StepFailed("gcloud submitted the build, but doesn't tell its id")
        return build

    def _result(self, tools: Tools, recipe: Recipe, build: str) -> str:
        while True:
            said = tools.ask("gcloud", "builds", "describe", build, self._project, "--format=json")
            if tools.dryrun:
                return recipe.reference
            if (found := digest(said, build)) is not None:
                return with_digest(recipe.name, found)
            self.pause(_POLL)

    def _as_whom(self) -> dict[str, Any]:
        account = self.account or address(BUILDS, self.project)
        return {
            "serviceAccount": f"projects/{self.project}/serviceAccounts/{account}",
            "logsBucket": f"gs://{self._bucket}/logs",
            "options": {"logging": "GCS_ONLY"},  # from where gcloud reads it as it comes
        }

    @property
    def _bucket(self) -> str:
        return self.bucket or bucket_of(BUILDS, self.project)

    @property
    def _project(self) -> str:
        return f"--project={self.project}"


def configuration(recipe: Recipe) -> dict[str, Any]:
    """Return the build for Cloud Build, where the context is the working directory.

    Raises:
        StepFailed: the Dockerfile is not in the context, which is all that Cloud Build gets.
    """
    if not recipe.dockerfile.is_relative_to(recipe.context):
        raise StepFailed("Cloud Build finds a Dockerfile only in the --context")
    labels = [f"--label={name}={value}" for name, value in sorted(recipe.labels.items())]
    dockerfile = f"--file={recipe.dockerfile.relative_to(recipe.context)}"
    argv = ["build", dockerfile, f"--tag={recipe.reference}", *labels, "."]
    literal = [each.replace("$", "$$") for each in argv]  # else it is a substitution
    return {"steps": [{"name": _DOCKER, "args": literal}], "images": [recipe.reference]}


def digest(described: str, build: str) -> str | None:
    """Return the digest of the image that a build made; None while it goes on.

    Raises:
        StepFailed: it failed.
    """
    try:
        said: Any = json.loads(described)
        status = str(said.get("status", ""))
        images = (said.get("results") or {}).get("images") or [{}]
        reason = str((said.get("failureInfo") or {}).get("detail") or said.get("statusDetail") or "")
        found = str(images[0].get("digest", ""))
    except (ValueError, AttributeError, LookupError, TypeError):
        raise StepFailed(f"gcloud describes build {build} in a way that is not understood") from None
    if status in _GOING:
        return None
    if status != "SUCCESS":
        raise StepFailed(f"Cloud Build {build}: {status}{reason and f': {reason[:300]}'}")
    return found
