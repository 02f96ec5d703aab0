"""The pages that people follow links to: lists, logs, badges; and those of private repositories."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.stories.apps import OWNER
from tests.stories.pages import Browser
from tests.stories.pulls import DEVELOPER, STRANGER, checks, until_there, written
from tests.stories.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.apps import Installed
    from tests.stories.bots import Bot
    from tests.stories.conftest import MakeRepository

_RUN = re.compile(r"/runs/([0-9a-f]{32})\"")


def test_runs_are_listed_and_filtered(repository_with: MakeRepository, bot: Bot) -> None:
    repository = repository_with({"unit": checks(test="true"), "lint": checks(test="test -e src/well.py")})
    well = repository.opened(branch="well", files={"src/well.py": "\n"})
    ill = repository.opened(branch="ill")
    well.expect_status("preflight/unit", "success")
    ill.expect_status("preflight/lint", "failure")
    bot.rest()
    browser, name = Browser(bot), repository.full_name

    def found(**filters: str) -> int:
        page = browser.open("/", repository=name, **filters)
        assert page.status_code == 200
        return len(set(_RUN.findall(page.text)))

    assert found() == 4
    assert found(pull=str(well.number)) == 2
    assert found(pipeline="lint") == 2
    assert found(state="failure") == 1
    assert found(state="success", pull=f"#{ill.number}", author=f"@{DEVELOPER}") == 1
    assert found(author="nobody") == 0
    assert found(state="unfinished") == 0

    first = ill.head_sha
    ill.pushed(**{"src/well.py": "\n"})
    ill.expect_status("preflight/lint", "success")
    bot.rest()
    page = browser.open(f"/pr/{name}/{ill.number}")
    assert first[:12] in page.text
    assert page.text.index(ill.head_sha[:12]) < page.text.index(first[:12])
    assert len(set(_RUN.findall(page.text))) == 4
    assert browser.open(f"/pr/{name}/999").status_code == 404


def test_a_log_grows_while_its_step_runs(repository_with: MakeRepository, bot: Bot, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    test = f"echo first '<b>'; ( {until_there(gate)} ); echo second"
    repository = repository_with(
        {"unit": checks(test=test) | {"on": "push"}},
    )
    repository.push(DEVELOPER, {"src/more.py": "\n"})
    browser = Browser(bot)
    badge = f"/badge/{repository.full_name}/unit.svg"
    assert "unknown" in browser.open(badge).text
    status = repository.expect_status(repository.tip(), "preflight/unit", "pending")
    page = status.target_url or ""

    def log() -> str:
        links = re.findall(r'href="(/runs/[0-9a-f]{32}/log/[^"#?]+)"', browser.open(page).text)
        return next((text for link in links if "first &lt;b&gt;" in (text := browser.open(link).text)), "")

    running = until(log, "the step's first line", bot.told)
    assert "data-live" in running
    assert "second" not in running
    gate.touch()
    repository.expect_status(repository.tip(), "preflight/unit", "success")

    ended = log()
    assert "second" in ended
    assert "data-live" not in ended
    picture = browser.open(badge, branch="main")
    assert picture.headers["Content-Type"].startswith("image/svg+xml")
    assert "passing" in picture.text
    assert "unknown" in browser.open(badge, branch="other").text


def test_private_pages_are_for_who_may_read_the_repository(installed: Installed) -> None:
    repository = installed.repository(
        f"{OWNER}/secret", written({"unit": {"dag": "contract_failing"}}), private=True
    )
    pull = repository.opened()
    status = pull.expect_status("preflight/unit", "failure")
    assert status.target_url is not None
    installed.bot.rest()
    github, name = installed.github, repository.full_name
    outside, stranger, developer = (Browser(installed.bot) for _ in range(3))
    badge = f"/badge/{name}/unit.svg"

    for path in (status.target_url, f"/pr/{name}/{pull.number}"):
        hidden = outside.open(path)
        assert hidden.status_code == 404
        assert "Sign in with GitHub" in hidden.text
        assert "secret" not in hidden.text.replace(f"/pr/{name}", "")
    assert name not in outside.open("/").text
    assert outside.open("/runs/" + "0" * 32).text.count("Sign in with GitHub") == hidden.text.count(
        "Sign in with GitHub"
    )
    assert "failing" not in outside.open(badge).text

    refused = stranger.sign_in(stranger.open(status.target_url), github, STRANGER)
    assert refused.status_code == 404
    assert STRANGER in refused.text
    assert "this is try" not in refused.text
    assert name not in stranger.open("/").text

    shown = developer.sign_in(developer.open(status.target_url), github, DEVELOPER)
    assert shown.status_code == 200
    assert shown.url == status.target_url
    assert "this is try 2" in shown.text
    assert name in developer.open("/").text
    assert developer.open(f"/pr/{name}/{pull.number}").status_code == 200
    assert "no-store" in shown.headers["Cache-Control"] or "private" in shown.headers["Cache-Control"]
    developer.sign_out()
    assert developer.open(status.target_url).status_code == 404
