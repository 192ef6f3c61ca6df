"""The node's connection to its broker: who it is, that it lives, and everything the outbox holds.

aiomqtt's traps, as met here: `publish` waits for its PUBACK past the end of the connection (so the reading
side ends it), and a PUBACK with an error code looks like success (so only `stored` counts).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Literal
from uuid import UUID, uuid4

import aiomqtt
import structlog

from edge.clock import Clock
from edge.config import BrokerSettings
from edge.link.broker_link import open_client
from edge.link.envelopes import wrap
from edge.link.send_plan import Fresh
from edge.outbox.journal import Journal
from edge.waiting import wait_for
from protocol import SCHEMA_VERSION, TO_NODE, Kind, NodeState, TopicError, encode, parse_topic, topic

RECONNECT_FIRST_S = 1.0
STEADY_AFTER_S = 30.0
"""A connection that lived so long starts the pauses between attempts anew."""
GOODBYE_WITHIN_S = 3.0

Receive = Callable[[Kind, bytes], None]


class SubscriptionRefusedError(Exception):
    """The broker does not let this node read its own topics: wrong certificate, or wrong rules."""


@dataclass(slots=True)
class Vitals:
    """What a state message tells; the agent keeps it up to date."""

    agent_version: str
    heartbeat_s: int
    config_version: int
    poles: list[str]


class Uplink:
    """Connects, sends, listens, and begins again until told to stop; `receive` gets what comes in."""

    def __init__(
        self,
        *,
        node: str,
        commune: str,
        broker: BrokerSettings,
        vitals: Vitals,
        journal: Journal,
        clock: Clock,
        receive: Receive,
        random: Random,
    ) -> None:
        self._node = node
        self._topics = {kind: topic(commune, node, kind) for kind in Kind}
        self._broker = broker
        self._vitals = vitals
        self._journal = journal
        self._clock = clock
        self._receive = receive
        self._random = random
        self._tell_state = asyncio.Event()
        self._lost = False
        self._log = structlog.get_logger().bind(node=node)

    def tell_state(self) -> None:
        """What a state message says has changed: send one now."""
        self._tell_state.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Stay connected until `stop`; then say goodbye. Raises nothing that a network can cause."""
        pause_s = RECONNECT_FIRST_S
        while not stop.is_set():
            started_s = self._clock.monotonic()
            try:
                await self._connection(stop)
            except (aiomqtt.MqttError, OSError, ValueError, SubscriptionRefusedError) as error:
                # ValueError: paho's word for a packet that is not MQTT.
                self._note_loss(error)
            if self._clock.monotonic() - started_s > STEADY_AFTER_S:
                pause_s = RECONNECT_FIRST_S
            await wait_for(stop, pause_s * self._random.uniform(0.5, 1.0))
            pause_s = min(self._broker.reconnect_max_s, pause_s * 2)

    def _note_loss(self, error: Exception) -> None:
        if not self._lost:
            self._lost = True
            where = f"{self._broker.host}:{self._broker.port}"
            self._log.warning("broker_lost", broker=where, error=str(error) or type(error).__name__)

    async def _connection(self, stop: asyncio.Event) -> None:
        session, connected_at = uuid4(), self._clock.now()
        client = await open_client(
            self._broker,
            node=self._node,
            will=(self._topics[Kind.STATE], self._state("lost", session, connected_at)),
        )
        stopping = asyncio.create_task(_until(stop))
        try:
            # Not given up halfway when `stop` comes: torn off, the client would live on as a ghost.
            async with client:
                self._journal.reconnected()
                await self._talk(client, session, connected_at, stopping)
                await client.publish(
                    self._topics[Kind.STATE],
                    self._state("stopped", session, connected_at),
                    qos=1,
                    retain=True,
                    timeout=GOODBYE_WITHIN_S,
                )
        finally:
            stopping.cancel()

    async def _talk(
        self, client: aiomqtt.Client, session: UUID, connected_at: datetime, stopping: asyncio.Task[None]
    ) -> None:
        """Birth, then send, listen and beat side by side until one of them fails or `stopping` is done."""
        opening = asyncio.create_task(self._open(client, session, connected_at))
        tasks = [stopping, asyncio.create_task(self._listen(client)), opening]
        try:
            await _first_of(tasks)
            if opening.done() and not stopping.done():
                self._log.info("broker_connected", session=str(session), again=self._lost)
                self._lost = False
                tasks.remove(opening)
                tasks.append(asyncio.create_task(self._send(client)))
                tasks.append(asyncio.create_task(self._beat(client, session, connected_at)))
                await _first_of(tasks)
        finally:
            running = [task for task in (*tasks, opening) if task is not stopping]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _open(self, client: aiomqtt.Client, session: UUID, connected_at: datetime) -> None:
        granted = await client.subscribe([(self._topics[kind], 1) for kind in TO_NODE])
        refused = [
            f"{kind}: {code}" for kind, code in zip(TO_NODE, granted, strict=True) if _is_refusal(code)
        ]
        if refused:
            raise SubscriptionRefusedError(f"the broker refuses {', '.join(refused)}")
        await self._publish_state(client, session, connected_at)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            payload = message.payload
            try:
                kind = parse_topic(str(message.topic)).kind
            except TopicError:
                continue
            self._receive(kind, payload if isinstance(payload, bytes) else b"")

    async def _beat(self, client: aiomqtt.Client, session: UUID, connected_at: datetime) -> None:
        while True:
            await wait_for(self._tell_state, self._vitals.heartbeat_s)
            self._tell_state.clear()
            await self._publish_state(client, session, connected_at)

    async def _send(self, client: aiomqtt.Client) -> None:
        journal = self._journal
        while True:
            journal.changed.clear()
            plan, epoch = journal.plan, journal.outbox.epoch
            was_stalled = plan.stalled
            todo = plan.next(self._clock.monotonic(), history=journal.tells_history)
            if plan.stalled and not was_stalled:
                self._log.warning("hub_does_not_confirm", queued=journal.outbox.queued)
            if todo is None:
                await wait_for(journal.changed, plan.due_in_s(self._clock.monotonic()))
                continue
            if isinstance(todo, Fresh):
                items, historical = list(todo.items), False
            else:
                answer = await journal.outbox.read(todo.which, todo.after_seq, todo.limit)
                if plan is not journal.plan:
                    continue
                items, historical = plan.found(todo, answer), True
            items, now = journal.dated(items), self._clock.now()
            envelopes = list(wrap(items, node=self._node, epoch=epoch, historical=historical, now=now))
            for envelope in envelopes:
                plan.sent(envelope.items, now_s=self._clock.monotonic())
            for envelope in envelopes:
                await client.publish(self._topics[envelope.kind], envelope.payload, qos=1)

    async def _publish_state(self, client: aiomqtt.Client, session: UUID, connected_at: datetime) -> None:
        payload = self._state("online", session, connected_at)
        await client.publish(self._topics[Kind.STATE], payload, qos=1, retain=True)

    def _state(
        self, status: Literal["online", "lost", "stopped"], session: UUID, connected_at: datetime
    ) -> bytes:
        return encode(
            NodeState(
                v=SCHEMA_VERSION,
                node=self._node,
                session=session,
                status=status,
                time=self._clock.now(),
                connected_at=connected_at,
                clock="synced" if self._clock.synced() else "unsynced",
                heartbeat_s=self._vitals.heartbeat_s,
                epoch=self._journal.outbox.epoch,
                queued=self._journal.outbox.queued,
                agent_version=self._vitals.agent_version,
                config_version=self._vitals.config_version,
                poles=self._vitals.poles,
            )
        )


def _is_refusal(code: object) -> bool:
    return bool(getattr(code, "is_failure", False)) or code == 0x80


async def _until(event: asyncio.Event) -> None:
    await event.wait()


async def _first_of(tasks: list[asyncio.Task[None]]) -> None:
    """Return when one of these is done; raise what it raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
