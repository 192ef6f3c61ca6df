"""Backups of databases in use: each comes back as of its moment, and nothing that is not whole is taken."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from hub.backup.errors import BackupError, RestoreError
from hub.backup.frozen import frozen
from hub.backup.make import Wanted, make_point
from hub.backup.manifest import points
from hub.backup.pages import take
from hub.backup.restore import Target, choose, restore
from hub.backup.retention import Keep
from hub.backup.sealed import make_secret, read_secret
from hub.cli import app
from hub.db import open_database, sqlite_module
from hub.ingest.lock import IngestLock
from hub.registry.reads import pole_codes
from hub.settings import HubSettings
from hub.telemetry.embedded import EmbeddedStore
from tests.integration.hub_backup.books import plan
from tests.support.hub_world import register
from tests.support.postgres import Postgres
from tests.support.servers import wait_until

pytestmark = pytest.mark.servers

NOON = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)


@pytest.fixture
def hub(engine: Engine, tmp_path: Path) -> HubSettings:
    """A hub with three poles and a plan of money, on each kind of database; embedded telemetry."""
    register(engine, 3)
    plan(engine, "k-1")
    EmbeddedStore(tmp_path / "telemetry.db").close()
    url = engine.url.render_as_string(hide_password=False)
    return HubSettings(database=url, telemetry=f"sqlite:///{tmp_path / 'telemetry.db'}")


def entries(url: str) -> int:
    engine = open_database(url)
    with engine.connect() as conn:
        found = int(conn.exec_driver_sql("SELECT COUNT(*) FROM ledger_entry").scalar_one())
    engine.dispose()
    return found


@contextmanager
def fresh(request: pytest.FixtureRequest, hub: HubSettings, folder: Path) -> Iterator[tuple[Target, str]]:
    """An empty place of the hub's kind, and the address that the restored hub then has."""
    if hub.database.startswith("sqlite"):
        yield Target(folder), f"sqlite:///{folder / 'hub.db'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database()
        yield Target(folder, database=url), url


