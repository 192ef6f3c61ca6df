"""Wrong clocks are met every day; a sample is filed under the best time anyone knows, or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from protocol import FUTURE_TOLERANCE, TimeVerdict, judge_time

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BOOT_1970 = datetime(1970, 1, 1, 0, 3, tzinfo=UTC)
YEAR_2100 = datetime(2100, 1, 1, tzinfo=UTC)
LAST_WEEK = NOW - timedelta(days=7)


@pytest.mark.parametrize(
    ("time", "synced", "historical", "verdict"),
    [
        (NOW, True, False, TimeVerdict.USE_SAMPLE_TIME),
        (LAST_WEEK, True, True, TimeVerdict.USE_SAMPLE_TIME),
        (NOW + FUTURE_TOLERANCE, True, False, TimeVerdict.USE_SAMPLE_TIME),
        (NOW + FUTURE_TOLERANCE + timedelta(seconds=1), True, False, TimeVerdict.REFUSE),
        (BOOT_1970, True, False, TimeVerdict.REFUSE),
        (YEAR_2100, True, True, TimeVerdict.REFUSE),
        (BOOT_1970, False, False, TimeVerdict.USE_ARRIVAL_TIME),
        (LAST_WEEK, False, False, TimeVerdict.USE_ARRIVAL_TIME),
        (YEAR_2100, False, False, TimeVerdict.USE_ARRIVAL_TIME),
        (BOOT_1970, False, True, TimeVerdict.REFUSE),
        (LAST_WEEK, False, True, TimeVerdict.USE_SAMPLE_TIME),
    ],
)
def test_a_time_is_believed_refused_or_replaced(
    time: datetime, synced: bool, historical: bool, verdict: TimeVerdict
) -> None:
    assert judge_time(time, now=NOW, clock_synced=synced, historical=historical) is verdict
