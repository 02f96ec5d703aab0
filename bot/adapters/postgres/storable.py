"""Column types that take any text: PostgreSQL holds no NUL character, and UTF-8 no lone surrogate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine


class StorableText(TypeDecorator[str]):
    """Text without what can't be stored."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Clean it on its way in."""
        del dialect
        return None if value is None else storable(value)


class StorableJson(TypeDecorator[object]):
    """JSON, its keys too, without what can't be stored."""

    impl = JSONB
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> object:
        """Clean it on its way in."""
        del dialect
        return _clean(value)


class ExactJson(StorableJson):
    """JSON that comes back as it was: JSONB makes a whole number of 1e22."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[object]:
        """The column holds the text as it was written."""
        return dialect.type_descriptor(JSON())


def storable(text: str) -> str:
    """The text without NUL characters, and with a question mark for each lone surrogate."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _clean(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
