from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from edge.link.command_book import (
    COMMAND_NOTE,
    MAINTENANCE_NOTE,
    OVERRIDE_NOTE,
    CommandBook,
    Now,
    Outcome,
    Standing,
)
from protocol.messages import Command
from tests.support.nodes import NODE, POLE

START = datetime(2026, 3, 21, 12, 0, tzinfo=UTC)


def at(seconds: float = 0.0, *, synced: bool = True, wall: datetime | None = None) -> Now:
    return Now(wall or START + timedelta(seconds=seconds), 1000 + seconds, synced)


def override(
    *, issued_s: float = 0, minutes: float = 30, level: float = 1.0, pole: str = POLE, expires_s: float = 60
) -> Command:
    issued_at = START + timedelta(seconds=issued_s)
    return Command(
        v=1,
        id=uuid4(),
        node=NODE,
        pole=pole,
        action="lamp_override",
        level=level,
        until=issued_at + timedelta(minutes=minutes),
        issued_at=issued_at,
        expires_at=issued_at + timedelta(seconds=expires_s),
    )


def auto(*, issued_s: float = 0) -> Command:
    issued_at = START + timedelta(seconds=issued_s)
    return Command(
        v=1,
        id=uuid4(),
        node=NODE,
        pole=POLE,
        action="lamp_auto",
        issued_at=issued_at,
        expires_at=issued_at + timedelta(seconds=60),
    )


def book() -> CommandBook:
    return CommandBook({POLE: {"CAM-1"}}, settle_s=2, override_max_h=24)


def verdicts(outcome: Outcome) -> list[tuple[UUID, str]]:
    return [(verdict.command, verdict.status) for verdict in outcome.verdicts]


def kept(*outcomes: Outcome) -> dict[str, bytes]:
    notes: dict[str, bytes | None] = {}
    for outcome in outcomes:
        notes |= outcome.notes
    return {key: value for key, value in notes.items() if value is not None}


def under(prefix: str, notes: dict[str, bytes]) -> dict[str, bytes]:
    return {key.removeprefix(prefix): value for key, value in notes.items() if key.startswith(prefix)}


def restored(commands: CommandBook, notes: dict[str, bytes], now: Now) -> Standing:
    return commands.restore(
        under(COMMAND_NOTE, notes), under(OVERRIDE_NOTE, notes), under(MAINTENANCE_NOTE, notes), now
    )


def other(
    action: str, *, issued_s: float = 0, minutes: float | None = None, camera: str | None = None
) -> Command:
    issued_at = START + timedelta(seconds=issued_s)
    return Command(
        v=1,
        id=uuid4(),
        node=NODE,
        pole=POLE,
        action=action,  # type: ignore[arg-type]
        until=None if minutes is None else issued_at + timedelta(minutes=minutes),
        camera=camera,
        issued_at=issued_at,
        expires_at=issued_at + timedelta(seconds=60),
    )


def test_an_override_is_accepted_and_stands_until_its_end_on_both_clocks() -> None:
    command = override(level=0.5)
    outcome = book().take(command, at(10))
    assert verdicts(outcome) == [(command.id, "accepted")]
    assert outcome.lamp_changes
    assert outcome.override is not None
    assert outcome.override.level == 0.5
    assert outcome.override.until_utc == command.until
    assert outcome.override.ends_monotonic_s == 1000 + 30 * 60


def test_auto_takes_the_override_away() -> None:
    outcome = book().take(auto(), at(1))
    assert outcome.lamp_changes
    assert outcome.override is None
    assert outcome.notes[OVERRIDE_NOTE + POLE] is None


def test_the_effect_is_measured_once_the_lamp_has_settled() -> None:
    commands = book()
    command = override()
    commands.take(command, at(10))
    assert commands.next_settled_s() == 1012
    assert commands.settled(1011.9) == []
    settled = commands.settled(1012)
    assert [pending.command for pending in settled] == [command.id]
    assert commands.settled(1013) == []
    assert commands.next_settled_s() is None


def test_a_command_that_comes_twice_is_done_once() -> None:
    commands, command = book(), override()
    commands.take(command, at(1))
    assert commands.take(command, at(2)) == Outcome()


def test_a_command_that_is_too_late_is_expired() -> None:
    command = override(expires_s=60)
    outcome = book().take(command, at(60))
    assert verdicts(outcome) == [(command.id, "expired")]
    assert not outcome.lamp_changes


def test_without_a_clock_the_brokers_expiry_is_trusted_and_the_length_counts_from_arrival() -> None:
    command = override(minutes=30)
    outcome = book().take(command, at(0, synced=False, wall=datetime(1970, 1, 1, tzinfo=UTC)))
    assert verdicts(outcome) == [(command.id, "accepted")]
    assert outcome.override is not None
    assert outcome.override.ends_monotonic_s == 1000 + 30 * 60


def test_a_newer_command_supersedes_one_whose_lamp_has_not_settled() -> None:
    commands, old, new = book(), override(), auto(issued_s=1)
    commands.take(old, at(1))
    outcome = commands.take(new, at(2))
    assert verdicts(outcome) == [(old.id, "superseded"), (new.id, "accepted")]
    assert [pending.command for pending in commands.settled(1100)] == [new.id]


def test_an_applied_command_has_had_its_last_word() -> None:
    commands, old, new = book(), override(), auto(issued_s=10)
    commands.take(old, at(1))
    for pending in commands.settled(1003):
        commands.applied(pending)
    assert verdicts(commands.take(new, at(11))) == [(new.id, "accepted")]


