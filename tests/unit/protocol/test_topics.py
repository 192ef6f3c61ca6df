"""Topics: what can be said, can be parsed back; nothing else is taken."""

from __future__ import annotations

import pytest

from protocol import FROM_NODE, TO_NODE, Kind, Topic, TopicError, parse_topic, topic


@pytest.mark.parametrize("kind", list(Kind))
def test_a_topic_reads_back_as_it_was_built(kind: Kind) -> None:
    assert parse_topic(topic("tram-than", "tg-0042", kind)) == Topic("tram-than", "tg-0042", kind)


def test_every_kind_flows_in_exactly_one_direction() -> None:
    assert sorted(FROM_NODE + TO_NODE) == sorted(Kind)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("ngonden/1/tram-than/tg-0042", "4 levels"),
        ("ngonden/2/tram-than/tg-0042/state", "does not start with"),
        ("ngonden/1/Tram Than/tg-0042/state", "bad commune name"),
        ("ngonden/1/tram-than/+/state", "bad node name"),
        ("ngonden/1/tram-than/" + "a" * 64 + "/state", "bad node name"),
        ("ngonden/1/tram-than/tg-0042/gossip", "unknown kind"),
    ],
)
def test_a_foreign_topic_is_refused_with_the_level_that_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(TopicError, match=complaint):
        parse_topic(text)


def test_a_name_that_could_not_be_parsed_back_is_not_built() -> None:
    with pytest.raises(TopicError, match="lower-case"):
        topic("tram-than", "TG_0042", Kind.STATE)
