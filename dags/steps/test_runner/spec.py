"""Where a spec is read: a file here, or one of the packed source tree."""

import tarfile
from pathlib import Path, PurePosixPath

from steps.errors import StepFailed

_MAX_BYTES = 256 * 1024


def read_spec(spec: str, archive: Path | None) -> str:
    """Return the text of a spec; of one in `archive` the path is relative to the source tree.

    Raises:
        StepFailed: it is not there, or is no file of text, or too long.
    """
    content = _file(Path(spec)) if archive is None else _member(spec, archive)
    if len(content) > _MAX_BYTES:
        raise StepFailed(f"the spec {spec} is longer than {_MAX_BYTES // 1024} kB")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise StepFailed(f"the spec {spec} is no UTF-8 text") from None


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise StepFailed(f"the spec {path} can't be read: {error.strerror}") from None


def _member(spec: str, archive: Path) -> bytes:
    wanted = PurePosixPath(spec)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                if PurePosixPath(member.name) == wanted:
                    content = tar.extractfile(member) if member.isfile() else None
                    if content is None:
                        raise StepFailed(f"the spec {spec} is no file of the source tree")
                    return content.read(_MAX_BYTES + 1)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise StepFailed(f"the source tree {archive} can't be read: {error}") from None
    raise StepFailed(f"the source tree has no {spec}")
