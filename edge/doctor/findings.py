"""What a check found, in Vietnamese and English."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from edge.config import NodeConfig

Level = Literal["fine", "warning", "fault", "left_out"]
Language = Literal["vi", "en"]
SIGNS: dict[Level, str] = {"fine": "✓", "warning": "!", "fault": "✗", "left_out": "–"}


class Words(NamedTuple):
    """One sentence in both languages."""

    vi: str
    en: str

    def in_(self, language: Language) -> str:
        """The sentence for this reader."""
        return self.vi if language == "vi" else self.en


NOTHING = Words("", "")
NAMES_VI = {
    "lamp": "đèn",
    "photocell": "cảm biến sáng",
    "motion": "cảm biến chuyển động",
    "meter": "công tơ",
    "battery": "ắc quy",
    "cabinet door": "cửa tủ",
    "cabinet supply": "điện lưới vào tủ",
    "cabinet heat": "nhiệt độ tủ",
    "cabinet": "tủ điện",
    "phase 1 meter": "công tơ pha 1",
    "phase 2 meter": "công tơ pha 2",
    "phase 3 meter": "công tơ pha 3",
    "devices": "thiết bị",
    "clock": "đồng hồ",
    "certificate": "chứng thư",
    "link": "đường truyền",
    "queue": "hàng đợi",
    "disk": "thẻ nhớ",
    "power": "nguồn máy",
    "heat": "nhiệt độ máy",
}
"""What a check is called in Vietnamese; codes of poles and cameras stay."""


def name_in(check: str, language: Language) -> str:
    """A check's name for this reader: `TG-0042 lamp` is `TG-0042 đèn` in Vietnamese."""
    if language == "en" or check in NAMES_VI:
        return check if language == "en" else NAMES_VI[check]
    code, _, thing = check.partition(" ")
    return f"{code} {NAMES_VI.get(thing, thing)}".rstrip()


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, how it is, what to do next (empty where nothing is)."""

    check: str
    level: Level
    found: Words
    advice: Words = NOTHING

    def line(self, language: Language) -> str:
        """As it is printed."""
        advice = self.advice.in_(language)
        found = f"{SIGNS[self.level]} {name_in(self.check, language):<16} {self.found.in_(language)}"
        return f"{found}\n{'':19}→ {advice}" if advice else found


@dataclass(frozen=True, slots=True)
class Patient:
    """The node that is looked at. `root` is the machine's file system; tests give a folder made like one."""

    config: NodeConfig
    agent_pid: int | None = None
    """The running agent that holds this node's data_dir, its pins, its lines and its name at the broker."""
    root: Path = Path("/")

    def read(self, path: str) -> str | None:
        """A small file of the machine, stripped; None where it can't be read."""
        try:
            return (self.root / path).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None


def fine(check: str, vi: str, en: str) -> Finding:
    """Nothing to do."""
    return Finding(check, "fine", Words(vi, en))


def warning(check: str, vi: str, en: str, advice: Words = NOTHING) -> Finding:
    """It works, and someone should look at it."""
    return Finding(check, "warning", Words(vi, en), advice)


def fault(check: str, vi: str, en: str, advice: Words = NOTHING) -> Finding:
    """It does not work."""
    return Finding(check, "fault", Words(vi, en), advice)


def left_out(check: str, vi: str, en: str) -> Finding:
    """Not looked at, and why."""
    return Finding(check, "left_out", Words(vi, en))


def exit_code(findings: list[Finding]) -> int:
    """0 fine, 1 warnings, 2 faults."""
    levels = {finding.level for finding in findings}
    return 2 if "fault" in levels else 1 if "warning" in levels else 0
