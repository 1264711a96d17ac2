"""The bookkeeping of strangers, by a clock of the test."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from csms.ocppj import gate as gates
from csms.ocppj.gate import Arrival, Gate
from csms.ocppj.pace import BURST, MOST_PAUSES, PAUSE_S, PER_S, Pace
from csms.proxies import TrustedProxies
from tests.fakes import FakeClock

STRANGER = "10.0.0.1"


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def gate(clock):
    return Gate(clock, TrustedProxies([ip_network("10.9.0.0/16")]))


class Sockets:
    """Arrivals of one gate, and who of them was dropped."""

    def __init__(self, gate) -> None:
        self.gate = gate
        self.dropped: list[str] = []

    def come(self, address: str, name: str = "") -> Arrival:
        arrival = Arrival(address, lambda: self.dropped.append(name or address))
        self.gate.wait(arrival)
        return arrival


def test_the_oldest_of_an_address_is_dropped_and_others_are_left_alone(gate, monkeypatch):
    monkeypatch.setattr(gates, "MOST_OPENING_OF_STRANGER", 3)
    sockets = Sockets(gate)
    sockets.come("10.0.0.2", "other")
    for name in "abcde":
        sockets.come(STRANGER, name)
    assert sockets.dropped == ["a", "b"]
    assert len(gate) == 4


def test_in_all_the_oldest_is_dropped_whoever_it_is(gate, monkeypatch):
    monkeypatch.setattr(gates, "MOST_OPENING", 3)
    sockets = Sockets(gate)
    for number in range(5):
        sockets.come(f"10.0.1.{number}")
    assert sockets.dropped == ["10.0.1.0", "10.0.1.1"]


def test_who_is_served_is_not_dropped(gate, monkeypatch):
    monkeypatch.setattr(gates, "MOST_OPENING_OF_STRANGER", 2)
    sockets = Sockets(gate)
    served = sockets.come(STRANGER, "served")
    gate.leave(served)
    gate.leave(served)
    for name in "abc":
        sockets.come(STRANGER, name)
    assert sockets.dropped == ["a"]


def test_an_address_of_stations_is_bounded_by_the_whole_only(gate, monkeypatch):
    monkeypatch.setattr(gates, "MOST_OPENING_OF_STRANGER", 2)
    sockets = Sockets(gate)
    gate.let_in(STRANGER, "CP1")
    for address in (STRANGER, "10.9.0.1"):  # and one of a trusted proxy
        for _ in range(5):
            sockets.come(address)
    assert sockets.dropped == []


async def test_a_strangers_rate(gate, clock):
    turns = [gate.turn_s(STRANGER) for _ in range(1_000)]
    free = [turn for turn in turns if turn == 0]
    waiting = [turn for turn in turns if turn]
    assert len(free) == gates.STRANGER_BURST
    assert waiting == sorted(waiting)
    in_time = [turn for turn in waiting if turn <= gates.LONGEST_TURN_S]
    assert len(in_time) == gates.LONGEST_TURN_S * gates.STRANGER_PER_S
    assert gate.turn_s("10.0.0.2") == 0  # not held up by the neighbour
    await clock.advance(1)
    turns = [gate.turn_s(STRANGER) for _ in range(1_000)]
    assert sum(turn <= gates.LONGEST_TURN_S for turn in turns) == gates.STRANGER_PER_S
    gate.let_in(STRANGER, "CP1")
    assert all(gate.turn_s(STRANGER) == 0 for _ in range(1_000))


def test_the_first_station_of_an_address_lets_the_others_go_on(gate):
    gone: list[str] = []
    parked = [
        Arrival(address, lambda: None, go=lambda address=address: gone.append(address))
        for address in (STRANGER, STRANGER, "10.0.0.2")
    ]
    assert all(gate.park(arrival) for arrival in parked)
    gate.unpark(parked[0])
    gate.unpark(parked[0])
    gate.let_in(STRANGER, "CP1")
    assert gone == [STRANGER]


def test_only_so_many_wait_for_their_turn(gate, monkeypatch):
    monkeypatch.setattr(gates, "MOST_PARKED_OF_STRANGER", 2)
    monkeypatch.setattr(gates, "MOST_PARKED", 3)

    def park(address):
        arrival = Arrival(address, lambda: None)
        return arrival if gate.park(arrival) else None

    first = park(STRANGER)
    assert park(STRANGER)
    assert not park(STRANGER)
    assert park("10.0.0.2")
    assert not park("10.0.0.3")
    gate.unpark(first)
    assert park("10.0.0.3")


def test_one_customers_ipv6_addresses_are_one(gate):
    for number in range(gates.STRANGER_BURST):
        assert gate.turn_s(f"2001:db8::{number:x}") == 0
    assert gate.turn_s("2001:db8::ffff:1") != 0
    assert gate.turn_s("2001:db8:0:1::1") == 0
    assert gate.turn_s("::ffff:10.0.0.1") == 0


async def test_failures_are_answered_later_and_later_up_to_a_bound_and_forgotten(gate, clock):
    holds = [gate.failed_s(STRANGER, None) for _ in range(100)]
    assert holds[: gates.FREE_FAILURES_OF_ADDRESS] == [0] * gates.FREE_FAILURES_OF_ADDRESS
    assert 0 < holds[gates.FREE_FAILURES_OF_ADDRESS] < holds[30]
    assert holds[-1] == gates.LONGEST_HOLD_S
    assert gate.failed_s("10.0.0.2", None) == 0
    await clock.advance(600)
    assert gate.failed_s(STRANGER, None) == 0


def test_failures_of_one_identity_from_many_addresses(gate):
    holds = [gate.failed_s(f"10.0.1.{number}", "CP1") for number in range(50)]
    assert holds[gates.FREE_FAILURES_OF_IDENTITY - 1] == 0
    assert holds[-1] == gates.LONGEST_HOLD_S
    assert gate.failed_s("10.0.2.1", "CP2") == 0
    gate.let_in("10.0.2.2", "CP1")
    assert gate.failed_s("10.0.2.3", "CP1") == 0


async def test_what_is_remembered_is_bounded(gate):
    for number in range(30_000):
        address = f"10.{number >> 8 & 7}.{number & 255}.{number >> 11}"
        gate.turn_s(address)
        gate.failed_s(address, f"CP{number}")
    assert len(gate._due) <= 20_000
    assert len(gate._failed_as._levels) <= 20_000


class TestPace:
    def test_a_burst_is_free_then_come_pauses_then_the_end(self, clock):
        pace = Pace(clock)
        assert [pace.pushed() for _ in range(BURST)] == [0] * BURST
        assert [pace.pushed() for _ in range(MOST_PAUSES)] == [PAUSE_S] * MOST_PAUSES
        assert pace.pushed() is None

    async def test_pushed_messages_are_served_at_the_rate(self, clock):
        pace = Pace(clock)
        for _ in range(BURST):
            pace.pushed()
        served = 0
        for _ in range(10):
            while not pace.pushed():
                served += 1
            await clock.advance(PAUSE_S)
        assert abs(served - 9 * PAUSE_S * PER_S) <= 20

    async def test_one_that_is_quiet_in_between_starts_anew(self, clock):
        pace = Pace(clock)
        for _ in range(3):
            for _ in range(BURST + MOST_PAUSES):
                assert pace.pushed() is not None
            await clock.advance(3_600)
