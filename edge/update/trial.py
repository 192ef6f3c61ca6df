"""The agent's side of an update: the trial is committed once the hub has confirmed, else rolled back.

The launcher (`edge/update/launch.py`) counts starts; this watches the run itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol

import structlog

from edge.update.launch import (
    BASE,
    CURRENT,
    FAILED,
    PREVIOUS,
    TRIAL,
    Failed,
    Step,
    Trial,
    end_trial,
    no_step,
    point,
    pointed_at,
    read_record,
    roll_back,
    steady_s,
    write_record,
)

LOOK_EVERY_S = 1.0

Detail = Mapping[str, str | int | float | bool | None]
Tell = Callable[[str, Detail], Awaitable[None]]
"""Stores an event of this kind with this detail; returns when it is on disk."""


class LampWord(Protocol):
    """What is asked of one lamp: a `PoleLight` has it."""

    @property
    def decision(self) -> object | None:
        """None until the lamp was decided on."""
        ...

    @property
    def output_fault(self) -> str | None:
        """Why the output does not obey; None while it does."""
        ...


def running_release(releases: Path) -> str:
    """The release that this very code belongs to; BASE for what the package manager installed."""
    here, folder = Path(__file__).resolve(), releases.resolve()
    return here.relative_to(folder).parts[0] if here.is_relative_to(folder) else BASE


def lamps_under_control(lights: Mapping[str, LampWord], excused: list[str] | None) -> bool:
    """Whether every lamp is decided on and obeys, except those that are `excused`.

    Where nobody knows which failed before (None), one obeying lamp is enough.
    """
    if any(light.decision is None for light in lights.values()):
        return False
    obeying = {pole for pole, light in lights.items() if light.output_fault is None}
    if excused is None:
        return bool(obeying)
    return all(pole in obeying or pole in excused for pole in lights)


def commit(releases: Path, trial: Trial, step: Step = no_step) -> None:
    """Make the release on trial the current one; the one before stays as `previous`. Raises OSError.

    The rename of `current` is the moment. Before it the trial goes on, after it the trial is over,
    wherever the power fails; its record goes only when the hub was told (`close_trial`).
    """
    was = pointed_at(releases, CURRENT)
    if was != trial.release:
        point(releases, PREVIOUS, was, step)
        point(releases, CURRENT, trial.release, step)


def go_back(releases: Path, step: Step = no_step) -> str:
    """By hand: end a trial, or else return to the release before; returns what starts next. Raises OSError."""
    trial = read_record(releases / TRIAL, Trial)
    current = pointed_at(releases, CURRENT)
    if trial is not None and trial.release != current:
        roll_back(releases, trial.release, "by hand", step)
        return current
    was = pointed_at(releases, PREVIOUS)
    point(releases, CURRENT, was, step)
    end_trial(releases, step)
    return was


class TrialWatch:
    """One run of the agent, seen from its update. `run` ends when there is nothing (more) to watch."""

    def __init__(
        self,
        releases: Path,
        *,
        running: str,
        version: str,
        tell: Tell,
        confirmed: asyncio.Event,
        lights: Mapping[str, LampWord],
        start_anew: Callable[[], None],
    ) -> None:
        """`confirmed` is set once the hub has confirmed something made in this run.

        `start_anew` ends the agent and lets the launcher choose again.
        """
        self._releases = releases
        self._running = running
        self._version = version
        self._tell = tell
        self._confirmed = confirmed
        self._lights = lights
        self._start_anew = start_anew
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Tell of a rollback; on trial, commit or roll back; then make room. A disk error ends it, logged."""
        try:
            await self._tell_of_rollback()
            trial = await asyncio.to_thread(read_record, self._releases / TRIAL, Trial)
            if trial is not None and trial.release == self._running:
                await self._watch(trial)
        except OSError as error:
            self._log.error("update_not_recorded", error=str(error))

    async def _watch(self, trial: Trial) -> None:
        committed = await asyncio.to_thread(pointed_at, self._releases, CURRENT) == trial.release
        if not committed and not trial.announced:
            await self._tell("agent_update_started", {"release": trial.release, "version": self._version})
            trial = trial._replace(announced=True)
            await asyncio.to_thread(write_record, self._releases / TRIAL, trial)
        while not committed:
            if self._confirmed.is_set() and lamps_under_control(self._lights, trial.excused):
                await asyncio.to_thread(commit, self._releases, trial)
                committed = True
            elif steady_s() >= trial.deadline_s:
                await self._give_up(trial)
                return
            else:
                await asyncio.sleep(LOOK_EVERY_S)
        await self._tell("agent_updated", {"release": trial.release, "version": self._version})
        self._log.info("agent_updated", release=trial.release)
        await asyncio.to_thread(end_trial, self._releases)
        from edge.update.install import prune

        await asyncio.to_thread(prune, self._releases)

    async def _give_up(self, trial: Trial) -> None:
        lacking = "the lamps do not obey" if self._confirmed.is_set() else "no confirmation of the hub"
        reason = f"{lacking} within {trial.trial_s:g} s"
        self._log.error("agent_rolls_back", release=trial.release, reason=reason)
        await asyncio.to_thread(roll_back, self._releases, trial.release, reason)
        self._start_anew()

    async def _tell_of_rollback(self) -> None:
        failed = await asyncio.to_thread(read_record, self._releases / FAILED, Failed)
        if failed is None or failed.told or failed.release == self._running:
            return
        await self._tell("agent_rolled_back", {"release": failed.release, "reason": failed.reason[:200]})
        await asyncio.to_thread(write_record, self._releases / FAILED, failed._replace(told=True))
