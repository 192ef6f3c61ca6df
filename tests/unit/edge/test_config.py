from pathlib import Path

import pytest

from edge.config import ConfigError, load

GOOD = """
node = "tg-0001"
commune = "tram-than"
data_dir = "data"

[broker]
host = "127.0.0.1"
port = 1883

[[poles]]
code = "TG-0001"
latitude = 21.4731
longitude = 105.255
lamp_rated_w = 60
lamp = { driver = "gpio", pin = 17 }
photocell = { driver = "gpio", pin = 27 }

[[poles.cameras]]
code = "CAM-0001"
driver = "tcp"
host = "192.168.1.20"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "node.toml"
    path.write_text(text)
    return path


def test_a_good_file_is_read_and_its_paths_count_from_its_folder(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD))
    assert config.data_dir == str(tmp_path / "data")
    assert config.poles[0].cameras[0].port == 554
    assert config.heartbeat_s == 30
    assert not config.broker.tls


def test_certificates_count_from_its_folder_too(tmp_path: Path) -> None:
    tls = 'host = "hub.example"\nca_file = "ca.crt"\ncert_file = "/etc/n.crt"\nkey_file = "n.key"'
    config = load(written(tmp_path, GOOD.replace('host = "127.0.0.1"', tls)))
    assert config.broker.tls
    assert config.broker.ca_file == str(tmp_path / "ca.crt")
    assert config.broker.cert_file == "/etc/n.crt"


@pytest.mark.parametrize(
    ("good", "bad", "complaint"),
    [
        ('data_dir = "data"', 'data_dir = "data"\nheartbeet_s = 5', "unknown field `heartbeet_s`"),
        ("pin = 17", "pin = 17, watt = 3", "unknown field `watt` - at `$.poles[0].lamp`"),
        ("pin = 17", "pin = 28", "<= 27 - at `$.poles[0].lamp.pin`"),
        (", pin = 17", "", 'driver = "gpio" needs `pin` - at `$.poles[0].lamp`'),
        ("latitude = 21.4731", "latitude = 210.4", "<= 90.0 - at `$.poles[0].latitude`"),
        ("lamp_rated_w = 60\n", "", "missing required field `lamp_rated_w` - at `$.poles[0]`"),
        ('node = "tg-0001"', 'node = "TG 1"', "at `$.node`"),
        ('host = "127.0.0.1"', 'host = "hub.example"', "plain text is for loopback only"),
        ('host = "127.0.0.1"', 'host = "127.0.0.1"\nca_file = "ca.crt"', "give all three or none"),
        ('driver = "tcp"\nhost = "192.168.1.20"', 'driver = "tcp"', "needs `host`"),
        (
            "lamp_rated_w = 60",
            'lamp_rated_w = 60\nmeter = { driver = "mock" }',
            "measures a mock lamp only",
        ),
        (
            "lamp_rated_w = 60",
            'lamp_rated_w = 60\nmeter = { driver = "serial", line = "rs485" }',
            "needs `line` and `profile`",
        ),
        (
            "lamp_rated_w = 60",
            'lamp_rated_w = 60\nmeter = { driver = "serial", line = "rs232", profile = "sdm120" }',
            "meter of TG-0001: no [[serial_lines]] is named 'rs232'",
        ),
        ("pin = 17", "pin = 17, hold_s = 2", ">= 6 - at `$.poles[0].lamp.hold_s`"),
        (
            "[broker]",
            '[[cabinet.phases]]\ndriver = "none"\n[broker]',
            '`phases` are meters with driver = "serial" - at `$.cabinet`',
        ),
        ("[broker]", "[broker", "is not TOML"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_the_key_and_what_is_expected(
    tmp_path: Path, good: str, bad: str, complaint: str
) -> None:
    assert good in GOOD
    path = written(tmp_path, GOOD.replace(good, bad))
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert str(path) in str(refused.value)
    assert complaint in str(refused.value)


def test_a_code_names_one_pole(tmp_path: Path) -> None:
    poles = GOOD[GOOD.index("[[poles]]") : GOOD.index("[[poles.cameras]]")]
    with pytest.raises(ConfigError, match="pole code TG-0001 stands twice"):
        load(written(tmp_path, GOOD + poles))


LINES = """
[[serial_lines]]
name = "rs485"
port = "/dev/serial/by-id/usb-adapter"
"""


def poles_on_a_line(*devices: str) -> str:
    """A good file with one more pole for each of these."""
    pole = GOOD[GOOD.index("[[poles]]") : GOOD.index("[[poles.cameras]]")]
    more = "".join(
        pole.replace("TG-0001", f"TG-001{number}").replace('lamp = { driver = "gpio", pin = 17 }', device)
        for number, device in enumerate(devices)
    )
    return GOOD + LINES + more


MOCK = 'lamp = { driver = "mock" }\n'
RELAY = 'lamp = { driver = "serial", line = "rs485", profile = "relay-8", address = 9, channel = %d }'


def test_channels_of_one_board_serve_several_poles_but_one_each(tmp_path: Path) -> None:
    config = load(written(tmp_path, poles_on_a_line(RELAY % 1, RELAY % 2)))
    assert [pole.lamp.channel for pole in config.poles[1:]] == [1, 2]
    twice = "lamp channel 1 at address 9 on serial line rs485 stands twice: for TG-0010 and TG-0011"
    with pytest.raises(ConfigError, match=twice):
        load(written(tmp_path, poles_on_a_line(RELAY % 1, RELAY % 1)))


def test_a_unit_is_one_kind_of_device_and_measures_one_circuit(tmp_path: Path) -> None:
    meter = MOCK + 'meter = { driver = "serial", line = "rs485", profile = "%s", address = 9 }'
    with pytest.raises(ConfigError, match="address 9 on serial line rs485 has two profiles"):
        load(written(tmp_path, poles_on_a_line(RELAY % 1, meter % "sdm120")))
    with pytest.raises(ConfigError, match="meter at address 9 on serial line rs485 stands twice"):
        load(written(tmp_path, poles_on_a_line(meter % "sdm120", meter % "sdm120")))
    phase = '[[cabinet.phases]]\ndriver = "serial"\nline = "rs485"\nprofile = "sdm120"\naddress = 9\n'
    with pytest.raises(ConfigError, match="stands twice: for TG-0010 and phase 1"):
        load(written(tmp_path, poles_on_a_line(meter % "sdm120") + "\n" + phase))


def test_a_charge_controller_is_battery_and_lamp_at_once(tmp_path: Path) -> None:
    at = 'driver = "serial", line = "rs485", profile = "epever-tracer", address = 3'
    config = load(written(tmp_path, poles_on_a_line(f"lamp = {{ {at} }}\nbattery = {{ {at} }}")))
    assert config.poles[1].battery.address == 3


def test_a_line_has_one_name_and_one_port(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="serial line name rs485 stands twice"):
        load(written(tmp_path, GOOD + LINES + LINES))
    with pytest.raises(ConfigError, match="serial line port /dev/serial/by-id/usb-adapter stands twice"):
        load(written(tmp_path, GOOD + LINES + LINES.replace("rs485", "other")))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"node\.toml: cannot be read: No such file"):
        load(tmp_path / "node.toml")