def test_an_older_command_that_comes_late_is_superseded_itself() -> None:
    commands, old, new = book(), override(issued_s=0), auto(issued_s=5)
    commands.take(new, at(6))
    outcome = commands.take(old, at(7))
    assert verdicts(outcome) == [(old.id, "superseded")]
    assert not outcome.lamp_changes


@pytest.mark.parametrize(
    ("command", "when", "reason"),
    [
        (override(pole="TG-0999"), at(1), "unknown_pole"),
        (override(minutes=24 * 60 + 1), at(1), "override_too_long: at most 24 h"),
        (override(minutes=0.5), at(40), "until_passed"),
    ],
)
def test_what_makes_no_sense_is_rejected_with_a_reason(command: Command, when: Now, reason: str) -> None:
    outcome = book().take(command, when)
    assert verdicts(outcome) == [(command.id, "rejected")]
    assert outcome.verdicts[0].reason.startswith(reason)
    assert not outcome.lamp_changes


def test_after_a_restart_a_command_is_still_known_and_its_override_stands() -> None:
    command = override(minutes=30)
    notes = kept(book().take(command, at(1)))
    commands = book()
    override_ = restored(commands, notes, at(600)).overrides[POLE]
    assert override_.level == 1.0
    assert override_.ends_monotonic_s == 1000 + 30 * 60
    assert commands.take(command, at(601)) == Outcome()
    assert [pending.command for pending in commands.settled(1602)] == [command.id], (
        "its receipt is still due"
    )


def test_an_override_that_ended_while_the_node_was_down_is_not_taken_up() -> None:
    notes = kept(book().take(override(minutes=30), at(1)))
    assert restored(book(), notes, at(30 * 60)).overrides == {}


def test_an_override_is_dropped_when_the_clock_woke_before_it_was_given() -> None:
    notes = kept(book().take(override(), at(1)))
    woke = at(5, synced=False, wall=datetime(1970, 1, 1, tzinfo=UTC))
    assert restored(book(), notes, woke).overrides == {}


def test_notes_that_another_version_wrote_are_left_alone() -> None:
    standing = book().restore({str(uuid4()): b'{"a": 1}'}, {POLE: b"[]"}, {}, at(1))
    assert standing == Standing({}, {}, [])


def test_old_commands_are_forgotten() -> None:
    commands, old = book(), override()
    commands.take(old, at(1))
    for pending in commands.settled(1005):
        commands.applied(pending)
    days_s = 3 * 86_400.0
    outcome = commands.take(auto(issued_s=days_s), at(days_s + 1))
    assert outcome.notes[COMMAND_NOTE + str(old.id)] is None


def test_maintenance_begins_ends_and_is_kept_like_an_override() -> None:
    begin = other("maintenance_begin", minutes=60)
    outcome = book().take(begin, at(1))
    assert verdicts(outcome) == [(begin.id, "accepted")]
    assert outcome.maintenance_changes
    assert not outcome.lamp_changes
    assert outcome.maintenance is not None
    assert outcome.maintenance.ends_monotonic_s == 1000 + 3600
    standing = restored(book(), kept(outcome), at(600))
    assert standing.maintenances[POLE].ends_monotonic_s == 1000 + 3600
    assert standing.over == []
    ended = book().take(other("maintenance_end"), at(2))
    assert ended.maintenance_changes
    assert ended.maintenance is None
    assert ended.notes[MAINTENANCE_NOTE + POLE] is None


@pytest.mark.parametrize(
    "woke", [at(3601), at(5, synced=False, wall=datetime(1970, 1, 1, tzinfo=UTC))], ids=["late", "no clock"]
)
def test_a_maintenance_that_can_not_be_taken_up_is_over(woke: Now) -> None:
    notes = kept(book().take(other("maintenance_begin", minutes=60), at(1)))
    standing = restored(book(), notes, woke)
    assert standing.maintenances == {}
    assert standing.over == [POLE]


def test_maintenance_has_a_longest_time_too() -> None:
    outcome = book().take(other("maintenance_begin", minutes=24 * 60 + 1), at(1))
    assert outcome.verdicts[0].reason == "maintenance_too_long: at most 24 h"


def test_lamp_maintenance_and_camera_do_not_supersede_each_other() -> None:
    commands = book()
    wishes = [
        other("maintenance_begin", minutes=60, issued_s=3),
        override(issued_s=2),
        other("camera_cycle", camera="CAM-1", issued_s=1),
    ]
    taken = [verdicts(commands.take(wish, at(4))) for wish in wishes]
    assert taken == [[(wish.id, "accepted")] for wish in wishes]
    assert {pending.camera for pending in commands.settled(1100)} == {None, "CAM-1"}


def test_a_camera_is_cycled_without_waiting_for_the_lamp() -> None:
    commands = book()
    cycle = other("camera_cycle", camera="CAM-1")
    commands.take(cycle, at(5))
    assert [pending.camera for pending in commands.settled(1005)] == ["CAM-1"]


def test_a_camera_of_another_pole_is_rejected() -> None:
    outcome = book().take(other("camera_cycle", camera="CAM-9"), at(1))
    assert outcome.verdicts[0].reason.startswith("unknown_camera")


def test_a_camera_that_was_being_cycled_at_a_restart_is_not_cycled_twice() -> None:
    notes = kept(book().take(other("camera_cycle", camera="CAM-1"), at(1)))
    commands = book()
    restored(commands, notes, at(30))
    assert [pending.interrupted for pending in commands.settled(1100)] == [True]


def test_an_effect_that_is_held_back_is_measured_when_it_has_come() -> None:
    commands = book()
    commands.take(override(), at(0))
    (pending,) = commands.settled(1002)
    commands.wait_until(pending, 1015)
    assert commands.settled(1016.9) == []
    assert [late.command for late in commands.settled(1017)] == [pending.command]
