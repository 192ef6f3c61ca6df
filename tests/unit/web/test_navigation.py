from __future__ import annotations

import pytest

from dashboards.web.i18n import WORDS
from dashboards.web.navigation import MENU, Item, address, menu
from hub.access.model import Role


def pages(role: Role, *, several: bool = False) -> set[str]:
    return {item.page for group in menu(role, several_communes=several) for item in group.items}


def test_each_role_is_offered_all_that_the_one_below_it_is() -> None:
    assert pages(Role.VIEWER) < pages(Role.STAFF) < pages(Role.ADMIN)
    assert "users" not in pages(Role.STAFF)


def test_the_list_of_communes_is_for_those_who_have_several() -> None:
    assert pages(Role.ADMIN, several=True) - pages(Role.ADMIN) == {"communes"}


def test_a_chosen_commune_goes_with_the_pages_that_know_one() -> None:
    items = {item.page: item for group in MENU for item in group.items}
    assert address(items["incidents"], "tu-vu") == "/incidents?commune=tu-vu"
    assert address(items["incidents"], None) == "/incidents"
    assert address(items["users"], "tu-vu") == "/users"


@pytest.mark.parametrize("item", [item for group in MENU for item in group.items], ids=lambda one: one.page)
def test_every_page_has_its_name_in_both_languages(item: Item) -> None:
    assert all(WORDS[language][f"nav.{item.page}"] for language in WORDS)


def test_every_group_with_several_pages_has_a_name() -> None:
    for role in Role:
        for group in menu(role, several_communes=True):
            if len(group.items) > 1:
                assert all(WORDS[language][f"nav.group.{group.name}"] for language in WORDS)
