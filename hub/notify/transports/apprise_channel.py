"""Channels of apprise: e-mail, Telegram, Zalo bot, JSON, SMS gateways, and about 190 others, each by its URL.

apprise answers yes or no; why it failed stands only in its log. So a handler listens to that log while one
message is sent, in the sending thread alone, and `causes` reads a code out of it.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apprise
from apprise.manager_plugins import NotificationManager

from hub.notify.model import SENT, Message, Outcome
from hub.notify.transports import causes
from hub.notify.transports.zns import FIELDS, ZnsChannel, folder

_TELLING = "Socket Exception"
"""The one kind of debug line that holds a reason; others hold whole payloads and are not looked at."""


class ChannelUrlError(ValueError):
    """The URL makes no channel; the text says why, without the URL, which may hold secrets."""


class AppriseChannel:
    """One receiver behind an apprise URL; raises ChannelUrlError for one that makes none or several.

    Several receivers behind one URL are refused: a retry for one would reach the others again.
    """

    def __init__(self, url: str, *, timeout_s: float, base: Path) -> None:
        register_plugins()
        with folder(base):
            plugin = apprise.Apprise.instantiate(url, suppress_exceptions=True)
        if plugin is None:
            raise ChannelUrlError("apprise does not know this address, or a part of it is missing")
        if len(plugin) > 1:
            raise ChannelUrlError("has several receivers: give each a channel of its own")
        # Our own limits per channel hold instead; a pause in here would block the others.
        plugin.request_rate_per_sec = 0
        plugin.socket_connect_timeout = plugin.socket_read_timeout = timeout_s / 2
        if "format=" not in url:
            plugin.notify_format = apprise.NotifyFormat.TEXT
        self._plugin: Any = plugin

    @property
    def service(self) -> str:
        """apprise's name of the service."""
        return str(self._plugin.service_name)

    @property
    def address(self) -> str:
        """The URL with its secrets masked, without the options."""
        return str(self._plugin.url(privacy=True)).partition("?")[0]

    def send(self, message: Message) -> Outcome:
        """Send through apprise."""
        token = FIELDS.set(message.fields)
        try:
            with _listening() as said:
                sent = self._plugin.notify(
                    title=message.subject, body=message.body, body_format=apprise.NotifyFormat.TEXT
                )
        except Exception as error:  # noqa: BLE001  a plugin's own fault must not end the notifier
            return Outcome("passing", f"the plugin failed: {type(error).__name__}")
        finally:
            FIELDS.reset(token)
        return SENT if sent else causes.of_words("\n".join(said))


def register_plugins() -> None:
    """Load apprise's plugins and make our own known to it; more than once changes nothing."""
    with warnings.catch_warnings():
        # Plugins of services that nobody asked for load libraries with warnings of their own.
        warnings.simplefilter("ignore")
        manager = NotificationManager()
        if "zns" not in manager.schemas():
            manager.add(ZnsChannel)


@contextmanager
def _listening() -> Iterator[list[str]]:
    said: list[str] = []
    me = threading.get_ident()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread != me:
                return
            text = record.getMessage()
            if record.levelno >= logging.WARNING or text.startswith(_TELLING):
                said.append(text)

    ear = Ear(logging.DEBUG)
    log = logging.getLogger("apprise")
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.addHandler(ear)
    try:
        yield said
    finally:
        log.removeHandler(ear)
