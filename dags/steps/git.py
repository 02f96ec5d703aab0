"""git without anybody's configuration: no hooks, no credentials, no prompts, no protocols but http(s)."""

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from steps.environment import PROXIES, clean

_CONFIG = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "commit.gpgSign": "false",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "maintenance.auto": "false",
    "merge.conflictStyle": "merge",
    "rerere.enabled": "false",
    "submodule.recurse": "false",
}
_WHO = {"NAME": "Preflight", "EMAIL": "preflight@localhost"}
_REFUSED = re.compile(
    "couldn't find remote ref|not our ref|unadvertised object|no matching remote head|remote error: want",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"authentication failed|could not read (username|password)|returned error: 40[0134]"
    r"|repository .* not found|does not appear to be a git repository|transport .* not allowed",
    re.IGNORECASE,
)


class GitError(Exception):
    """A git command failed; the message is what git said."""


class RefusedError(GitError):
    """The remote doesn't have what was asked for, or doesn't give it by its SHA."""


class RemoteError(GitError):
    """The remote can't be reached now; it may later."""


class Git:
    """git in one folder. In a dry run it prints the commands and runs none."""

    def __init__(self, folder: Path, *, dryrun: bool = False) -> None:
        self.folder = folder
        self._dryrun = dryrun
        self._date = "@0 +0000"

    def date(self, seconds: int) -> None:
        """Date the commits that follow, so that a retry makes the same commit again."""
        self._date = f"@{seconds} +0000"

    def run(self, *args: str) -> str:
        """Run `git ARGS` and return what it prints.

        Raises:
            GitError: it failed.
        """
        if self._dryrun:
            print(shlex.join(["git", *args]))
            return ""
        done = subprocess.run(
            ["git", *args],
            cwd=self.folder,
            env=self.environment(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise GitError(_text(done.stderr) or f"git {args[0]} ended with exit code {done.returncode}")
        return os.fsdecode(done.stdout)

    def fetch(self, *args: str) -> None:
        """Run `git fetch ARGS`.

        Raises:
            RefusedError: the remote doesn't give what was asked for.
            RemoteError: it may do so later.
            GitError: it never will.
        """
        try:
            self.run("fetch", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", *args)
        except GitError as error:
            if _REFUSED.search(str(error)):
                raise RefusedError(str(error)) from None
            if _FINAL.search(str(error)):
                raise
            raise RemoteError(str(error)) from None

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment that git runs in: all of its configuration, and nobody's credentials."""
        dates = {f"GIT_{role}_DATE": self._date for role in ("AUTHOR", "COMMITTER")}
        who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _WHO.items()}
        config = {"GIT_CONFIG_COUNT": str(len(_CONFIG))}
        for number, (key, value) in enumerate(_CONFIG.items()):
            config |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        protocols = "http:https:file" if environ.get("STEPS_ALLOW_FILE") else "http:https"
        return {
            **clean(environ, inherit=PROXIES),
            **dates,
            **who,
            **config,
            "GIT_ALLOW_PROTOCOL": protocols,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "HOME": os.devnull,
            "LC_ALL": "C",
        }


def _text(output: bytes) -> str:
    """Return what git said, in one short line that holds no control character."""
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    said = "; ".join(lines[-4:])
    return re.sub(r"[\x00-\x1f\x7f]", " ", said)[:600]
