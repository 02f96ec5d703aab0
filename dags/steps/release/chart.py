"""A Helm chart: packed from the source, pushed to an OCI repository.

https://helm.sh/docs/helm/helm_package/, https://helm.sh/docs/topics/registries/
"""

import re
import shutil
import tempfile
from pathlib import Path

from steps.errors import StepFailed
from steps.release.registries import sign_in
from steps.tools import Tools

_PUSHED = re.compile(r"^Pushed:\s*(\S+)", re.MULTILINE)


def package(tools: Tools, chart: Path, folder: Path, app_version: str) -> Path:
    """Pack `chart` into `folder`, whole or not at all; returns the file (in a dry run, the folder).

    Its version is the chart's own.

    Raises:
        StepFailed: helm packed nothing; and whatever `tools` raise.
    """
    argv = ("helm", "package", str(chart), f"--app-version={app_version}")
    if tools.dryrun:
        tools.run(*argv, f"--destination={folder}")
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".packing-", dir=folder) as fresh:
        tools.run(*argv, f"--destination={fresh}")
        packed = sorted(Path(fresh).glob("*.tgz"))
        if len(packed) != 1:
            raise StepFailed(f"helm package made {len(packed)} files of {chart.name}, not one")
        return packed[0].replace(folder / packed[0].name)


def push(tools: Tools, chart: Path, repository: str) -> str:
    """Push a packed chart to `oci://...`; returns what names it there.

    Raises:
        StepFailed: helm doesn't tell; and whatever `tools` raise.
    """
    sign_in(tools, "helm", repository)
    said = tools.run("helm", "push", str(chart), repository)
    if tools.dryrun:
        return repository
    found = _PUSHED.search(said)
    if found is None:
        raise StepFailed(f"helm pushed {chart.name}, but doesn't tell what names it")
    return f"oci://{found[1]}"


def keep(chart: Path, artifacts: Path) -> None:
    """Copy a packed chart to where people look for it."""
    artifacts.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(chart, artifacts / chart.name)
