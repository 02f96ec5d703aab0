"""YAML as plain values that JSON can hold, and the line of everything in them.

Read event by event, so that neither depth nor repetition costs more than the text itself: aliases, which make
a small file huge, and tags are refused. Keys are taken as they are written: `on` is no truth value there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import yaml

from bot.policy.configuration.problems import ConfigurationError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
LONGEST_NUMBER = 1000
MAX_BITS = 64
# What PyYAML's conversions of a value raise, beside its own errors.
UNREADABLE = (ValueError, LookupError, ArithmeticError, AttributeError, TypeError)
PLAIN_TAGS = frozenset({None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
TEXT_TAGS = frozenset({None, "!", "tag:yaml.org,2002:str"})


@dataclass(frozen=True, slots=True)
class Document:
    """A file's values. `lines` has the line of each key and list item, by the path that leads to it."""

    value: object
    lines: Mapping[tuple[str | int, ...], int]

    def line(self, path: tuple[str | int, ...]) -> int:
        """The line of what the path names, or of the nearest thing around it that is there."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


def read(content: bytes, source: str) -> Document:
    """The file's only document; ConfigurationError with the line of what is no plain YAML."""
    if len(content) > MAX_BYTES:
        raise ConfigurationError([Problem(1, f"the file is larger than {MAX_BYTES // 1024} kB", source)])
    try:
        return _read(content.decode())
    except _Refused as refused:
        raise ConfigurationError([Problem(refused.line, refused.text, source)]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([Problem(1, "the file is not UTF-8", source)]) from None
    except yaml.MarkedYAMLError as error:
        line = 1 if error.problem_mark is None else error.problem_mark.line + 1
        raise ConfigurationError(
            [Problem(line, f"not valid YAML: {error.problem or error.context}", source)]
        ) from None
    except yaml.YAMLError as error:
        text = str(error).splitlines()[0]
        raise ConfigurationError([Problem(1, f"not valid YAML: {text}", source)]) from None


class _Refused(Exception):
    """What is no plain YAML; never leaves this module."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line
        self.text = text


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is being read; `key` is the one that waits for its value."""

    value: list[object] | dict[str, object]
    path: tuple[str | int, ...]
    key: str | None = None


@dataclass(slots=True)
class _Builder:
    scalars: _Scalars
    root: object = None
    documents: int = 0
    frames: list[_Frame] = field(default_factory=list)
    lines: dict[tuple[str | int, ...], int] = field(default_factory=lambda: {(): 1})

    def take(self, event: yaml.Event) -> None:
        """Take the next event."""
        line = event.start_mark.line + 1 if event.start_mark else 1
        match event:
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise _Refused(line, "there is a second document: keep one, without ---")
            case yaml.AliasEvent():
                raise _Refused(line, "anchors and aliases are not supported: write it out")
            case yaml.ScalarEvent() if self._expects_key():
                self._take_key(event, line)
            case yaml.ScalarEvent():
                self._put(self.scalars.value(event, line), line)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event, line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.frames.pop()

    def _expects_key(self) -> bool:
        return bool(self.frames) and isinstance(self.frames[-1].value, dict) and self.frames[-1].key is None

    def _take_key(self, event: yaml.ScalarEvent, line: int) -> None:
        frame = self.frames[-1]
        if event.tag not in TEXT_TAGS:
            raise _Refused(line, f"the key {event.value!r} must be text, without a tag")
        if event.value in frame.value:
            first = self.lines[(*frame.path, event.value)]
            raise _Refused(line, f"{event.value!r} is there twice: first on line {first}")
        frame.key = event.value
        self.lines[(*frame.path, event.value)] = line

    def _open(self, event: yaml.CollectionStartEvent, line: int) -> None:
        if self._expects_key():
            raise _Refused(line, "a key must be text, not a list or mapping")
        if len(self.frames) >= MAX_DEPTH:
            raise _Refused(line, "nested too deeply")
        if event.tag not in PLAIN_TAGS:
            raise _Refused(line, f"the tag {event.tag!r} is not supported: leave it out")
        value: list[object] | dict[str, object] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.frames.append(_Frame(value, self._put(value, line)))

    def _put(self, value: object, line: int) -> tuple[str | int, ...]:
        """Put a value where the next one belongs; its path."""
        if not self.frames:
            self.root = value
            return ()
        frame = self.frames[-1]
        if isinstance(frame.value, list):
            path = (*frame.path, len(frame.value))
            frame.value.append(value)
            self.lines[path] = line
            return path
        key: Final = str(frame.key)
        frame.value[key] = value
        frame.key = None
        return (*frame.path, key)


class _Scalars:
    """Makes values of scalars, as YAML 1.1 reads them."""

    def __init__(self) -> None:
        self.loader = yaml.SafeLoader("")
        self.resolve: Callable[[type[yaml.Node], str, object], str] = self.loader.resolve

    def value(self, event: yaml.ScalarEvent, line: int) -> object:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag == "tag:yaml.org,2002:str":
            return event.value
        if len(event.value) > LONGEST_NUMBER:  # a number of many digits takes long to read
            raise _Refused(line, "can't be read: put it in quotes if it is text")
        construct = yaml.SafeLoader.yaml_constructors.get(tag)
        if construct is None:
            raise _Refused(line, f"the tag {tag!r} is not supported: leave it out")
        try:
            value = construct(self.loader, yaml.ScalarNode(tag, event.value))
        except yaml.YAMLError as error:
            raise _Refused(line, f"can't be read: {str(error).splitlines()[0]}") from None
        except UNREADABLE:
            raise _Refused(line, "can't be read: put it in quotes if it is text") from None
        too_large = isinstance(value, int) and value.bit_length() > MAX_BITS
        if too_large or (isinstance(value, float) and not math.isfinite(value)):
            raise _Refused(line, "JSON has no such number: put it in quotes if it is text")
        if value is None or isinstance(value, str | int | float | bool):
            return value
        return event.value  # a date or binary: JSON has neither, the text is what was meant


def _read(text: str) -> Document:
    builder = _Builder(_Scalars())
    # libyaml's parser where there is one: it is ten times as fast, and reads the same.
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        builder.take(event)
    return Document(builder.root, builder.lines)
