import re
from pathlib import Path

import msgspec
import pytest

from edge.camera.case import FAULTS as CAMERA_FAULTS
from edge.config import NodeConfig, load
from edge.firmware_bridge.profile import Profile

FOLDER = Path(__file__).parents[3] / "docs"
DOCS = (FOLDER / "edge-settings.md").read_text()
EDGE = "".join(path.read_text() for path in sorted(FOLDER.glob("edge*.md")))


def settings(type_: object = NodeConfig, place: str = "") -> list[tuple[str, str]]:
    """Every key of node.toml as (table it stands in, key)."""
    found: list[tuple[str, str]] = []
    for field in msgspec.structs.fields(type_):  # type: ignore[arg-type]
        inner = field.type
        many = [part for part in getattr(inner, "__args__", ()) if hasattr(part, "__struct_fields__")]
        origin = getattr(inner, "__origin__", None)
        many += [part for part in getattr(origin, "__args__", ()) if hasattr(part, "__struct_fields__")]
        if hasattr(inner, "__struct_fields__"):
            found += settings(inner, field.name)
        elif many:
            found += settings(many[0], field.name)
        else:
            found.append((place, field.name))
    return found


def test_every_setting_is_found() -> None:
    assert ("", "heartbeat_s") in settings()
    assert ("broker", "will_delay_s") in settings()
    assert ("photocell", "light_after_s") in settings()
    assert ("cameras", "port") in settings()


@pytest.mark.parametrize(("table", "key"), settings())
def test_every_setting_is_explained(table: str, key: str) -> None:
    of_a_pole_or_cabinet = {
        "lamp",
        "photocell",
        "motion",
        "meter",
        "battery",
        "schedule",
        "door",
        "temperature",
        "supply",
    }
    name = f"{table}.{key}" if table in of_a_pole_or_cabinet else key
    name = f"cameras[].power.{key}" if table == "power" else name
    name = f"{table}[].{key}" if table in ("cameras", "dimming", "phases", "serial_lines") else name
    assert re.search(rf"^\| .*`{re.escape(name)}`.* \|", DOCS, re.MULTILINE), (
        f"docs/edge-settings.md lacks `{name}`"
    )


def test_the_example_is_a_good_configuration(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", DOCS, re.DOTALL)
    assert example
    path = tmp_path / "node.toml"
    path.write_text(example[1])
    assert load(path).poles[0].cameras[0].code == "CAM-0007"


BRIDGE = (FOLDER / "firmware-bridge.md").read_text()


def test_the_example_of_a_serial_line_is_a_good_configuration(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", BRIDGE, re.DOTALL)
    assert example
    top = 'node = "tg-0042"\ncommune = "tram-than"\ndata_dir = "data"\nbroker = { host = "127.0.0.1" }\n'
    path = tmp_path / "node.toml"
    path.write_text(top + example[1])
    assert load(path).poles[0].lamp.profile == "lamp-board"


@pytest.mark.parametrize("key", sorted({key for _, key in settings(Profile)} - {"name"}))
def test_every_key_of_a_device_profile_is_explained(key: str) -> None:
    assert f"`{key}`" in BRIDGE, f"docs/firmware-bridge.md lacks `{key}`"


def test_the_example_with_inputs_is_a_good_configuration(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", (FOLDER / "edge-inputs.md").read_text(), re.DOTALL)
    assert example
    path = tmp_path / "node.toml"
    head = 'node = "tg-0042"\ncommune = "tram-than"\ndata_dir = "data"\nbroker = { host = "localhost" }\n'
    path.write_text(head + example[1])
    assert load(path).cabinet.supply.pin == 24


def test_every_event_that_is_told_is_named() -> None:
    source = "".join(path.read_text() for path in (Path(__file__).parents[3] / "edge").rglob("*.py"))
    told = set(re.findall(r'\.later\(\s*"(\w+)"', source)) | set(re.findall(r'Trouble\(\s*"(\w+)"', source))
    told |= set(re.findall(r'(?:_notice|Notice)\(\s*"(\w+)"', source))
    told |= set(re.findall(r'Matter\(\s*"(\w+)"', source))
    told |= {"lamp_output_lost", "lamp_output_back", *CAMERA_FAULTS, "camera_power_cycled"}
    assert len(told) >= 8
    for kind in told:
        assert f"`{kind}`" in EDGE
