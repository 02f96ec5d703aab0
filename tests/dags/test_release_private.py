"""A private repository: the token opens it, and is found nowhere afterwards."""

import base64
import json
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.dags.clones import Pull, Step, options, unpacked
from tests.dags.conftest import Done, Repository
from tests.dags.git_server import git_server
from tests.dags.ticket_server import TicketServer, ticket_server

TOKEN = "ghs_16C7e42F292c6912E7710c838347Ae178B4a"
BASIC = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
TICKET = "pft_" + "0123456789abcdef" * 4
SECRETS = (TOKEN, BASIC, TICKET)
GIVEN = (200, {"token": TOKEN, "expires_at": "2030-01-01T00:00:00Z"})

Clone = Callable[..., Done]


@pytest.fixture
def pull(repository: Repository) -> Pull:
    return Pull(repository)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "one" / "source.tar.gz"


@pytest.fixture
def bot() -> Iterator[TicketServer]:
    with ticket_server(GIVEN) as server:
        yield server


@pytest.fixture
def clone(step: Step, pull: Pull, archive: Path, bot: TicketServer) -> Clone:
    """Clone the repository at an address with a ticket, as Airflow would; no secret is ever printed."""

    def run(address: str, *more: str, **environment: str) -> Done:
        ticket = {
            "PREFLIGHT_TICKET": TICKET,
            "PREFLIGHT_TICKET_URL": bot.url,
            "PREFLIGHT_TICKET_DAG_RUN_ID": "run",
            "PREFLIGHT_TICKET_TASK_ID": "clone",
            "PREFLIGHT_TICKET_TRY": "1",
            "BUILD_ID": "17",
            "REPO_OWNER": "o",
            "REPO_NAME": "r",
        }
        command = (*options(f"{address}/o/r.git", pull, archive), *more)
        done = step("steps.release", *command, **(ticket | environment))
        said = done.output + (done.handed_on.read_text() if done.handed_on.exists() else "")
        assert not any(secret in said for secret in SECRETS), said
        assert done.left_behind == []
        return done

    return run


def test_the_token_opens_it(
    clone: Clone, bot: TicketServer, pull: Pull, archive: Path, repository: Repository
) -> None:
    with git_server(repository.bare.parents[1], token=TOKEN) as address:
        done = clone(address)
    assert done.exit_code == 0, done.output
    tree = unpacked(archive)
    assert repository.git("rev-parse", "HEAD^1", "HEAD^2", folder=tree).split() == [pull.base, pull.head]
    assert [asked["repository"] for asked in bot.asked] == ["o/r"]


def test_what_is_found_out_is_found_out_with_it(
    step: Step, bot: TicketServer, pull: Pull, archive: Path, repository: Repository
) -> None:
    with git_server(repository.bare.parents[1], token=TOKEN) as address:
        kind = ("clone", "pr", "--pr=7", f"--url={address}/o/r.git", f"--archive={archive}")
        done = step("steps.release", *kind, PREFLIGHT_TICKET=TICKET, PREFLIGHT_TICKET_URL=bot.url)
    assert done.exit_code == 0, done.output
    assert repository.git("rev-parse", "HEAD^2", folder=unpacked(archive)) == pull.head


def test_nothing_in_the_archive_tells_it(clone: Clone, archive: Path, repository: Repository) -> None:
    with git_server(repository.bare.parents[1], token=TOKEN) as address:
        clone(address)
    with tarfile.open(archive) as tar:
        labels = json.dumps(tar.pax_headers).encode()
        files = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        contents = {name: file.read() if file else b"" for name, file in files.items()}
    assert "./.git/config" in contents
    assert b"origin" in contents["./.git/config"]
    found = [
        name
        for name, content in {**contents, "labels": labels}.items()
        for secret in (*SECRETS, "xtraheader", "Authorization")
        if secret.encode() in content
    ]
    assert found == []


