"""A registry file goes in whole or not at all, and a second time changes nothing."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from openpyxl import Workbook
from sqlalchemy import Engine

from hub.registry import reads
from hub.registry.importing import ImportResult, import_registry
from tests.support.hub_world import HEADER, NIGHT, pole_line, registry_csv


def take_in(engine: Engine, data: bytes, *, dry_run: bool = False) -> ImportResult:
    with engine.begin() as conn:
        return import_registry(conn, data, now=NIGHT, dry_run=dry_run)


def counts(result: ImportResult) -> tuple[int, int, int, int]:
    return result.created, result.updated, result.unchanged, len(result.errors)


def test_a_file_becomes_poles_nodes_feeders_and_areas(engine: Engine) -> None:
    assert counts(take_in(engine, registry_csv(pole_line(1), pole_line(2)))) == (2, 0, 0, 0)
    with engine.connect() as conn:
        assert asdict(reads.poles(conn)[0]) == {
            "code": "TG-0001",
            "place": "Ngã ba xóm 1",
            "commune_code": "tram-than",
            "commune_name": "xã Trạm Thản",
            "hamlet": "Khu 2",
            "feeder": "F2",
            "node": "tg-0001",
            "latitude": 21.471,
            "longitude": 105.251,
            "lamp_rated_w": 50.0,
            "programme": "Ngọn đèn an ninh",
            "group": "Tổ tự quản 2",
            "cameras": ("CAM-TG-01",),
        }
        assert reads.known_nodes(conn)["tg-0002"] == reads.NodeInfo(
            "tg-0002", "tram-than", frozenset({"TG-0002"})
        )
        (commune,) = reads.communes(conn)
        assert (commune.name, commune.province) == ("xã Trạm Thản", "tỉnh Phú Thọ")
        assert commune.former_names == ("Tiên Phú", "Trung Giáp")
        assert commune.latitude == pytest.approx(21.4715)


def test_a_second_import_changes_nothing(engine: Engine) -> None:
    data = registry_csv(pole_line(1), pole_line(2))
    take_in(engine, data)
    with engine.connect() as conn:
        revision = reads.revision(conn)
    assert counts(take_in(engine, data)) == (0, 0, 2, 0)
    with engine.connect() as conn:
        assert reads.revision(conn) == revision


def test_a_changed_row_updates_its_pole_only(engine: Engine) -> None:
    take_in(engine, registry_csv(pole_line(1), pole_line(2)))
    changed = registry_csv(pole_line(1, lamp_rated_w="70", feeder=""), pole_line(2), pole_line(3))
    assert counts(take_in(engine, changed)) == (1, 1, 1, 0)
    with engine.connect() as conn:
        pole = reads.pole(conn, "TG-0001")
        assert pole is not None
        assert (pole.lamp_rated_w, pole.feeder) == (70.0, "")
        assert reads.revision(conn) == 2


def test_poles_and_columns_that_a_file_does_not_name_stay(engine: Engine) -> None:
    take_in(engine, registry_csv(pole_line(1), pole_line(2)))
    short = (
        "code,place,commune_code,latitude,longitude,lamp_rated_w\n"
        "TG-0001,Cổng làng,tram-than,21.471,105.251,50\n"
    )
    assert counts(take_in(engine, short.encode())) == (0, 1, 0, 0)
    with engine.connect() as conn:
        assert reads.pole_codes(conn) == ["TG-0001", "TG-0002"]
        pole = reads.pole(conn, "TG-0001")
        assert pole is not None
        assert (pole.place, pole.hamlet, pole.node, pole.cameras) == (
            "Cổng làng",
            "Khu 2",
            "tg-0001",
            ("CAM-TG-01",),
        )


def test_a_dry_run_tells_and_stores_nothing(engine: Engine) -> None:
    result = take_in(engine, registry_csv(pole_line(1)), dry_run=True)
    assert (result.stored, result.created) == (False, 1)
    with engine.connect() as conn:
        assert reads.pole_codes(conn) == []
        assert reads.communes(conn) == []
        assert reads.revision(conn) == 0


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (pole_line(2, code=""), "code"),
        (pole_line(2, code="TG 2"), "code"),
        (pole_line(2, code="TG-0001"), "code"),
        (pole_line(2, place=""), "place"),
        (pole_line(2, place="x" * 201), "place"),
        (pole_line(2, commune_code="Trạm Thản"), "commune_code"),
        (pole_line(2, commune_code="dong-tru", commune_name=""), "commune_name"),
        (pole_line(2, commune_name="xã Khác"), "commune_name"),
        (pole_line(2, province="tỉnh Khác"), "province"),
        (pole_line(2, node="tg 2"), "node"),
        (pole_line(2, node="tg-0001", commune_code="tu-vu", commune_name="xã Tu Vũ"), "node"),
        (pole_line(2, latitude="bắc"), "latitude"),
        (pole_line(2, latitude="52.1"), "latitude"),
        (pole_line(2, latitude="nan"), "latitude"),
        (pole_line(2, longitude="21.4"), "longitude"),
        (pole_line(2, lamp_rated_w="0"), "lamp_rated_w"),
        (pole_line(2, lamp_rated_w="-50"), "lamp_rated_w"),
        (pole_line(2, lamp_rated_w="20001"), "lamp_rated_w"),
        (pole_line(2, cameras="CAM-TG-01"), "cameras"),
        (pole_line(2, cameras="CAM TG"), "cameras"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_stored(sqlite_engine: Engine, line: str, column: str) -> None:
    result = take_in(sqlite_engine, registry_csv(pole_line(1), line, pole_line(3)))
    assert not result.stored
    assert [(one.row, one.column) for one in result.errors] == [(3, column)]
    assert all(one.message_vi and one.message_en for one in result.errors)
    with sqlite_engine.connect() as conn:
        assert reads.pole_codes(conn) == []


def test_exchanged_coordinates_are_recognised(sqlite_engine: Engine) -> None:
    result = take_in(sqlite_engine, registry_csv(pole_line(1, latitude="105.25", longitude="21.47")))
    assert {one.column for one in result.errors} == {"latitude", "longitude"}
    assert all("đổi chỗ" in one.message_vi for one in result.errors)


def test_vietnamese_headers_semicolons_and_decimal_commas(engine: Engine) -> None:
    text = (
        "Mã cột;Vị trí;Thôn;Mã xã;Tên xã;Tên cũ;Tỉnh;Tuyến;Nút;Vĩ độ;Kinh độ;Công suất đèn (W);"
        "Chương trình;Tổ tự quản;Camera\r\n"
        'tg-0001;Ngã ba;Khu 1;tram-than;xã Trạm Thản;"Trung Giáp;Tiên Phú";tỉnh Phú Thọ;F1;TG-0001;'
        '21,4731;105,255;50,5;Ngọn đèn an ninh;Tổ 1;"CAM-1;CAM-2"\r\n'
    )
    assert counts(take_in(engine, text.encode("utf-8-sig"))) == (1, 0, 0, 0)
    with engine.connect() as conn:
        pole = reads.pole(conn, "TG-0001")
    assert pole is not None
    assert (pole.latitude, pole.longitude, pole.lamp_rated_w) == (21.4731, 105.255, 50.5)
    assert (pole.node, pole.cameras) == ("tg-0001", ("CAM-1", "CAM-2"))


def test_a_spreadsheet_is_taken_in(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER.split(","))
    for n in (1, 2):
        sheet.append(
            [float(cell) if cell.replace(".", "").isdigit() else cell for cell in pole_line(n).split(",")]
        )
    path = tmp_path_factory.mktemp("xlsx") / "poles.xlsx"
    book.save(path)
    assert counts(take_in(engine, path.read_bytes())) == (2, 0, 0, 0)
    assert counts(take_in(engine, registry_csv(pole_line(1), pole_line(2)))) == (0, 0, 2, 0)


@pytest.mark.parametrize(
    "query", ["Trung Giáp", "trung giap", "TRUNG  GIAP", "tram than", "phu tho", "tien phu"]
)
def test_poles_are_found_by_present_and_former_names_without_accents(engine: Engine, query: str) -> None:
    other = pole_line(
        9, commune_code="tu-vu", commune_name="xã Tu Vũ", former_names="Đồng Trung", province="tỉnh X"
    )
    take_in(engine, registry_csv(pole_line(1), pole_line(2), other))
    with engine.connect() as conn:
        assert [one.code for one in reads.poles(conn, query=query)] == ["TG-0001", "TG-0002"]
        assert [one.code for one in reads.poles(conn, query="dong trung")] == ["TG-0009"]


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("tg-0002", ["TG-0002"]),
        ("xóm 2 f1", ["TG-0002"]),
        ("xom 2 trung giap", ["TG-0001", "TG-0002"]),  # "2" is a word of one's place, of the other's hamlet
        ("0", []),  # a short word must stand alone: else a digit finds every code
        ("f2", ["TG-0001"]),
        ("%", []),
        ("_", []),
        ("'; DROP TABLE pole; --", []),
        ("", ["TG-0001", "TG-0002"]),
    ],
)
def test_every_word_of_a_search_counts(engine: Engine, query: str, codes: list[str]) -> None:
    take_in(engine, registry_csv(pole_line(1), pole_line(2)))
    with engine.connect() as conn:
        assert [one.code for one in reads.poles(conn, query=query)] == codes
        assert [one.code for one in reads.poles(conn, query=query, commune="tram-than")] == codes
        assert reads.poles(conn, query=query, commune="tu-vu") == []


def test_a_camera_moves_when_both_poles_are_in_the_file(engine: Engine) -> None:
    take_in(engine, registry_csv(pole_line(1), pole_line(2)))
    alone = take_in(engine, registry_csv(pole_line(2, cameras="CAM-TG-01")))
    assert [(one.row, one.column) for one in alone.errors] == [(2, "cameras")]
    both = take_in(engine, registry_csv(pole_line(2, cameras="CAM-TG-01"), pole_line(1, cameras="")))
    assert counts(both) == (0, 2, 0, 0)
    with engine.connect() as conn:
        assert [one.cameras for one in reads.poles(conn)] == [(), ("CAM-TG-01",)]


def test_former_names_of_all_rows_join(engine: Engine) -> None:
    take_in(
        engine,
        registry_csv(pole_line(1, former_names="Trung Giáp"), pole_line(2, former_names="Tiên Phú")),
    )
    take_in(engine, registry_csv(pole_line(1, former_names="")))
    with engine.connect() as conn:
        assert reads.communes(conn)[0].former_names == ("Tiên Phú", "Trung Giáp")


def test_a_pole_that_moves_to_another_commune_brings_all_of_it(engine: Engine) -> None:
    take_in(engine, registry_csv(pole_line(1)))
    short = (
        "code,place,commune_code,commune_name,latitude,longitude,lamp_rated_w\n"
        "TG-0001,Cổng làng,tu-vu,xã Tu Vũ,21.471,105.251,50\n"
    )
    assert [one.column for one in take_in(engine, short.encode()).errors] == ["commune_code"]
    moved = registry_csv(pole_line(1, commune_code="tu-vu", commune_name="xã Tu Vũ", former_names=""))
    assert counts(take_in(engine, moved)) == (0, 1, 0, 0)
    with engine.connect() as conn:
        assert reads.known_nodes(conn)["tg-0001"].commune == "tu-vu"


def test_a_node_does_not_leave_a_pole_of_its_old_commune_behind(engine: Engine) -> None:
    take_in(engine, registry_csv(pole_line(1), pole_line(2, node="tg-0001")))
    moved = registry_csv(pole_line(1, commune_code="tu-vu", commune_name="xã Tu Vũ"))
    assert [one.column for one in take_in(engine, moved).errors] == ["node"]


def test_all_that_is_wrong_is_told_at_once(sqlite_engine: Engine) -> None:
    result = take_in(
        sqlite_engine,
        registry_csv(
            pole_line(1, latitude="x", place=""), pole_line(2), pole_line(2), pole_line(4, node="?")
        ),
    )
    assert [(one.row, one.column) for one in result.errors] == [
        (2, "place"),
        (2, "latitude"),
        (4, "code"),
        (5, "node"),
    ]


def test_unknown_columns_are_told(sqlite_engine: Engine) -> None:
    data = registry_csv(pole_line(1)).replace(b"cameras\n", b"cameras,colour\n")
    assert take_in(sqlite_engine, data).ignored_columns == ("colour",)
