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
from typing import Literal, Protocol
from uuid import UUID, uuid4

import aiomqtt
import structlog

from edge.clock import Clock
from edge.config import BrokerSettings
from edge.link import broker_link
from edge.link.envelopes import wrap
from edge.link.pace import Pace
from edge.link.recovery import LinkFacts, pause_s
from edge.link.send_plan import Fresh, SendPlan, Stored
from edge.outbox.journal import Journal
from edge.waiting import put_down, wait_for, wait_for_any
from protocol import SCHEMA_VERSION, TO_NODE, Kind, NodeState, TopicError, encode, pack, parse_topic, topic

STEADY_AFTER_S = 30.0
"""A connection that lived so long starts the pauses between attempts anew."""
GOODBYE_WITHIN_S = 3.0

Receive = Callable[[Kind, bytes], None]


class Wire(Protocol):
    """What makes connections and knows their ends: `edge.link.broker_link` speaks MQTT over TCP and TLS."""

    async def open_client(
        self,
        broker: BrokerSettings,
        *,
        node: str,
        will: tuple[str, bytes],
        keepalive_s: int,
        answer_within_s: float,
    ) -> aiomqtt.Client:
        """A client that is not connected yet."""
        ...

    def when_unheard(self, client: aiomqtt.Client, tell: Callable[[], None]) -> None:
        """Call `tell` whenever the broker says that nobody listens."""
        ...

    def spoke(self, client: aiomqtt.Client) -> None:
        """Something was sent just now."""
        ...

    def cut(self, client: aiomqtt.Client) -> None:
        """End a connection that answers no more."""
        ...

    def laid_down(self, client: aiomqtt.Client) -> None:
        """The connection has ended."""
        ...


class GivenUpError(Exception):
    """This connection leads nowhere: a new one is wanted."""


class SubscriptionRefusedError(Exception):
    """The broker does not let this node read its own topics: wrong certificate, or wrong rules."""


