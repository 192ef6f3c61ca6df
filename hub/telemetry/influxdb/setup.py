"""Makes InfluxDB ready for telemetry, on each version with the means that it has; doing it again
changes nothing.

Two databases (buckets on 2.x): one for samples, `<name>-hours` for sums per hour, each with its
retention. On 2.x also the mapping by which InfluxQL finds a bucket. A retention is made longer
without asking, but never shorter: what a shorter one lets go of does not come back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from hub.telemetry.influxdb.server import Answer, InfluxServer, RightsMissingError, identifier
from hub.telemetry.port import StoreUnavailableError
from hub.telemetry.retention import Retention

_DAY_S = 86_400
_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNITS_S = (7 * _DAY_S, _DAY_S, 3600, 60, 1)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at: what came of it, in words."""

    subject: str
    outcome: Literal["made", "changed", "kept", "refused"]
    words: str


def set_up(server: InfluxServer, keep: Retention, *, shorten: bool) -> Iterator[Step]:
    """Make or adjust what is missing, telling each step; raises StoreUnavailableError where nobody
    answers.
    """
    major = server.major()
    wanted = ((server.address.database, keep.raw_days), (server.address.hours_database, keep.hour_days))
    one: Callable[..., Iterator[Step]] = {1: _on_1x, 2: _on_2x}.get(major, _on_3)
    for name, days in wanted:
        try:
            yield from one(server, name, days, shorten)
        except RightsMissingError as error:
            yield Step(name, "refused", f"the user or token lacks the rights: {error}")


def _on_1x(server: InfluxServer, name: str, days: int, shorten: bool) -> Iterator[Step]:
    database = identifier(name)
    names = [value[0] for value in _values(server.results("GET", {"q": "SHOW DATABASES"}))]
    if name not in names:
        made = f'CREATE DATABASE {database} WITH DURATION {days}d NAME "autogen"'
        server.results("POST", {"q": made})
        yield Step(name, "made", f"database, kept {days} days")
        return
    policies = _values(server.results("GET", {"q": f"SHOW RETENTION POLICIES ON {database}"}))
    policy = next((row for row in policies if row[-1] is True), None)
    if policy is None:
        yield Step(name, "refused", "the database has no default retention policy: make one")
        return
    step = _retention_step(name, _seconds(str(policy[1])), days, shorten)
    if step.outcome == "changed":
        change = f"ALTER RETENTION POLICY {identifier(str(policy[0]))} ON {database} DURATION {days}d"
        server.results("POST", {"q": change})
    yield step


def _on_2x(server: InfluxServer, name: str, days: int, shorten: bool) -> Iterator[Step]:
    org = server.address.org or ""
    rules = [{"type": "expire", "everySeconds": days * _DAY_S}]
    buckets = _ok(
        server.ask_json("GET", "/api/v2/buckets", {"name": name, "org": org}), missing_is_none=True
    )
    bucket = next(iter((buckets or {}).get("buckets", ())), None)
    if bucket is None:
        org_id = _org_id(server, org)
        if org_id is None:
            words = (
                f"the organisation {org!r} is unknown (?org= in the address), or the token may not read it"
            )
            yield Step(name, "refused", words)
            return
        body = {"orgID": org_id, "name": name, "retentionRules": rules}
        bucket = _ok(server.ask_json("POST", "/api/v2/buckets", {}, body))
        yield Step(name, "made", f"bucket, kept {days} days")
    else:
        held = next((rule["everySeconds"] for rule in bucket.get("retentionRules", ())), 0)
        step = _retention_step(name, held, days, shorten)
        if step.outcome == "changed":
            _ok(server.ask_json("PATCH", f"/api/v2/buckets/{bucket['id']}", {}, {"retentionRules": rules}))
        yield step
    yield _mapping(server, name, bucket)


