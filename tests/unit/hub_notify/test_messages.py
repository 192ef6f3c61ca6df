"""Texts of notices: every kind has words in both languages, every place in a sentence is filled."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.notify.messages import ITEMS_MOST, Writer
from hub.notify.model import Language, Message, Place
from hub.notify.wording import WORDS, known_kinds, likely
from tests.support.hub_world import NIGHT
from tests.support.notices import BASE_URL, view

PLACE = Place(
    commune="tram-than",
    commune_name="xã Trạm Thản",
    hamlets=frozenset({"Khu 3"}),
    groups=frozenset({"Tổ tự quản số 2"}),
    pole="TG-0042",
    at="Ngã ba xóm Đông",
    feeder="F2",
    poles=1,
)
VI, EN = Writer("vi", BASE_URL), Writer("en", BASE_URL)
NAMES = re.compile(r"\{(\w+)\}")


def test_every_kind_of_the_catalogue_has_words_in_both_languages() -> None:
    assert len(known_kinds()) >= 30
    for words in WORDS.values():
        assert known_kinds() <= set(words["kinds"])


def test_both_languages_say_the_same_things_with_the_same_places() -> None:
    vi, en = WORDS["vi"], WORDS["en"]
    assert list(vi["phrases"]) == list(en["phrases"])
    assert list(vi["kinds"]) == list(en["kinds"])
    for name, text in vi["phrases"].items():
        assert sorted(NAMES.findall(text)) == sorted(NAMES.findall(en["phrases"][name])), name


def test_vietnamese_is_written_with_its_marks() -> None:
    texts = [*WORDS["vi"]["kinds"].values(), *WORDS["vi"]["phrases"].values()]
    assert [text for text in texts if len(NAMES.sub("", text)) > 14 and text.isascii()] == []


def test_an_opening_says_what_where_since_when_what_is_likely_who_and_where_to_look() -> None:
    made = VI.opened(view(id=17), PLACE)
    assert made.subject == "Đèn không sáng: cột TG-0042"
    assert made.body.splitlines() == [
        "Đèn không sáng (Cần xử lý sớm)",
        "Nơi: TG-0042, Ngã ba xóm Đông, tuyến F2, Khu 3, xã Trạm Thản",
        "Từ: 01/03/2026 21:00",
        f"Có thể là: {likely('lamp_failure', 'vi')}",
        "Phụ trách: Tổ tự quản số 2",
        f"Xem và nhận việc: {BASE_URL}/incidents/17",
    ]


def test_the_same_in_english() -> None:
    made = EN.opened(view(id=17, severity="critical"), PLACE)
    assert made.subject == "Lamp does not light: pole TG-0042"
    assert "Lamp does not light (Critical)" in made.body
    assert "In charge: Tổ tự quản số 2" in made.body


def test_a_feeder_is_named_with_the_number_of_its_poles() -> None:
    feeder = view(originator_type="feeder", originator="F2", pole=None, kind="feeder_outage")
    where = replace(PLACE, pole="", at="", hamlets=frozenset("abcd"), poles=38, groups=frozenset())
    made = VI.opened(feeder, where)
    assert made.subject.endswith("tuyến F2")
    assert "38 cột bị ảnh hưởng" in made.body
    assert "chưa giao cho tổ nào" in made.body


def test_a_kind_of_a_newer_program_still_makes_a_message() -> None:
    made = VI.opened(view(kind="some_newer_kind", pole=None), Place(commune=""))
    assert "some_newer_kind" in made.subject
    assert likely("other", "vi") in made.body


@pytest.mark.parametrize(
    ("lasted", "text"),
    [
        (timedelta(minutes=5), "5 phút"),
        (timedelta(hours=3, minutes=20), "3 giờ 20 phút"),
        (timedelta(days=2, hours=4), "2 ngày 4 giờ"),
    ],
)
def test_an_end_says_how_long_it_lasted(lasted: timedelta, text: str) -> None:
    made = VI.closed(view(closed_at=NIGHT + lasted, closed_how="measured"), PLACE)
    assert f"kéo dài {text})" in made.body
    assert made.subject.startswith("Đã hết – ")


def test_a_person_who_closed_it_is_not_named() -> None:
    made = VI.closed(view(closed_at=NIGHT, closed_how="by_hand", closed_by="nguyen-van-a"), PLACE)
    assert "đã được người phụ trách đóng" in made.body
    assert "nguyen-van-a" not in made.body


def test_a_summary_names_the_worst_first_and_counts_the_rest() -> None:
    items = [(view(id=n, severity="minor"), PLACE) for n in range(30)]
    items.append((view(id=99, severity="critical", kind="supply_loss"), PLACE))
    made = VI.summary(items, closed=False)
    assert made.subject == "31 sự cố cùng lúc tại xã Trạm Thản"
    assert made.body.splitlines()[1].startswith("• Mất điện lưới")
    assert f"… và {31 - ITEMS_MOST} sự cố nữa" in made.body


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_place_in_a_sentence_stays_open(language: Language) -> None:
    writer, over = Writer(language, BASE_URL), view(closed_at=NIGHT, closed_how="measured")
    made: list[Message] = [
        writer.opened(view(), PLACE, escalated=True),
        writer.closed(over, PLACE),
        writer.summary([(over, PLACE)] * 25, closed=True),
        writer.summary([(over, PLACE)] * 25, closed=False),
        writer.digest([(view(), PLACE)], closed_lately=3, now=NIGHT),
        writer.digest([], closed_lately=1, now=NIGHT),
        writer.test("truc", by="admin"),
    ]
    assert [one for one in made if "{" in one.subject + one.body] == []
    assert all(one.fields["subject"] == one.subject for one in made)


def test_without_an_address_there_is_no_link() -> None:
    assert "http" not in Writer("vi", "").opened(view(), PLACE).body
