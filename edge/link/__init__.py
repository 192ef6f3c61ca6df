"""The way to the hub and back: the connection, what is sent when, what comes in."""
