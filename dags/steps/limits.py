"""How much of what a step left is kept, and how what is not is told."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from steps.folders import Entry

_MEGABYTE = 1024**2
_GIGABYTE = 1024**3


@dataclass(frozen=True)
class Limits:
    """What is kept of one step at most."""

    files: int = 1000
    total_bytes: int = _GIGABYTE
    file_bytes: int = 100 * _MEGABYTE

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Limits":
        """Read them from Airflow's environment; what is no number counts as not set."""
        names = {"files": "MAX_FILES", "total_bytes": "MAX_BYTES", "file_bytes": "MAX_FILE_BYTES"}
        given = {key: environ.get(f"PREFLIGHT_ARTIFACTS_{name}", "") for key, name in names.items()}
        return cls(**{key: int(text) for key, text in given.items() if text.isascii() and text.isdigit()})


@dataclass
class Dropped:
    """What is not kept, and why: how many, and how many bytes of files, for each reason."""

    counts: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    named: list[str] = field(default_factory=list)
    """The first of them, for the log."""

    def add(self, entry: Entry, why: str) -> None:
        """`entry` is not kept."""
        self.counts[why] += 1
        self.sizes[why] += entry.size
        if len(self.named) < 20:  # noqa: PLR2004 - enough for whoever looks into the log
            self.named.append(f"{entry.path or 'the rest'}: {why}")

    def __str__(self) -> str:
        """In words, such as "2 files, 240 MB: more than 100 MB each; 1 link"."""
        return "; ".join(
            f"{count} {'file' if count == 1 else 'files'}, {in_words(self.sizes[why])}: {why}"
            for why, count in self.counts.items()
        )


def choose(found: Iterable[Entry], first: Collection[str], limits: Limits) -> tuple[list[Entry], Dropped]:
    """Return what is kept, in the order of paths but `first` before all others, and what is not."""
    dropped = Dropped()
    files = []
    for entry in found:
        if entry.oddity:
            dropped.add(entry, entry.oddity)
        else:
            files.append(entry)
    kept: list[Entry] = []
    left = limits.total_bytes
    for entry in sorted(files, key=lambda entry: (entry.path not in first, entry.path)):
        if entry.size > limits.file_bytes:
            dropped.add(entry, f"more than {in_words(limits.file_bytes)} each")
        elif len(kept) >= limits.files:
            dropped.add(entry, f"more than {limits.files} files")
        elif entry.size > left:
            dropped.add(entry, f"more than {in_words(limits.total_bytes)} in all")
        else:
            left -= entry.size
            kept.append(entry)
    return kept, dropped


def in_words(size: int) -> str:
    """Return a size as people say it: 312 bytes, 4 kB, 1.5 GB."""
    if size >= _GIGABYTE:
        return f"{size / _GIGABYTE:.1f} GB".replace(".0 ", " ")
    if size >= _MEGABYTE:
        return f"{size / _MEGABYTE:.0f} MB"
    return f"{size / 1024:.0f} kB" if size >= 1024 else f"{size} bytes"  # noqa: PLR2004 - a kB
