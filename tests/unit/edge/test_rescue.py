import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from edge.clock import MockClock
from edge.commands import run_command
from edge.config import LinkSettings
from edge.link.recovery import LinkFacts
from edge.link.rescue import REBOOTS_NOTE, Rescue
from edge.outbox.journal import Journal
from protocol.messages import Event
from tests.support.nodes import EVENING, NODE

MODEM = ["modem-reset", "--power"]
REBOOT = ["reboot"]


class FakeLink:
    """A link whose facts the test sets."""

    def __init__(self, now_s: float) -> None:
        self.facts = LinkFacts(connected=False, broker_at_s=now_s, hub_at_s=now_s)
        self.reconnects = 0

    def reconnect(self) -> None:
        self.reconnects += 1


class FakeCommands:
    """Notes what is run."""

    def __init__(self) -> None:
        self.ran: list[Sequence[str]] = []
        self.error: str | None = None

    async def __call__(self, argv: Sequence[str], within_s: float) -> str | None:
        self.ran.append(argv)
        return self.error


class Rig:
    def __init__(self, folder: Path, executor: ThreadPoolExecutor) -> None:
        self.clock = MockClock(EVENING)
        self.journal = Journal(folder, node=NODE, clock=self.clock, executor=executor)
        self.link = FakeLink(self.clock.monotonic())
        self.commands = FakeCommands()
        self.may_reboot = True
        self.settings = LinkSettings(
            modem_reset_command=MODEM, reboot_command=REBOOT, reboot_every_s=3600, reboot_after_s=3600
        )

    async def rescue(self) -> Rescue:
        rescue = Rescue(
            self.settings,
            self.link,
            journal=self.journal,
            clock=self.clock,
            random=Random(1),
            may_reboot=lambda: self.may_reboot,
            run=self.commands,
        )
        await rescue.restore()
        return rescue

    async def look_for(self, rescue: Rescue, seconds: float) -> None:
        for _ in range(int(seconds / 10)):
            await rescue.look()
            self.clock.advance(10)

    async def events(self) -> list[tuple[str, bool | None, str | int | float | bool | None]]:
        await self.journal.record()
        items = await self.journal.outbox.read("urgent", 0, 100)
        return [(e.kind, e.active, e.detail.get("cause")) for e in items if isinstance(e, Event)]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    with ThreadPoolExecutor(1) as executor:
        rig = Rig(tmp_path, executor)
        await rig.journal.open()
        yield rig
        await rig.journal.close()


async def test_the_ladder_is_climbed_told_and_sent_when_the_link_is_back(rig: Rig) -> None:
    rescue = await rig.rescue()
    await rig.look_for(rescue, 4000)
    assert rig.commands.ran == [MODEM, REBOOT]
    rig.link.facts.connected, rig.link.facts.hub_at_s = True, rig.clock.monotonic()
    await rescue.look()
    assert await rig.events() == [
        ("link_stalled", True, "broker_silent"),
        ("modem_reset", None, "broker_silent"),
        ("node_reboot", None, "broker_silent"),
        ("link_stalled", False, "broker_silent"),
    ]


async def test_a_restart_is_counted_on_disk_before_it_happens_until_the_hub_is_heard(rig: Rig) -> None:
    rescue = await rig.rescue()
    await rig.look_for(rescue, 4000)
    assert await rig.journal.outbox.notes(REBOOTS_NOTE) == {"": b"1"}
    again = await rig.rescue()
    rig.commands.ran.clear()
    await again.look()
    rig.link.facts.connected, rig.link.facts.hub_at_s = True, rig.clock.monotonic() + 1
    await again.look()
    await rig.journal.record()
    assert await rig.journal.outbox.notes(REBOOTS_NOTE) == {}


async def test_after_a_restart_that_did_not_help_the_next_waits_twice_as_long(rig: Rig) -> None:
    await rig.journal.record(notes={REBOOTS_NOTE: b"1"})
    rescue = await rig.rescue()
    await rig.look_for(rescue, 7200 - 1000 - 10)  # the mock's steady clock began at 1000
    assert REBOOT not in rig.commands.ran
    await rig.look_for(rescue, 100)
    assert rig.commands.ran.count(REBOOT) == 1


async def test_nobody_is_disturbed(rig: Rig) -> None:
    rig.may_reboot = False
    rescue = await rig.rescue()
    await rig.look_for(rescue, 20_000)
    assert REBOOT not in rig.commands.ran


async def test_a_hub_that_is_away_leads_to_a_new_connection_only(rig: Rig) -> None:
    rig.link.facts.connected, rig.link.facts.unconfirmed_since_s = True, rig.clock.monotonic()
    rescue = await rig.rescue()
    await rig.look_for(rescue, 1000)
    assert (rig.link.reconnects, rig.commands.ran) == (1, [])
    assert await rig.events() == [("link_stalled", True, "hub_silent")]


async def test_a_note_of_another_shape_is_no_reason_to_stop(rig: Rig) -> None:
    await rig.journal.record(notes={REBOOTS_NOTE: b"{"})
    await (await rig.rescue()).look()


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        (["true"], None),
        (["false"], "false: exit status 1"),
        (["/nowhere/modem-reset"], "/nowhere/modem-reset: No such file or directory"),
        (["sleep", "60"], "sleep: no end within 0.2 s"),
    ],
)
async def test_a_command_never_holds_up_the_agent(argv: list[str], error: str | None) -> None:
    async with asyncio.timeout(10):
        assert await run_command(argv, 2.0 if argv[0] != "sleep" else 0.2) == error
