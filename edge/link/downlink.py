"""What comes from the hub: confirmations, lamp commands, and the configuration it wants in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import structlog

from edge.clock import Clock
from edge.config import NodeConfig
from edge.lamp.lighting import Lighting, Place
from edge.link.command_book import COMMAND_NOTE, OVERRIDE_NOTE, CommandBook, Now, Pending, Verdict
from edge.outbox.journal import FIRST_SEQ, Journal
from edge.sampling import Sampler
from edge.waiting import wait_for
from protocol import (
    SCHEMA_VERSION,
    Command,
    Config,
    DecodeError,
    Kind,
    Receipt,
    Stored,
    decode,
    encode,
    unpack,
)

CONFIG_NOTE = "config"


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
        on_config: Callable[[Config], None],
    ) -> None:
        """`on_config` is told of a configuration that has come into force."""
        self._node = config.node
        self._lighting = lighting
        self._sampler = sampler
        self._journal = journal
        self._clock = clock
        self._on_config = on_config
        self._config: Config | None = None
        self._refused: bytes | None = None
        self._book = CommandBook(
            set(lighting.lights), settle_s=config.lamp_settle_s, override_max_h=config.override_max_h
        )
        self._book_changed = asyncio.Event()
        self._log = structlog.get_logger().bind(node=config.node)

    async def restore(self) -> None:
        """Take up what outlived the restart: configuration, overrides, commands under way."""
        notes = self._journal.outbox.notes
        overrides = self._book.restore(await notes(COMMAND_NOTE), await notes(OVERRIDE_NOTE), self._now())
        for pole, override in overrides.items():
            self._lighting.lights[pole].override = override
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
        """Measure each accepted command's effect once its lamp has settled, for ever."""
        while True:
            self._book_changed.clear()
            due_s = self._book.next_settled_s()
            now_s = self._clock.monotonic()
            await wait_for(self._book_changed, None if due_s is None else max(0.0, due_s - now_s))
            for pending in self._book.settled(self._clock.monotonic()):
                await self._report_effect(pending)

    def _take(self, command: Command) -> None:
        outcome = self._book.take(command, self._now())
        if outcome.lamp_changes:
            light = self._lighting.lights[command.pole]
            light.override = outcome.override
            light.step()
        for verdict in outcome.verdicts:
            self._log.info("command_" + verdict.status, command=str(verdict.command), pole=verdict.pole)
        if outcome.verdicts:
            self._journal.post([self._receipt(v) for v in outcome.verdicts], notes=outcome.notes)
        self._book_changed.set()

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
        unknown = sorted({pole.pole for pole in config.poles} - set(self._lighting.lights))
        if config.version < current:
            self._refuse_config(payload, f"version {config.version} is older than {current}")
        elif unknown:
            self._refuse_config(payload, f"pole {unknown[0]} is not served by this node")
        else:
            self._put_in_force(config)
            self._journal.post(notes={CONFIG_NOTE: encode(config)})

    def _put_in_force(self, config: Config) -> None:
        self._config = config
        self._sampler.set_interval(config.sample_interval_s)
        for pole in config.poles:
            light = self._lighting.lights.get(pole.pole)
            if light is not None:
                light.place = Place(pole.latitude, pole.longitude)
        self._on_config(config)

    def _refuse_config(self, payload: bytes, reason: str) -> None:
        # The message is retained: it comes again with every connection, but is reported once.
        if payload != self._refused:
            self._refused = payload
            self._log.warning("config_refused", reason=reason[:200])
            self._journal.later("config_refused", detail={"reason": reason[:200]})

    def _now(self) -> Now:
        return Now(self._clock.now(), self._clock.monotonic(), self._clock.synced())
