"""The hub's short commands, as a person or the launcher calls them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from hub.access import cli as access_cli
from hub.access.store import use_first_login
from hub.db import open_database
from hub.funding import cli as funding_cli
from hub.migrations import cli as migrations_cli
from hub.migrations.runner import head
from hub.registry import cli as registry_cli
from tests.support.hub_world import NIGHT, pole_line, registry_csv


def hub(*arguments: str | Path, typed: str = "") -> Result:
    app = typer.Typer()
    for part in (migrations_cli, registry_cli, funding_cli, access_cli):
        part.register(app)
    return CliRunner().invoke(app, [str(one) for one in arguments], input=typed)


def told(result: Result) -> dict[str, object]:
    facts: dict[str, object] = json.loads(result.stdout)
    return facts


@pytest.fixture
def new_database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'new.db'}"


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "name", ["migrate", "import", "fund-import", "fund-verify", "first-login", "add-user"]
)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    result = hub(name, "--help")
    assert result.exit_code == 0
    assert f"Example: ngonden hub {name}" in " ".join(result.stdout.split())
    assert "--json" in result.stdout


def test_migrate_says_from_where_to_where(new_database: str) -> None:
    assert told(hub("migrate", "--database", new_database, "--json")) == {"before": None, "after": head()}
    assert "already" in hub("migrate", "--database", new_database).stdout


def test_import_tells_its_counts_and_its_errors(database_url: str, tmp_path: Path) -> None:
    good = write(tmp_path / "good.csv", registry_csv(pole_line(1), pole_line(2)))
    dry = told(hub("import", good, "--database", database_url, "--dry-run", "--json"))
    assert (dry["stored"], dry["created"]) == (False, 2)
    assert told(hub("import", good, "--database", database_url, "--json"))["created"] == 2
    assert "0 created, 0 updated, 2 unchanged" in hub("import", good, "--database", database_url).stdout
    bad = write(tmp_path / "bad.csv", registry_csv(pole_line(1, latitude="x")))
    result = hub("import", bad, "--database", database_url)
    assert result.exit_code == 1
    assert f"{bad}:2 latitude: “x” không phải là số." in result.stderr
    assert "nothing was stored" in result.stdout


def test_money_is_imported_and_its_chain_verified(database_url: str, tmp_path: Path) -> None:
    poles = write(tmp_path / "poles.csv", registry_csv(pole_line(1)))
    hub("import", poles, "--database", database_url)
    money = write(
        tmp_path / "money.csv",
        b"idempotency_key,kind,pole,amount_vnd,date,description,contributor_kind\n"
        b"a,receipt_cash,TG-0001,500000,2026-01-05,,household\n"
        b"b,expense,TG-0001,200000,2026-01-06,works,\n",
    )
    for recorded in (2, 0):
        facts = told(hub("fund-import", money, "--database", database_url, "--json"))
        assert (facts["stored"], facts["recorded"], facts["known"]) == (True, recorded, 2 - recorded)
    verified = told(hub("fund-verify", "--database", database_url, "--json"))
    assert (verified["entries"], verified["faults"]) == (2, [])
    assert verified["totals"]["balance_vnd"] == 300_000  # type: ignore[index]
    assert "2 entries, 0 faults, head " in hub("fund-verify", "--database", database_url).stdout


def test_a_forged_ledger_is_told_with_status_1(new_database: str, tmp_path: Path) -> None:
    hub("import", write(tmp_path / "p.csv", registry_csv(pole_line(1))), "--database", new_database)
    money = write(
        tmp_path / "m.csv",
        b"idempotency_key,kind,pole,amount_vnd,date,contributor_kind\n"
        b"a,receipt_cash,TG-0001,500000,2026-01-05,household\n",
    )
    hub("fund-import", money, "--database", new_database)
    engine = open_database(new_database)
    with engine.begin() as conn:
        conn.exec_driver_sql("DROP TRIGGER ledger_entry_no_update")
        conn.exec_driver_sql("UPDATE ledger_entry SET happened_on = '2025-01-01'")
    engine.dispose()
    result = hub("fund-verify", "--database", new_database)
    assert result.exit_code == 1
    assert "đã bị sửa sau khi ghi" in result.stderr


def test_the_first_login_is_one_private_line_that_works(new_database: str, tmp_path: Path) -> None:
    file = tmp_path / "secret" / "first-login.txt"
    result = hub("first-login", "--database", new_database, "--file", file, "--json")
    assert told(result) == {"created": True, "file": str(file)}
    (line,) = file.read_text().splitlines()
    path, _, token = line.partition("?token=")
    assert path == "/first-login"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token not in result.stdout
    hub("first-login", "--database", new_database, "--file", file, "--base-url", "http://127.0.0.1:8080/")
    (line,) = file.read_text().splitlines()
    assert line.startswith("http://127.0.0.1:8080/first-login?token=")
    engine = open_database(new_database)
    with engine.begin() as conn:
        assert use_first_login(conn, token, now=NIGHT) is None
    engine.dispose()


def test_no_first_login_beside_an_administrator(new_database: str, tmp_path: Path) -> None:
    added = hub(
        "add-user",
        "Chu-Tich",
        "--role",
        "admin",
        "--database",
        new_database,
        "--json",
        typed="mật khẩu dài\n",
    )
    assert told(added) == {"id": 1, "name": "chu-tich", "role": "admin"}
    file = tmp_path / "first-login.txt"
    assert told(hub("first-login", "--database", new_database, "--file", file, "--json")) == {
        "created": False,
        "file": None,
    }
    assert not file.exists()


@pytest.mark.parametrize(
    ("name", "password", "says"),
    [("lan", "ngắn", "password"), ("tên có dấu", "mật khẩu dài", "name"), ("x", "", "password")],
)
def test_a_user_that_is_not_taken_is_refused(
    new_database: str, name: str, password: str, says: str
) -> None:
    result = hub("add-user", name, "--database", new_database, typed=password + "\n")
    assert result.exit_code == 2
    assert f"{says}: " in result.stderr


@pytest.mark.parametrize(
    "database",
    ["sqlite:////proc/no/such/hub.db", "postgresql+psycopg://x@127.0.0.1:1/x", "nonsense", "mysql://x/y"],
)
def test_a_database_that_cannot_be_used_is_said_without_a_trace(database: str) -> None:
    result = hub("migrate", "--database", database)
    assert result.exit_code == 2
    assert "The database can't be used" in result.stderr
    assert "Traceback" not in result.output


def test_a_missing_file_is_said(new_database: str, tmp_path: Path) -> None:
    for command in ("import", "fund-import"):
        result = hub(command, tmp_path / "none.csv", "--database", new_database)
        assert result.exit_code == 2
        assert "Không đọc được tệp" in result.stderr


def test_a_newer_database_is_refused(sqlite_engine: Engine) -> None:
    with sqlite_engine.begin() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    result = hub("migrate", "--database", str(sqlite_engine.url))
    assert result.exit_code == 2
    assert "install the newer program" in result.stderr
