"""What a channel must do, and one that keeps its messages in a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from hub.notify.model import SENT, Message, Outcome


class Channel(Protocol):
    """One receiver: a person's mailbox, a chat, a telephone."""

    @property
    def service(self) -> str:
        """What kind of channel it is, for people: `E-Mail`, `Telegram`, `Zalo ZNS`."""
        ...

    @property
    def address(self) -> str:
        """Whom it reaches, with every secret masked."""
        ...

    def send(self, message: Message) -> Outcome:
        """Hand the message over; never raises. Takes no longer than the settings' `timeout_s` allows."""
        ...


class ListChannel:
    """Keeps what was sent; `answers` are the outcomes of the next tries, then all goes well."""

    service = "list"

    def __init__(self, answers: Iterable[Outcome] = (), address: str = "list") -> None:
        self.sent: list[Message] = []
        self.tried: list[Message] = []
        self.address = address
        self._answers = list(answers)

    def send(self, message: Message) -> Outcome:
        """Keep the message, unless the next answer is another."""
        self.tried.append(message)
        outcome = self._answers.pop(0) if self._answers else SENT
        if outcome.kind == "sent":
            self.sent.append(message)
        return outcome
