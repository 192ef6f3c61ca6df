import signal
import subprocess
import sys

import pytest

WORK = """
from bench.cli import _root
_root()
try:
    print("children run", flush=True)
    input()
finally:
    print("children ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_bench_that_is_ended_ends_its_children(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as bench:
        assert bench.stdout is not None
        assert bench.stdout.readline() == "children run\n"
        bench.send_signal(number)
        assert bench.stdout.read() == "children ended\n"
    assert bench.returncode == 128 + number
