"""The hub's line to the broker: what comes in, what goes out to nodes."""
