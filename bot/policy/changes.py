"""Changed files, so arranged that many patterns can be looked for in thousands of them at once.

A set of files is a number with a bit for each, and the files whose path has a certain name at a certain depth
are such a set. So a pattern is matched against all paths together, part by part.
"""

from __future__ import annotations

from functools import cached_property, reduce
from itertools import accumulate
from operator import or_
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.policy.configuration.globs import PathGlob
    from bot.policy.configuration.parts import Part

ENDS = 3  # so many characters at either end of a name tell at once that it can't fit


class Changes:
    """The files that a pull request or branch changes."""

    def __init__(self, paths: Iterable[str]) -> None:
        unique = dict.fromkeys(paths)
        self.all = (1 << len(unique)) - 1
        directories: dict[str, dict[str, int]] = {}
        for at, path in enumerate(unique):
            end = path.rfind("/") + 1
            directories.setdefault(path[:end], {})[path[end:]] = 1 << at
        levels: list[dict[str, int]] = []
        for directory, files in directories.items():
            names = directory.split("/")[:-1]
            while len(levels) <= len(names):
                levels.append({})
            inside = reduce(or_, files.values())
            for name, level in zip(names, levels, strict=False):
                level[name] = level.get(name, 0) | inside
            level = levels[len(names)]
            for name, file in files.items():
                level[name] = level.get(name, 0) | file
        self._levels = [_Level(files) for files in levels]
        self._found: dict[PathGlob, int] = {}

    def matching(self, globs: Iterable[PathGlob]) -> int:
        """The files that match the patterns: of those that match a file, the last one counts."""
        found = 0
        for glob in globs:
            if glob not in self._found:
                self._found[glob] = self._match(glob)
            found = found & ~self._found[glob] if glob.negative else found | self._found[glob]
        return found

    def _match(self, glob: PathGlob) -> int:
        """At each step, `reached[depth]` are the files of which that many names match the parts so far."""
        reached = [self.all]
        for part in (None, *glob.parts) if glob.floating else glob.parts:
            if part is None:
                rest = len(self._levels) - len(reached)
                reached = list(accumulate([*reached, *([0] * rest)], or_))
            else:
                reached = [0, *(self._step(depth, files, part) for depth, files in enumerate(reached))]
            if not any(reached):
                return 0
        found = 0
        for depth, files in enumerate(reached):
            found |= files & self._deeper(depth) if glob.inside else files
        return found

    def _step(self, depth: int, files: int, part: Part) -> int:
        return files & self._levels[depth].fitting(part) if files and depth < len(self._levels) else 0

    def _deeper(self, depth: int) -> int:
        """The files whose path has more than so many names."""
        return self._levels[depth].all if depth < len(self._levels) else 0


class _Level:
    """The names that stand at one depth of the paths, and the files that have them there."""

    def __init__(self, files: Mapping[str, int]) -> None:
        self.files = files
        self.known: dict[Part, int] = {}

    @cached_property
    def all(self) -> int:
        """The files that have a name here."""
        return reduce(or_, self.files.values())

    @cached_property
    def starts(self) -> frozenset[str]:
        """How names begin."""
        return frozenset(name[:ENDS] for name in self.files)

    @cached_property
    def ends(self) -> frozenset[str]:
        """How names end."""
        return frozenset(name[-ENDS:] for name in self.files)

    def fitting(self, part: Part) -> int:
        """The files with a name that fits."""
        if part.literal is not None:
            return self.files.get(part.literal, 0)
        if part not in self.known:
            self.known[part] = self._find(part)
        return self.known[part]

    def _find(self, part: Part) -> int:
        if len(part.head) >= ENDS and part.head[:ENDS] not in self.starts:
            return 0
        if len(part.tail) >= ENDS and part.tail[-ENDS:] not in self.ends:
            return 0
        return reduce(or_, (self.files[name] for name in filter(part.regex.fullmatch, self.files)), 0)
