"""How PostgreSQL answers what an adapter asks: which rows it reads for that."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.adapters.postgres import Database


@dataclass
class Asked:
    """The queries that were sent, each as (SQL, parameters)."""

    database: Database
    queries: list[tuple[str, Any]] = field(default_factory=list)

    def plans(self) -> list[dict[str, Any]]:
        """All nodes of all queries' plans, as they run now."""
        nodes: list[dict[str, Any]] = []
        with self.database.begin() as connection:
            for sql, parameters in self.queries:
                explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters)
                nodes += _nodes(explained.scalar_one()[0]["Plan"])
        return nodes

    def rows_read(self) -> int:
        """How many rows of tables were looked at, those that were read for nothing too."""
        return sum(_rows(node) for node in self.plans() if "Relation Name" in node)

    def read_whole(self) -> list[str]:
        """The tables that were read from the first row to the last."""
        return [node["Relation Name"] for node in self.plans() if node["Node Type"] == "Seq Scan"]


@contextmanager
def asked(database: Database, *kinds: str) -> Iterator[Asked]:
    """What is sent to the database meanwhile. Statements of other `kinds`, such as UPDATE, run once more."""
    seen = Asked(database)

    def note(_: object, __: object, sql: str, parameters: object, *___: object) -> None:
        if sql.lstrip().startswith(("SELECT", "WITH", *kinds)):
            seen.queries.append((sql, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _rows(node: dict[str, Any]) -> int:
    per_loop: float = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    loops: int = node["Actual Loops"]
    return round(per_loop * loops)
