"""One node: its lamps first, then everything that tells of them.

The lamp loop stands alone. Whatever fails in the rest (disk, broker, a bug) is logged and begun anew
beside it; the road stays lit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import structlog

from edge.clock import Clock
from edge.config import NodeConfig
from edge.devices import Devices
from edge.inputs.watch import InputWatch
from edge.lamp.lighting import Lighting
from edge.outbox.journal import Journal
from edge.outbox.outbox_file import OutboxInUseError
from edge.restart import RUN_NOTE, run_note, start_cause
from edge.update.origin import Origin
from edge.version import AGENT_VERSION
from edge.waiting import put_down, wait_for
from protocol.messages import Config

if TYPE_CHECKING:
    from edge.camera.eye import LookAt
    from edge.camera.watch import CameraWatch
    from edge.link.pace import Pace
    from edge.link.uplink import Uplink, Wire
    from edge.sampling import Sampler
    from edge.update.part import UpdatePart

Piece = Callable[[], Coroutine[Any, Any, None]]
"""Something that runs for ever, beside others."""

CONTROL_EVERY_S = 1.0
BEGIN_ANEW_AFTER_S = 5.0
GOODBYE_WITHIN_S = 6.0
"""Longer than a goodbye takes on a link that lives; a dead one is left."""


class Agent:
    """`await Agent(config, devices, clock).run(stop)` until `stop` is set.

    Several hundred may share one event loop; give them one `executor` for their SQLite work (without one,
    an agent makes its own single thread). `random` spreads reconnects and sampling ticks. `lighting` is
    given where the lamps are under control already, `origin` where this agent may be updated. `on_turn` is
    called after each turn of the lamp loop with the seconds it took; `service_result` is systemd's word on how
    the last process ended. A simulator gives a `wire` and a `look_at` of its
    own. The devices stay the caller's to close.
    """

    def __init__(
        self,
        config: NodeConfig,
        devices: Devices,
        clock: Clock,
        *,
        executor: Executor | None = None,
        random: Random | None = None,
        lighting: Lighting | None = None,
        origin: Origin | None = None,
        on_turn: Callable[[float], None] | None = None,
        service_result: str | None = None,
        wire: Wire | None = None,
        look_at: LookAt | None = None,
    ) -> None:
        self._config = config
        self._devices = devices
        self._clock = clock
        self._executor = executor
        self._origin = origin
        self.begins_anew = False
        """After `run`: whether another release is to run in this one's place."""
        self._random = random or Random()  # noqa: S311 - spreads load, guards nothing
        self._lighting = lighting or Lighting(config, devices.poles, clock)
        self._inputs = InputWatch(config, devices, clock)
        self._on_turn = on_turn
        self._service_result = service_result
        self._wire = wire
        self._look_at = look_at
        self._reset_told = False
        self._journal: Journal | None = None
        self._log = structlog.get_logger().bind(node=config.node)

    async def run(self, stop: asyncio.Event) -> None:
        """Light the poles until `stop` is set; returns after a clean goodbye to the broker.

        Raises OutboxInUseError when another agent holds this node's data_dir.
        """
        self._lighting.step(self._on_lamp)
        own_executor = None if self._executor else ThreadPoolExecutor(1, "outbox")
        executor = self._executor or own_executor
        assert executor is not None
        control = asyncio.create_task(self._control(stop))
        watching = asyncio.create_task(self._again_and_again(lambda: self._inputs.run(stop), stop))
        telling = asyncio.create_task(self._again_and_again(lambda: self._tell(stop, executor), stop))
        tasks = (control, watching, telling)
        try:
            await asyncio.gather(*tasks)
        finally:
            await put_down(tasks)
            if own_executor is not None:
                own_executor.shutdown()

    async def _control(self, stop: asyncio.Event) -> None:
        while not await wait_for(stop, CONTROL_EVERY_S):
            began_s = self._clock.monotonic()
            self._lighting.step(self._on_lamp)
            if self._on_turn is not None:
                self._on_turn(self._clock.monotonic() - began_s)

    def _on_lamp(self, what: str, pole: str, detail: str) -> None:
        lost = what == "lamp_output_lost"
        with suppress(OSError):  # a log on a full disk must not end the lamp loop
            (self._log.error if lost else self._log.info)(what, pole=pole, error=detail)
        if self._journal is not None:
            self._journal.later(what, pole=pole, detail={"error": detail[:200]})

    async def _again_and_again(self, work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await work()
            except OutboxInUseError:
                raise
            except Exception:  # noqa: BLE001 - see below
                # Whatever broke here, the lamps are still lit by `_control`; a restart of the process
                # would put them out for a moment and most likely end at the same place.
                with suppress(OSError):
                    self._log.exception("begin_anew")
                await wait_for(stop, BEGIN_ANEW_AFTER_S)

    async def _tell(self, stop: asyncio.Event, executor: Executor) -> None:
        """Everything but the lamps: open the outbox, sample, send, obey, until `stop` or a failure."""
        # aiomqtt and TLS cost a good part of the agent's start; the lamps are under control before.
        from edge.inputs.telling import tell_into
        from edge.link import broker_link
        from edge.link.downlink import Downlink
        from edge.link.pace import Pace
        from edge.link.uplink import Uplink, Vitals

        config, clock = self._config, self._clock
        pace = Pace.of(config.link)
        self._journal = journal = await self._open_journal(executor, pace)
        vitals = Vitals(AGENT_VERSION, config.heartbeat_s, 0, [pole.code for pole in config.poles])
        cameras = self._cameras(journal, faults=lambda pole: sampler.faults(pole))
        sampler = self._sampler(journal, cameras)
        update = self._update_part(journal, stop)

        def on_config(wanted: Config) -> None:
            vitals.heartbeat_s, vitals.config_version = wanted.heartbeat_s, wanted.version
            if update is not None:
                update.wants(wanted.agent)
            if wanted.report_interval_s is not None:
                pace.report_interval_s = wanted.report_interval_s
            uplink.tell_state()

        downlink = Downlink(
            config,
            lighting=self._lighting,
            sampler=sampler,
            journal=journal,
            clock=clock,
            cycle_camera=cameras.cycle,
            on_config=on_config,
        )
        uplink = Uplink(
            node=config.node,
            commune=config.commune,
            broker=config.broker,
            vitals=vitals,
            journal=journal,
            clock=clock,
            receive=downlink.receive,
            random=self._random,
            pace=pace,
            wire=self._wire or broker_link,
        )
        journal.on_new_epoch = uplink.tell_state
        journal.on_reconnected = sampler.soon
        await downlink.restore()
        await sampler.restore()
        await self._tell_reset(journal)
        await tell_into(journal, uplink, self._inputs, sampler, poles=self._devices.poles)
        work = [
            *(sampler.run, cameras.run, downlink.follow_up, journal.deliver, journal.keep_house),
            *(update.pieces if update is not None else ()),
            *self._caretakers(journal, uplink),
        ]
        try:
            await self._side_by_side(work, uplink, stop)
        finally:
            await self._close(journal, sampler, ended=stop.is_set())

    async def _open_journal(self, executor: Executor, pace: Pace) -> Journal:
        config = self._config
        journal = Journal(
            Path(config.data_dir),
            node=config.node,
            max_bytes=config.outbox_max_mb * 1_000_000,
            max_age=timedelta(days=config.outbox_max_days),
            clock=self._clock,
            executor=executor,
            pace=pace,
        )
        await journal.open()
        return journal

    async def _close(self, journal: Journal, sampler: Sampler, *, ended: bool) -> None:
        self._journal = None
        self._inputs.detach()
        journal.post(notes=sampler.to_save())
        if ended:
            journal.post(notes={RUN_NOTE: run_note(self._clock.moment().boot, ended=True)})
        await journal.close()

    def _cameras(self, journal: Journal, *, faults: Callable[[str], list[str]]) -> CameraWatch:
        from edge.camera.eye import in_a_child
        from edge.camera.surroundings import of_node
        from edge.camera.watch import CameraWatch

        of_poles = {code: pole.cameras for code, pole in self._devices.poles.items()}
        around = of_node(self._lighting, cabinet=self._inputs.reading, faults=faults)
        return CameraWatch(
            self._config,
            of_poles,
            clock=self._clock,
            surroundings=around,
            tell=journal.later,
            look_at=self._look_at or in_a_child,
        )

    def _sampler(self, journal: Journal, cameras: CameraWatch) -> Sampler:
        from edge.sampling import Sampler

        return Sampler(
            self._config,
            self._devices.poles,
            lighting=self._lighting,
            cameras=cameras,
            journal=journal,
            clock=self._clock,
            random=self._random,
            cabinet=self._inputs.reading,
            phases=self._devices.cabinet.phases,
        )

    def _caretakers(self, journal: Journal, uplink: Uplink) -> list[Piece]:
        """What looks after the link, and after what hangs on serial lines."""
        from edge.link.rescue import Rescue

        rescue = Rescue(
            self._config.link,
            uplink,
            journal=journal,
            clock=self._clock,
            random=self._random,
            may_reboot=self._restart_changes_no_lamp,
        )
        if self._devices.bridge is None:
            return [rescue.run]
        from edge.firmware_bridge.watch import BoardWatch

        boards = BoardWatch(self._devices.bridge.notices, node=self._config.node, journal=journal)
        return [rescue.run, boards.run]

    def _update_part(self, journal: Journal, stop: asyncio.Event) -> UpdatePart | None:
        if self._origin is None:
            return None
        from edge.update.part import UpdatePart

        def start_anew() -> None:
            self.begins_anew = True
            stop.set()

        return UpdatePart(
            self._config,
            self._origin,
            journal=journal,
            lights=self._lighting.lights,
            start_anew=start_anew,
            random=self._random,
        )

    def _restart_changes_no_lamp(self) -> bool:
        """Lamps light by themselves while the machine restarts: by day that would be seen as a fault."""
        lights = self._lighting.lights.values()
        return all(light.reading().effect_level > 0 and not light.in_maintenance for light in lights)

    async def _tell_reset(self, journal: Journal) -> None:
        boot = self._clock.moment().boot
        note = (await journal.outbox.notes(RUN_NOTE)).get("")
        cause = start_cause(note, boot=boot, service_result=self._service_result)
        if self._reset_told:
            cause = "begun_anew"
        self._reset_told = True
        journal.later("device_reset", detail={"agent_version": AGENT_VERSION, "cause": cause})
        journal.post(notes={RUN_NOTE: run_note(boot, ended=False)})

    async def _side_by_side(self, work: list[Piece], uplink: Uplink, stop: asyncio.Event) -> None:
        """Run these until `stop`, then let the uplink say goodbye; raise what the first of them raises."""
        pieces = [asyncio.create_task(piece()) for piece in work]
        sending = asyncio.create_task(uplink.run(stop))
        stopping = asyncio.create_task(_until(stop))
        try:
            running: set[asyncio.Task[None]] = {*pieces, sending, stopping}
            while stopping in running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            for piece in pieces:
                piece.cancel()
            for task in (await asyncio.wait({sending}, timeout=GOODBYE_WITHIN_S))[0]:
                task.result()
        finally:
            await put_down((*pieces, sending, stopping))


async def _until(event: asyncio.Event) -> None:
    await event.wait()
