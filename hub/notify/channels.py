"""The channels' file: names and addresses of those who get notices; it holds passwords."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.notify.transports.port import Channel

_log = structlog.get_logger(__name__)

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class ChannelsFileError(ValueError):
    """The file can't be used; the text says what is wrong where, and holds no address."""


class ChannelSettings(BaseModel):
    """One channel as written in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, Field(min_length=5, max_length=2000)]
    rate_per_min: Annotated[int, Field(ge=1, le=1000)] = 20


@dataclass(frozen=True, slots=True)
class ChannelEntry:
    """A channel that can be used, or the reason why it can't."""

    name: str
    rate_per_min: int
    channel: Channel | None
    problem: str = ""


def read_channels(path: Path) -> Mapping[str, ChannelSettings]:
    """What the file says; raises ChannelsFileError."""
    try:
        if path.stat().st_mode & 0o077:
            raise ChannelsFileError(f"{path} can be read by others: chmod 600 it, it holds passwords")
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ChannelsFileError(f"{path}: can't be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ChannelsFileError(f"{path}: is not TOML: {error}") from None
    if extra := set(values) - {"channels"}:
        raise ChannelsFileError(f"{path}: `{min(extra)}` is not known; write [channels.<name>]")
    found: dict[str, ChannelSettings] = {}
    for name, section in values.get("channels", {}).items():
        if not NAME.fullmatch(name):
            raise ChannelsFileError(f"{path}: channel `{name}`: use letters a-z, digits and hyphens")
        try:
            found[name] = ChannelSettings.model_validate(section)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            key = ".".join(str(part) for part in first["loc"])
            raise ChannelsFileError(f"{path}: channels.{name}.{key}: {first['msg']}") from None
    return found


def open_channels(path: Path | None, *, timeout_s: float) -> Mapping[str, ChannelEntry]:
    """The channels of a file, or none. One that makes no sense is kept with its problem: the others go on.

    Raises ChannelsFileError. apprise is loaded only here: with all its services it takes a second.
    """
    settings = {} if path is None else read_channels(path)
    if path is None or not settings:
        return {}
    from hub.notify.transports.apprise_channel import AppriseChannel, ChannelUrlError

    found: dict[str, ChannelEntry] = {}
    for name, one in settings.items():
        try:
            channel = AppriseChannel(one.url, timeout_s=timeout_s, base=path.parent)
        except ChannelUrlError as error:
            found[name] = ChannelEntry(name, one.rate_per_min, None, str(error))
        else:
            found[name] = ChannelEntry(name, one.rate_per_min, channel)
    return found


class ChannelBook:
    """The channels as the file says now: read anew whenever it was changed.

    A file that can't be read leaves the channels as they were; `problem` says why.
    """

    def __init__(self, path: Path | None, *, timeout_s: float) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._stamp: tuple[int, int] | None = None
        self._entries: Mapping[str, ChannelEntry] = {}
        self.problem = ""

    def entries(self) -> Mapping[str, ChannelEntry]:
        """The channels by name."""
        if self._path is None:
            return self._entries
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_mode)
        except OSError:
            stamp = (0, 0)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._entries = open_channels(self._path, timeout_s=self._timeout_s)
            except ChannelsFileError as error:
                self.problem = str(error)
                _log.error("channels_unreadable", problem=self.problem)
            else:
                self.problem = ""
                _log.info("channels_open", names=sorted(self._entries))
        return self._entries