@dataclass(slots=True)
class Vitals:
    """What a state message tells; the agent keeps it up to date."""

    agent_version: str
    heartbeat_s: int
    """As the settings or the hub want it; the link's pace may stretch what is promised."""
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
        pace: Pace | None = None,
        wire: Wire = broker_link,
    ) -> None:
        """`wire` makes the connections; a simulator gives one of its own."""
        self._wire = wire
        self._pace = pace or Pace()
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
        self._client: aiomqtt.Client | None = None
        self._give_up = asyncio.Event()
        self._up = asyncio.Event()
        self._hurry = asyncio.Event()
        self._word_at_s = self._state_at_s = float("-inf")
        now_s = clock.monotonic()
        self._facts = LinkFacts(connected=False, broker_at_s=now_s, hub_at_s=now_s)
        self._log = structlog.get_logger().bind(node=node)

    def tell_state(self) -> None:
        """What a state message says has changed: send one now."""
        self._tell_state.set()

    @property
    def facts(self) -> LinkFacts:
        """How the link is, for `edge.link.recovery`."""
        self._facts.connected = self._client is not None
        self._facts.unconfirmed_since_s = self._journal.plan.unconfirmed_since_s
        return self._facts

    def reconnect(self) -> None:
        """Give this connection up and make a new one."""
        self._give_up.set()

    async def urgent(self, within_s: float) -> bool:
        """Send the events and receipts that wait now, past any batch under way: a node's last words.

        A pause between two attempts to connect ends at once. Returns whether the broker has taken them all,
        at the latest after `within_s`.
        """
        try:
            async with asyncio.timeout(within_s):
                await self._journal.record()
                self._hurry.set()
                await self._up.wait()
                while self._client is not None:
                    plan = self._journal.plan
                    todo = plan.next(self._clock.monotonic(), only_urgent=True)
                    if todo is None:
                        return True
                    await self._forward(self._client, plan, todo)
        except (TimeoutError, aiomqtt.MqttError):
            return False
        return False

    async def run(self, stop: asyncio.Event) -> None:
        """Stay connected until `stop`; then say goodbye. Raises nothing that a network can cause."""
        attempt = 0
        while not stop.is_set():
            started_s = self._clock.monotonic()
            try:
                await self._connection(stop)
            except (
                aiomqtt.MqttError,
                OSError,
                ValueError,
                SubscriptionRefusedError,
                GivenUpError,
            ) as error:
                # ValueError: paho's word for a packet that is not MQTT.
                self._note_loss(error)
            if self._clock.monotonic() - started_s > STEADY_AFTER_S:
                attempt = 0
            longest_s = self._broker.reconnect_max_s
            pause = pause_s(attempt, longest_s=longest_s, random=self._random)
            await wait_for_any(stop, self._hurry, limit_s=pause)
            self._hurry.clear()
            attempt += 1

    def _note_loss(self, error: Exception) -> None:
        if not self._lost:
            self._lost = True
            where = f"{self._broker.host}:{self._broker.port}"
            self._log.warning("broker_lost", broker=where, error=str(error) or type(error).__name__)

    async def _connection(self, stop: asyncio.Event) -> None:
        session, connected_at = uuid4(), self._clock.now()
        client = await self._wire.open_client(
            self._broker,
            node=self._node,
            will=(self._topics[Kind.STATE], self._packed(self._state("lost", session, connected_at))),
            keepalive_s=self._pace.keepalive_s(self._broker.keepalive_s),
            answer_within_s=self._pace.answer_within_s,
        )
        self._wire.when_unheard(client, self._unheard)
        stopping = asyncio.create_task(_until(stop))
        try:
            # Not given up halfway when `stop` comes: torn off, the client would live on as a ghost.
            async with client:
                self._journal.reconnected()
                self._facts.broker_at_s = self._clock.monotonic()
                try:
                    await self._talk(client, session, connected_at, stopping)
                    goodbye = self._packed(self._state("stopped", session, connected_at))
                    await self._publish(client, Kind.STATE, goodbye, timeout_s=GOODBYE_WITHIN_S)
                except (aiomqtt.MqttError, GivenUpError):
                    self._wire.cut(client)
                    raise
        finally:
            self._client = None
            self._up.clear()
            self._wire.laid_down(client)
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
                self._client = client
                self._up.set()
                self._hurry.clear()
                self._give_up.clear()
                tasks.remove(opening)
                tasks.append(asyncio.create_task(self._until_given_up()))
                tasks.append(asyncio.create_task(self._send(client)))
                tasks.append(asyncio.create_task(self._beat(client, session, connected_at)))
                await _first_of(tasks)
        finally:
            await put_down(task for task in (*tasks, opening) if task is not stopping)

    async def _open(self, client: aiomqtt.Client, session: UUID, connected_at: datetime) -> None:
        # A lost confirmation costs one message sent again; its acknowledgement would cost air each time.
        wanted = [(self._topics[kind], 0 if kind is Kind.STORED else 1) for kind in TO_NODE]
        granted = await client.subscribe(wanted)
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
            self._facts.broker_at_s = self._clock.monotonic()
            if kind is Kind.STORED:
                self._facts.hub_at_s = self._facts.broker_at_s
            self._receive(kind, payload if isinstance(payload, bytes) else b"")

    async def _beat(self, client: aiomqtt.Client, session: UUID, connected_at: datetime) -> None:
        while True:
            now_s = self._clock.monotonic()
            due_s = self._pace.state_due_s(
                heartbeat_s=self._pace.heartbeat_s(self._vitals.heartbeat_s),
                since_word_s=now_s - self._word_at_s,
                since_state_s=now_s - self._state_at_s,
            )
            if await wait_for(self._tell_state, max(0.0, due_s)) or due_s <= 0:
                self._tell_state.clear()
                await self._publish_state(client, session, connected_at)

    def _unheard(self) -> None:
        self._journal.plan.unheard(now_s=self._clock.monotonic())
        self._journal.changed.set()

    async def _until_given_up(self) -> None:
        await self._give_up.wait()
        raise GivenUpError("the hub does not confirm over this connection")

    async def _send(self, client: aiomqtt.Client) -> None:
        journal = self._journal
        while True:
            journal.changed.clear()
            plan, history = journal.plan, journal.tells_history
            was_stalled = plan.stalled
            todo = plan.next(self._clock.monotonic(), history=history)
            if plan.stalled and not was_stalled:
                self._log.warning("hub_does_not_confirm", queued=journal.outbox.queued)
            if todo is None:
                due_s = plan.due_in_s(self._clock.monotonic(), history=history)
                await wait_for(journal.changed, due_s)
            else:
                await self._forward(client, plan, todo)

    async def _forward(self, client: aiomqtt.Client, plan: SendPlan, todo: Fresh | Stored) -> None:
        """Send what the plan gave out, and return when the broker has taken it."""
        journal, epoch = self._journal, self._journal.outbox.epoch
        late: frozenset[int] = frozenset()
        if isinstance(todo, Fresh):
            items, late = list(todo.items), todo.late
        else:
            answer = await journal.outbox.read(todo.which, todo.after_seq, todo.limit)
            if plan is not journal.plan:
                return
            items = plan.found(todo, answer)
        historical = isinstance(todo, Stored)
        items, now = journal.dated(items), self._clock.now()
        envelopes = [
            (envelope, self._packed(envelope.payload))
            for envelope in wrap(
                items, node=self._node, epoch=epoch, historical=historical, now=now, late=late
            )
        ]
        for envelope, payload in envelopes:
            plan.sent(envelope.items, now_s=self._clock.monotonic())
            if isinstance(todo, Stored) and todo.which == "samples":
                plan.history_sent(len(payload), now_s=self._clock.monotonic())
        for envelope, payload in envelopes:
            await self._publish(client, envelope.kind, payload)

    async def _publish_state(self, client: aiomqtt.Client, session: UUID, connected_at: datetime) -> None:
        self._state_at_s = self._clock.monotonic()
        await self._publish(client, Kind.STATE, self._packed(self._state("online", session, connected_at)))

    async def _publish(
        self, client: aiomqtt.Client, kind: Kind, payload: bytes, *, timeout_s: float | None = None
    ) -> None:
        """Returns with the broker's PUBACK, which says that the link lives and nothing more."""
        self._word_at_s = self._clock.monotonic()
        self._wire.spoke(client)
        retain = kind is Kind.STATE
        await client.publish(self._topics[kind], payload, qos=1, retain=retain, timeout=timeout_s)
        self._facts.broker_at_s = self._clock.monotonic()

    def _packed(self, payload: bytes) -> bytes:
        return pack(payload) if self._pace.packed else payload

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
                heartbeat_s=self._pace.heartbeat_s(self._vitals.heartbeat_s),
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
