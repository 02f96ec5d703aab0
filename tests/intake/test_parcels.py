"""How a delivery travels in messages: what comes out is what went in, or nothing at all."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intake.parcels import (
    LARGEST_BODY,
    ORDERED_BYTES,
    PART_BYTES,
    REASON_CHARACTERS,
    Unreadable,
    cut,
    opened,
    pack,
    put_aside,
    read,
    rejected,
)
from bot.intake.signature import sign
from bot.models import Delivery, Message
from tests.examples import HOSTILE

if TYPE_CHECKING:
    from bot.intake.parcels import Parcel

SECRET = "a secret"
BODY = json.dumps({"repository": {"id": 42}, "pull_request": {"number": 12}}).encode()
LIMIT = 10_000_000


def delivery(body: bytes = BODY, lane: str = "42#12") -> Delivery:
    return Delivery("d-1", "pull_request", body, lane, sign(body, SECRET))


def large(size: int) -> bytes:
    """A body that nobody can compress."""
    letters = bytes(35 + byte % 57 for byte in range(256))  # none that JSON has to escape
    noise = random.Random(7).randbytes(size).translate(letters)  # noqa: S311 - no secret
    return b'{"repository": {"id": 42}, "noise": "%s"}' % noise


def message(parcel: Parcel, **changed: str) -> Message:
    return Message(parcel.data, {**parcel.attributes, **changed}, "ack")


def whole(parcels: tuple[Parcel, ...]) -> Delivery:
    pieces = [read(message(parcel)) for parcel in parcels]
    data = b"".join(piece.data for piece in sorted(pieces, key=lambda one: one.part))
    return opened(pieces[-1], data, (SECRET,))


class TestPack:
    @pytest.mark.parametrize(
        ("body", "parts"),
        [
            pytest.param(BODY, 1, id="small"),
            pytest.param(b'{"pad": "%s"}' % (b"x" * 500_000), 1, id="compressible"),
            pytest.param(b'{"pad": "%s"}' % (b"x" * 20_000_000), 1, id="large but compressible"),
            pytest.param(large(2_000_000), 1, id="incompressible"),
            pytest.param(large(20_000_000), 2, id="too large for one message"),
        ],
    )
    def test_is_read_back_as_it_was(self, body: bytes, parts: int) -> None:
        parcels = pack(delivery(body))
        assert len(parcels) == parts
        assert all(_size(parcel) < LIMIT for parcel in parcels)
        read_back = whole(tuple(reversed(parcels)))
        assert (read_back.id, read_back.event, read_back.body) == ("d-1", "pull_request", body)

    def test_costs_a_fraction(self) -> None:
        body = json.dumps([{"login": f"user-{number}", "id": number} for number in range(500)]).encode()
        (parcel,) = pack(delivery(body))
        assert len(parcel.data) < len(body) / 3

    def test_a_small_body_stays_readable(self) -> None:
        (parcel,) = pack(delivery())
        assert parcel.data == BODY
        assert parcel.attributes == {"id": "d-1", "event": "pull_request", "signature": sign(BODY, SECRET)}

    def test_of_one_lane_is_of_one_key(self) -> None:
        (parcel,) = pack(delivery(lane="42#12"))
        assert parcel.key == "42#12"

    def test_but_large_ones_are_not_held_to_the_speed_of_a_key(self) -> None:
        parcels = pack(delivery(large(2 * ORDERED_BYTES)))
        assert {parcel.key for parcel in parcels} == {""}

    @given(st.binary(max_size=5_000))
    def test_any_bytes_arrive(self, body: bytes) -> None:
        (parcel,) = pack(delivery(body))
        piece = read(message(parcel))
        data = gzip.decompress(piece.data) if piece.encoding else piece.data
        assert data == body


def _size(parcel: Parcel) -> int:
    return (
        len(parcel.data)
        + sum(len(name) + len(value) for name, value in parcel.attributes.items())
        + len(parcel.key)
    )


class TestRead:
    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            pytest.param({"id": ""}, "id and event are needed", id="no id"),
            pytest.param({"id": "a b"}, "id and event are needed", id="an id with a space"),
            pytest.param({"id": "x" * 201}, "id and event are needed", id="a long id"),
            pytest.param({"id": HOSTILE}, "id and event are needed", id="a hostile id"),
            pytest.param({"event": ""}, "id and event are needed", id="no event"),
            pytest.param({"event": "recheck"}, "GitHub sends no event", id="our own event"),
            pytest.param({"encoding": "br"}, "encoding is unknown", id="another encoding"),
            pytest.param({"part": "0"}, "numbered from 1", id="part zero"),
            pytest.param({"part": "2"}, "numbered from 1", id="a part too many"),
            pytest.param({"parts": "100000"}, "numbered from 1", id="too many parts"),
            pytest.param({"parts": "-1"}, "numbered from 1", id="a negative number"),
            pytest.param({"parts": "٢"}, "numbered from 1", id="another script's digit"),
            pytest.param({"parts": "2"}, "whole is needed", id="parts of nothing"),
        ],
    )
    def test_what_holds_no_delivery_is_said(self, changed: dict[str, str], reason: str) -> None:
        (parcel,) = pack(delivery())
        with pytest.raises(Unreadable, match=reason):
            read(message(parcel, **changed))

    @given(
        st.dictionaries(
            st.sampled_from(["id", "event", "signature", "encoding", "part", "parts", "whole", "more"]),
            st.text(max_size=20) | st.sampled_from(["1", "2", "gzip", "pull_request", "d"]),
        ),
        st.binary(max_size=50),
    )
    def test_nothing_unsigned_gets_in_whatever_it_says(self, attributes: dict[str, str], data: bytes) -> None:
        with pytest.raises(Unreadable):
            opened(read(Message(data, attributes, "ack")), data, (SECRET,))


class TestOpened:
    @pytest.mark.parametrize(
        ("data", "encoding", "reason"),
        [
            pytest.param(b"{}", "", "signature", id="another body"),
            pytest.param(b"not gzip", "gzip", "not gzip", id="no gzip"),
            pytest.param(gzip.compress(BODY)[:-4], "gzip", "not one whole", id="cut off"),
            pytest.param(gzip.compress(BODY) + b"more", "gzip", "not one whole", id="something behind"),
            pytest.param(gzip.compress(b"0" * (LARGEST_BODY + 1)), "gzip", "larger", id="a bomb"),
            pytest.param(gzip.compress(b"{}"), "gzip", "signature", id="another compressed body"),
        ],
    )
    def test_what_nobody_vouches_for_is_refused(self, data: bytes, encoding: str, reason: str) -> None:
        (parcel,) = pack(delivery())
        piece = replace(read(message(parcel)), encoding=encoding)
        with pytest.raises(Unreadable, match=reason):
            opened(piece, data, (SECRET,))

    def test_with_any_of_the_secrets(self) -> None:
        (parcel,) = pack(delivery())
        assert opened(read(message(parcel)), BODY, ("new", SECRET)).lane == "42#12"

    def test_not_without_the_secret(self) -> None:
        (parcel,) = pack(delivery())
        with pytest.raises(Unreadable, match="is the secret one of ours"):
            opened(read(message(parcel)), BODY, ("new",))

    def test_a_signed_body_must_be_an_object(self) -> None:
        (parcel,) = pack(delivery(b"[]"))
        with pytest.raises(Unreadable, match="not a JSON object"):
            opened(read(message(parcel)), b"[]", (SECRET,))

    def test_the_lane_is_made_of_the_body(self) -> None:
        """The ordering key is not signed."""
        (parcel,) = pack(delivery(lane="1#1"))
        assert opened(read(message(parcel)), BODY, (SECRET,)).lane == "42#12"


class TestPutAside:
    def test_can_be_published_again_as_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bot.intake.parcels.PART_BYTES", 1_000)
        body = large(2_000)
        parcels = pack(delivery(body))
        piece = read(message(parcels[1]))
        aside = put_aside(piece, b"".join(parcel.data for parcel in parcels), "the secret is gone")
        assert {parcel.attributes["reason"] for parcel in aside} == {"the secret is gone"}
        assert whole(aside).body == body

    def test_what_is_no_delivery_keeps_only_what_we_know(self) -> None:
        strange = {f"name-{number}": "x" * 1024 for number in range(98)} | {"id": "x", "event": "y z"}
        parcel = rejected(Message(b"0" * LIMIT, strange, "ack"), HOSTILE * 500)
        assert set(parcel.attributes) == {"id", "event", "reason"}
        assert len(parcel.data) == PART_BYTES
        assert _size(parcel) < LIMIT

    @given(st.text())
    def test_a_reason_fits_into_an_attribute(self, reason: str) -> None:
        assert len(cut(reason)) <= REASON_CHARACTERS
        assert len(cut(reason).encode()) <= 1024
