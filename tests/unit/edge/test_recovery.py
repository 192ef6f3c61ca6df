from collections import Counter
from random import Random

import pytest

from edge.config import LinkSettings
from edge.link.recovery import DAY_S, Action, LinkFacts, Recovery, Stall, pause_s

MODEM = ["/usr/local/bin/modem-reset"]
REBOOT = ["systemctl", "reboot"]
HOUR_S = 3600.0


class Outage:
    """A link that has been one way since second 0, looked at every 10 s; the machine started a month before."""

    def __init__(
        self,
        settings: LinkSettings,
        facts: LinkFacts,
        *,
        seed: int = 1,
        reboots: int = 0,
        ran_for_s: float = 30 * DAY_S,
    ) -> None:
        self.recovery = Recovery(settings, random=Random(seed), reboots=reboots)
        self.facts = facts
        self.start_s = ran_for_s
        self.facts.broker_at_s += self.start_s
        self.facts.hub_at_s += self.start_s
        if self.facts.unconfirmed_since_s is not None:
            self.facts.unconfirmed_since_s += self.start_s

    def run(self, until_s: float, *, from_s: float = 0, may_reboot: bool = True) -> list[tuple[float, str]]:
        done: list[tuple[float, str]] = []
        look_every_s = 10 if until_s <= DAY_S else 60
        for now_s in range(int(from_s), int(until_s), look_every_s):
            stall = self.recovery.observe(self.facts, self.start_s + now_s)
            if stall is not None:
                done.append((now_s, "stall" if stall.ended_after_s is None else "end"))
            action = self.recovery.decide(self.facts, self.start_s + now_s, may_reboot=may_reboot)
            if action is not None:
                done.append((now_s, action.step))
        return done


def no_broker() -> LinkFacts:
    return LinkFacts(connected=False, broker_at_s=0, hub_at_s=0, unconfirmed_since_s=None)


def no_hub() -> LinkFacts:
    return LinkFacts(connected=True, broker_at_s=0, hub_at_s=0, unconfirmed_since_s=0)


def test_a_link_that_works_is_left_alone() -> None:
    recovery = Recovery(LinkSettings(modem_reset_command=MODEM, reboot_command=REBOOT), random=Random(1))
    facts = LinkFacts(connected=True, broker_at_s=0, hub_at_s=0)
    for now_s in range(0, 100_000, 600):
        facts.broker_at_s = facts.hub_at_s = now_s
        assert recovery.observe(facts, now_s) is None
        assert recovery.decide(facts, now_s, may_reboot=True) is None


def test_without_commands_a_dead_link_is_only_told() -> None:
    assert Outage(LinkSettings(), no_broker()).run(7 * DAY_S) == [(300, "stall")]


def test_the_modem_is_reset_at_pauses_that_double_and_the_machine_restarted_last() -> None:
    settings = LinkSettings(modem_reset_command=MODEM, reboot_command=REBOOT)
    done = Outage(settings, no_broker()).run(DAY_S)
    assert done == [
        (300, "stall"),
        (900, "reset_modem"),
        (900 + HOUR_S, "reset_modem"),
        (900 + 3 * HOUR_S, "reset_modem"),
        (6 * HOUR_S, "reboot"),
        (900 + 7 * HOUR_S, "reset_modem"),
        (900 + 15 * HOUR_S, "reset_modem"),
    ]


def test_a_restart_waits_for_a_moment_that_disturbs_nobody() -> None:
    outage = Outage(LinkSettings(reboot_command=REBOOT), no_broker())
    assert outage.run(10 * HOUR_S, may_reboot=False) == [(300, "stall")]
    assert outage.run(11 * HOUR_S, from_s=10 * HOUR_S) == [(10 * HOUR_S, "reboot")]


