from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from PIL import Image, ImageDraw

from edge.camera.picture.judge import Light, judge
from edge.camera.picture.look import Look
from edge.camera.picture.thumbnail import HEIGHT, WIDTH, Thumbnail, UnreadablePictureError, decode
from edge.camera.picture.views import ENOUGH, MOST, Views
from simulators.camera_scenes.shots import with_noise
from simulators.camera_scenes.village import texture

LIT = Light(lamp_lit=True, dark=True, infrared=False)
UNLIT = Light(lamp_lit=False, dark=True, infrared=False)


def thumbnail(image: Image.Image) -> Thumbnail:
    return Thumbnail(image.resize((WIDTH, HEIGHT)).tobytes())


def scene(seed: int = 1) -> Image.Image:
    return texture(Random(seed), (WIDTH, HEIGHT), 60, 90)


def jpeg(image: Image.Image, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def word(
    now: Image.Image, previous: Image.Image | None = None, light: Light = LIT, **more: object
) -> str | None:
    before = None if previous is None else thumbnail(previous)
    settings: dict[str, object] = {"usual": None, "overlays": [], **more}
    return judge(thumbnail(now), previous=before, light=light, **settings).picture  # type: ignore[arg-type]


def test_black_is_dark_only_where_there_should_be_light() -> None:
    black = with_noise(Image.new("L", (WIDTH, HEIGHT), 3), 2, Random(1))
    assert word(black) == "dark"
    assert word(black, light=UNLIT) is None, "a dark road without its lamp looks like that"
    assert word(black, light=Light(lamp_lit=False, dark=True, infrared=True)) == "dark"
    assert word(black, light=Light(lamp_lit=False, dark=False, infrared=False)) == "dark", "at noon"
    assert word(black, light=Light(lamp_lit=None, dark=None, infrared=False)) is None


def test_frozen_is_told_behind_a_running_clock_and_not_behind_noise() -> None:
    kept = with_noise(scene(), 2, Random(1))
    ticked = kept.copy()
    ImageDraw.Draw(ticked).text((4, 4), "12:00:01", fill=255)
    assert word(ticked, kept) == "frozen"
    assert word(with_noise(scene(), 0.6, Random(2)), with_noise(scene(), 0.6, Random(3))) == "ok"


def test_a_clock_elsewhere_is_a_setting() -> None:
    kept = scene()
    ticked = kept.copy()
    ImageDraw.Draw(ticked).text((100, 60), "12:00:01", fill=255)
    assert word(ticked, kept) == "ok"
    assert word(ticked, kept, overlays=[(0.4, 0.42, 0.25, 0.15)]) == "frozen"


def test_an_even_surface_is_covered_without_any_usual_view() -> None:
    bag = with_noise(Image.new("L", (WIDTH, HEIGHT), 90), 1, Random(1))
    assert word(bag) == "covered"
    assert word(bag, light=UNLIT) is None


def test_whatever_comes_as_a_picture_is_read_or_refused() -> None:
    whole = jpeg(scene().resize((1920, 1080)))
    assert len(decode(whole).pixels) == WIDTH * HEIGHT
    assert len(decode(jpeg(scene().convert("RGB"), progressive=True)).pixels) == WIDTH * HEIGHT
    for damaged in (
        b"",
        b"GIF89a",
        b"\xff\xd8\xff",
        whole[: len(whole) // 2],
        jpeg(Image.new("L", (8, 8))),
    ):
        with pytest.raises(UnreadablePictureError):
            decode(damaged)
    out = BytesIO()
    scene().save(out, "PNG")
    with pytest.raises(UnreadablePictureError):
        decode(out.getvalue())


def test_damage_in_the_middle_never_breaks_the_agent() -> None:
    whole, random = bytearray(jpeg(scene().resize((640, 360)))), Random(7)
    for _ in range(300):
        spoilt = whole.copy()
        for _ in range(random.randint(1, 30)):
            spoilt[random.randrange(len(spoilt))] = random.randrange(256)
        try:
            decode(bytes(spoilt))
        except UnreadablePictureError:
            continue


def test_a_view_outlives_a_restart_and_is_written_rarely(tmp_path: Path) -> None:
    now_s = 1e9
    views = Views(tmp_path, wall_s=lambda: now_s)
    for _ in range(ENOUGH):
        assert views.usual("lit-19") is None
        views.learn("lit-19", thumbnail(scene()))
    views.usual("lit-20")
    written = (tmp_path / "lit-19.view").stat().st_mtime_ns
    again = Views(tmp_path, wall_s=lambda: now_s)
    usual = again.usual("lit-19")
    assert usual is not None
    assert usual.pixels == thumbnail(scene()).pixels
    for _ in range(MOST):
        again.learn("lit-19", thumbnail(scene()))
    now_s = (tmp_path / "lit-19.view").stat().st_mtime + 86_400
    again.save()
    assert (tmp_path / "lit-19.view").stat().st_mtime_ns == written, "learnt out, and not three days old"
    now_s += 3 * 86_400
    again.save()
    assert (tmp_path / "lit-19.view").stat().st_mtime_ns != written


def test_what_one_picture_of_three_shows_is_not_usual(tmp_path: Path) -> None:
    views = Views(tmp_path, wall_s=lambda: 0.0)
    glare = scene()
    ImageDraw.Draw(glare).ellipse((60, 40, 160, 110), fill=255)
    for number in range(ENOUGH):
        views.learn("lit-19", thumbnail(glare if number % 3 == 0 else scene()))
    usual = views.usual("lit-19")
    assert usual is not None
    assert usual.pixels == thumbnail(scene()).pixels


def test_a_damaged_view_is_learnt_anew(tmp_path: Path) -> None:
    views = Views(tmp_path, wall_s=lambda: 0.0)
    for _ in range(ENOUGH):
        views.learn("day-09", thumbnail(scene()))
    views.save()
    path = tmp_path / "day-09.view"
    whole = path.read_bytes()
    for damaged in (b"", whole[:-1], whole[:100] + b"?" + whole[101:]):
        path.write_bytes(damaged)
        assert Views(tmp_path, wall_s=lambda: 0.0).usual("day-09") is None


def test_a_disk_that_refuses_costs_only_the_memory_of_views(tmp_path: Path) -> None:
    blocked = tmp_path / "views"
    blocked.write_text("a file where the folder should be")
    look = Look(blocked, overlays=[], wall_s=lambda: 0.0)
    for number in range(ENOUGH + 1):
        picture = jpeg(with_noise(scene(), 2, Random(number)).resize((640, 360)))
        assert look.at(picture, light=LIT, hour=number % 2).picture == "ok"
    look.save()
    look.forget()


def test_a_cover_that_comes_slowly_is_never_learnt(tmp_path: Path) -> None:
    look = Look(tmp_path, overlays=[], wall_s=lambda: 0.0)
    fog = Image.new("L", (WIDTH, HEIGHT), 120)
    words = []
    for number in range(60):
        dirt = max(0.0, (number - 12) / 48)
        dirty = with_noise(Image.blend(scene(), fog, dirt), 1.5, Random(number))
        words.append(look.at(jpeg(dirty.resize((640, 360)), quality=90), light=LIT, hour=19).picture)
    assert words[:12] == ["ok"] * 12
    assert words[-6:] == ["covered"] * 6
