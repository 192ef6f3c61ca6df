"""What comes from the hub: confirmations, commands, and the configuration it wants in force."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal

import structlog

from edge.clock import Clock
from edge.config import NodeConfig
from edge.lamp.lighting import Lighting
from edge.lamp.schedule import Place, Schedule
from edge.link.command_book import (
    COMMAND_NOTE,
    MAINTENANCE_NOTE,
    OVERRIDE_NOTE,
    CommandBook,
    Now,
    Outcome,
    Pending,
    Verdict,
)
from edge.outbox.journal import FIRST_SEQ, Journal
from edge.sampling import Sampler
from edge.waiting import wait_for
from protocol import (
    SCHEMA_VERSION,
    Command,
    Config,
    DecodeError,
    Kind,
    PoleConfig,
    Receipt,
    Stored,
    decode,
    encode,
    unpack,
)

CONFIG_NOTE = "config"

CycleCamera = Callable[[str], Awaitable[str | None]]
"""Switches a camera (by its code) off and on; the answer is None once that is done, else why it is not."""


class Downlink:
    """Acts on the hub's messages. The lamp is switched at once; no disk is waited for here."""

    def __init__(
        self,
        config: NodeConfig,
        *,
        lighting: Lighting,
        sampler: Sampler,
        journal: Journal,
        clock: Clock,
        cycle_camera: CycleCamera,
        on_config: Callable[[Config], None],
    ) -> None:
        """`on_config` is told of a configuration that has come into force."""
        self._node = config.node
        self._lighting = lighting
        self._sampler = sampler
        self._journal = journal
        self._clock = clock
        self._cycle_camera = cycle_camera
        self._on_config = on_config
        self._config: Config | None = None
        self._refused: bytes | None = None
        self._book = CommandBook(
            {pole.code: {camera.code for camera in pole.cameras} for pole in config.poles},
            settle_s=config.lamp_settle_s,
            override_max_h=config.override_max_h,
        )
        self._cycling: set[asyncio.Task[None]] = set()
        self._book_changed = asyncio.Event()
        self._log = structlog.get_logger().bind(node=config.node)

    async def restore(self) -> None:
        """Take up what outlived the restart: configuration, overrides, commands under way."""
        notes = self._journal.outbox.notes
        standing = self._book.restore(
            await notes(COMMAND_NOTE),
            await notes(OVERRIDE_NOTE),
            await notes(MAINTENANCE_NOTE),
            self._now(),
        )
        for pole, override in standing.overrides.items():
            self._lighting.lights[pole].override = override
        for pole, maintenance in standing.maintenances.items():
            self._lighting.lights[pole].maintenance = maintenance
        for pole in standing.over:
            self._maintenance_over(pole)
        self._lighting.on_maintenance_over = self._maintenance_over
        self._lighting.step()
        saved = (await notes(CONFIG_NOTE)).get("")
        if saved is not None:
            with suppress(
                DecodeError
            ):  # one that an older agent saved and this one refuses will come again
                self._put_in_force(decode(Kind.CONFIG, saved, node=self._node))

    def receive(self, kind: Kind, payload: bytes) -> None:
        """Act on one message; what does not fit the contract is logged and left."""
        try:
            message = decode(kind, unpack(payload), node=self._node)
        except DecodeError as error:
            self._log.warning("message_refused", kind=kind.value, error=str(error)[:300])
            if kind is Kind.CONFIG:
                self._refuse_config(payload, str(error))
            return
        if isinstance(message, Stored):
            spans = [(stored.first, stored.last) for stored in message.ranges]
            self._journal.note_stored(message.epoch, spans)
            spans += [(aside.first, aside.last) for aside in message.set_aside]
            self._journal.confirmed(message.epoch, spans)
        elif isinstance(message, Command):
            self._take(message)
        elif isinstance(message, Config):
            self._configure(message, payload)

    async def follow_up(self) -> None:
        """Follow each accepted command to its last receipt, for ever: the lamp's effect is measured once it
        has settled, a camera is cycled.
        """
        try:
            while True:
                self._book_changed.clear()
                due_s = self._book.next_settled_s()
                now_s = self._clock.monotonic()
                await wait_for(self._book_changed, None if due_s is None else max(0.0, due_s - now_s))
                for pending in self._book.settled(self._clock.monotonic()):
                    await self._follow(pending)
        finally:
            for task in self._cycling:
                task.cancel()

    async def _follow(self, pending: Pending) -> None:
        light = self._lighting.lights[pending.pole]
        light.step()
        free_at_s = light.rests_until_s()
        if pending.camera is not None:
            # A camera's pause may be long; lamps are answered for meanwhile.
            task = asyncio.create_task(self._cycle(pending, pending.camera))
            self._cycling.add(task)
            task.add_done_callback(self._cycling.discard)
        elif free_at_s is not None and free_at_s > self._clock.monotonic():
            self._book.wait_until(pending, free_at_s)
        else:
            await self._report_effect(pending)

    async def _cycle(self, pending: Pending, camera: str) -> None:
        refusal: str | None
        try:
            if pending.interrupted:
                # Nobody knows whether its power went off; switching it twice helps no camera.
                refusal = "interrupted: the agent started anew"
            else:
                refusal = await self._cycle_camera(camera)
        except Exception as error:  # noqa: BLE001 - whatever a camera's driver throws, the command has its answer
            refusal = f"{type(error).__name__}: {error}"
        receipt = self._receipt(
            Verdict(pending.command, pending.pole, "rejected", refusal or ""),
            status="applied" if refusal is None else "rejected",
        )
        self._journal.post([receipt], notes=self._book.applied(pending))
        self._log.info("command_" + receipt.status, command=str(pending.command), camera=camera)

    def _take(self, command: Command) -> None:
        outcome = self._book.take(command, self._now())
        light = self._lighting.lights.get(command.pole)
        if light is not None and (outcome.lamp_changes or outcome.maintenance_changes):
            if outcome.lamp_changes:
                light.override = outcome.override
            else:
                self._maintain(command, outcome)
            light.step()
        for verdict in outcome.verdicts:
            self._log.info("command_" + verdict.status, command=str(verdict.command), pole=verdict.pole)
        if outcome.verdicts:
            self._journal.post([self._receipt(v) for v in outcome.verdicts], notes=outcome.notes)
        self._book_changed.set()

    def _maintain(self, command: Command, outcome: Outcome) -> None:
        light = self._lighting.lights[command.pole]
        was, light.maintenance = light.maintenance, outcome.maintenance
        if outcome.maintenance is not None:
            self._journal.later(
                "maintenance_mode",
                pole=command.pole,
                active=True,
                detail={"command": str(command.id), "until": outcome.maintenance.until_utc.isoformat()},
            )
        elif was is not None:
            self._journal.later(
                "maintenance_mode", pole=command.pole, active=False, detail={"ended_by": "command"}
            )

    def _maintenance_over(self, pole: str) -> None:
        self._journal.post(notes={MAINTENANCE_NOTE + pole: None})
        self._journal.later("maintenance_mode", pole=pole, active=False, detail={"ended_by": "time"})

    async def _report_effect(self, pending: Pending) -> None:
        meter = await self._sampler.measure(pending.pole)
        light = self._lighting.lights[pending.pole]
        fault = light.output_fault
        receipt = self._receipt(
            Verdict(pending.command, pending.pole, "rejected", fault or ""),
            status="applied" if fault is None else "rejected",
            level=light.reading().effect_level,
            power_w=None if meter is None else meter.power_w,
        )
        self._journal.post([receipt], notes=self._book.applied(pending))
        self._log.info("command_" + receipt.status, command=str(pending.command), pole=pending.pole)

    def _receipt(
        self,
        verdict: Verdict,
        *,
        status: Literal["applied", "rejected"] | None = None,
        level: float | None = None,
        power_w: float | None = None,
    ) -> Receipt:
        return Receipt(
            v=SCHEMA_VERSION,
            node=self._node,
            epoch=self._journal.outbox.epoch,
            seq=FIRST_SEQ,
            time=self._clock.now(),
            clock=self._journal.quality(),
            command=verdict.command,
            pole=verdict.pole,
            status=status or verdict.status,
            level=level,
            power_w=power_w,
            reason=verdict.reason[:200],
        )

    def _configure(self, config: Config, payload: bytes) -> None:
        current = 0 if self._config is None else self._config.version
        if config.version == current:
            return
        named = [pole.pole for pole in config.poles]
        unknown = sorted(set(named) - set(self._lighting.lights))
        twice = sorted({pole for pole in named if named.count(pole) > 1})
        if config.version < current:
            self._refuse_config(payload, f"version {config.version} is older than {current}")
        elif unknown:
            self._refuse_config(payload, f"pole {unknown[0]} is not served by this node")
        elif twice:
            self._refuse_config(payload, f"pole {twice[0]} stands twice")
        else:
            self._put_in_force(config)
            self._journal.post(notes={CONFIG_NOTE: encode(config)})

    def _put_in_force(self, config: Config) -> None:
        self._config = config
        # All of it is made before any of it is put in force: a lamp never runs on half a configuration.
        schedules = {
            pole.pole: _schedule(pole) for pole in config.poles if pole.pole in self._lighting.lights
        }
        for code, schedule in schedules.items():
            self._lighting.lights[code].schedule = schedule
        self._sampler.configure(config)
        self._on_config(config)

    def _refuse_config(self, payload: bytes, reason: str) -> None:
        # The message is retained: it comes again with every connection, but is reported once.
        if payload != self._refused:
            self._refused = payload
            self._log.warning("config_refused", reason=reason[:200])
            self._journal.later("config_refused", detail={"reason": reason[:200]})

    def _now(self) -> Now:
        return Now(self._clock.now(), self._clock.monotonic(), self._clock.synced())


def _schedule(pole: PoleConfig) -> Schedule:
    return Schedule(
        Place(pole.latitude, pole.longitude),
        pole.dusk_offset_min,
        pole.dawn_offset_min,
        tuple(pole.dimming),
        pole.motion_level,
        pole.motion_hold_s,
    )
