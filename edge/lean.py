"""Sparing a Pi's memory: what libraries load in passing and an agent never calls. Figures: docs/edge.md."""

from __future__ import annotations

import sys
from types import ModuleType


def lean_process() -> None:
    """Keep these modules out of this process. Called before the libraries are loaded, by agents only."""
    # structlog loads rich and greenlet where it finds them, for tracebacks in colour and another kind of
    # concurrency: 7 MB.
    for module in ("rich", "greenlet"):
        sys.modules.setdefault(module, None)  # type: ignore[arg-type]
    if "urllib.request" not in sys.modules:
        _without_proxies()


def _without_proxies() -> None:
    """2 MB: paho asks urllib.request whether the environment names an MQTT proxy, and that loads HTTP and mail.

    A node has no such proxy.
    """
    import urllib

    class NoProxies(ModuleType):
        """What paho asks of urllib.request."""

        @staticmethod
        def getproxies() -> dict[str, str]:
            """None."""
            return {}

    module = NoProxies("urllib.request")
    sys.modules["urllib.request"] = module
    urllib.request = module  # type: ignore[attr-defined]
