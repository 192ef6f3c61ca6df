"""One picture: decoded, judged, learnt from. Pure: everything it needs stands in the question."""

from __future__ import annotations

from PIL import Image, ImageChops

from edge.camera.picture.judge import judge
from edge.camera.picture.thumbnail import HEIGHT, WIDTH, Thumbnail, UnreadablePictureError, decode
from edge.camera.picture.words import Answer, Question, View

ENOUGH = 6
"""Pictures after which a view can be compared with."""
MOST = 24
"""From here on three pictures count as an eighth: the view follows the seasons."""


def look(question: Question) -> Answer:
    """Judge one snapshot; an unreadable one is an answer too."""
    try:
        now = decode(question.jpeg)
    except UnreadablePictureError as error:
        return Answer(picture="unreadable", error=str(error))
    view = question.view
    usual = None
    if view is not None and view.pixels is not None and view.pictures >= ENOUGH:
        usual = Thumbnail(view.pixels)
    verdict = judge(
        now,
        previous=None if question.previous is None else Thumbnail(question.previous),
        usual=usual,
        light=question.light,
        overlays=question.overlays,
        pixel_true=question.pixel_true,
    )
    return Answer(
        picture=verdict.picture,
        figures=verdict.figures,
        thumbnail=now.pixels,
        view=learnt(view, now.pixels) if view is not None and verdict.learn else None,
    )


def learnt(view: View, pixels: bytes) -> View:
    """The view with one more good picture: three are taken in at a time, by their median.

    What is in one of three alone, a vehicle or its headlights, never becomes usual.
    """
    waiting = [*view.waiting, pixels]
    if len(waiting) < 3:
        return View(pictures=view.pictures, pixels=view.pixels, waiting=waiting)
    one, two, three = (_image(each) for each in waiting)
    low, high = ImageChops.darker(one, two), ImageChops.lighter(one, two)
    median = ImageChops.lighter(low, ImageChops.darker(high, three))
    pictures = min(view.pictures + 3, MOST)
    if view.pixels is not None:
        median = Image.blend(_image(view.pixels), median, 3 / pictures)
    return View(pictures=pictures, pixels=median.tobytes())


def _image(pixels: bytes) -> Image.Image:
    return Image.frombytes("L", (WIDTH, HEIGHT), pixels)
