"""Many rows into one table by few statements, on SQLite and PostgreSQL.

SQLAlchemy's executemany runs one statement per row, and SQLite's driver lets go of the interpreter lock
at each: beside a busy MQTT thread that made a row ten times dearer. Here SQLite gets multi-row VALUES in
chunks of a few fixed sizes (so that its statement cache holds them), PostgreSQL one JSON parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    Table,
)

from hub.db import UtcDateTime

Value = str | int | float | bool | None
"""Times come as `utc_text`, JSON columns as JSON text."""

_CHUNKS = (512, 128, 32, 8, 1)


def utc_text(moment: datetime) -> str:
    """The moment as SQLAlchemy stores it on SQLite: naive UTC, space, always six decimals."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(" ", "microseconds")[:26]


class BulkWriter:
    """Writes rows of the given columns; with `key`, a row whose key exists is replaced.

    Columns in `adding` are then added to what stands there.
    """

    def __init__(
        self, table: Table, columns: Sequence[str], *, key: Sequence[str] = (), adding: Sequence[str] = ()
    ) -> None:
        if any(isinstance(table.c[name].type, LargeBinary) for name in columns):
            raise ValueError(f"{table.name}: binary columns do not travel as JSON")
        names = ", ".join(columns)
        self._head = f"INSERT INTO {table.name} ({names}) "
        self._width = len(columns)
        self._tail = ""
        if key:
            updates = ", ".join(
                f"{name} = {f'{table.name}.{name} + ' if name in adding else ''}excluded.{name}"
                for name in columns
                if name not in key
            )
            self._tail = f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {updates}"
        picks = ", ".join(_postgres_pick(table.c[name], index) for index, name in enumerate(columns))
        # Names come from our own Table objects, never from a message.
        self._postgres = f"{self._head}SELECT {picks} FROM jsonb_array_elements(%s::jsonb) AS e{self._tail}"  # noqa: S608

    def write(self, conn: Connection, rows: Sequence[Sequence[Value]]) -> None:
        """Write all rows; each has the columns' values in order. No key may come twice."""
        if not rows:
            return
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql(self._postgres, (msgspec.json.encode(rows).decode(),))
            return
        start = 0
        for chunk in _CHUNKS:
            while len(rows) - start >= chunk:
                values = tuple(chain.from_iterable(rows[start : start + chunk]))
                conn.exec_driver_sql(self._sqlite(chunk), values)
                start += chunk

    def _sqlite(self, count: int) -> str:
        one = "(" + ", ".join("?" * self._width) + ")"
        return f"{self._head}VALUES {', '.join([one] * count)}{self._tail}"


def _postgres_pick(column: Column[Any], index: int) -> str:
    text = f"(e->>{index})"
    kind = column.type
    if isinstance(kind, UtcDateTime):
        return f"({text} || '+00')::timestamptz"
    for type_, name in (
        (BigInteger, "bigint"),
        (Integer, "integer"),
        (Float, "double precision"),
        (Boolean, "boolean"),
        (JSON, "json"),
    ):
        if isinstance(kind, type_):
            return f"{text}::{name}"
    return text
