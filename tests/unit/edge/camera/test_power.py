from edge.camera.power import DAY_S, PowerRules, PowerState, cycled, see

RULES = PowerRules(after_rounds=3, first_pause_s=600, longest_pause_s=3600, per_day=4)


def cycles_over(seconds: float, *, rules: PowerRules = RULES, hung: bool | None = True) -> list[float]:
    """When a camera that never comes back is cycled, asked every 30 s."""
    state, at = PowerState(), []
    now_s = 0.0
    while now_s < seconds:
        state, due = see(state, hung=hung, allowed=True, now_s=now_s, rules=rules)
        if due:
            at.append(now_s)
            state = cycled(state, now_s=now_s, rules=rules)
        now_s += 30
    return at


def test_pauses_grow_and_the_day_has_a_limit() -> None:
    first, *rest = cycles_over(DAY_S)
    assert first == 60, "at the third round"
    assert rest == [660, 1860, 4260], "after 10, 20 and 40 minutes; then the day's four are used up"


def test_the_next_day_begins_a_day_after_each() -> None:
    assert cycles_over(2 * DAY_S)[4:6] == [60 + DAY_S, 3660 + DAY_S]


def test_a_camera_that_answers_begins_afresh() -> None:
    state = cycled(PowerState(hung_rounds=3), now_s=0, rules=RULES)
    state, due = see(state, hung=False, allowed=True, now_s=100, rules=RULES)
    assert (due, state.hung_rounds, state.tries) == (False, 0, 0)
    assert state.cycles_s == (0,), "the daily limit does not forget"


def test_nothing_known_changes_nothing() -> None:
    assert cycles_over(DAY_S, hung=None) == []


def test_in_maintenance_and_without_mains_rounds_do_not_count() -> None:
    state = PowerState()
    for round_number in range(10):
        state, due = see(state, hung=True, allowed=False, now_s=30.0 * round_number, rules=RULES)
        assert not due
    state, due = see(state, hung=True, allowed=True, now_s=300, rules=RULES)
    assert not due, "the camera has its time to start when mains returns"


def test_a_limit_of_none_leaves_it_to_commands() -> None:
    assert cycles_over(DAY_S, rules=PowerRules(per_day=0)) == []
