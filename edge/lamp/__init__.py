"""The lamp of a pole: what it should do, and keeping it there."""
