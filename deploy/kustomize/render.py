"""`make render`: write deployment.yaml from the base, for those who don't use kustomize."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEPLOYMENT = HERE.parents[1] / "deployment.yaml"
HEADER = """\
# Preflight on Kubernetes: PostgreSQL, Airflow and the bot. Before `kubectl apply -f deployment.yaml`:
#   1. make the namespace and its Secrets, as deploy/KUBERNETES.md says,
#   2. put your own PREFLIGHT_PUBLIC_URL and PREFLIGHT_GITHUB_APP_ID, your Ingress host, and images of your
#      registry in place of the examples: here, or better in an overlay of deploy/kustomize/base.
# Rendered from there, where comments say why, by `make render`: changes to this file are overwritten.
"""


class RenderError(Exception):
    """The manifests can't be rendered; the message says why."""


def render(folder: Path) -> str:
    """Return the manifests of a kustomization, as YAML documents.

    Raises:
        RenderError: kubectl is missing, or refuses the kustomization.
    """
    try:
        done = subprocess.run(
            ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False, timeout=60
        )
    except FileNotFoundError:
        raise RenderError(
            "kubectl is missing: it renders the manifests (no cluster is needed). Install it, 1.30 or newer."
        ) from None
    if done.returncode != 0:
        raise RenderError(f"kubectl kustomize {folder} failed:\n{done.stderr.strip()}")
    return done.stdout


def deployment() -> str:
    """Return what deployment.yaml must hold.

    Raises:
        RenderError: the base can't be rendered.
    """
    return HEADER + render(HERE / "base")


def main() -> int:
    """Write deployment.yaml; the exit code."""
    try:
        DEPLOYMENT.write_text(deployment())
    except RenderError as error:
        print(f"make render: {error}", file=sys.stderr)
        return 1
    print(f"wrote {DEPLOYMENT.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
