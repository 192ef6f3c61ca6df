"""Outages and faults from their start to their end, by thresholds that are data."""
