"""What a database holds, to be written into a backup and compared after its restoration."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, func, inspect, select, table

from hub.backup.errors import BackupError, RestoreError
from hub.backup.manifest import Facts
from hub.funding.store import verify_ledger
from hub.migrations.runner import current, versions
from hub.revision import latest_revision

_NOT_OURS = {"alembic_version", "sqlite_sequence", "sqlite_stat1", "sqlite_stat4"}


def facts_of(conn: Connection) -> Facts:
    """Rows per table, version and the ledger's head, as one transaction sees them. Raises BackupError.

    The whole chain of the ledger is walked: a book that does not hold is not called a backup.
    """
    version = current(conn)
    if version is None:
        raise BackupError(
            "the database is empty: `ngonden hub migrate` has never run on it",
            "Cơ sở dữ liệu còn trống: chưa chạy `ngonden hub migrate`.",
        )
    head, faults = verify_ledger(conn)
    if faults:
        raise BackupError(
            f"ledger entry {faults[0].entry_id}: {faults[0].message_en}",
            f"Bút toán {faults[0].entry_id}: {faults[0].message_vi}",
        )
    names = sorted(set(inspect(conn).get_table_names()) - _NOT_OURS)
    counts = {
        name: int(conn.execute(select(func.count()).select_from(table(name))).scalar_one())
        for name in names
    }
    return Facts(
        database_version=version,
        revision=latest_revision(conn),
        ledger_entries=head.id,
        ledger_head=head.hash,
        rows=counts,
    )


def check(engine: Engine, wanted: Facts) -> None:
    """Hold a restored database against what the backup says it held. Raises RestoreError."""
    if wanted.database_version not in versions():
        raise RestoreError(
            f"the backup's database is of version {wanted.database_version}, which this program does not know: "
            "install the newer program",
            f"Bản sao lưu thuộc phiên bản {wanted.database_version} mới hơn chương trình này.",
        )
    with engine.connect() as conn:
        if conn.dialect.name == "sqlite":
            _sound(conn)
        try:
            found = facts_of(conn)
        except BackupError as error:
            raise RestoreError(str(error), error.vi) from None
    if found != wanted:
        differing = sorted(name for name in wanted.rows if found.rows.get(name) != wanted.rows[name])
        raise RestoreError(
            f"what was restored is not what was backed up: {', '.join(differing) or 'head or version differ'}",
            f"Dữ liệu khôi phục không khớp bản sao lưu: {', '.join(differing) or 'mã sổ hoặc phiên bản'}",
        )


def _sound(conn: Connection) -> None:
    fault = conn.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
    if fault != "ok":
        raise RestoreError(f"the database is damaged: {fault}", f"Cơ sở dữ liệu hỏng: {fault}")
    orphan = conn.exec_driver_sql("PRAGMA foreign_key_check").first()
    if orphan is not None:
        raise RestoreError(
            f"a row of {orphan[0]} refers to nothing", f"Bảng {orphan[0]} có dòng trỏ tới chỗ trống"
        )
