"""Whom a wish for many concerns: poles chosen by where they hang, and on them a lamp or the cameras.

Pure: the registry's poles and what is known of their cameras come in, addressees come out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from hub.commands.model import Action

ScopeKind = Literal["commune", "hamlet", "feeder", "programme", "group", "poles"]
CameraChoice = Literal["offline", "all"]

NO_NODE = "no_node"
"""The pole has no node that could take a command."""

NO_SUCH_POLE = "no_such_pole"
"""The code that was asked for is not registered."""

NO_RELAY = "no_relay"
"""The node does not switch this camera's power."""

HUNG_STREAMS = frozenset({"no_media", "no_answer"})
"""A camera that answers but sends no picture; a wrong password is nothing that a restart mends."""


class PolePlace(Protocol):
    """A pole as the registry tells it (`hub.registry.reads.PoleInfo`)."""

    @property
    def code(self) -> str: ...  # noqa: D102
    @property
    def node(self) -> str | None: ...  # noqa: D102
    @property
    def commune_code(self) -> str: ...  # noqa: D102
    @property
    def hamlet(self) -> str: ...  # noqa: D102
    @property
    def feeder(self) -> str: ...  # noqa: D102
    @property
    def programme(self) -> str: ...  # noqa: D102
    @property
    def group(self) -> str: ...  # noqa: D102
    @property
    def cameras(self) -> tuple[str, ...]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a wish holds. `name` is the hamlet's, feeder's, programme's or group's; `poles` are codes.

    A commune may be left out for a programme alone: it may run in many.
    """

    kind: ScopeKind
    commune: str | None = None
    name: str = ""
    poles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraState:
    """What is known of a camera: None is unknown; `powered` stands only where a relay is in its supply."""

    reachable: bool | None
    stream: str | None
    powered: bool | None

    @property
    def offline(self) -> bool:
        """Whether a restart of its power may help it."""
        return self.reachable is False or self.stream in HUNG_STREAMS


@dataclass(frozen=True, slots=True)
class Addressee:
    """One command to be: for a pole's lamp, or for one of its cameras."""

    pole: str
    node: str
    commune: str
    camera: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A pole or camera in the scope that nobody can command, and why."""

    pole: str
    reason: str
    camera: str | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The addressees by pole, and who was left out."""

    addressees: tuple[Addressee, ...]
    left_out: tuple[LeftOut, ...]


def choose(
    scope: Scope,
    action: Action,
    poles: Iterable[PolePlace],
    cameras: Mapping[str, CameraState],
    *,
    which: CameraChoice = "offline",
) -> Chosen:
    """The addressees of a wish among all `poles`; `cameras` by code, as their nodes last told.

    `which` matters for `camera_cycle` alone: the cameras known to be offline, or all that may have a relay.
    """
    inside = [pole for pole in poles if _inside(scope, pole)]
    addressees: list[Addressee] = []
    left_out = [LeftOut(code, NO_SUCH_POLE) for code in _unknown(scope, inside)]
    for pole in inside:
        if action != "camera_cycle":
            if pole.node is None:
                left_out.append(LeftOut(pole.code, NO_NODE))
            else:
                addressees.append(Addressee(pole.code, pole.node, pole.commune_code))
            continue
        for camera in pole.cameras:
            known = cameras.get(camera)
            if which == "offline" and (known is None or not known.offline):
                continue
            if pole.node is None:
                left_out.append(LeftOut(pole.code, NO_NODE, camera))
            elif without_relay(known):
                left_out.append(LeftOut(pole.code, NO_RELAY, camera))
            else:
                addressees.append(Addressee(pole.code, pole.node, pole.commune_code, camera))
    return Chosen(tuple(addressees), tuple(left_out))


def without_relay(camera: CameraState | None) -> bool:
    """Whether the node has told of this camera, and told of no relay; what is unknown is not refused."""
    return camera is not None and camera.powered is None


def _inside(scope: Scope, pole: PolePlace) -> bool:
    if scope.kind == "poles":
        return pole.code in scope.poles
    if scope.commune is not None and pole.commune_code != scope.commune:
        return False
    if scope.kind == "commune":
        return True
    place: str = getattr(pole, scope.kind)
    return bool(scope.name) and place == scope.name


def _unknown(scope: Scope, inside: Iterable[PolePlace]) -> list[str]:
    found = {pole.code for pole in inside}
    return [code for code in dict.fromkeys(scope.poles) if code not in found]
