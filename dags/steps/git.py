"""git without anybody's configuration: no hooks, no prompts, no protocols but http(s), no credentials.

A private repository is the exception: git gets `Access` to it, for as long as it talks to the remote.
"""

import base64
import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from steps.environment import PROXIES, clean
from steps.errors import StepFailed, TryAgain

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
_DENIED = re.compile(
    r"authentication failed|could not read (username|password)|returned error: 40[134]"
    r"|repository .* not found",
    re.IGNORECASE,
)
_MOVED = re.compile(r"returned error: 30\d", re.IGNORECASE)
_FINAL = re.compile(
    r"returned error: 400|does not appear to be a git repository|transport .* not allowed", re.IGNORECASE
)


class GitError(StepFailed):
    """A git command failed; the message is what git said."""


class RefusedError(GitError):
    """The remote doesn't have what was asked for, or doesn't give it by its SHA."""


class DeniedError(GitError):
    """The remote shows the repository to nobody, or not to us."""


class MovedError(GitError):
    """The remote sends us elsewhere, where our token must not follow."""


class RemoteError(TryAgain):
    """The remote can't be reached now; it may later."""


@dataclass(frozen=True)
class Access:
    """What opens one private repository: sent to its own address, and never along with a redirect.

    GitHub takes a token as the password of `x-access-token`. git gets it as a header, by its environment:
    https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpextraHeader
    """

    url: str
    token: str = field(repr=False)

    def configuration(self) -> dict[str, str]:
        """Return git's settings for it. They are for the environment, never for a file or a command line."""
        header = f"Authorization: Basic {self._basic()}"
        return {f"http.{self.url}.extraHeader": header, "http.followRedirects": "false"}

    def struck_from(self, text: str) -> str:
        """Return `text` without the token: a remote may have repeated what it was sent."""
        return text.replace(self.token, "***").replace(self._basic(), "***")

    def _basic(self) -> str:
        return base64.b64encode(f"x-access-token:{self.token}".encode()).decode()


class Git:
    """git in one folder. In a dry run it prints the commands and runs none."""

    def __init__(self, folder: Path, *, dryrun: bool = False, access: Access | None = None) -> None:
        self.folder = folder
        self.dryrun = dryrun
        self._access = access
        self._date = "@0 +0000"

    def date(self, seconds: int) -> None:
        """Date the commits that follow, so that a retry makes the same commit again."""
        self._date = f"@{seconds} +0000"

    def run(self, *args: str) -> str:
        """Run `git ARGS` and return what it prints.

        Raises:
            GitError: it failed.
        """
        return self._run(args, {})

    def fetch(self, *args: str) -> None:
        """Run `git fetch ARGS`.

        Raises:
            RefusedError: the remote doesn't give what was asked for.
            DeniedError: it gives us nothing at all.
            MovedError: it is somewhere else.
            RemoteError: it may give it later.
            GitError: it never will.
        """
        self._talk("fetch", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", *args)

    def ask_remote(self, *args: str) -> str:
        """Run `git ls-remote ARGS` and return what it prints; raises what `fetch` raises."""
        return self._talk("ls-remote", *args)

    def _talk(self, *args: str) -> str:
        """Run a command that talks to the remote: only these see the token."""
        try:
            return self._run(args, self._access.configuration() if self._access else {})
        except GitError as error:
            said = str(error)
        if _REFUSED.search(said):
            raise RefusedError(said)
        if _DENIED.search(said):
            raise DeniedError(said)
        if self._access and _MOVED.search(said):
            raise MovedError(said)
        raise GitError(said) if _FINAL.search(said) else RemoteError(f"can't fetch: {said}")

    def _run(self, args: tuple[str, ...], configuration: Mapping[str, str]) -> str:
        if self.dryrun:
            print(shlex.join(["git", *args]))
            return ""
        done = subprocess.run(
            ["git", *args],
            cwd=self.folder,
            env=self.environment(os.environ, configuration),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace")
            said = _in_one_line(self._access.struck_from(said) if self._access else said)
            raise GitError(said or f"git {args[0]} ended with exit code {done.returncode}")
        return os.fsdecode(done.stdout)

    def environment(
        self, environ: Mapping[str, str], configuration: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Return the environment that git runs in: all of its configuration, and `configuration` besides."""
        dates = {f"GIT_{role}_DATE": self._date for role in ("AUTHOR", "COMMITTER")}
        who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _WHO.items()}
        settings = [*_CONFIG.items(), *(configuration or {}).items()]
        config = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (key, value) in enumerate(settings):
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


def _in_one_line(said: str) -> str:
    """Return what git said last, in one short line that holds no control character."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return re.sub(r"[\x00-\x1f\x7f]", " ", "; ".join(lines[-4:]))[:600]
