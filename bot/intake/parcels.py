"""How a delivery travels in messages, and how it is read back from them, trusting nobody on the way.

Each message has the attributes `id`, `event` and `signature` (GitHub's own, over the raw body), `encoding`
("gzip" or none), and `part`, `parts` and `whole` (a digest of all parts): whoever may publish can write
any of them, so only what the signature vouches for is taken in.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import events
from bot.errors import MalformedPayload, PreflightError
from bot.events.lane import lane_of
from bot.intake.signature import verify
from bot.models import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.models import Message

# Pub/Sub takes 10,000,000 bytes a message, attributes included, of which 1,024 in each value, and 1 MB/s
# of each ordering key: https://cloud.google.com/pubsub/quotas
PART_BYTES = 9_000_000
ORDERED_BYTES = 1_000_000
REASON_CHARACTERS = 250
SMALL_BYTES = 1_000  # a request counts as so many at least: nothing is won by compressing
LARGEST_BODY = 25 * 1024 * 1024  # of GitHub's
MOST_PARTS = 4
GZIP_LEVEL = 1  # a payload of 10 KB becomes 2.0 KB in 0.02 ms; the highest level makes 1.6 KB in 0.06 ms
GZIP_FORMAT = 16 + zlib.MAX_WBITS
WORD = re.compile(r"[\x21-\x7e]{1,200}")
KEPT = ("id", "event", "signature", "encoding", "part", "parts", "whole")


class Unreadable(PreflightError):
    """A message that holds no delivery, or one that nobody vouches for."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message that is to be published."""

    data: bytes
    attributes: Mapping[str, str]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a message says it holds: a part of a delivery, mostly the only one. Nothing is verified yet."""

    id: str
    event: str
    signature: str
    encoding: str
    part: int
    parts: int
    whole: str
    data: bytes


def pack(delivery: Delivery, **more: str) -> tuple[Parcel, ...]:
    """The messages of a delivery; `more` attributes go with each.

    Those of one lane keep their order, but for large ones: Pub/Sub takes too little of an ordered key.
    """
    data, encoding = _squeezed(delivery.body)
    words = {
        "id": delivery.id,
        "event": delivery.event,
        "signature": delivery.signature,
        "encoding": encoding,
    }
    key = delivery.lane if len(data) <= ORDERED_BYTES else ""
    return _split(data, words | more, key)


def read(message: Message) -> Piece:
    """What the message says it holds; Unreadable if that can't be."""
    words = {name: message.attributes.get(name, "") for name in KEPT}
    if not WORD.fullmatch(words["id"]) or not WORD.fullmatch(words["event"]):
        raise Unreadable("the attributes id and event are needed")
    if events.is_ours(words["event"]):
        raise Unreadable(f"GitHub sends no event {words['event']!r}")
    if words["encoding"] not in ("", "gzip"):
        raise Unreadable("the attribute encoding is unknown: gzip, or none")
    parts = _count(words["parts"] or "1", MOST_PARTS)
    part = _count(words["part"] or "1", parts)
    if parts > 1 and not WORD.fullmatch(words["whole"]):
        raise Unreadable("the attribute whole is needed for parts")
    return Piece(
        words["id"],
        words["event"],
        words["signature"],
        words["encoding"],
        part,
        parts,
        words["whole"],
        message.data,
    )


def opened(piece: Piece, data: bytes, secrets: Iterable[str]) -> Delivery:
    """The delivery whose whole data this is; Unreadable unless one of the secrets vouches for its body."""
    body = _inflated(data) if piece.encoding else data
    if len(body) > LARGEST_BODY:
        raise Unreadable("the body is larger than GitHub's can be")
    if not verify(body, piece.signature, secrets):
        raise Unreadable("the signature is missing or wrong: is the secret one of ours?")
    try:
        lane = lane_of(events.load(body), piece.id)
    except MalformedPayload as error:
        raise Unreadable(str(error)) from None
    return Delivery(piece.id, piece.event, body, lane, piece.signature)


def put_aside(piece: Piece, data: bytes, reason: str) -> tuple[Parcel, ...]:
    """The messages of what is to be looked at, and perhaps to be published again, by a person."""
    words = {"id": piece.id, "event": piece.event, "signature": piece.signature, "encoding": piece.encoding}
    return _split(data, words | {"reason": cut(reason)}, "")


def rejected(message: Message, reason: str) -> Parcel:
    """Likewise of what is no delivery at all; of its attributes only those that we know."""
    kept = {name: message.attributes[name] for name in KEPT if name in message.attributes}
    return Parcel(message.data[:PART_BYTES], {**kept, "reason": cut(reason)})


def cut(reason: str) -> str:
    """As much of a reason as an attribute holds, whatever its characters."""
    shown = reason.encode(errors="replace").decode()
    return shown if len(shown) <= REASON_CHARACTERS else f"{shown[: REASON_CHARACTERS - 1]}…"


def _split(data: bytes, words: Mapping[str, str], key: str) -> tuple[Parcel, ...]:
    attributes = {name: word for name, word in words.items() if word}
    parts = [data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES)]
    if len(parts) <= 1:
        return (Parcel(data, attributes, key),)
    attributes |= {"parts": str(len(parts)), "whole": hashlib.sha256(data).hexdigest()[:32]}
    return tuple(
        Parcel(part, attributes | {"part": str(number)}, key) for number, part in enumerate(parts, start=1)
    )


def _count(text: str, most: int) -> int:
    if not re.fullmatch(r"[1-9][0-9]?", text) or int(text) > most:
        raise Unreadable(f"a part must be numbered from 1 to {most}")
    return int(text)


def _squeezed(body: bytes) -> tuple[bytes, str]:
    """The body compressed, if that makes it smaller; and how."""
    if len(body) <= SMALL_BYTES:
        return body, ""
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_FORMAT)
    data = packer.compress(body) + packer.flush()
    return (data, "gzip") if len(data) < len(body) else (body, "")


def _inflated(data: bytes) -> bytes:
    """The one gzip stream that `data` is; never more of it than a body may have, however much it holds."""
    unpacker = zlib.decompressobj(GZIP_FORMAT)
    try:
        body = unpacker.decompress(data, LARGEST_BODY + 1)
    except zlib.error as error:
        raise Unreadable(f"the data is not gzip: {error}") from None
    if len(body) <= LARGEST_BODY and (not unpacker.eof or unpacker.unused_data):
        raise Unreadable("the data is not one whole gzip stream")
    return body
