"""The ledger of possible limits, judged by what charge points really enforce."""

from __future__ import annotations

from datetime import timedelta

import pytest

from csms.domain import limit_rows, site_observation
from tests.proof.truth import Installed
from tests.proof.world import World


def violations(seeds, *, transitions=200, **more):
    """Return what the observer saw, and how many limits were sent."""
    seen, sent = [], 0
    for seed in seeds:
        result = World(seed, max_transitions=transitions, **more).run()
        seen += result.violations
        sent += result.transitions
    return seen, sent


@pytest.mark.slow
def test_no_instant_over_a_limit_in_two_thousand_transitions():
    seen, sent = violations(range(10))
    assert seen == []
    assert sent >= 2000


def test_no_instant_over_a_limit_in_some_transitions():
    seen, sent = violations([10], transitions=50)
    assert (seen, sent >= 50) == ([], True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [30004, 200116])
def test_what_was_found_once_is_found_no_more(seed):
    assert violations([seed], transitions=500)[0] == []


# After a drop without notice: what the observer allows for a while


def _told(purpose, limit_w, transaction=None):
    number = 0 if transaction is None else 1
    return Installed(number, purpose, 0, number, transaction, limit_w, None, None)


@pytest.fixture
def fallen():
    """A site that may draw nothing at once; its one car is told so, its charger's next car not."""
    world = World(10)
    for true in world.chargers:
        true.profiles = [_told("TxDefaultProfile", 0)]
    true = next(true for true in world.chargers if len(true.connectors) == 1)
    connector = true.connectors[1]
    connector.transaction = connector.server_id = 1
    connector.car_w = true.max_w
    true.profiles = [_told("TxDefaultProfile", 3000), _told("TxProfile", 3000, 1)]
    world.nodes[0].limit_w = 0
    world.limit_fell(world.nodes[0])
    world.observe("fallen")
    true.profiles[1] = _told("TxProfile", 0, 1)
    world.observe("told")
    assert world.result.violations == []
    return world, true


def _next_car(world, true):
    connector = true.connectors[1]
    connector.transaction, connector.server_id = connector.transaction + 1, None
    world.observe("next car")
    return world.result.counts["violations"]


def test_a_car_that_comes_after_a_drop_starts_with_the_fallback_share_of_before(fallen):
    assert _next_car(*fallen) == 0
    assert _next_car(*fallen) == 0


def test_the_car_that_is_there_may_not_rise_again_after_a_drop(fallen):
    world, true = fallen
    true.profiles[1] = _told("TxProfile", 3000, 1)
    world.observe("raised")
    assert world.result.counts["violations"] == 1


@pytest.mark.parametrize("fallback_w", [3001, 9000])
def test_a_fallback_share_may_not_rise_after_a_drop(fallen, fallback_w):
    world, true = fallen
    true.profiles[0] = _told("TxDefaultProfile", fallback_w)
    assert _next_car(world, true) == 1


def test_a_fallback_share_that_fell_after_a_drop_may_not_come_back(fallen):
    world, true = fallen
    true.profiles[0] = _told("TxDefaultProfile", 0)
    world.observe("told")
    true.profiles[0] = _told("TxDefaultProfile", 3000)
    assert _next_car(world, true) == 1


# The observer catches a ledger that believes too early


def _believes_an_acceptance(monkeypatch):
    accepted = site_observation.accepted

    def believing(row, now, *, proven, ends_at):
        return accepted(row, now, proven=True, ends_at=ends_at)

    monkeypatch.setattr(site_observation, "accepted", believing)


def _believes_a_refusal(monkeypatch):
    def believing(row, status, now):
        return row._replace(in_flight_w=None, in_flight_version=None, refusals=1, refused_at=now)

    monkeypatch.setattr(site_observation, "refused", believing)


def _believes_that_leases_end_early(monkeypatch):
    monkeypatch.setattr(limit_rows, "LEASE_GRACE", timedelta(seconds=-500))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mistake", "seeds"),
    [
        # those first on which they were seen last; any change of what is decided may move them
        (_believes_an_acceptance, [103, 104, *range(105, 120)]),
        (_believes_a_refusal, [104, 143, 177, *range(178, 278)]),
        (_believes_that_leases_end_early, [310, 339, 367, *range(368, 468)]),
    ],
)
def test_the_observer_sees_each_mistake(monkeypatch, mistake, seeds):
    mistake(monkeypatch)
    assert any(World(seed, max_transitions=300).run().violations for seed in seeds)
