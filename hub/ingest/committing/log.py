"""The rows of `telemetry_outbox`: what a transaction took in, for the telemetry store and for a restart.

Points that the slow lane made stand there as points, messages that the fast lane took as they came: turning
those into points is left to whoever reads them, so that the committing thread need not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select

from hub.ingest.judging.batch import Batch
from hub.ingest.judging.lean import LeanTelemetry, decode_lean
from hub.ingest.judging.samples import point_of
from hub.ingest.tables import telemetry_outbox
from hub.telemetry.port import Point

POINTS_PER_ROW = 5000
"""A row holds at most so many points or messages."""


class Logged(NamedTuple):
    """A message of the fast lane: its samples' count, its arrival in Unix milliseconds, and its bytes."""

    commune: str
    received_ms: int
    samples: int
    payload: bytes


class _Row(msgspec.Struct, frozen=True):
    points: list[Point]
    messages: list[Logged]


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE: Callable[[bytes], list[Point] | _Row] = msgspec.msgpack.Decoder(list[Point] | _Row).decode


def write_log(conn: Connection, batch: Batch) -> int:
    """Write what the batch took in; returns the id of the last row, 0 where there was nothing."""
    newest = 0
    for points, messages in _pieces(batch.points, batch.messages):
        count = len(points) + sum([one[2] for one in messages])
        payload = _ENCODE({"points": points, "messages": messages})
        done = conn.execute(
            insert(telemetry_outbox).values(
                created_at=batch.now, points=count, payload=payload, worker=batch.state.scope.worker
            )
        )
        newest = int(done.inserted_primary_key[0])  # type: ignore[index]
    return newest


def points_in(payload: bytes) -> list[Point]:
    """All points of a row."""
    row = _DECODE(payload)
    if isinstance(row, list):
        return row
    return row.points + [point for message in row.messages for point in _points(message)]


def messages_after(
    conn: Connection, checkpoint: int, worker: str = ""
) -> Iterator[tuple[int, str, int, LeanTelemetry]]:
    """What a worker's fast lane took after its checkpoint, in its order, as `restore` wants it."""
    query = select(telemetry_outbox.c.id, telemetry_outbox.c.payload).where(
        telemetry_outbox.c.id > checkpoint, telemetry_outbox.c.worker == worker
    )
    with conn.execute(query.order_by(telemetry_outbox.c.id).execution_options(yield_per=20)) as rows:
        for number, payload in rows:
            row = _DECODE(payload)
            for message in () if isinstance(row, list) else row.messages:
                yield number, message.commune, message.received_ms, decode_lean(message.payload)


def _points(message: Logged) -> Iterator[Point]:
    told = decode_lean(message.payload)
    for sample in told.samples:
        filed_ms = round(sample.time.timestamp() * 1000)
        yield point_of(
            told.node, message.commune, told.epoch, sample, filed_ms, message.received_ms, is_live=True
        )


def _pieces(
    points: Sequence[Point], messages: Sequence[tuple[str, int, int, bytes]]
) -> Iterator[tuple[Sequence[Point], Sequence[tuple[str, int, int, bytes]]]]:
    for start in range(0, max(len(points), len(messages)), POINTS_PER_ROW):
        stop = start + POINTS_PER_ROW
        yield points[start:stop], messages[start:stop]
