from pathlib import Path

import pytest

from protocol.topics import FROM_NODE, TO_NODE
from provisioning.broker import Limits, render_acl, render_config, write_broker
from provisioning.layout import Layout, ProvisioningError


def settings(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split(" ", 1) for line in lines if not line.startswith("log_type"))


def test_the_broker_listens_on_loopback_and_knows_nobody_without_a_certificate(tmp_path: Path) -> None:
    found = settings(render_config(Layout(tmp_path), port=18883, user="ngonden"))
    assert found["listener"] == "18883 127.0.0.1"
    assert found["allow_anonymous"] == "false"
    assert found["require_certificate"] == "true"
    assert found["use_identity_as_username"] == "true"
    assert found["use_username_as_clientid"] == "true"
    assert found["tls_version"] == "tlsv1.2"
    assert found["user"] == "ngonden"


def test_limits_are_written_as_given(tmp_path: Path) -> None:
    text = render_config(Layout(tmp_path), port=1, user="x", limits=Limits(max_queued_messages=7))
    assert settings(text)["max_queued_messages"] == "7"
    assert settings(text)["max_packet_size"] == str(2 * 1024 * 1024)


def test_every_kind_of_the_contract_stands_in_the_access_list_once_per_side() -> None:
    acl = render_acl()
    for kind in FROM_NODE:
        assert f"pattern write ngonden/1/+/%u/{kind}\n" in acl
        assert f"topic read ngonden/1/+/+/{kind}\n" in acl
    for kind in TO_NODE:
        assert f"pattern read ngonden/1/+/%u/{kind}\n" in acl
        assert f"topic write ngonden/1/+/+/{kind}\n" in acl
    assert "readwrite" not in acl


def test_a_line_break_in_a_path_can_not_add_settings(tmp_path: Path) -> None:
    with pytest.raises(ProvisioningError, match="line break"):
        render_config(Layout(tmp_path / "a\nallow_anonymous true"), port=1, user="x")


def test_rewriting_says_whether_a_restart_is_needed(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    assert write_broker(layout, port=1111)
    assert not write_broker(layout, port=1111)
    assert write_broker(layout, port=2222)
