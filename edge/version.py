"""The version this agent reports. Asking the installed package for it would cost 2 MB and 30 ms on a Pi."""

AGENT_VERSION = "0.1.0"