def test_a_modem_that_can_be_reset_is_reset_before_the_machine_is_restarted() -> None:
    settings = LinkSettings(
        modem_reset_command=MODEM, modem_reset_after_s=2 * DAY_S, reboot_command=REBOOT, reboot_after_s=600
    )
    steps = [step for _, step in Outage(settings, no_broker()).run(3 * DAY_S)]
    assert steps[:3] == ["stall", "reset_modem", "reboot"]


@pytest.mark.parametrize(("reboots", "days"), [(0, 1), (1, 2), (2, 4), (9, 30)])
def test_each_restart_that_did_not_help_makes_the_next_one_rarer(reboots: int, days: float) -> None:
    outage = Outage(LinkSettings(reboot_command=REBOOT), no_broker(), reboots=reboots, ran_for_s=0)
    done = [at_s for at_s, step in outage.run(31 * DAY_S) if step == "reboot"]
    assert done[0] == days * DAY_S


def test_a_restart_command_that_does_nothing_is_not_repeated_at_once() -> None:
    outage = Outage(LinkSettings(reboot_command=REBOOT), no_broker())
    done = [at_s for at_s, step in outage.run(8 * DAY_S) if step == "reboot"]
    assert done == [6 * HOUR_S, 6 * HOUR_S + 2 * DAY_S, 6 * HOUR_S + 6 * DAY_S]


def test_a_hub_that_is_away_costs_one_new_connection_and_then_few() -> None:
    settings = LinkSettings(modem_reset_command=MODEM, reboot_command=REBOOT)
    done = Outage(settings, no_hub()).run(DAY_S)
    steps = Counter(step for _, step in done)
    assert steps["stall"] == 1
    assert set(steps) == {"stall", "reconnect"}, "the broker answers: modem and machine are not at fault"
    assert 300 <= done[1][0] <= 600
    assert 3 <= steps["reconnect"] <= 7


def test_nodes_do_not_all_connect_anew_at_once_when_their_hub_goes_down() -> None:
    first = Counter(Outage(LinkSettings(), no_hub(), seed=seed).run(700)[1][0] // 30 for seed in range(300))
    assert max(first.values()) < 300 * 0.2


def test_the_hubs_word_ends_it_and_the_ladder_begins_at_its_foot() -> None:
    settings = LinkSettings(modem_reset_command=MODEM)
    outage = Outage(settings, no_broker(), reboots=3)
    outage.run(2 * HOUR_S)
    now_s = outage.start_s + 2 * HOUR_S
    outage.facts.connected, outage.facts.broker_at_s, outage.facts.hub_at_s = True, now_s, now_s
    ended = outage.recovery.observe(outage.facts, now_s + 5)
    assert ended == Stall("broker_silent", 0.0, ended_after_s=2 * HOUR_S)
    assert outage.recovery.reboots == 0
    outage.facts.connected = False
    later_s = now_s + 905
    assert isinstance(outage.recovery.observe(outage.facts, later_s), Stall)
    action = outage.recovery.decide(outage.facts, later_s, may_reboot=True)
    assert action == Action("reset_modem", "broker_silent", 905.0)


def test_a_province_does_not_come_back_in_one_second() -> None:
    """49,000 nodes lose their broker at once; their first attempts, by second."""
    nodes = 49_000
    seconds = Counter(int(pause_s(0, longest_s=60, random=Random(node))) for node in range(nodes))
    assert len(seconds) == 20
    assert max(seconds.values()) < nodes * 0.06
    later = Counter(int(pause_s(5, longest_s=600, random=Random(node))) for node in range(nodes))
    assert max(later.values()) < nodes * 0.003


@pytest.mark.parametrize(("attempt", "window_s"), [(0, 20), (1, 40), (2, 60), (50, 60)])
def test_the_windows_of_the_pauses_double_up_to_the_setting(attempt: int, window_s: float) -> None:
    pauses = [pause_s(attempt, longest_s=60, random=Random(seed)) for seed in range(2000)]
    assert 0 <= min(pauses) < 0.02 * window_s
    assert 0.98 * window_s < max(pauses) <= window_s
