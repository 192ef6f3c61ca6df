"""The hub's figures for Prometheus, read from the database at each scrape, for all its processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from hub.backup.age import Standing, look
from hub.backup.errors import RestoreError
from hub.backup.servers.archive import archive
from hub.incidents.reads import open_by_kind
from hub.ingest import reads as ingest
from hub.notify import reads as notices

LATENCY_BOUNDS_MS = tuple(2**n for n in range(2, 18))
"""4 ms to 131 s: powers of two, where the ingest's own buckets end too, so that these counts are exact."""

_NODE_STATUSES = ("online", "silent", "lost", "stopped")
_NOTICE_STATUSES = ("waiting", "sending", "sent", "failed", "dropped", "merged")


def registry_of(conn: Connection, now: datetime, *, backup_folder: Path | None) -> CollectorRegistry:
    """A registry with the figures as they are now; `backup_folder` is where `ngonden hub backup` writes to."""
    registry = CollectorRegistry()
    registry.register(HubCollector(conn, now, backup_folder))
    return registry


class HubCollector(Collector):
    """Reads everything through the capabilities' reads, on one connection."""

    def __init__(self, conn: Connection, now: datetime, backup_folder: Path | None) -> None:
        self._conn = conn
        self._backup_folder = backup_folder
        self._now = now

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: the figures are read once, when they are collected."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every figure."""
        yield from self._ingest()
        yield self._latency()
        yield from self._nodes_and_incidents()
        yield from self._notices()
        yield from self._backups()

    def _ingest(self) -> Iterator[Metric]:
        stats = ingest.stats(self._conn)
        for name, help_, value in (
            ("messages", "Messages taken from the broker.", stats["messages"]),
            ("samples_stored", "Samples stored.", stats["samples_stored"]),
            ("events_stored", "Events stored.", stats["events_stored"]),
            ("receipts_stored", "Receipts of commands stored.", stats["receipts_stored"]),
            ("duplicates", "Samples and events that were known already.", stats["duplicates"]),
            (
                "telemetry_points_written",
                "Points written to the telemetry store.",
                stats["telemetry"]["points_written"],
            ),
            (
                "telemetry_points_refused",
                "Points that the telemetry store refused.",
                stats["telemetry"]["points_refused"],
            ),
        ):
            yield CounterMetricFamily(f"ngonden_{name}", help_, value=value)
        rejects = CounterMetricFamily(
            "ngonden_rejects", "Messages set aside, by reason.", labels=["reason"]
        )
        for reason, count in sorted(stats["rejects"]["by_reason"].items()):
            rejects.add_metric([reason], count)
        yield rejects
        outbox = stats["outbox"]
        for name, help_, value in (
            ("outbox_batches", "Batches that wait for the telemetry store.", outbox["batches"]),
            ("outbox_points", "Points that wait for the telemetry store.", outbox["points"]),
            (
                "telemetry_store_up",
                "Whether the telemetry store took the last write.",
                stats["telemetry"]["store_up"],
            ),
            (
                "broker_connected",
                "Whether the ingest is connected to the broker.",
                stats["broker_connected"],
            ),
            (
                "database_disk_full",
                "Whether the ingest takes nothing in for want of room on its database's disk.",
                ingest.ingest_disk_full(self._conn),
            ),
        ):
            yield GaugeMetricFamily(f"ngonden_{name}", help_, value=float(value))
        yield self._age("ingest", "the ingest", ingest.ingest_seen_at(self._conn))

    def _latency(self) -> Metric:
        histogram = ingest.latency_histogram(self._conn)
        metric = HistogramMetricFamily(
            "ngonden_sample_latency_seconds",
            "From a live sample's time to its commit; the sum is right to within 4 %.",
        )
        buckets = [(str(bound / 1000), float(histogram.at_most(bound))) for bound in LATENCY_BOUNDS_MS]
        metric.add_metric([], [*buckets, ("+Inf", float(histogram.count))], histogram.total() / 1000)
        return metric

    def _nodes_and_incidents(self) -> Iterator[Metric]:
        counts = ingest.node_status_counts(self._conn)
        nodes = GaugeMetricFamily(
            "ngonden_nodes", "Nodes that were ever heard, by status.", labels=["status"]
        )
        for status in _NODE_STATUSES:
            nodes.add_metric([status], counts.get(status, 0))
        yield nodes
        incidents = GaugeMetricFamily(
            "ngonden_incidents_open", "Open incidents by kind and severity.", labels=["kind", "severity"]
        )
        for (kind, severity), count in sorted(open_by_kind(self._conn).items()):
            incidents.add_metric([kind, severity], count)
        yield incidents

    def _notices(self) -> Iterator[Metric]:
        counts = notices.delivery_counts(self._conn)
        family = GaugeMetricFamily(
            "ngonden_notices",
            "Messages to channels and webhooks by status, as far back as they are kept.",
            labels=["target", "status"],
        )
        for target in ("channel", "webhook"):
            for status in _NOTICE_STATUSES:
                family.add_metric([target, status], counts.get((target, status), 0))
        yield family
        yield GaugeMetricFamily(
            "ngonden_webhooks_switched_off",
            "Webhooks switched off because they failed too long.",
            value=notices.webhooks_disabled(self._conn),
        )
        found = notices.notifier(self._conn)
        yield self._age("notifier", "the notifier", None if found is None else found.seen_at)

    def _backups(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "ngonden_backup_age_seconds",
            "Seconds of each database that would be lost with the disk now, by each means of coming back; "
            "+Inf where it brings nothing back yet.",
            labels=["of", "by"],
        )
        shipped = archive(self._conn)
        try:
            found = look(self._backup_folder, shipped, None, self._now).standings
        except RestoreError:  # a manifest that can't be read brings nothing back
            found = look(None, shipped, None, self._now).standings
            found += [Standing("hub", "backup", None), Standing("telemetry", "backup", None)]
        for one in found:
            family.add_metric([one.of, one.by], one.age_s(self._now))
        yield family

    def _age(self, name: str, who: str, seen_at: datetime | None) -> Metric:
        """Seconds since a process was heard of; without a sample where it never was."""
        family = GaugeMetricFamily(
            f"ngonden_{name}_alive_age_seconds", f"Seconds since {who} was heard of."
        )
        if seen_at is not None:
            family.add_metric([], max(0.0, (self._now - seen_at).total_seconds()))
        return family
