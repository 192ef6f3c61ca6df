"""The telemetry store in InfluxDB: written as line protocol, read as InfluxQL on `/query`.

`/query` is the one read path that 1.x, 2.x and 3 Core share. Writing goes to `/write` (1.x, and the
others without a token) or to `/api/v2/write` (2.x and 3 with a token). On 1.x databases are made at
the first write, where the rights suffice; `ngonden hub telemetry-setup` makes them on every version
and sets their retention.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from hub.telemetry.buckets import interval_ms, unix_ms
from hub.telemetry.influxdb.hours import FIELDS, Hours
from hub.telemetry.influxdb.server import (
    TIMEOUT_S,
    DatabaseMissingError,
    InfluxAddress,
    InfluxServer,
    RightsMissingError,
    identifier,
    quoted,
)
from hub.telemetry.line_protocol import POLE_SAMPLE, lines
from hub.telemetry.port import (
    Health,
    Point,
    PointsRefusedError,
    Series,
    StoreUnavailableError,
    Tally,
)
from hub.telemetry.retention import HOUR_MS

_FAULT_OF_A_POINT = re.compile(
    r"partial write|unable to parse|field type conflict|beyond retention|outside retention|dropped"
    r"|invalid (?:field|tag|number|boolean|timestamp)|exceeds",
    re.IGNORECASE,
)
_LOOK_FOR_HOURS_AGAIN_S = 600.0
_log = structlog.get_logger(__name__)


class InfluxStore:
    """See `hub.telemetry.port.TelemetryStore`. Connects when first used; nothing is asked before.

    `clock` gives Unix seconds; after `timeout_s` without an answer the server counts as unavailable.
    """

    def __init__(
        self,
        address: InfluxAddress,
        clock: Callable[[], float] = time.time,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._address = address
        self._server = InfluxServer(address, timeout_s)
        self._clock = clock
        self._hours = Hours(self._server, clock)
        self._hours_looked_s = 0.0
        self._setting_up = threading.Lock()
        self._write_path: str | None = None

    def write(self, batch_id: int, points: Sequence[Point]) -> None:
        """See TelemetryStore. A point is the same when pole and timestamp are, so writing again is
        harmless.
        """
        if not points:
            return
        path = self._set_up()
        self._mark_hours(points)
        body = "\n".join(lines(point) for point in points).encode()
        answer = self._server.write(path, self._address.database, body)
        if answer.status in (200, 204):
            self._hours.care()
            return
        told = f"batch {batch_id}: {answer.status} {answer.message}"
        if answer.status == 404:
            self._write_path = None  # the database was dropped: make it again at the next attempt
        refused = answer.status == 400 and _FAULT_OF_A_POINT.search(answer.message)
        # 413 says the same of a batch: what is too large together is fine in halves.
        if refused or answer.status in (413, 422):
            raise PointsRefusedError(told)
        raise StoreUnavailableError(told, answer.retry_after_s)

    def series(self, pole: str, start: datetime, end: datetime, max_points: int) -> Series:
        """See TelemetryStore. From hours where an interval holds 8 of them, else from samples."""
        width_ms = interval_ms(start, end, max_points)
        slots = None
        if width_ms >= 8 * HOUR_MS:
            width_ms = -(-width_ms // HOUR_MS) * HOUR_MS
            try:
                slots = self._hours.chart(pole, unix_ms(start), unix_ms(end), width_ms)
            except (DatabaseMissingError, RightsMissingError):
                slots = None
        if slots is not None:
            return _series(pole, start, end, [(slot.start_ms, slot.means()) for slot in slots])
        means = ", ".join(f'mean("{name}") AS "{name}"' for name in FIELDS)
        rows = self._server.query(
            # Identifiers are ours, the pole's code is quoted.
            f'SELECT {means} FROM "{POLE_SAMPLE}" WHERE "pole" = {quoted(pole)}'  # noqa: S608
            f" AND time >= {unix_ms(start)}ms AND time < {unix_ms(end)}ms"
            ' AND ("synced" = true OR "historical" = false)'
            f" GROUP BY time({width_ms}ms) fill(none)",
            self._address.database,
        )
        return _series(pole, start, end, [(row["time"], [row[name] for name in FIELDS]) for row in rows])

    def count(self, node: str, epoch: str) -> Tally:
        """See TelemetryStore."""
        where = f'WHERE "node" = {quoted(node)} AND "epoch" = {quoted(epoch)}'
        database = self._address.database
        rows = self._server.query(
            f'SELECT count("seq") AS points, max("seq") AS last FROM "{POLE_SAMPLE}" {where}',  # noqa: S608
            database,
        )
        if not rows:
            return Tally(0, 0, 0)
        distinct = self._server.query(
            f'SELECT count(distinct("seq")) AS distinct_seqs FROM "{POLE_SAMPLE}" {where}',  # noqa: S608
            database,
        )
        return Tally(int(rows[0]["points"]), int(distinct[0]["distinct_seqs"]), int(rows[0]["last"]))

    def health(self) -> Health:
        """See TelemetryStore."""
        try:
            version = self._server.version()
        except StoreUnavailableError as error:
            return Health(up=False, detail=str(error))
        return Health(up=True, detail=f"InfluxDB {version}, database {self._address.database}")

    def close(self) -> None:
        """See TelemetryStore."""
        self._server.close()

    def _set_up(self) -> str:
        with self._setting_up:
            if self._write_path is None:
                major = self._server.major()
                if major == 1:
                    for name in (self._address.database, self._address.hours_database):
                        self._make_database(name)
                self._write_path = "/api/v2/write" if major >= 2 and self._address.token else "/write"
                self._hours_looked_s = 0.0
            now_s = self._clock()
            if not self._hours.is_open and abs(now_s - self._hours_looked_s) >= _LOOK_FOR_HOURS_AGAIN_S:
                self._open_hours(self._write_path)
                self._hours_looked_s = now_s
            return self._write_path

    def _make_database(self, name: str) -> None:
        try:
            self._server.results("POST", {"q": f"CREATE DATABASE {identifier(name)}"})
        except RightsMissingError:
            # An administrator may have made it: the write will tell.
            return

    def _open_hours(self, path: str) -> None:
        try:
            self._hours.open(path)
        except (DatabaseMissingError, RightsMissingError) as error:
            _log.warning("telemetry_hours_missing", error=str(error), remedy="ngonden hub telemetry-setup")

    def _mark_hours(self, points: Sequence[Point]) -> None:
        try:
            self._hours.mark(points)
        except DatabaseMissingError as error:
            # It was dropped, and with it what hours said of themselves: samples go on alone until it is back.
            self._hours.shut()
            _log.warning("telemetry_hours_lost", error=str(error), remedy="ngonden hub telemetry-setup")


def _series(
    pole: str, start: datetime, end: datetime, rows: Sequence[tuple[float, Sequence[float | None]]]
) -> Series:
    columns: list[list[float | None]] = [
        list(column) for column in zip(*(means for _, means in rows), strict=True)
    ]
    power_w, voltage_v, level, camera_reachable = columns or ([], [], [], [])
    return Series(
        pole=pole,
        start=start,
        end=end,
        time=[at_ms / 1000 for at_ms, _ in rows],
        power_w=power_w,
        voltage_v=voltage_v,
        level=level,
        camera_reachable=camera_reachable,
    )
