"""The names of incidents as people read them."""

from __future__ import annotations

TITLES: dict[str, tuple[str, str]] = {
    "communication_failure": ("Mất liên lạc với nút", "Node does not answer"),
    "lamp_failure": ("Đèn không sáng", "Lamp does not light"),
}
"""Kind of incident to its title in Vietnamese and English; a contract test holds it whole."""


def incident_title(kind: str) -> tuple[str, str]:
    """Vietnamese and English title; the kind itself where a newer hub process writes one not known here."""
    return TITLES.get(kind, (kind, kind.replace("_", " ")))
