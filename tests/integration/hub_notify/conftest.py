"""A notifier's desk over each kind of database; see `tests.support.notices`."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.support.hub_fixtures import *  # noqa: F403
from tests.support.hub_world import register
from tests.support.notices import Desk


@pytest.fixture
def desk(engine: Engine) -> Desk:
    """Three poles, three channels, no route yet; on SQLite and PostgreSQL."""
    register(engine)
    return Desk(engine)


@pytest.fixture
def sqlite_desk(sqlite_engine: Engine) -> Desk:
    """The same where the kind of database does not matter."""
    register(sqlite_engine)
    return Desk(sqlite_engine)
