"""`ngonden hub first-login`, `ngonden hub add-user`: mounted by `hub.cli` from `register(app)`."""

from __future__ import annotations
