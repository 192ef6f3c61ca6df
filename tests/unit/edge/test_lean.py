"""An agent's process does without what its libraries load in passing; its own code must not miss it."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LOAD = (
    "import sys\nfrom edge.lean import lean_process\nlean_process()\n"
    "import edge.agent, edge.link.uplink, edge.link.downlink, edge.sampling, structlog\n"
)


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_no_node_needs_is_not_loaded() -> None:
    code = LOAD + "print([name for name, module in sys.modules.items() if module is not None])"
    unwanted = {
        "rich",
        "greenlet",
        "email",
        "http.client",
        "tempfile",
        "shutil",
        "PIL",
        "serial",
        "gpiozero",
    }
    assert {name for name in unwanted if f"'{name}'" in run(code)} == set()


def test_paho_finds_no_proxy_and_no_fault() -> None:
    code = LOAD + (
        "import paho.mqtt.client as paho\n"
        "client = paho.Client(paho.CallbackAPIVersion.VERSION2)\n"
        "client._host = 'hub.example'\nprint(client._get_proxy())"
    )
    assert run(code).strip() == "None"


def test_the_agents_own_code_asks_nothing_of_urllib_request() -> None:
    asking = [
        path.name
        for path in (ROOT / "edge").rglob("*.py")
        if path.name != "lean.py" and re.search(r"urllib\.request|urllib import request", path.read_text())
    ]
    assert asking == []
