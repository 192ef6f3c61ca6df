"""What holds for the repository as a whole: sizes, words, doors."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_LINES = 400
SOURCE = {".py", ".ts", ".css", ".html", ".sh", ".mjs"}
PLACES_OF_ONE_MACHINE = re.compile(r"(?<![\w.])/(?:work|root|farm)/")
NAMED_FILES = re.compile(r"`((?:[a-z_]+/)+[a-z_.]+\.(?:py|ts|json|toml))`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
PACKAGE_HOSTS = re.compile(
    r"pypi\.org|pythonhosted|registry\.npmjs|deb\.debian\.org|crates\.io", re.IGNORECASE
)


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout: there is no list of the project's own files")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_source_file_outgrows_what_a_person_holds_in_mind() -> None:
    sizes = {path: len(_text_of(path).splitlines()) for path in _tracked() if path.suffix in SOURCE}
    assert {str(path.relative_to(ROOT)): size for path, size in sizes.items() if size > MOST_LINES} == {}


@pytest.mark.parametrize("pattern", [PLACES_OF_ONE_MACHINE, PACKAGE_HOSTS], ids=["machine paths", "hosts"])
def test_nothing_speaks_of_one_machine_or_of_package_hosts(pattern: re.Pattern[str]) -> None:
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in _tracked()
        if path != Path(__file__)
        for match in pattern.finditer(_text_of(path))
    }
    assert found == set()


def test_the_readme_names_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make up" in readme
    assert "make test" in readme


def test_the_code_overview_names_files_that_exist() -> None:
    named = NAMED_FILES.findall((ROOT / "docs" / "code-overview.md").read_text(encoding="utf-8"))
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in _tracked()
        if path.suffix == ".md"
        for target in LINK.findall(_text_of(path))
        if not (path.parent / target).exists()
    ]
    assert broken == []
