"""The source as it was cloned, unpacked; nothing that a stranger linked there leads out of it."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from steps.archive import labels_of, unpack
from steps.errors import StepFailed

_MOST_FILES = 20_000
_IGNORES = (".dockerignore", ".containerignore", ".gcloudignore")


@dataclass(frozen=True)
class Source:
    """A tree, and what it is a copy of."""

    folder: Path
    commit: str
    url: str

    @classmethod
    def unpacked(cls, archive: Path, folder: Path) -> "Source":
        """Unpack what `clone` packed.

        Raises:
            StepFailed: it is gone or broken, or `clone` didn't pack it.
        """
        folder.mkdir()
        unpack(archive, folder)
        labels = labels_of(archive)
        commit, url = labels.get("preflight.commit", ""), labels.get("preflight.url", "")
        if not commit:
            raise StepFailed(f"{archive} doesn't tell its commit: make it by `python -m steps.release clone`")
        return cls(folder, commit, url)

    @classmethod
    def foretold(cls, archive: Path) -> "Source":
        """Return what a dry run shows in its place."""
        labels = labels_of(archive)
        commit, url = labels.get("preflight.commit", "COMMIT"), labels.get("preflight.url", "URL")
        return cls(Path("SOURCE"), commit, url)

    def inside(self, path: str) -> Path:
        """Return a path below the tree.

        Raises:
            StepFailed: it isn't there, or leads out of it: by `..`, from the root, or through a link.
        """
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts:
            raise StepFailed(f"{path} must be a path below the repository's root")
        whole = self.folder / pure
        if self.folder.exists():  # in a dry run it doesn't
            if not whole.exists():
                raise StepFailed(f"there is no {path} in the source at {self.commit[:12]}")
            self._check(whole)
        return whole

    def context(self, path: str, dockerfile: Path) -> Path:
        """Return a folder below the tree that an image is built of; raises as `inside` does."""
        folder = self.inside(path)
        own = [Path(f"{dockerfile}{name}") for name in _IGNORES]
        for file in [*(folder / name for name in _IGNORES), *own]:
            if file.is_symlink():  # builders read these, and repeat what they don't understand
                self._check(file)
        return folder

    def chart(self, path: str) -> Path:
        """Return a chart's folder. helm packs what links in it lead to, wherever that is.

        Raises:
            StepFailed: a link in it leads out of the tree, or in circles; and whatever `inside` raises.
        """
        chart = self.inside(path)
        if self.folder.exists():
            self._follow(chart)
        return chart

    def _follow(self, start: Path) -> None:
        """Go where helm will: into what links lead to, once for each link."""
        waiting = [(start, frozenset({start.resolve()}))]
        seen = 0
        while waiting:
            folder, within = waiting.pop()
            for entry in folder.iterdir():
                seen += 1
                if seen > _MOST_FILES:
                    raise StepFailed(f"the chart has more than {_MOST_FILES} files, by its links")
                target = self._check(entry) if entry.is_symlink() else entry.resolve()
                if target in within or start.resolve().is_relative_to(target):
                    raise StepFailed(f"{entry.relative_to(self.folder)} is a link to a folder that holds it")
                if target.is_dir():
                    waiting.append((entry, within | {target}))

    def _check(self, path: Path) -> Path:
        try:
            target = path.resolve()
        except (RuntimeError, OSError) as error:  # a loop of links
            raise StepFailed(f"{path.relative_to(self.folder)} can't be followed: {error}") from None
        if not target.is_relative_to(self.folder.resolve()):
            raise StepFailed(f"{path.relative_to(self.folder)} is a link that leads out of the repository")
        return target
