"""What systemd starts: picks the release that is to run, and becomes it.

This file stands alone: it imports the standard library only, and it belongs to the installed package, not
to a release. So no release can break it. Whatever it can't read or write, it starts an agent: an unlit road
is worse than an old version. The records, and why the switch is the trial and not the pointer:
docs/edge-update.md.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

BASE = ""
"""The name of what the package manager installed: the release that is always there."""
LAUNCHER_VARIABLE = "NGONDEN_LAUNCHER"
"""Tells the agent which file to become when another release is to run."""
BASE_PATH_VARIABLE = "NGONDEN_BASE_PYTHONPATH"
LEAN_MALLOC = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
"""glibc gives each thread a heap of its own, and keeps a freed picture's room for the next one: memory that a
Pi has not."""
TRIAL, FAILED, CURRENT, PREVIOUS = "trial.json", "failed.json", "current", "previous"

Step = Callable[[str], None]
"""Called before each thing that changes the disk; tests end the process there."""


def no_step(_: str) -> None:
    """The step callback of real life."""


class Trial(NamedTuple):
    """A release that may start, but is not the current one yet."""

    release: str
    starts_allowed: int
    trial_s: float
    starts: int = 0
    boot: str = ""
    """The boot in which it was started last."""
    deadline_s: float = 0.0
    """Until when (that boot's steady clock) the hub must have confirmed."""
    announced: bool = False
    """Whether the hub was told of the update's start."""
    excused: list[str] | None = None
    """Poles whose lamp did not obey before; None: not known."""


class Failed(NamedTuple):
    """The release that was rolled back last."""

    release: str
    reason: str
    told: bool = False
    attempts: dict[str, int] = {}  # noqa: RUF012 - read only
    """How often each release was rolled back."""


class Choice(NamedTuple):
    """What to start, and the record that goes with it."""

    release: str
    trial: Trial | None = None
    """To be written before the start."""
    rolled_back: str | None = None
    """Why the trial ends here."""


def choose(trial: Trial | None, *, current: str, boot: str, now_s: float, whole: bool) -> Choice:
    """Which release starts. `whole`: the trial's release is there; `now_s`: this boot's steady clock."""
    if trial is None or trial.release == current:
        return Choice(current)
    if not whole:
        return Choice(current, rolled_back="its files are not there")
    if trial.starts >= trial.starts_allowed:
        return Choice(current, rolled_back=f"started {trial.starts} times without the hub's confirmation")
    same_boot = trial.starts > 0 and trial.boot == boot
    if same_boot and now_s >= trial.deadline_s:
        return Choice(current, rolled_back=f"no confirmation of the hub within {trial.trial_s:g} s")
    deadline_s = trial.deadline_s if same_boot else now_s + trial.trial_s
    return Choice(trial.release, trial._replace(starts=trial.starts + 1, boot=boot, deadline_s=deadline_s))


def pick(releases: Path, *, boot: str, now_s: float, step: Step = no_step) -> str:
    """Choose, and write down what follows from it; returns the release's name (BASE: none of them).

    Raises nothing: with a disk that can't be written the trial can't be counted, so the old one starts.
    """
    current = pointed_at(releases, CURRENT)
    if current == BASE and os.path.lexists(releases / CURRENT):
        current = pointed_at(releases, PREVIOUS)  # its folder is gone: a damaged card, a tidy hand
    try:
        trial = read_record(releases / TRIAL, Trial)
        whole = trial is not None and is_whole(releases, trial.release)
        choice = choose(trial, current=current, boot=boot, now_s=now_s, whole=whole)
        if choice.rolled_back is not None and trial is not None:
            roll_back(releases, trial.release, choice.rolled_back, step)
        if choice.trial is not None:
            write_record(releases / TRIAL, choice.trial, step)
    except OSError as error:
        print(f"ngonden: the trial of a release can't be counted: {error}", file=sys.stderr)
        return current
    return choice.release


def pointed_at(releases: Path, pointer: str) -> str:
    """The release that a pointer names; BASE where it is not there or leads to nothing whole."""
    try:
        name = str((releases / pointer).readlink())
    except OSError:
        return BASE
    return name if is_whole(releases, name) else BASE


def is_whole(releases: Path, name: str) -> bool:
    """Whether a release is installed; its folder gets its name only when every file is on disk."""
    return bool(name) and "/" not in name and (releases / name / "app/edge/__main__.py").is_file()


def roll_back(releases: Path, release: str, reason: str, step: Step = no_step) -> None:
    """End the trial: what failed is written down first, then the trial's record goes."""
    attempts = dict(failed.attempts) if (failed := read_record(releases / FAILED, Failed)) else {}
    attempts[release] = attempts.get(release, 0) + 1
    write_record(releases / FAILED, Failed(release, reason, False, attempts), step)
    end_trial(releases, step)


def end_trial(releases: Path, step: Step = no_step) -> None:
    """The current release is what starts from now on."""
    step("trial ends")
    (releases / TRIAL).unlink(missing_ok=True)
    sync_folder(releases)


def point(releases: Path, pointer: str, name: str, step: Step = no_step) -> None:
    """Move a pointer by one rename; BASE takes it away."""
    path = releases / pointer
    if name == BASE:
        step(f"{pointer} removed")
        path.unlink(missing_ok=True)
    else:
        fresh = releases / f".{pointer}"
        fresh.unlink(missing_ok=True)
        step(f"{pointer} made")
        fresh.symlink_to(name)
        sync_folder(releases)
        step(f"{pointer} renamed")
        fresh.replace(path)
    step(f"{pointer} synced")
    sync_folder(releases)


def read_record(path: Path, type_: Callable[..., Any]) -> Any:
    """A record as it was written; None where there is none, or none that can be read."""
    try:
        return type_(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        print(f"ngonden: {path} can't be read and is left aside: {error}", file=sys.stderr)
        return None


def write_record(path: Path, record: Any, step: Step = no_step) -> None:
    """Write a record whole or not at all, and on the disk when this returns. Raises OSError."""
    fresh = path.with_name(f".{path.name}")
    step(f"{path.name} written")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(record._asdict(), file)
        file.flush()
        os.fsync(file.fileno())
    step(f"{path.name} renamed")
    fresh.replace(path)
    step(f"{path.name} synced")
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """A new name is only safe once its folder is on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def boot_id() -> str:
    """This boot's name."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def steady_s() -> float:
    """Seconds since the machine started, sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def releases_of(config: Path) -> Path | None:
    """Where a node's releases are; None where its settings can't be read."""
    import tomllib

    try:
        data_dir: str = tomllib.loads(config.read_text(encoding="utf-8"))["data_dir"]
        return config.parent / data_dir / "releases"
    except (OSError, ValueError, KeyError, TypeError):
        return None  # the agent itself says what is wrong with them


def become(releases: Path | None, release: str, config: str) -> NoReturn:
    """Become the agent of a release; the process keeps its id, as systemd wants it."""
    environment = dict(os.environ)
    base_path = environment.setdefault(BASE_PATH_VARIABLE, environment.get("PYTHONPATH", ""))
    paths = [base_path] if base_path else []
    if releases is not None and release != BASE:
        paths.insert(0, str((releases / release / "app").resolve()))
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    for name, value in LEAN_MALLOC.items():
        environment.setdefault(name, value)
    environment[LAUNCHER_VARIABLE] = str(Path(__file__).resolve())
    sys.stdout.flush()
    os.execve(  # noqa: S606 - its own program
        sys.executable, [sys.executable, "-P", "-m", "edge", "--config", config], environment
    )


def main(arguments: list[str]) -> NoReturn:
    """`--config node.toml`, as the agent itself."""
    match arguments:
        case ["--config", config]:
            releases = releases_of(Path(config))
            release = BASE
            if releases is not None and releases.is_dir():
                release = pick(releases, boot=boot_id(), now_s=steady_s())
            become(releases, release, config)
        case _:
            sys.exit("usage: python -m edge.update.launch --config /etc/ngonden/node.toml")


if __name__ == "__main__":
    main(sys.argv[1:])