def _org_id(server: InfluxServer, org: str) -> str | None:
    """The organisation's id; None where the token sees neither it nor any bucket of it."""
    orgs = _ok(server.ask_json("GET", "/api/v2/orgs", {"org": org}))["orgs"]
    if orgs:
        return str(orgs[0]["id"])
    # A token for buckets alone does not see the organisation, but any bucket that is there tells its id.
    found = _ok(server.ask_json("GET", "/api/v2/buckets", {"org": org}), missing_is_none=True)
    buckets = (found or {}).get("buckets", ())
    return str(buckets[0]["orgID"]) if buckets else None


def _mapping(server: InfluxServer, name: str, bucket: dict[str, Any]) -> Step:
    """InfluxQL finds a bucket by a mapping; newer 2.x have a virtual one under the bucket's own name."""
    subject = f"{name}: InfluxQL mapping"
    found = _ok(server.ask_json("GET", "/api/v2/dbrps", {"orgID": bucket["orgID"], "db": name}))
    for mapping in found.get("content") or ():
        if mapping["bucketID"] != bucket["id"]:
            return Step(subject, "refused", "the name is mapped to another bucket: `influx v1 dbrp update`")
        if mapping.get("default"):
            return Step(subject, "kept", "is there")
    body = {
        "orgID": bucket["orgID"],
        "bucketID": bucket["id"],
        "database": name,
        "retention_policy": "autogen",
        "default": True,
    }
    _ok(server.ask_json("POST", "/api/v2/dbrps", {}, body))
    return Step(subject, "made", "database and retention policy to bucket")


def _on_3(server: InfluxServer, name: str, days: int, shorten: bool) -> Iterator[Step]:  # noqa: ARG001
    """3 Core cannot change a retention once the database is made, nor does it tell it."""
    path = "/api/v3/configure/database"
    rows = _ok(server.ask_json("GET", path, {"format": "json"}))
    if any(row.get("iox::database") == name for row in rows):
        yield Step(name, "kept", "database is there; this version neither tells nor changes its retention")
        return
    answer = server.ask_json("POST", path, {}, {"db": name, "retention_period": f"{days}d"})
    if answer.status in (400, 422) and "retention" in answer.message.lower():
        _ok(server.ask_json("POST", path, {}, {"db": name}))
        yield Step(name, "made", "database, kept for ever: this version knows no retention per database")
        return
    _ok(answer)
    yield Step(name, "made", f"database, kept {days} days")


def _retention_step(name: str, held_s: int, days: int, shorten: bool) -> Step:
    """What to do about a retention of `held_s` seconds, 0 for ever, where `days` are wanted."""
    if held_s == days * _DAY_S:
        return Step(name, "kept", f"keeps {days} days")
    held = f"{held_s / _DAY_S:g} days" if held_s else "for ever"
    if held_s and held_s < days * _DAY_S:
        return Step(name, "changed", f"keeps {days} days instead of {held}")
    if shorten:
        return Step(name, "changed", f"keeps {days} days instead of {held}: what is older goes")
    return Step(name, "kept", f"keeps {held}; --shorten makes it {days} days and lets go of what is older")


def _ok(answer: Answer, *, missing_is_none: bool = False) -> Any:
    if answer.status in (200, 201, 204):
        return answer.json()
    if missing_is_none and answer.status == 404:
        return None
    if answer.status in (401, 403):
        raise RightsMissingError(f"{answer.status} {answer.message}")
    raise StoreUnavailableError(f"{answer.status} {answer.message}", answer.retry_after_s)


def _values(results: list[dict[str, Any]]) -> list[list[Any]]:
    return [
        row for result in results for series in result.get("series", ()) for row in series.get("values", ())
    ]


def _seconds(duration: str) -> int:
    """InfluxQL's own writing of a duration, such as `840h0m0s` or `0s`."""
    found = _DURATION.fullmatch(duration)
    if not found:
        raise StoreUnavailableError(f"a retention of {duration!r} is not understood")
    return sum(int(number) * unit for number, unit in zip(found.groups(), _UNITS_S, strict=True) if number)
