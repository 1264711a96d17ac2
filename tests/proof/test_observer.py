"""The ledger of possible limits, judged by what charge points really enforce."""

from __future__ import annotations

from datetime import timedelta

import pytest

from csms.domain import limit_rows, site_observation
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
@pytest.mark.parametrize("seed", [30004])
def test_what_was_found_once_is_found_no_more(seed):
    assert violations([seed], transitions=500)[0] == []


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
        (_believes_an_acceptance, [102, 103, *range(104, 112)]),
        (_believes_a_refusal, [117, 123, *range(124, 134)]),
        (_believes_that_leases_end_early, [310, *range(311, 325)]),
    ],
)
def test_the_observer_sees_each_mistake(monkeypatch, mistake, seeds):
    mistake(monkeypatch)
    assert any(World(seed, max_transitions=300).run().violations for seed in seeds)
