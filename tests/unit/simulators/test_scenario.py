import csv
import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from simulators.cli import app
from simulators.commune import ScenarioError
from simulators.scenario import Faults, SilentNode, commune_of, load_scenario, scenario_names


def test_every_scenario_that_ships_can_be_loaded_and_breaks_only_what_exists() -> None:
    assert {"trung-giap", "trung-giap-sun", "all-good"} <= set(scenario_names())
    for name in scenario_names():
        commune_of(load_scenario(name))


def test_an_unknown_scenario_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ScenarioError, match="take one of all-good, one-road, trung-giap"):
        load_scenario("../pyproject")


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        (Faults(lamps_burnt_out=["TG-0220"]), "breaks pole TG-0220"),
        (Faults(cameras_unreachable=["TG-C99"]), "breaks camera TG-C99"),
        (Faults(nodes_silent=[SilentNode(node="tg-0", after_s=1)]), "breaks node tg-0"),
    ],
)
def test_a_fault_on_nothing_is_a_mistake_in_the_scenario(faults: Faults, says: str) -> None:
    scenario = msgspec.structs.replace(load_scenario("all-good"), faults=faults)
    with pytest.raises(ScenarioError, match=says):
        commune_of(scenario)


def test_scenario_files_hold_one_row_per_pole_and_the_real_sum(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["scenario", "trung-giap", "--out", str(tmp_path / "demo"), "--json"])
    assert result.exit_code == 0, result.output
    facts = json.loads(result.output)
    assert (facts["poles"], facts["received_vnd"]) == (219, 497_130_000)
    with (tmp_path / "demo" / "registry.csv").open(encoding="utf-8-sig", newline="") as file:
        poles = list(csv.DictReader(file))
    assert len(poles) == 219
    assert {pole["commune_name"] for pole in poles} == {"xã Trạm Thản"}
    assert poles[0]["cameras"] == "TG-C01; TG-C02; TG-C03"


def test_simulated_nodes_without_certificates_are_told_how_to_get_them(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["commune", "--scenario", "all-good", "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "ngonden provision node --all" in result.output
