"""Devices on pins and networks, each port in `ports.py`, each mock beside its real driver."""
