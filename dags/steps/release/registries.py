"""Signing in to Google's registries by gcloud; others have their credentials in the engines' own files."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from steps.tools import Tools

_GOOGLE = re.compile(r"(?:[a-z0-9-]+\.)?gcr\.io|[a-z0-9-]+-docker\.pkg\.dev")
_LOGIN = {"helm": ("registry", "login")}


def sign_in(tools: Tools, program: str, reference: str) -> None:
    """Let `program` push and pull at the reference's registry, if that is Google's and gcloud is there.

    The access token goes to standard input: https://cloud.google.com/artifact-registry/docs/docker/authentication
    """
    host = reference.removeprefix("oci://").partition("/")[0]
    if not _GOOGLE.fullmatch(host) or not tools.has("gcloud") or _knows(tools.environ, host):
        return
    _use_own_file(tools)
    token = tools.ask("gcloud", "auth", "print-access-token").strip()
    login = _LOGIN.get(program, ("login",))
    tools.run(program, *login, "--username=oauth2accesstoken", "--password-stdin", host, stdin=token)


def use_service_account(tools: Tools) -> None:
    """Let gcloud act as the service account whose key the step was given, if any."""
    if key := tools.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        tools.environ.setdefault("CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", key)


def _use_own_file(tools: Tools) -> None:
    """Keep what podman and buildah store with the step, not in the user's runtime folder for all to find."""
    if home := tools.environ.get("HOME"):
        tools.environ.setdefault("REGISTRY_AUTH_FILE", str(Path(home, ".registry-auth.json")))


def _knows(environ: Mapping[str, str], host: str) -> bool:
    """Whether Docker's configuration says how to sign in there: a developer's own is left as it is."""
    folder = environ.get("DOCKER_CONFIG") or str(Path(environ.get("HOME", "/"), ".docker"))
    try:
        content: Any = json.loads(Path(folder, "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    known = content if isinstance(content, dict) else {}
    return any(host in (known.get(key) or {}) for key in ("auths", "credHelpers"))
