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
        ("lamp_rated_w = 60", 'lamp_rated_w = 60\nmeter = { driver = "pzem004t" }', "needs `port`"),
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


def test_an_address_stands_once_on_a_line(tmp_path: Path) -> None:
    meter = 'lamp_rated_w = 60\nmeter = { driver = "pzem004t", port = "/dev/serial0" }'
    good = GOOD.replace("lamp_rated_w = 60", meter)
    second = good[good.index("[[poles]]") : good.index("[[poles.cameras]]")].replace("TG-0001", "TG-0002")
    with pytest.raises(ConfigError, match="meter address 1 stands twice on /dev/serial0"):
        load(written(tmp_path, good + second))
    other = second.replace('"/dev/serial0"', '"/dev/serial0", address = 2')
    assert load(written(tmp_path, good + other)).poles[1].meter.address == 2


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"node\.toml: cannot be read: No such file"):
        load(tmp_path / "node.toml")