def test_no_other_program_is_given_it(
    clone: Clone, archive: Path, repository: Repository, tmp_path: Path
) -> None:
    """Only git's talks with the remote see the token; nothing sees the ticket; no argument is either."""
    real = subprocess.run(["which", "git"], check=True, capture_output=True, text=True).stdout.strip()
    spy = tmp_path / "spy" / "git"
    spy.parent.mkdir()
    spy.write_text(
        f'#!/bin/sh\n{{ echo "argv $*"; env; echo "end"; }} >> {tmp_path}/seen\nexec {real} "$@"\n'
    )
    spy.chmod(0o755)
    with git_server(repository.bare.parents[1], token=TOKEN) as address:
        done = clone(address, PATH=f"{spy.parent}:/usr/bin:/bin", GIT_TRACE="1", GIT_CURL_VERBOSE="1")
    assert done.exit_code == 0, done.output
    calls = (tmp_path / "seen").read_text().removesuffix("\nend\n").split("\nend\n")
    argvs = [call.partition("\n")[0] for call in calls]
    assert {argv.split()[1] for argv, call in zip(argvs, calls, strict=True) if BASIC in call} == {"fetch"}
    assert {"init", "config", "merge"} <= {argv.split()[1] for argv in argvs}
    assert not any(secret in argv for argv in argvs for secret in SECRETS)
    assert not any(TICKET in call or TOKEN in call for call in calls)


def test_an_archive_that_was_made_before_needs_no_token(
    clone: Clone, bot: TicketServer, repository: Repository
) -> None:
    with git_server(repository.bare.parents[1], token=TOKEN) as address:
        clone(address)
        done = clone(address)
    assert (done.exit_code, "Reusing" in done.output, len(bot.asked)) == (0, True, 1)


def test_a_dry_run_asks_for_no_token(clone: Clone, bot: TicketServer) -> None:
    done = clone("http://127.0.0.1:9", "--dryrun")
    assert (done.exit_code, f"exchanged for a token at {bot.url}" in done.output, bot.asked) == (0, True, [])


def test_a_redirect_to_another_host_gets_no_token(clone: Clone, repository: Repository) -> None:
    seen: list[str] = []
    with (
        git_server(repository.bare.parents[1], seen=seen) as elsewhere,
        git_server(repository.bare.parents[1], moved_to=elsewhere) as address,
    ):
        done = clone(address)
    assert (done.exit_code, "which a token must not follow" in done.output) == (1, True), done.output
    assert seen == []


def test_a_public_repository_that_was_renamed_is_followed(
    step: Step, pull: Pull, archive: Path, repository: Repository
) -> None:
    with (
        git_server(repository.bare.parents[1]) as elsewhere,
        git_server(repository.bare.parents[1], moved_to=elsewhere) as address,
    ):
        done = step("steps.release", *options(f"{address}/o/r.git", pull, archive))
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("status", [403, 500, 401])
def test_a_server_that_repeats_what_it_was_sent_tells_nobody(
    clone: Clone, repository: Repository, status: int
) -> None:
    seen: list[str] = []
    with git_server(repository.bare.parents[1], status=status, seen=seen) as address:
        done = clone(address)
    assert seen[0] == f"Basic {BASIC}"
    assert done.exit_code == (75 if status == 500 else 1)


def test_a_token_that_does_not_open_it_says_what_to_check(clone: Clone, repository: Repository) -> None:
    with git_server(repository.bare.parents[1], token="another") as address:
        done = clone(address)
    assert (done.exit_code, "is the GitHub App installed" in done.output) == (1, True), done.output


def test_without_a_ticket_it_says_what_to_do(
    step: Step, pull: Pull, archive: Path, repository: Repository
) -> None:
    with git_server(repository.bare.parents[1], token=TOKEN) as address:
        done = step("steps.release", *options(f"{address}/o/r.git", pull, archive))
    assert (done.exit_code, "the bot must be a GitHub App" in done.output) == (1, True), done.output


def test_the_bots_refusal_is_the_reason(clone: Clone, bot: TicketServer) -> None:
    bot.answers = [(403, {"error": "the run is not running"})]
    done = clone("http://127.0.0.1:9")
    assert done.exit_code == 1
    reason = "the bot gives no token for this repository: the run is not running"
    assert json.loads(done.handed_on.read_text()) == {"reason": reason}


def test_no_token_is_sent_without_encryption(clone: Clone, bot: TicketServer) -> None:
    done = clone("http://git.example")
    assert (done.exit_code, "over https only" in done.output, bot.asked) == (1, True, []), done.output
