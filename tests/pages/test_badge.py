"""`/badge/OWNER/REPO/PIPELINE.svg`: how a pipeline stands on a branch."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # our own pictures
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Outcome, Phase
from bot.pages.badges import COLOURS, LONGEST_NAME, label_for, width
from tests.examples import run
from tests.pages.showing import EVIL, PRIVATE, Member, Site, listed

PATH = "/badge/acme/widgets/unit.svg"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def site() -> Site:
    return Site()


def title(site: Site, path: str = PATH) -> str:
    response = site.get(path)
    assert response.status_code == 200
    assert response.mimetype == "image/svg+xml"
    root = ET.fromstring(response.data)  # noqa: S314 - our own picture
    texts = [found.text for found in root.iter(f"{SVG}text")]
    (named,) = [found.text or "" for found in root.iter(f"{SVG}title")]
    assert named == ": ".join(text or "" for text in texts)
    assert root.attrib["role"] == "img"
    return named


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (Outcome.SUCCESS, "passing"),
        (Outcome.FAILURE, "failing"),
        (Outcome.ERROR, "error"),
        (Outcome.CANCELLED, "cancelled"),
        (Outcome.TIMED_OUT, "timed out"),
    ],
)
def test_it_says_how_the_newest_finished_run_ended(site: Site, outcome: Outcome, word: str) -> None:
    site.store.add(listed(outcome=outcome))
    site.store.add(replace(run(), phase=Phase.ACTIVE))
    assert title(site) == f"unit: {word}"


def test_it_is_about_the_branch_that_is_named(site: Site) -> None:
    site.store.add(listed(base_ref="release/1", outcome=Outcome.FAILURE))
    site.store.add(listed(base_ref="main"))
    assert title(site) == "unit: passing"
    assert title(site, f"{PATH}?branch=main") == "unit: passing"
    assert title(site, f"{PATH}?branch=release/1") == "unit: failing"
    assert title(site, f"{PATH}?branch=other") == "unit: unknown"


def test_may_be_kept_for_a_minute_and_renewed_for_little(site: Site) -> None:
    site.store.add(listed())
    first = site.get(PATH)
    assert first.headers["Cache-Control"] == "public, max-age=60"
    again = site.get(PATH, If_None_Match=first.headers["ETag"])
    assert again.status_code == 304
    assert again.data == b""


def test_a_private_one_looks_like_one_that_is_not_there(site: Site) -> None:
    site.store.add(listed(repository=PRIVATE))
    private, missing = site.get("/badge/acme/secret/unit.svg"), site.get("/badge/acme/nothing/unit.svg")
    assert private.data == missing.data
    assert b"unknown" in private.data
    assert dict(private.headers) | {"Date": ""} == dict(missing.headers) | {"Date": ""}


def test_for_who_may_read_it_nobody_else_keeps_it() -> None:
    site = Site(gate=Member(frozenset({PRIVATE.id})))
    site.store.add(listed(repository=PRIVATE))
    response = site.get("/badge/acme/secret/unit.svg")
    assert b"passing" in response.data
    assert response.headers["Cache-Control"] == "no-store"


def test_without_a_database_it_is_unknown_for_now(site: Site) -> None:
    site.store.down = True
    response = site.get(PATH)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.mimetype == "image/svg+xml"
    assert b"unknown" in response.data


@pytest.mark.parametrize(
    "path",
    [
        "/badge/acme/widgets/%00.svg",
        f"/badge/{EVIL.replace('/', '')}/x/y.svg",
        f"{PATH}?branch=%00",
        "/badge/a/b/%FF.svg",
    ],
)
def test_odd_names_are_unknown(site: Site, path: str) -> None:
    assert title(site, path).endswith("unknown")


@pytest.mark.parametrize(
    "path", ["/badge/acme/widgets/unit", "/badge/acme/unit.svg", "/badge/acme/widgets/a/b.svg"]
)
def test_other_addresses_are_none(site: Site, path: str) -> None:
    assert site.get(path).status_code == 404


@given(st.text(alphabet=st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1))
def test_any_name_makes_a_picture_of_bounded_size(pipeline: str) -> None:
    label = label_for(pipeline)
    assert len(label) <= LONGEST_NAME
    assert 0 < width(label) < 500


def test_every_word_has_a_colour_that_white_can_be_read_on() -> None:
    assert all(_contrast_with_white(colour) >= 4.5 for colour in COLOURS.values())


def _contrast_with_white(colour: str) -> float:
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
