from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from PIL import Image, ImageDraw

from edge.camera.eye import Eye, in_a_child
from edge.camera.picture.judge import judge
from edge.camera.picture.look import ENOUGH, learnt, look
from edge.camera.picture.thumbnail import HEIGHT, WIDTH, Thumbnail, UnreadablePictureError, decode
from edge.camera.picture.words import Light, Question, View
from edge.camera.views import Views
from edge.drivers.ports import DriverError
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


def good(number: int, *, light: Light = LIT) -> bytes:
    return jpeg(with_noise(scene(), 1.5, Random(number)).resize((640, 360)), quality=90)


def test_what_one_picture_of_three_shows_is_not_usual() -> None:
    glare = scene()
    ImageDraw.Draw(glare).ellipse((60, 40, 160, 110), fill=255)
    view = View()
    for number in range(ENOUGH):
        view = learnt(view, thumbnail(glare if number % 3 == 0 else scene()).pixels)
    assert (view.pictures, view.pixels, view.waiting) == (ENOUGH, thumbnail(scene()).pixels, [])


def test_a_cover_that_comes_slowly_is_never_learnt() -> None:
    fog = Image.new("L", (WIDTH, HEIGHT), 120)
    words, previous, view = [], None, View()
    for number in range(60):
        dirt = max(0.0, (number - 12) / 48)
        dirty = with_noise(Image.blend(scene(), fog, dirt), 1.5, Random(number))
        picture = jpeg(dirty.resize((640, 360)), quality=90)
        answer = look(Question(jpeg=picture, light=LIT, previous=previous, view=view))
        previous, view = answer.thumbnail, answer.view or view
        words.append(answer.picture)
    assert words[:12] == ["ok"] * 12
    assert words[-6:] == ["covered"] * 6


def test_nothing_is_learnt_while_no_clock_tells_the_hour() -> None:
    assert look(Question(jpeg=good(1), light=LIT)).view is None


def filled(folder: Path, pictures: int, wall_s: float = 1e9) -> Views:
    views = Views(folder, wall_s=lambda: wall_s)
    views.get("lit-19")
    views.put(View(pictures=pictures, pixels=bytes([pictures]) * WIDTH * HEIGHT, waiting=[b"now"]))
    return views


def test_a_view_outlives_a_restart_without_any_single_picture(tmp_path: Path) -> None:
    filled(tmp_path, 6).get("lit-20")
    again = Views(tmp_path, wall_s=lambda: 1e9).get("lit-19")
    assert (again.pictures, again.waiting) == (6, [])
    assert again.pixels == bytes([6]) * WIDTH * HEIGHT


def test_a_view_that_is_learnt_out_is_written_every_third_day(tmp_path: Path) -> None:
    filled(tmp_path, 24).save()
    path = tmp_path / "lit-19.view"
    written_s = path.stat().st_mtime
    for days, expected in ((1.0, 24), (2.9, 24), (3.1, 23)):
        views = Views(tmp_path, wall_s=lambda days=days: written_s + days * 86_400)  # type: ignore[misc]
        views.get("lit-19")
        views.put(View(pictures=24, pixels=bytes([23]) * WIDTH * HEIGHT))
        views.save()
        pixels = Views(tmp_path, wall_s=lambda: 0.0).get("lit-19").pixels
        assert pixels == bytes([expected]) * WIDTH * HEIGHT


def test_a_damaged_view_is_learnt_anew(tmp_path: Path) -> None:
    filled(tmp_path, 6).save()
    path = tmp_path / "lit-19.view"
    whole = path.read_bytes()
    for damaged in (b"", whole[:-1], whole[:100] + b"?" + whole[101:]):
        path.write_bytes(damaged)
        assert Views(tmp_path, wall_s=lambda: 0.0).get("lit-19") == View()


def test_a_disk_that_refuses_costs_only_the_memory_of_views(tmp_path: Path) -> None:
    blocked = tmp_path / "views"
    blocked.write_text("a file where the folder should be")
    views = filled(blocked, 6)
    views.save()
    assert views.get("lit-20") == View()
    views.forget()


async def test_a_child_answers_as_we_would(tmp_path: Path) -> None:
    question = Question(jpeg=good(1), light=LIT, overlays=[(0.1, 0.4, 0.2, 0.1)], view=View())
    assert await in_a_child(question) == look(question)
    eye = Eye(tmp_path, overlays=[], wall_s=lambda: 0.0)
    words = [(await eye.at(picture, light=LIT, hour=19)).picture for picture in (good(1), good(1), b"no")]
    assert words == ["ok", "frozen", "unreadable"]


async def test_a_child_that_can_not_look_is_our_own_trouble() -> None:
    bomb = jpeg(Image.new("L", (6_300, 6_300)), progressive=True)
    answer = await in_a_child(Question(jpeg=bomb, light=LIT))
    assert answer.picture in ("dark", "unreadable"), "40 million pixels: bounded, whichever way"
    with pytest.raises(DriverError, match="ended with"):
        await in_a_child(Question(jpeg=good(1), light=LIT, previous=b"too short"))
