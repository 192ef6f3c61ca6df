"""The year itself: the plan's troubles happen to nodes, feeders, links, broker and hub, in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from math import inf

from protocol import Kind, decode, topic
from simulators.seeded import seeded
from simulators.truth.air import Air, Delivery, connect_all
from simulators.truth.layout import Layout
from simulators.truth.moment import Moment, local_hour, moment_at
from simulators.truth.node import VirtualNode, nodes_of
from simulators.truth.plan import CAMERA_TROUBLES, LAMP_TROUBLES, Trouble

CLOSE_FOR_S = 1800.0
LOOK_EVERY_S = 600.0
"""How often it is considered who is worth a closer look, and how often a node says at least that it lives."""
HEARTBEAT_S = 660
"""What nodes promise: as on a metered link, a little more than ten minutes."""
SUPERCAP_S = 60.0
BATTERY_S = 8 * 3600.0
LEARNING_S = 1.75 * 86_400
"""Two nights of close looks at a new lamp; with a sample every half minute, as in life, one would do."""
PATROL_DAYS = 60
"""One evening in so many all nodes are looked at closely, without a reason."""
MAST_DIES_WITHIN_S = 20.0
DOOR = "cabinet_door_open"
OUTAGES = ("node dead", "trip", "fuse", "link drops", "link flaps", "backhaul")
NUISANCES = ("door open", "heat", "clock unsynced", "clock wrong", "maintenance")
EPOCH_1970_S = -(56 * 365.25 * 86_400.0)


class World:
    """`next_s` tells when something happens next; `advance` lets it happen and gives what reached the hub."""

    def __init__(
        self,
        layout: Layout,
        plan: Sequence[Trouble],
        *,
        days: float,
        seed: int,
        quiet_s: float = 1200.0,
        close_s: float = 60.0,
    ) -> None:
        """`quiet_s`: how often a node samples while nothing happens; `close_s`: how often one that is looked at
        closely. Ten minutes are a multiple of it.
        """
        self.layout = layout
        self.end_s = days * 86_400.0
        self._random = seeded(seed, "world")
        self._quiet_s, self._close_s = quiet_s, close_s
        self.nodes: Mapping[str, VirtualNode] = nodes_of(layout.sites, seed=seed, heartbeat_s=HEARTBEAT_S)
        self.air = Air(layout.commune.file.code, self.nodes, self.later, seeded(seed, "air"))
        self._heap: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = count()
        self._no_mains: dict[str, set[str]] = {name: set() for name in self.nodes}
        self._killed: dict[str, set[str]] = {name: set() for name in self.nodes}
        self._close_until_s: dict[str, float] = {}
        self._learns_until_s: dict[str, float] = {}
        commune = layout.commune.file.code
        self._stored_topics = {topic(commune, name, Kind.STORED): name for name in self.nodes}
        self._node_of = {site.pole.code: site.node for site in layout.sites}
        self._node_of |= {camera: site.node for camera, site in layout.cameras.items()}
        self._begins = dict.fromkeys(OUTAGES, self._outage_begins) | dict.fromkeys(
            NUISANCES, self._nuisance_begins
        )
        connect_all(self.air, self.nodes)
        self.later(self._close_s, self._tick)
        for trouble in plan:
            self.later(trouble.begin_s, partial(self._begin, trouble))
            self.later(trouble.end_s, partial(self._end, trouble))

    @property
    def next_s(self) -> float:
        """The moment of the next happening, seconds from the start; infinite after the last."""
        return self._heap[0][0] if self._heap else inf

    def later(self, at_s: float, what: Callable[[float], None]) -> None:
        """Let something happen; in whole seconds, so that the hub is not woken for each."""
        heapq.heappush(self._heap, (float(round(at_s)), next(self._order), what))

    def advance(self) -> tuple[list[Delivery], bool]:
        """Everything of the next moment; the messages, and whether any was more than routine."""
        at_s = self.next_s
        while self._heap and self._heap[0][0] <= at_s:
            heapq.heappop(self._heap)[2](at_s)
        notable = self.air.notable
        return self.air.take(), notable

    def confirm(self, about: str, payload: bytes) -> None:
        """A word of the hub to a node; one that is cut off does not hear it."""
        name = self._stored_topics.get(about)
        if name is not None and self.air.connected(name):
            self.nodes[name].outbox.confirm(decode(Kind.STORED, payload))

    def _tick(self, at_s: float) -> None:
        quiet = at_s % self._quiet_s == 0
        moment = moment_at(at_s)
        if at_s % LOOK_EVERY_S == 0:
            self._choose_close(moment)
        for name, node in self.nodes.items():
            if not quiet and self._close_until_s.get(name, 0.0) <= at_s:
                if at_s % LOOK_EVERY_S == 0:
                    self.air.heartbeat(name, at_s)
                continue
            if node.alive:
                # While the hub is away a node that hears nothing back sends seldom.
                can_send = self.air.connected(name) and (self.air.hub_up or quiet)
                words = node.tick(moment, can_send=can_send)
                if can_send:
                    self.air.send(name, words)
        if at_s + self._close_s <= self.end_s:
            self.later(at_s + self._close_s, self._tick)

    def _choose_close(self, moment: Moment) -> None:
        at_s = moment.at_s
        patrol = int(at_s // 86_400) % PATROL_DAYS == PATROL_DAYS // 2 and local_hour(at_s) >= 18
        dark = moment.sun_deg < 0
        for name, node in self.nodes.items():
            learns = dark and at_s < self._learns_until_s.get(name, LEARNING_S)
            if patrol or learns or node.unsettled(moment):
                self._close(name, at_s + 2 * LOOK_EVERY_S)
        self._close_until_s = {name: s for name, s in self._close_until_s.items() if s > at_s}

    def _close(self, name: str, until_s: float) -> None:
        self._close_until_s[name] = max(until_s, self._close_until_s.get(name, 0.0))

    def _begin(self, it: Trouble, at_s: float) -> None:
        for name in self._concerned(it):
            self._close(name, at_s + CLOSE_FOR_S)
            self._begin_at(it, name, self.nodes[name], at_s)
        if it.what == "hub down":
            self.air.stop_hub()
        elif it.what == "broker down":
            self.air.break_broker()

    def _begin_at(self, it: Trouble, name: str, node: VirtualNode, at_s: float) -> None:
        if it.what in LAMP_TROUBLES:
            node.lamp.trouble = it.what
        elif it.what in CAMERA_TROUBLES:
            node.cameras[0].trouble, node.cameras[0].trouble_since_s = it.what, at_s
        else:
            self._begins[it.what](it, name, node, at_s)

    def _outage_begins(self, it: Trouble, name: str, node: VirtualNode, at_s: float) -> None:
        del node
        if it.what == "node dead":
            self._kill(name, it.what, at_s)
        elif it.what in ("trip", "fuse"):
            self._mains_off(name, it.what, at_s)
        elif it.what == "link drops":
            self.air.cut(name, it.what, at_s)
        elif it.what == "link flaps":
            self._flap(name, at_s, it.end_s)
        else:
            late_s = self._random.uniform(0, MAST_DIES_WITHIN_S)
            self.later(at_s + late_s, lambda now_s: self.air.cut(name, it.what, now_s))

    def _nuisance_begins(self, it: Trouble, name: str, node: VirtualNode, at_s: float) -> None:
        if it.what == "door open":
            node.door_open = True
            self._tell(name, DOOR, True, at_s + 2)
        elif it.what == "heat":
            node.hot = True
        elif it.what == "clock unsynced":
            node.set_clock(it.size, "unsynced")
        elif it.what == "clock wrong":
            node.set_clock(it.size, "synced")
        else:
            node.maintenance = not it.planned
            if it.size:
                self.later(at_s + 300, lambda now_s: self._kill(name, it.what, now_s))
                self.later(at_s + 300 + it.size, lambda now_s: self._revive(name, it.what, now_s))

    def _end(self, it: Trouble, at_s: float) -> None:
        for name in self._concerned(it):
            self._close(name, at_s + CLOSE_FOR_S)
            self._end_at(it, name, self.nodes[name], at_s)
        if it.what == "hub down":
            self.air.start_hub(at_s)
        elif it.what == "broker down":
            self.air.mend_broker(at_s)

    def _end_at(self, it: Trouble, name: str, node: VirtualNode, at_s: float) -> None:
        if it.what in LAMP_TROUBLES:
            node.lamp.trouble = "well"
        elif it.what in CAMERA_TROUBLES:
            node.cameras[0].trouble = None
        elif it.what == "node dead":
            self._revive(name, it.what, at_s)
        elif it.what in ("trip", "fuse"):
            self._mains_on(name, it.what, at_s)
        elif it.what in ("link drops", "link flaps"):
            self.air.mend(name, it.what, at_s)
        elif it.what == "backhaul":
            # A mast takes its time to die, and is mended after that.
            self.later(at_s + MAST_DIES_WITHIN_S + 1, lambda now_s: self.air.mend(name, it.what, now_s))
        elif it.what == "door open":
            node.door_open = False
            self._tell(name, DOOR, False, at_s + 2)
        elif it.what == "heat":
            node.hot = False
        elif it.what in ("clock unsynced", "clock wrong"):
            self._clock_set(name, at_s)
        elif node.maintenance:
            node.maintenance = False
            self._learns_until_s[name] = at_s + LEARNING_S

    def _concerned(self, it: Trouble) -> Sequence[str]:
        if it.what in ("trip", "backhaul"):
            return self.layout.feeders[it.where]
        if not it.where:
            return ()
        return (self._node_of.get(it.where, it.where),)

    def _flap(self, name: str, at_s: float, end_s: float) -> None:
        while at_s < end_s - 400:
            self.later(at_s, lambda now_s: self.air.cut(name, "link flaps", now_s))
            at_s += self._random.uniform(100, 300)
            self.later(at_s, lambda now_s: self.air.mend(name, "link flaps", now_s))
            at_s += self._random.uniform(60, 200)

    def _tell(self, name: str, kind: str, active: bool, at_s: float) -> None:
        def tell(now_s: float) -> None:
            node = self.nodes[name]
            if not node.alive or node.tells(kind) == active:
                return
            can_send = self.air.connected(name) and self.air.hub_up
            words = node.tell(kind, active, now_s, can_send=can_send)
            if can_send:
                self.air.notable = True
                self.air.send(name, words)

        self.later(at_s, tell)

    def _mains_off(self, name: str, why: str, at_s: float) -> None:
        node = self.nodes[name]
        self._no_mains[name].add(why)
        if not node.mains:
            return
        node.mains = False
        if node.site.carry == "none":
            self._die(name, at_s, farewell=False)
            return
        self._tell(name, "supply_loss", True, at_s + 1)
        carried_s = SUPERCAP_S if node.site.carry == "supercap" else BATTERY_S

        def run_out(now_s: float) -> None:
            if node.alive and not node.mains:
                self._die(name, now_s, farewell=node.site.carry == "supercap")

        self.later(at_s + carried_s, run_out)

    def _mains_on(self, name: str, why: str, at_s: float) -> None:
        node = self.nodes[name]
        self._no_mains[name].discard(why)
        if self._no_mains[name]:
            return
        node.mains = True
        if node.alive:
            self._tell(name, "supply_loss", False, at_s + 1)
        else:
            self._boot_soon(name, at_s)

    def _kill(self, name: str, why: str, at_s: float) -> None:
        self._killed[name].add(why)
        self._die(name, at_s, farewell=False)

    def _revive(self, name: str, why: str, at_s: float) -> None:
        self._killed[name].discard(why)
        self._boot_soon(name, at_s)

    def _die(self, name: str, at_s: float, *, farewell: bool) -> None:
        node = self.nodes[name]
        if node.alive:
            node.ended = farewell
            self.air.drop(name, at_s, farewell=farewell)
            node.alive = False

    def _boot_soon(self, name: str, at_s: float) -> None:
        self.later(at_s + self._random.uniform(40, 70), lambda now_s: self._boot(name, now_s))

    def _boot(self, name: str, at_s: float) -> None:
        node = self.nodes[name]
        if node.alive or self._killed[name] or not node.mains:
            return
        node.alive = True
        node.restart()
        # No clock battery: 1970 until the network tells the time.
        node.set_clock(EPOCH_1970_S - at_s, "unsynced")
        self.later(at_s + self._random.uniform(30, 120), lambda now_s: self._clock_set(name, now_s))
        node.keep_reset(at_s)
        self._tell(name, "supply_loss", False, at_s + 5)
        self._tell(name, DOOR, node.door_open, at_s + 6)
        self.air.reconnect_soon(name, at_s)

    def _clock_set(self, name: str, at_s: float) -> None:
        if self.nodes[name].alive:
            self.nodes[name].set_clock(0.0, "synced")
            self.air.send_history(name, at_s)
