"""Measurements and campaigns: throughput, footprint, kills, malformed messages, a whole commune for minutes."""
