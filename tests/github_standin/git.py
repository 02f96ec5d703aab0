"""A real bare git repository on disk, driven by real git."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NOTHING = "0" * 40
"""The SHA that a push event gives for a branch that does not exist."""
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""The tree without files, which every repository has."""

SETTINGS = {
    "core.logAllRefUpdates": "false",
    "gc.auto": "0",
    "http.receivepack": "true",
    "receive.hideRefs": "refs/pull",
    "receive.autogc": "false",
    "uploadpack.allowAnySHA1InWant": "true",
    "uploadpack.allowReachableSHA1InWant": "true",
    "uploadpack.allowTipSHA1InWant": "true",
    "uploadpack.allowFilter": "true",
}
STATUS = {"A": "added", "C": "copied", "D": "removed", "M": "modified", "R": "renamed", "T": "changed"}
STATUS_OF_RENAMES = ("R", "C")


class GitError(Exception):
    """Git refused; the message is what it said."""


class MergeConflict(GitError):
    """Two commits can't be merged without a person."""


@dataclass(frozen=True)
class Commit:
    """One commit; dates are ISO 8601 in UTC."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: tuple[str, str, str]
    committer: tuple[str, str, str]
    message: str


@dataclass(frozen=True)
class ChangedFile:
    """One file of a difference."""

    status: str
    path: str
    previous: str | None
    blob: str | None
    additions: int
    deletions: int
    patch: str | None


@dataclass
class BareRepository:
    """A bare repository at `path`."""

    path: Path
    _commits: set[str] = field(default_factory=set, repr=False)
    """SHAs of commits that are known to be there."""
    _remembered: dict[tuple[str, ...], bytes | GitError] = field(default_factory=dict, repr=False)

    @classmethod
    def create(cls, path: Path, default_branch: str) -> BareRepository:
        """Make an empty repository."""
        _run(["git", "init", "--quiet", "--bare", f"--initial-branch={default_branch}", str(path)])
        repository = cls(path)
        repository._configure()
        return repository

    @classmethod
    def fork(cls, path: Path, parent: BareRepository) -> BareRepository:
        """Make a copy of a parent's branches, but not of its pull requests."""
        _run(["git", "clone", "--quiet", "--bare", str(parent.path), str(path)])
        fork = cls(path)
        fork._configure()
        return fork

    def _configure(self) -> None:
        with (self.path / "config").open("a") as config:
            for name, value in SETTINGS.items():
                section, key = name.split(".")
                config.write(f"[{section}]\n\t{key} = {value}\n")

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """What a git command printed; GitError when it failed."""
        return _run(["git", f"--git-dir={self.path}", *arguments], stdin).decode(errors="replace")

    def about(self, *arguments: str) -> bytes:
        """What git says about objects named by full SHAs: asked once, for that never changes."""
        if arguments not in self._remembered:
            try:
                self._remembered[arguments] = _run(["git", f"--git-dir={self.path}", *arguments])
            except GitError as error:
                self._remembered[arguments] = error
        answer = self._remembered[arguments]
        if isinstance(answer, GitError):
            raise answer
        return answer

    def refs(self) -> dict[str, str]:
        """Full name -> SHA of every branch and tag; that of an annotated tag is the tag's own."""
        form = "--format=%(objectname) %(refname)"
        lines = self.git("for-each-ref", form, "refs/heads/", "refs/tags/").splitlines()
        return {name: sha for sha, name in (line.split(" ", 1) for line in lines)}

    def commit_files(
        self,
        branch: str,
        files: Mapping[str, bytes | None],
        *,
        author: tuple[str, str],
        committer: tuple[str, str],
        message: str,
        parent: str | None,
        when: int,
    ) -> str:
        """Commit files on top of `parent`, let the branch point at it and return its SHA."""
        wrote, committed = (f"{name} <{email}> {when} +0000" for name, email in (author, committer))
        stream = [f"commit refs/heads/{branch}\nauthor {wrote}\ncommitter {committed}\n".encode()]
        stream.append(_blob(message.encode()))
        if parent:
            stream.append(f"from {parent}\n".encode())
        for path, content in files.items():
            if content is None:
                stream.append(f"D {_quoted(path)}\n".encode())
            else:
                stream.append(f"M 100644 inline {_quoted(path)}\n".encode() + _blob(content))
        self.git("fast-import", "--quiet", "--force", stdin=b"".join(stream))
        return self.resolve(f"refs/heads/{branch}") or NOTHING

    def set_ref(self, ref: str, sha: str | None) -> None:
        """Let a full ref point at a SHA, or delete it."""
        if sha is None:
            self.git("update-ref", "-d", ref)
        else:
            self.git("update-ref", ref, sha)

    def fetch(self, source: BareRepository, sha: str, ref: str) -> None:
        """Fetch one commit of another repository under a ref here."""
        self.git("fetch", "--quiet", "--no-tags", str(source.path), f"+{sha}:{ref}")

    def resolve(self, name: str) -> str | None:
        """The commit that a full ref or (abbreviated) SHA names, if any."""
        if name in self._commits:
            return name
        try:
            found = self.git("rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}")
        except GitError:
            return None
        if found.strip() == name:
            self._commits.add(name)
        return found.strip()

    def commit(self, sha: str) -> Commit:
        """One commit's metadata."""
        form = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
        shown = self.about("log", "-1", f"--format={form}", sha).decode(errors="replace")
        full, tree, parents, an, ae, ad, cn, ce, cd, message = shown.split("\0", 9)
        return Commit(full, tree, tuple(parents.split()), (an, ae, ad), (cn, ce, cd), message.rstrip("\n"))

    def between(self, base: str, head: str) -> list[str]:
        """Commits reachable from head and not from base (all, without one), oldest first."""
        span = f"{base}..{head}" if base else head
        return self.about("rev-list", "--reverse", span).decode().split()

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor, if there is one."""
        try:
            return self.about("merge-base", one, other).decode().strip()
        except GitError:
            return None

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether a push from `ancestor` to `descendant` is a fast-forward."""
        return self.merge_base(ancestor, descendant) == ancestor

    def merge(self, base: str, head: str, *, author: tuple[str, str], message: str, when: int) -> str:
        """Make a merge commit (pointed at by nothing) and return its SHA; MergeConflict when they clash."""
        tree = self.merged_tree(base, head)
        person = f"{author[0]} <{author[1]}> {when} +0000"
        lines = (
            f"tree {tree}\nparent {base}\nparent {head}\nauthor {person}\ncommitter {person}\n\n{message}\n"
        )
        return self.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=lines.encode()).strip()

    def merged_tree(self, base: str, head: str) -> str:
        """The tree of a merge; MergeConflict when the two clash."""
        try:
            return self.about("merge-tree", "--write-tree", "--no-messages", base, head).decode().split()[0]
        except GitError as error:
            raise MergeConflict(str(error)) from error

    def merges_cleanly(self, base: str, head: str) -> bool:
        """Whether two commits can be merged without a person."""
        try:
            self.merged_tree(base, head)
        except MergeConflict:
            return False
        return True

    def changes(self, base: str, head: str) -> list[ChangedFile]:
        """The files that differ between two commits, with patches."""
        span = ("-M", "-z", base, head)
        raw = self._text("diff", "--raw", "--no-abbrev", *span).split("\0")
        counts = self._text("diff", "--numstat", *span).split("\0")
        patches = self._text("diff", "-M", "--no-color", base, head).split("\ndiff --git ")
        files: list[ChangedFile] = []
        fields, numbers = iter(raw), iter(counts)
        for patch in patches:
            head_line = next(fields, "")
            if not head_line:
                break
            _, _, _, blob, status = head_line.split(" ")
            previous = next(fields) if status[0] in STATUS_OF_RENAMES else None
            path = next(fields)
            added, deleted, _ = next(numbers).split("\t")
            if previous is not None:
                next(numbers), next(numbers)
            hunks = patch.find("\n@@ ")
            files.append(
                ChangedFile(
                    status=STATUS[status[0]],
                    path=path,
                    previous=previous,
                    blob=blob if blob != NOTHING else None,
                    additions=0 if added == "-" else int(added),
                    deletions=0 if deleted == "-" else int(deleted),
                    patch=patch[hunks + 1 :].rstrip("\n") if hunks >= 0 else None,
                )
            )
        return files

    def entries(self, sha: str, path: str) -> list[tuple[str, str, str, str]]:
        """What a path is at a commit: (mode, type, sha, path) of the file, or of a folder's entries."""
        found = self._tree(sha, path)
        return self._tree(sha, f"{path}/") if path and found and found[0][1] == "tree" else found

    def _tree(self, sha: str, path: str) -> list[tuple[str, str, str, str]]:
        arguments = ["--", path] if path else []
        lines = self._text("--literal-pathspecs", "ls-tree", "-z", sha, *arguments).split("\0")
        return [_entry(line) for line in lines if line]

    def blob(self, sha: str) -> bytes:
        """A file's content by the SHA of its blob."""
        return self.about("cat-file", "blob", sha)

    def _text(self, *arguments: str) -> str:
        return self.about(*arguments).decode(errors="replace")


def _entry(line: str) -> tuple[str, str, str, str]:
    described, path = line.split("\t", 1)
    mode, kind, sha = described.split(" ")
    return mode, kind, sha, path


def _blob(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


def _quoted(path: str) -> str:
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _run(command: list[str], stdin: bytes = b"") -> bytes:
    done = subprocess.run(command, input=stdin, capture_output=True, check=False, env=environment())
    if done.returncode:
        raise GitError(done.stderr.decode(errors="replace").strip() or f"{command[2]} failed")
    return done.stdout


def environment() -> dict[str, str]:
    """What git may see: no settings of the person who runs the tests."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }
