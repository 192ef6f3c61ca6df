from pathlib import Path

import msgspec
import pytest

from launcher.errors import LaunchError
from launcher.manifest import FILE, Manifest, check_scenario, locked, read_manifest, write_manifest

KNOWN = Manifest(scenario="trung-giap", database="sqlite:///x", telemetry="sqlite:///y", broker_port=18883)


def test_what_was_written_is_read_again_and_is_for_the_owner_alone(tmp_path: Path) -> None:
    write_manifest(tmp_path, KNOWN)
    assert read_manifest(tmp_path) == KNOWN
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_a_new_directory_and_a_provisioned_one_have_none_yet(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None
    (tmp_path / "pki").mkdir()
    assert read_manifest(tmp_path) is None


def test_a_directory_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(LaunchError, match=r"not a data directory of `ngonden up` \(it holds 'photos'"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(("layout", "word"), [(99, "newer"), (0, "older")])
def test_a_directory_of_another_version_is_refused(tmp_path: Path, layout: int, word: str) -> None:
    foreign = {"layout": layout, "something": "else"}
    (tmp_path / FILE).write_bytes(msgspec.json.encode(foreign))
    with pytest.raises(LaunchError, match=f"made by a {word} version .layout {layout}"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b'{"layout": 1}', b'{"layout": 1, "scenario": 5}'])
def test_a_damaged_manifest_is_said_to_be_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(LaunchError, match="is damaged"):
        read_manifest(tmp_path)


def test_a_directory_keeps_its_scenario() -> None:
    data = Path("d")
    assert check_scenario(None, None, data=data, default="trung-giap") == "trung-giap"
    assert check_scenario(None, "all-good", data=data, default="trung-giap") == "all-good"
    assert check_scenario(KNOWN, None, data=data, default="all-good") == "trung-giap"
    with pytest.raises(LaunchError, match="holds the scenario 'trung-giap', not 'all-good'"):
        check_scenario(KNOWN, "all-good", data=data, default="trung-giap")


def test_one_launcher_per_directory(tmp_path: Path) -> None:
    first = locked(tmp_path / "data")
    with first, pytest.raises(LaunchError, match="another `ngonden up` runs"), locked(tmp_path / "data"):
        pytest.fail("the second one got in")
    with locked(tmp_path / "data"):
        pass
