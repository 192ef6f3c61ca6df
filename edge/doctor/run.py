"""All checks of one node, each with its own time: one that hangs takes nothing from the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from edge.config import NodeConfig
from edge.doctor.clock import check_clock
from edge.doctor.devices import check_devices
from edge.doctor.findings import Finding, Patient, Words, fault
from edge.doctor.identity import check_certificate
from edge.doctor.link import check_link
from edge.doctor.machine import check_disk, check_heat, check_power
from edge.doctor.queue import check_queue
from edge.doctor.running import agent_pid

DEVICES_WITHIN_S, LINK_WITHIN_S, SELF_WITHIN_S = 180.0, 45.0, 10.0


class Check(NamedTuple):
    """One check by its name, and how long it may take."""

    name: str
    look: Callable[[Patient], list[Finding]]
    within_s: float


CHECKS = (
    Check("devices", check_devices, DEVICES_WITHIN_S),
    Check("clock", check_clock, SELF_WITHIN_S),
    Check("certificate", check_certificate, SELF_WITHIN_S),
    Check("link", check_link, LINK_WITHIN_S),
    Check("queue", check_queue, SELF_WITHIN_S),
    Check("disk", check_disk, SELF_WITHIN_S),
    Check("power", check_power, SELF_WITHIN_S),
    Check("heat", check_heat, SELF_WITHIN_S),
)


def examine(config: NodeConfig, *, checks: tuple[Check, ...] = CHECKS) -> Iterator[Finding]:
    """Findings as they come, check by check."""
    patient = Patient(config, agent_pid=agent_pid(Path(config.data_dir)))
    for check in checks:
        yield from limited(check, patient)


def limited(check: Check, patient: Patient) -> list[Finding]:
    """What a check finds, or that it found no end. A check of ours that breaks is a finding too."""
    found: list[Finding] = []

    def work() -> None:
        try:
            found.extend(check.look(patient))
        except Exception as error:  # noqa: BLE001 - one check's failure must not hide the others
            text = f"{type(error).__name__}: {error}"
            found.append(fault(check.name, f"không kiểm tra được: {text}", f"can't be checked: {text}"))

    thread = threading.Thread(target=work, name=check.name, daemon=True)
    thread.start()
    thread.join(check.within_s)
    if thread.is_alive():
        return [
            fault(
                check.name,
                f"không xong trong {check.within_s:g} s",
                f"no end within {check.within_s:g} s",
                Words("thử lại; nếu vẫn vậy, khởi động lại máy", "try again; if it stays so, restart"),
            )
        ]
    return found