def test_each_backup_comes_back_as_of_its_moment(
    request: pytest.FixtureRequest, hub: HubSettings, engine: Engine, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    make_secret(key)
    secret = read_secret(key)
    wanted = Wanted(tmp_path / "backups", secret=secret)
    for n in range(3):
        point = make_point(hub, wanted, now=NOON + timedelta(minutes=5 * n))
        plan(engine, f"later-{n}")
        assert point.manifest.facts is not None
        assert point.manifest.facts.ledger_entries == n + 1
        assert point.manifest.facts.rows["pole"] == 3
    newest = points(wanted.folder)[-1]
    if hub.database.startswith("sqlite"):
        part = newest.manifest.part("hub")
        assert part is not None
        assert part.base == "20261128T050500Z"
        assert 0 < part.changed_pages < part.pages / 2
    assert "NOT in this" in newest.manifest.secrets
    files = [path.read_bytes() for path in wanted.folder.rglob("*.sealed")]
    assert len(files) == 6
    assert all(one.startswith(b"NGSEAL1\n") for one in files)

    for minutes, count in ((0, 1), (5, 2), (11, 3)):
        with fresh(request, hub, tmp_path / f"at-{minutes}") as (target, url):
            point = choose(wanted.folder, NOON + timedelta(minutes=minutes))
            restore(wanted.folder, point, target, secret)
            assert entries(url) == count
            restored = open_database(url)
            with restored.connect() as conn:
                assert pole_codes(conn) == ["TG-0001", "TG-0002", "TG-0003"]
            plan(restored, "after")  # the books go on
            restored.dispose()
            with pytest.raises(RestoreError, match=r"already|there"):
                restore(wanted.folder, point, target, secret)
            assert entries(url) == count + 1
    with pytest.raises(RestoreError, match="no backup"):
        choose(wanted.folder, NOON - timedelta(seconds=1))


def test_a_database_in_use_stands_still_while_it_is_read(sqlite_engine: Engine, tmp_path: Path) -> None:
    """A writer commits all the while: the copy is one moment, and the file is not touched while it is held."""
    path = tmp_path / "busy.db"
    sqlite = sqlite_module()
    with closing(sqlite.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, amount INTEGER, filler TEXT)")
        conn.execute("BEGIN")
        conn.executemany("INSERT INTO account VALUES (?, 1000, ?)", [(n, "x" * 900) for n in range(200)])
        conn.execute("COMMIT")
    stop, turns = threading.Event(), [0]

    def move_money() -> None:
        with closing(sqlite.connect(path, timeout=10, isolation_level=None)) as conn:
            conn.execute("PRAGMA wal_autocheckpoint=10")
            conn.execute("PRAGMA synchronous=OFF")
            while not stop.is_set():
                turns[0] += 1
                conn.execute("BEGIN IMMEDIATE")
                conn.execute("UPDATE account SET amount = amount - 1 WHERE id = ?", (turns[0] % 200,))
                conn.execute("UPDATE account SET amount = amount + 1 WHERE id = ?", (turns[0] * 7 % 200,))
                conn.execute("COMMIT")

    thread = threading.Thread(target=move_money)
    thread.start()
    try:
        for n in range(3):
            copy = tmp_path / f"copy-{n}.db"
            with frozen(path) as still:
                first = still.file.read()
                _goes_on(turns)
                still.file.seek(0)
                assert still.file.read() == first
                copy.write_bytes(first)
                total = still.connection.exec_driver_sql("SELECT SUM(amount), COUNT(*) FROM account").one()
                assert tuple(total) == (200_000, 200)
            with closing(sqlite.connect(copy)) as conn:
                assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert conn.execute("SELECT SUM(amount), COUNT(*) FROM account").fetchone() == (
                    200_000,
                    200,
                )
    finally:
        stop.set()
        thread.join()


def _goes_on(turns: list[int]) -> None:
    at = turns[0]
    wait_until(lambda: turns[0] > at + 50, what="the writer to go on")


def test_a_reader_of_an_older_moment_is_waited_for_and_then_named(tmp_path: Path) -> None:
    path = tmp_path / "read.db"
    sqlite = sqlite_module()
    with (
        closing(sqlite.connect(path, isolation_level=None)) as writer,
        closing(sqlite.connect(path, isolation_level=None)) as reader,
    ):
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE one (id INTEGER)")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM one").fetchall()
        writer.execute("INSERT INTO one VALUES (1)")
        clock = iter(range(1000))
        with (
            pytest.raises(BackupError, match="older moment"),
            frozen(path, pause=lambda _: None, steady_s=lambda: float(next(clock))),
        ):
            pass

        def let_go(_: float) -> None:
            if reader.in_transaction:
                reader.execute("COMMIT")

        with frozen(path, pause=let_go) as still:
            assert take(still.file, b"", lambda _: None, key=b"k").pages >= 2
            writer.execute("INSERT INTO one VALUES (2)")  # nobody is kept from writing
            assert still.connection.exec_driver_sql("SELECT COUNT(*) FROM one").scalar_one() == 1


@pytest.mark.parametrize("spoil", ["flip", "cut", "lose", "swap"])
def test_a_backup_that_was_spoilt_is_refused_and_nothing_is_left(
    sqlite_engine: Engine, tmp_path: Path, spoil: str
) -> None:
    register(sqlite_engine, 3)
    EmbeddedStore(tmp_path / "telemetry.db").close()
    hub = HubSettings(database=str(sqlite_engine.url), telemetry=f"sqlite:///{tmp_path / 'telemetry.db'}")
    wanted = Wanted(tmp_path / "backups")
    first = make_point(hub, wanted, now=NOON)
    plan(sqlite_engine, "k")
    make_point(hub, wanted, now=NOON + timedelta(minutes=5))
    file = wanted.folder / first.name / "hub.pages.gz"
    data = file.read_bytes()
    if spoil == "flip":
        file.write_bytes(data[:900] + bytes([data[900] ^ 1]) + data[901:])
    elif spoil == "cut":
        file.write_bytes(data[:-10])
    elif spoil == "lose":
        file.unlink()
    else:
        shutil.copy(wanted.folder / first.name / "telemetry.pages.gz", file)
    into = tmp_path / "new"
    with pytest.raises(RestoreError, match=r"damaged|can't be read"):
        restore(wanted.folder, choose(wanted.folder, None), Target(into), None)
    assert list(into.iterdir()) == []


