"""A command's status moves forward only."""

from __future__ import annotations

import pytest

from hub.commands.model import CommandStatus, advances

FINAL: tuple[CommandStatus, ...] = ("applied", "rejected", "expired", "superseded")


@pytest.mark.parametrize("final", FINAL)
def test_every_path_forward_is_open(final: CommandStatus) -> None:
    assert advances("requested", "accepted")
    assert advances("sent", "accepted")
    assert advances("sent", final)
    assert advances("accepted", final)


@pytest.mark.parametrize("final", FINAL)
def test_a_final_word_stays(final: CommandStatus) -> None:
    for later in ("accepted", *FINAL):
        assert not advances(final, later)


def test_only_an_expiry_that_the_hub_assumed_gives_way() -> None:
    assert advances("expired", "applied", assumed_by_hub=True)
    assert advances("expired", "accepted", assumed_by_hub=True)
    assert not advances("expired", "applied")
