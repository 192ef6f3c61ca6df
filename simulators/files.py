"""A scenario's registry and funding as the CSV files that the hub imports (docs/registry-import.md)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from simulators.commune import Commune
from simulators.funding import FundingRow
