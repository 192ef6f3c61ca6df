"""Whether the machine's time can be believed."""

from __future__ import annotations

from datetime import UTC, datetime

from edge.clock import kernel_clock_error_s, kernel_clock_is_synced
from edge.doctor.findings import Finding, Patient, Words, fault, fine, warning
from protocol.plausibility import EARLIEST

LARGE_ERROR_S = 1.0
ADVICE = Words(
    "xem mạng có tới được máy chủ giờ không (timedatectl); đèn vẫn sáng theo cảm biến hoặc sáng suốt",
    "see whether the network reaches a time server (timedatectl); the lamp goes by its sensor, or stays lit",
)


def check_clock(patient: Patient) -> list[Finding]:
    """The kernel's word on synchronisation, and this boot."""
    return judge(
        now=datetime.now(UTC),
        synced=patient.config.clock == "trusted" or kernel_clock_is_synced(),
        error_s=None if patient.config.clock == "trusted" else kernel_clock_error_s(),
        uptime_s=float((patient.read("proc/uptime") or "0").split()[0]),
    )


def judge(*, now: datetime, synced: bool, error_s: float | None, uptime_s: float) -> list[Finding]:
    """What these mean."""
    shown = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    up = f"{uptime_s / 3600:.1f}"
    if now < EARLIEST:
        return [
            fault(
                "clock",
                f"giờ sai hẳn: {shown} (máy chạy được {up} giờ)",
                f"the time is plainly wrong: {shown} (up for {up} h)",
                ADVICE,
            )
        ]
    if not synced:
        return [
            warning(
                "clock",
                f"{shown}, chưa được đồng bộ (máy chạy được {up} giờ)",
                f"{shown}, not synchronised (up for {up} h)",
                ADVICE,
            )
        ]
    error = "" if error_s is None else f", ±{error_s:.2f} s"
    found = (f"{shown}, đã đồng bộ{error}", f"{shown}, synchronised{error}")
    if error_s is not None and error_s > LARGE_ERROR_S:
        return [warning("clock", *found, ADVICE)]
    return [fine("clock", *found)]
