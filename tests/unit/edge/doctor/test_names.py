from edge.doctor.findings import NAMES_VI, fine, name_in
from edge.doctor.run import CHECKS


def test_a_technician_reads_what_was_looked_at_in_vietnamese() -> None:
    assert name_in("TG-0042 lamp", "vi") == "TG-0042 đèn"
    assert name_in("cabinet door", "vi") == "cửa tủ"
    assert name_in("CAM-0007", "vi") == "CAM-0007"
    assert name_in("TG-0042 lamp", "en") == "TG-0042 lamp"
    assert fine("clock", "đúng giờ", "right").line("vi").startswith("✓ đồng hồ ")


def test_every_check_has_a_vietnamese_name() -> None:
    assert {check.name for check in CHECKS} <= set(NAMES_VI)
