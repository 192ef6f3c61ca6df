"""Virtual poles around the real agent, scenarios, prepared loads and malformed messages."""
