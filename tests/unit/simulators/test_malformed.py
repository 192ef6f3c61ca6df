"""The malformed messages are bad in exactly the way they claim to be."""

from __future__ import annotations

from datetime import UTC, datetime

from protocol import DecodeError, Kind, TimeVerdict, decode, judge_time, parse_topic, unpack
from simulators.traffic.malformed import REASONS, malformed

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def _judge(payload: bytes) -> str:
    """The first reason that the contract alone finds; the poles of a node are the registry's to know."""
    try:
        message = decode(Kind.TELEMETRY, unpack(payload), node="tg-0001")
    except DecodeError as error:
        return error.reason
    sample = message.samples[0]
    verdict = judge_time(sample.time, now=NOW, clock_synced=sample.clock == "synced", historical=False)
    if verdict is TimeVerdict.REFUSE:
        return "implausible_time"
    return "foreign_pole" if sample.pole != "TG-0001" else "nothing wrong"


def test_each_message_is_bad_for_the_reason_it_names() -> None:
    campaign = list(malformed(600, commune="tram-than", node="tg-0001", pole="TG-0001", now=NOW, seed=7))
    assert {bad.reason for bad in campaign} == set(REASONS)
    assert [_judge(bad.payload) for bad in campaign] == [bad.reason for bad in campaign]
    assert {parse_topic(bad.topic).node for bad in campaign} == {"tg-0001"}


def test_the_same_seed_gives_the_same_campaign() -> None:
    first, again = (
        list(malformed(100, commune="tram-than", node="tg-0001", pole="TG-0001", now=NOW, seed=3))
        for _ in range(2)
    )
    assert first == again


def test_the_costly_megabytes_are_bounded() -> None:
    campaign = malformed(
        240, commune="tram-than", node="tg-0001", pole="TG-0001", now=NOW, seed=1, megabytes_at_most=4
    )
    assert sum(len(bad.payload) > 1_000_000 for bad in campaign) == 4
