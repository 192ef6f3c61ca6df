"""A scenario's registry and funding as the CSV files that the hub imports (docs/registry-import.md)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from simulators.commune import Commune
from simulators.funding import FundingRow, funding_rows


@dataclass(frozen=True, slots=True)
class ScenarioFiles:
    """What was written, and the two figures a reader checks first."""

    registry: Path
    funding: Path
    poles: int
    received_vnd: int


def write_scenario_files(commune: Commune, out: Path, *, seed: int) -> ScenarioFiles:
    """Write registry.csv and funding.csv into `out`, which is made where it is missing."""
    out.mkdir(parents=True, exist_ok=True)
    registry, funding = out / "registry.csv", out / "funding.csv"
    rows = funding_rows(commune, seed=seed)
    _write(registry, registry_rows(commune))
    _write(funding, _funding_rows(rows))
    received_vnd = sum(row.amount_vnd for row in rows if row.kind.startswith("receipt_"))
    return ScenarioFiles(registry, funding, len(commune.poles), received_vnd)


def registry_rows(commune: Commune) -> Iterable[Mapping[str, object]]:
    """One row per pole, by the columns of docs/registry-import.md."""
    file = commune.file
    for pole in commune.poles:
        yield {
            "code": pole.code,
            "place": pole.place,
            "hamlet": pole.hamlet,
            "commune_code": file.code,
            "commune_name": file.name,
            "former_names": "; ".join(file.former_names),
            "province": file.province,
            "feeder": pole.feeder,
            "node": pole.node,
            "latitude": pole.latitude,
            "longitude": pole.longitude,
            "lamp_rated_w": pole.lamp_rated_w,
            "programme": file.programme,
            "group": pole.group,
            "cameras": "; ".join(pole.cameras),
        }


def _funding_rows(rows: Iterable[FundingRow]) -> Iterable[Mapping[str, object]]:
    for row in rows:
        yield {
            "idempotency_key": row.key,
            "kind": row.kind,
            "pole": row.pole,
            "amount_vnd": row.amount_vnd,
            "date": row.day.isoformat(),
            "description": row.description,
            "contributor_kind": row.contributor_kind or "",
        }


def _write(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """UTF-8 with a byte order mark: a spreadsheet program then shows the accents as they are."""
    rows = list(rows)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
