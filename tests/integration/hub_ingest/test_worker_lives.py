"""A worker's name outlives its process: what one life left open, the next one finds whole, and alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, select

from hub.db import open_database
from hub.incidents.catalogue import CATALOGUE
from hub.incidents.model import LAMP_FAILURE
from hub.ingest.lock import LeaseLostError
from hub.ingest.scaling.leases import (
    LeaseLock,
    NameTakenError,
    arrive,
    beat,
    forget_drained,
    give_back,
    leave,
    show_life,
)
from hub.ingest.scaling.recovery import recover
from hub.ingest.tables import received, telemetry_outbox
from protocol import Kind
from tests.integration.hub_ingest.rig import Rig
from tests.integration.hub_ingest.shares import MANY, beat_of, die, rig_of, say
from tests.integration.hub_ingest.words import COMMUNE, RATED_W, sample, telemetry
from tests.support.postgres import Postgres

pytestmark = pytest.mark.servers

OTHER = "ha-hoa"


@pytest.fixture
def engine(postgres: Postgres, migrated_postgres: str) -> Iterator[Engine]:
    opened = open_database(postgres.new_database(migrated_postgres))
    yield opened
    opened.dispose()


def _arrive(engine: Engine, worker: str, life: str) -> None:
    with engine.begin() as conn:
        arrive(conn, worker, life, partial(recover, heir=worker))


def _logged_only(rig: Rig) -> None:
    """Seqs 1 to 3 confirmed, of which the last stand in the log and not yet in the rows of state."""
    say(rig, 1)
    rig.pass_time(1)
    say(rig, 2)
    say(rig, 3, power_w=RATED_W - 3)
    assert _ranges(rig) != [[[1, 3]]] * MANY, "else there is nothing to recover"


def _ranges(rig: Rig) -> list[list[list[int]]]:
    return rig.read(lambda conn: list(conn.execute(select(received.c.ranges)).scalars()))


def test_a_start_raises_the_tokens_of_what_its_name_held(engine: Engine) -> None:
    _arrive(engine, "a", "first")
    old = beat_of(engine, "a", life="first")
    late = rig_of(engine, old)
    say(late, 1)

    _arrive(engine, "a", "second")
    with engine.connect() as conn, pytest.raises(LeaseLostError):
        LeaseLock(old.scope).fence(conn)
    new = beat_of(engine, "a", life="second")
    assert new.scope.tokens is not None
    assert old.scope.tokens is not None
    assert new.scope.tokens[COMMUNE] > old.scope.tokens[COMMUNE]
    acknowledged = len(late.link.acknowledged)
    say(late, 2)  # the half-dead one wakes up
    assert len(late.link.acknowledged) == acknowledged
    late.close()


def test_one_that_was_replaced_is_told_so_whatever_it_tries(engine: Engine) -> None:
    _arrive(engine, "a", "first")
    beat_of(engine, "a", life="first")
    _arrive(engine, "a", "second")
    held = beat_of(engine, "a", life="second")
    heir = partial(recover, heir="a")
    with engine.connect() as conn, pytest.raises(NameTakenError, match="worker a"):
        beat(conn, "a", (COMMUNE,), heir, life="first")
    with engine.connect() as conn, pytest.raises(NameTakenError):
        show_life(conn, "a", "first")
    with engine.connect() as conn, pytest.raises(NameTakenError):
        give_back(conn, "a", (COMMUNE,), heir, life="first")
    with engine.connect() as conn, pytest.raises(NameTakenError):
        leave(conn, "a", heir, life="first")
    assert beat_of(engine, "a", life="second").scope == held.scope


def test_what_the_earlier_life_had_only_logged_is_whole_before_its_communes_move(engine: Engine) -> None:
    _arrive(engine, "a", "first")
    beat_of(engine, "a", COMMUNE, OTHER)
    first = rig_of(engine, beat_of(engine, "a", COMMUNE, OTHER))
    _logged_only(first)
    beat_of(engine, "b", COMMUNE, OTHER)  # waits for its share

    _arrive(engine, "a", "second")
    taken = beat_of(engine, "b", COMMUNE, OTHER)
    assert taken.scope.tokens, "what the first life held is free"
    second = rig_of(engine, beat_of(engine, "a", COMMUNE, OTHER, life="second"))
    assert _ranges(second) == [[[1, 3]]] * MANY
    first.close()
    second.close()
    assert _ranges(second) == [[[1, 3]]] * MANY


def test_an_heir_that_starts_anew_leaves_the_others_rows_as_they_are(engine: Engine) -> None:
    both = (COMMUNE, OTHER)
    beat_of(engine, "b", *both)
    beat_of(engine, "a", *both)
    with engine.begin() as conn:
        give_back(conn, "b", (COMMUNE,), partial(recover, heir="b"))
    first = rig_of(engine, beat_of(engine, "a", *both))
    assert not beat_of(engine, "c", *both).scope.tokens
    _logged_only(first)
    die(engine, "a")
    heir = beat_of(engine, "b", *both)
    assert heir.inherited
    assert set(heir.scope.tokens or ()) == {OTHER}
    third = rig_of(engine, beat_of(engine, "c", *both))
    say(third, 4)
    third.pass_time(3)
    third.close()

    # What b inherited and nobody has drained yet lies in its log, though it is of c's communes.
    again = rig_of(engine, heir)
    again.pass_time(3)
    again.close()
    first.close()
    assert _ranges(again) == [[[1, 4]]] * MANY


def test_who_has_no_share_inherits_nothing(engine: Engine) -> None:
    """Nobody would drain it there."""
    first = rig_of(engine, beat_of(engine, "a"))
    _logged_only(first)
    assert not beat_of(engine, "b").scope.tokens
    assert not beat_of(engine, "c").scope.tokens
    die(engine, "a")
    assert not beat_of(engine, "c").inherited
    held = beat_of(engine, "b")
    assert held.inherited
    assert held.scope.tokens
    with engine.connect() as conn:
        assert set(conn.execute(select(telemetry_outbox.c.worker)).scalars()) == {"b"}
    first.close()


def test_drained_rows_are_deleted_only_where_no_restart_needs_them(engine: Engine) -> None:
    first = rig_of(engine, beat_of(engine, "a"))
    _logged_only(first)
    ids = [batch.id for batch in first.outbox.waiting(0, 100)]
    with engine.begin() as conn:
        forget_drained(conn, "a", ids)
    left = [batch.id for batch in first.outbox.waiting(0, 100)]
    assert left
    assert len(left) < len(ids)
    with engine.begin() as conn:
        leave(conn, "a", partial(recover, heir="a"))
    with engine.begin() as conn:
        forget_drained(conn, "a", ids)
    assert first.outbox.waiting(0, 100) == []
    assert _ranges(first) == [[[1, 3]]] * MANY
    first.close()


def test_a_fault_that_one_worker_saw_begin_is_opened_by_the_next_with_its_true_beginning(
    engine: Engine,
) -> None:
    first = rig_of(engine, beat_of(engine, "a"))
    say(first, 1)
    begun_at = first.now
    first.take(Kind.TELEMETRY, telemetry(sample(2, at=begun_at, power_w=0.5)))
    assert first.incidents("all") == []
    die(engine, "a")

    second = rig_of(engine, beat_of(engine, "b"))
    hold_off_s = CATALOGUE[LAMP_FAILURE].rule.hold_off_s
    second.now = begun_at + timedelta(seconds=hold_off_s + 1)
    second.take(Kind.TELEMETRY, telemetry(sample(3, at=second.now, power_w=0.5)))
    (opened,) = [one for one in second.incidents() if one.kind == LAMP_FAILURE]
    assert opened.since_at == begun_at
    first.close()
    second.close()
