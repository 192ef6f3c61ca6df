"""What the agent and the child that looks at a picture tell each other. Neither needs Pillow for it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Picture = Literal["ok", "frozen", "dark", "covered", "defocused", "moved", "unreadable"]

Region = tuple[float, float, float, float]
"""Left, top, width, height as shares of the picture."""


class Light(Struct, frozen=True, kw_only=True):
    """What the node knows of the light in front of the camera."""

    lamp_lit: bool | None
    dark: bool | None
    """Night, by photocell or sun."""
    infrared: bool
    """The camera lights its view itself."""

    @property
    def name(self) -> str:
        """What sets the usual view apart beside the hour."""
        if self.dark is False:
            return "day"
        return "lit" if self.lamp_lit else "unlit"

    @property
    def enough(self) -> bool | None:
        """Whether a camera that works shows something; None when that can't be told."""
        if self.lamp_lit or self.infrared or self.dark is False:
            return True
        return None if self.lamp_lit is None or self.dark is None else False


class View(Struct, frozen=True, kw_only=True):
    """What a camera usually shows at one hour in one light, and what waits to be taken into it."""

    pictures: int = 0
    """How many good ones are in it."""
    pixels: bytes | None = None
    """Their mean, as a thumbnail."""
    waiting: list[bytes] = []
    """The newest good ones, fewer than three."""


class Question(Struct, frozen=True, kw_only=True):
    """One picture to look at."""

    jpeg: bytes
    light: Light
    overlays: list[Region] = []
    previous: bytes | None = None
    """The thumbnail of the picture before."""
    pixel_true: bool = True
    """False for a picture out of a stream: its encoder changes pixels that the sensor did not, and keeps
    others that it did, so that nothing can be said of frozen."""
    view: View | None = None
    """None while no clock tells the hour: nothing is compared and nothing learnt."""


class Answer(Struct, frozen=True, kw_only=True):
    """What it shows."""

    picture: Picture | None
    """None: nothing can be said (a dark road without light)."""
    figures: dict[str, float] = {}
    thumbnail: bytes | None = None
    """For the next question; None from an unreadable picture."""
    view: View | None = None
    """The view with this picture in it; None when it learnt nothing."""
    error: str = ""
    """Why it is unreadable."""


class Stream(Struct, frozen=True, kw_only=True):
    """A stream to take a picture out of."""

    url: str
    """With user and password: it goes over standard input only."""