def test_a_book_that_was_tampered_with_is_not_called_a_backup(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    register(sqlite_engine, 3)
    plan(sqlite_engine, "k")
    EmbeddedStore(tmp_path / "telemetry.db").close()
    hub = HubSettings(database=str(sqlite_engine.url), telemetry=f"sqlite:///{tmp_path / 'telemetry.db'}")
    with sqlite_engine.begin() as conn:
        for (name,) in conn.exec_driver_sql(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            conn.exec_driver_sql(f"DROP TRIGGER {name}")
        conn.exec_driver_sql("UPDATE ledger_entry SET memo = 'khác'")
    with pytest.raises(BackupError, match="ledger entry 1"):
        make_point(hub, Wanted(tmp_path / "backups"), now=NOON)
    assert points(tmp_path / "backups") == []


def test_old_ones_go_and_a_whole_one_is_made_each_day(sqlite_engine: Engine, tmp_path: Path) -> None:
    register(sqlite_engine, 3)
    EmbeddedStore(tmp_path / "telemetry.db").close()
    hub = HubSettings(database=str(sqlite_engine.url), telemetry=f"sqlite:///{tmp_path / 'telemetry.db'}")
    wanted = Wanted(tmp_path / "backups", keep=Keep(hours=12, days=2, weeks=1))
    for n in range(14):
        make_point(hub, wanted, now=NOON + timedelta(hours=6 * n))
    found = points(wanted.folder)
    whole = [one.name for one in found if not one.bases]
    assert whole == ["20261129T050000Z", "20261130T050000Z", "20261201T050000Z"]  # the first is the week's
    assert found[-1].made_at == NOON + timedelta(hours=78)
    for one in found:
        restore(wanted.folder, one, Target(tmp_path / one.name), None)


def test_the_commands_make_list_and_restore_and_refuse_a_running_hub(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    register(sqlite_engine, 3)
    plan(sqlite_engine, "k")
    EmbeddedStore(tmp_path / "telemetry.db").close()
    config = tmp_path / "hub.toml"
    config.write_text(f'database = "{sqlite_engine.url}"\ntelemetry = "sqlite:///telemetry.db"\n')
    run = CliRunner().invoke
    backups, key = str(tmp_path / "backups"), str(tmp_path / "backup.key")
    secrets = tmp_path / "pki"
    secrets.mkdir()
    (secrets / "ca.key").write_text("secret")

    assert run(app, ["backup-key", key]).exit_code == 0
    plain = run(app, ["backup", "--config", str(config), "--to", backups, "--secrets", str(secrets)])
    assert (plain.exit_code, "--key-file" in plain.output) == (2, True)
    words = ["backup", "--config", str(config), "--to", backups, "--key-file", key]
    made = run(app, [*words, "--secrets", str(secrets), "--json"])
    assert made.exit_code == 0, made.output
    name = json.loads(made.stdout)["backup"]
    listed = json.loads(run(app, ["backups", backups, "--json"]).stdout)
    assert [(one["name"], one["whole"], one["encrypted"]) for one in listed] == [(name, True, True)]
    assert run(app, ["backups", backups]).exit_code == 0

    into = tmp_path / "new"
    done = run(app, ["restore", backups, "--into", str(into), "--key-file", key])
    assert done.exit_code == 0, done.output
    assert "Next:" in done.output
    assert (into / "secrets-restored" / "ca.key").read_text() == "secret"
    assert entries(f"sqlite:///{into / 'hub.db'}") == 1
    verify = run(app, ["fund-verify", "--database", f"sqlite:///{into / 'hub.db'}"])
    assert verify.exit_code == 0

    shutil.rmtree(into / "secrets-restored")
    restored = open_database(f"sqlite:///{into / 'hub.db'}")
    lock = IngestLock(restored)
    refused = run(app, ["restore", backups, "--into", str(into), "--key-file", key])
    assert (refused.exit_code, "dừng hub trước" in refused.output) == (2, True)
    lock.release()
    restored.dispose()
    wrong = run(app, ["restore", backups, "--into", str(tmp_path / "x")])
    assert (wrong.exit_code, "--key-file" in wrong.output) == (2, True)
    assert run(app, [*words, "--every", "5 minutes"]).exit_code == 2
