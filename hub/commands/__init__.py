"""Lamp commands as rows, from the request to the measured effect."""
