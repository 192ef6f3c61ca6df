"""Copies of a running hub, and the way back from them."""
