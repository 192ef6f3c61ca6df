from pathlib import Path
from uuid import UUID

import pytest

from edge.restart import last_service_result, run_note, start_cause

BOOT = UUID(int=1)
OTHER = UUID(int=2)


@pytest.mark.parametrize(
    ("note", "boot", "result", "cause"),
    [
        (None, BOOT, None, "first_start"),
        (b"not a note", BOOT, None, "first_start"),
        (run_note(BOOT, ended=True), OTHER, None, "reboot"),
        (run_note(BOOT, ended=False), OTHER, None, "power_cut"),
        (run_note(BOOT, ended=False), OTHER, "watchdog", "power_cut"),
        (run_note(BOOT, ended=True), BOOT, "success", "restart"),
        (run_note(BOOT, ended=False), BOOT, "watchdog", "watchdog"),
        (run_note(BOOT, ended=False), BOOT, "signal", "crash"),
        (run_note(BOOT, ended=False), BOOT, None, "crash"),
    ],
)
def test_why_the_agent_starts(note: bytes | None, boot: UUID, result: str | None, cause: str) -> None:
    assert start_cause(note, boot=boot, service_result=result) == cause


def test_systemds_word_is_read_from_the_runtime_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    assert last_service_result() is None
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    assert last_service_result() is None
    (tmp_path / "last-result").write_text("watchdog\n")
    assert last_service_result() == "watchdog"
