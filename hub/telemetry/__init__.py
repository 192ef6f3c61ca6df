"""Samples over time behind one interface: an embedded file, or InfluxDB."""
