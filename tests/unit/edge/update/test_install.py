"""What may become a release on a node, and what is left of one that may not: nothing."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from edge.update import install as installing
from edge.update.install import begin_trial, give_to_owner, install, prune
from edge.update.launch import CURRENT, PREVIOUS, is_whole, point
from edge.update.names import UpdateError
from edge.update.release import build, from_wheels
from tests.support.releases import Machine, release_file


def refused(machine: Machine, file: Path, digest: str, *, config: Path | None = None) -> str:
    with pytest.raises(UpdateError) as error:
        install(machine.releases, file, sha256=digest, config=config)
    assert list(machine.releases.iterdir()) == []
    return str(error.value)


@pytest.fixture(name="machine")
def _machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.prepare()
    return machine


def test_another_files_sum_is_refused(machine: Machine) -> None:
    file, _ = release_file(machine.home, "2.0")
    assert "fetch it again" in refused(machine, file, "0" * 64)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"format": 9}, "format 9"),
        ({"python": "2.7"}, "Python 2.7"),
        ({"platform": "linux-riscv64"}, "linux-riscv64"),
        ({"unpacked_bytes": 10**12}, "claims"),
        ({"unpacked_bytes": 3}, "more than its manifest"),
        ({"files": 3}, "less than its manifest"),
    ],
)
def test_what_does_not_fit_this_node_is_refused(
    machine: Machine, changes: dict[str, object], word: str
) -> None:
    file, digest = release_file(machine.home, "2.0", changes=changes)
    assert word in refused(machine, file, digest)


def test_a_release_that_does_not_start_is_never_put_on_trial(machine: Machine) -> None:
    file, digest = release_file(machine.home, "2.0", main="import a_library_that_is_missing\n")
    assert "does not start: ModuleNotFoundError" in refused(machine, file, digest)


def test_a_release_that_is_no_python_is_refused(machine: Machine) -> None:
    file, digest = release_file(machine.home, "2.0", more={"edge/broken.py": b"def ("})
    assert "can't be compiled" in refused(machine, file, digest)


def test_a_release_that_refuses_the_nodes_settings_is_refused(machine: Machine) -> None:
    main = 'import sys\nif "--config" in sys.argv:\n    sys.exit("heartbeat_s: too small")\n'
    file, digest = release_file(machine.home, "2.0", main=main)
    assert "heartbeat_s: too small" in refused(machine, file, digest, config=machine.config)


def test_half_a_file_is_refused(machine: Machine) -> None:
    file, _ = release_file(machine.home, "2.0", more={"noise.bin": bytes(range(256)) * 4000})
    file.write_bytes(file.read_bytes()[:-300])
    assert "ends too soon" in refused(machine, file, sha256(file.read_bytes()).hexdigest())


def test_a_file_that_is_no_release_is_refused(machine: Machine) -> None:
    file = machine.home / "photo.jpg"
    file.write_bytes(b"\xff\xd8" * 900)
    assert "is not a release" in refused(machine, file, sha256(file.read_bytes()).hexdigest())


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "app/../../x", "outside/x"])
def test_a_release_may_not_write_elsewhere(machine: Machine, name: str) -> None:
    file, _ = release_file(machine.home, "2.0")
    assert "outside of app/" in refused(machine, *with_member(file, tarfile.TarInfo(name)))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_release_holds_plain_files_only(machine: Machine, kind: bytes) -> None:
    file, _ = release_file(machine.home, "2.0")
    member = tarfile.TarInfo("app/edge/link.py")
    member.type, member.linkname = kind, "/etc/passwd"
    assert "no plain file" in refused(machine, *with_member(file, member))


def with_member(file: Path, member: tarfile.TarInfo) -> tuple[Path, str]:
    plain = io.BytesIO(gzip.decompress(file.read_bytes()))
    with tarfile.open(fileobj=plain, mode="a") as archive:
        archive.addfile(member)
    file.write_bytes(gzip.compress(plain.getvalue()))
    return file, sha256(file.read_bytes()).hexdigest()


def test_a_disk_without_room_is_left_alone(machine: Machine) -> None:
    file, digest = release_file(
        machine.home, "2.0", changes={"unpacked_bytes": installing.MOST_UNPACKED_BYTES}
    )
    free = installing.LEAVE_FREE_BYTES
    with pytest.raises(UpdateError, match="free, the release needs"):
        install(machine.releases, file, sha256=digest, free_bytes=lambda _: free)
    assert list(machine.releases.iterdir()) == []


def test_only_two_releases_are_kept(machine: Machine) -> None:
    names = []
    for version in ("1.0", "2.0", "3.0", "4.0"):
        file, digest = release_file(machine.home, version)
        names.append(install(machine.releases, file, sha256=digest))
    point(machine.releases, PREVIOUS, names[1])
    point(machine.releases, CURRENT, names[2])
    (machine.releases / ".new-5.0").mkdir()
    prune(machine.releases)
    assert sorted(path.name for path in machine.releases.iterdir()) == [*names[1:3], "current", "previous"]
    begin_trial(machine.releases, names[1], starts_allowed=1, trial_s=60)
    prune(machine.releases)
    assert is_whole(machine.releases, names[1])


def test_the_same_parts_make_the_same_file(tmp_path: Path) -> None:
    first, digest = build(tmp_path / "a", wheels=[], libraries=False)
    second, again = build(tmp_path / "b", wheels=[], libraries=False)
    assert digest == again
    assert first.read_bytes() == second.read_bytes()
    assert first.name == second.name
    assert digest[:12] in first.name


def test_the_agent_itself_as_a_release_installs_and_accepts_its_settings(machine: Machine) -> None:
    machine.config.write_text(
        'node = "tg-0001"\ncommune = "tram-than"\ndata_dir = "data"\n[broker]\nhost = "127.0.0.1"\n'
        '[[poles]]\ncode = "TG-0001"\nlatitude = 21.4\nlongitude = 105.2\nlamp_rated_w = 60\n'
        'lamp = { driver = "mock" }\n'
    )
    file, digest = build(machine.home / "made", wheels=[], libraries=False)
    name = install(machine.releases, file, sha256=digest, config=machine.config)
    compiled = machine.releases / name / "app/edge/__pycache__"
    assert any(compiled.glob("agent.*.pyc"))
    machine.config.write_text("node = 5\n")
    (machine.releases / name).rename(machine.releases / "elsewhere")
    with pytest.raises(UpdateError, match="does not start"):
        install(machine.releases, file, sha256=digest, config=machine.config)


def test_a_release_from_wheels_takes_modules_and_leaves_scripts(tmp_path: Path) -> None:
    import zipfile

    wheel = tmp_path / "x-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("x/a.py", "x-1.data/scripts/run", "x-1.data/purelib/y.py", "x-1.dist-info/RECORD"):
            archive.writestr(name, "pass\n")
    assert sorted(from_wheels([wheel])) == ["x/a.py", "y.py"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_installs_belongs_to_the_service(machine: Machine) -> None:
    file, digest = release_file(machine.home, "2.0")
    point(machine.releases, CURRENT, install(machine.releases, file, sha256=digest))
    os.chown(machine.releases.parent, 65534, 65534)
    give_to_owner(machine.releases)
    owners = {path.lstat().st_uid for path in (machine.releases, *machine.releases.rglob("*"))}
    assert owners == {65534}
