import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from provisioning.cli import app

runner = CliRunner()


def run(*arguments: object) -> str:
    result = runner.invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_init_says_that_it_keeps_the_authority(tmp_path: Path) -> None:
    assert "certificate authority: made" in run("init", "--data", tmp_path)
    assert "kept, it is never overwritten" in run("init", "--data", tmp_path)
    assert json.loads(run("init", "--data", tmp_path, "--json"))["authority"] == "kept"


def test_a_node_gets_a_file_that_points_at_its_certificate(tmp_path: Path) -> None:
    out = tmp_path / "pi" / "node.toml"
    run("init", "--data", tmp_path / "hub", "--port", 18883)
    arguments = ("--commune", "tram-than", "--port", 18883, "--config-out", out)
    run("node", "TG-0042", "--data", tmp_path / "hub", *arguments)
    config = tomllib.loads(out.read_text())
    assert (config["node"], config["commune"]) == ("tg-0042", "tram-than")
    assert config["broker"]["port"] == 18883
    for name in ("ca_file", "cert_file", "key_file"):
        assert Path(config["broker"][name]).is_file()


def test_a_whole_registry_is_issued_at_once_and_a_second_time_kept(tmp_path: Path) -> None:
    registry = tmp_path / "registry.csv"
    rows = [f"TG-{number:04d},tram-than,tg-{number:04d}" for number in range(1, 220)]
    registry.write_text("\n".join(["code,commune_code,node", *rows]), encoding="utf-8")
    run("init", "--data", tmp_path)
    arguments = ("node", "--all", registry, "--data", tmp_path)
    assert "219 certificates issued, 0 kept" in run(*arguments)
    assert "0 certificates issued, 219 kept" in run(*arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["node"], "name one pole or node"),
        (["node", "TG-0001"], "--commune is missing"),
        (["node", "TG-0001", "--commune", "tram-than"], "ngonden provision init"),
        (["node", "--all", "r.csv", "--commune", "x"], "--all takes the communes from the file"),
        (["revoke", "TG-0001"], "ngonden provision init"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, arguments: list[str], says: str) -> None:
    result = runner.invoke(app, [*arguments, "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert says in result.output
