"""Decisions of sites that know what their phases carry, and the rotation of those who wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from csms.domain.allocation import Policy
from csms.domain.charging_profiles import RateUnit
from csms.domain.ids import SiteId
from csms.domain.phases import PhaseRotation
from csms.domain.power_tree import LoadId, NodeId
from csms.domain.rotation import DWELL
from csms.domain.site_decision import decide_site
from csms.domain.sites import (
    Charger,
    ChargerId,
    Circuit,
    CircuitId,
    ConnectorRef,
    CurrentType,
    Site,
    SiteLoad,
    charger_node,
)

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
GARAGE = Circuit(id=CircuitId("garage"), limit_w=100_000, phase_limit_da=320)
SITE = Site(id=SiteId("s"), name="S", grid_limit_w=200_000, circuits=(GARAGE,))


def _charger(name, **more):
    more = {"max_w": 22_080, "circuit_id": GARAGE.id} | more
    return Charger(id=ChargerId(name), **more)


def _load(name, charger=None, **more):
    at = ConnectorRef(charger_id=ChargerId(charger or name), connector_id=1)
    return SiteLoad(id=LoadId(name), at=at, **more)


def _decide(chargers, loads, site=SITE, **more):
    decision = decide_site(site=site, chargers=chargers, loads=loads, **more)
    return {share.load_id: share for share in decision.shares}, decision


def _amperes(shares):
    return {name: share.limit.value for name, share in shares.items()}


ONE_PHASE = {"phases": 1, "max_w": 7360}


def test_single_phase_chargers_on_different_phases_do_not_disturb_each_other():
    chargers = [
        _charger("r", **ONE_PHASE),
        _charger("s", **ONE_PHASE, rotation=PhaseRotation.STR),
        _charger("t", **ONE_PHASE, rotation=PhaseRotation.TRS),
        _charger("r2", **ONE_PHASE),
    ]
    shares, decision = _decide(chargers, [_load(c.id) for c in chargers])
    assert _amperes(shares) == {"r": 16, "s": 32, "t": 32, "r2": 16}
    assert shares["r"].reason == "fair share of the circuit garage limit on L1"
    assert shares["s"].reason == "charger limit"
    garage = next(node for node in decision.nodes if node.id == "circuit garage")
    assert garage.load_da == (320, 320, 320)
    assert garage.phase_limit_da == 320


def test_a_site_without_phase_limits_counts_power_alone():
    chargers = [_charger("a", **ONE_PHASE), _charger("b", **ONE_PHASE)]
    plain = replace(SITE, circuits=(replace(GARAGE, phase_limit_da=None),))
    shares, _ = _decide(chargers, [_load("a"), _load("b")], plain)
    assert _amperes(shares) == {"a": 32, "b": 32}
    whole_kw = replace(SITE, policy=Policy.EQUAL_KW)
    shares, _ = _decide(chargers, [_load("a"), _load("b")], whole_kw)
    assert [share.power_w for share in shares.values()] == [7000, 7000]


def test_one_phase_of_unknown_wiring_counts_on_all():
    chargers = [_charger("a", **ONE_PHASE, rotation=PhaseRotation.UNKNOWN), _charger("b")]
    shares, decision = _decide(chargers, [_load("a"), _load("b")])
    assert shares["a"].phases == 7
    assert max(decision.nodes[1].load_da) <= 320


def test_a_car_seen_on_one_phase_leaves_the_others_to_the_rest():
    chargers = [_charger("a"), _charger("b", **ONE_PHASE, rotation=PhaseRotation.STR)]
    shares, _ = _decide(chargers, [_load("a"), _load("b")])
    assert _amperes(shares) == {"a": 8, "b": 24}  # equal power beside each other on L2
    shares, _ = _decide(chargers, [_load("a", drawn=0b001), _load("b")])
    assert _amperes(shares) == {"a": 32, "b": 32}
    # told for all phases, drawn on one
    assert (shares["a"].power_w, shares["a"].limit_w) == (7360, 22_080)


def test_what_an_unmanaged_charger_may_draw_is_kept_free_on_its_phase():
    chargers = [_charger("a", **ONE_PHASE), _charger("b", **ONE_PHASE), _charger("c")]
    shares, _ = _decide(
        chargers, [_load("b"), _load("c")], unmanaged_w={charger_node(ChargerId("a")): 4600}
    )
    assert _amperes(shares)["b"] + _amperes(shares)["c"] == 12


def test_a_direct_current_charger_takes_its_share_of_every_phase_and_is_told_power():
    chargers = [_charger("dc", max_w=50_000, current_type=CurrentType.DC), _charger("ac")]
    shares, _ = _decide(chargers, [_load("dc"), _load("ac")])
    assert shares["dc"].limit.unit is RateUnit.WATTS
    assert shares["dc"].limit.value == shares["dc"].power_w == 16 * 690
    assert shares["ac"].limit.value == 16


def test_a_charger_that_takes_power_only_is_told_it_for_all_of_its_phases():
    chargers = [_charger("a", rate_unit=RateUnit.WATTS)]
    shares, _ = _decide(chargers, [_load("a", drawn=0b001)])
    assert shares["a"].limit.value == 22_080
    assert shares["a"].power_w == 7360


def test_another_systems_charger_counts_on_its_phases():
    chargers = [_charger("x", controlled_elsewhere=True), _charger("a")]
    shares, _ = _decide(chargers, [_load("x", vehicle_max_w=4000), _load("a")])
    assert shares["x"].limit is None
    assert shares["x"].power_w <= 4000
    assert shares["a"].limit.value == Decimal("26.3")


def test_a_car_that_says_it_takes_less_is_told_six_amperes_and_shown_as_it_is():
    shares, _ = _decide([_charger("a")], [_load("a", vehicle_max_w=3700)])
    assert (shares["a"].limit.value, shares["a"].power_w) == (6, 3700)
    assert shares["a"].reason == "vehicle maximum"


SHORT = replace(SITE, circuits=(replace(GARAGE, phase_limit_da=70),))
THREE = [_charger(name) for name in "abc"]


@pytest.mark.parametrize(
    "site",
    [SHORT, replace(SITE, circuits=(replace(GARAGE, limit_w=5000, phase_limit_da=None),))],
    ids=["by phases", "by power"],
)
def test_those_who_wait_take_turns_after_a_dwell(site):
    turns = {}
    inside = []
    for number in range(4):
        shares, decision = _decide(
            THREE, [_load(name) for name in "abc"], site, turns=turns, now=NOW + number * DWELL
        )
        inside += [name for name, share in shares.items() if not share.waiting]
        turns = decision.turns
        queue = sorted(share.reason[-14:] for share in shares.values() if share.waiting)
        assert queue == ["(place 1 of 2)", "(place 2 of 2)"]
    assert inside == ["a", "b", "c", "a"]


def test_within_a_dwell_nobody_is_paused_for_another():
    _, first = _decide(THREE, [_load("b")], SHORT, turns={}, now=NOW)
    loads = [_load(name, weight=100 if name == "a" else 1) for name in "abc"]
    shares, _ = _decide(THREE, loads, SHORT, turns=first.turns, now=NOW + DWELL / 2)
    assert [name for name, share in shares.items() if not share.waiting] == ["b"]


def test_a_car_that_takes_nothing_gives_its_place_to_one_that_would():
    turns, inside = {}, []
    loads = [_load("a", idle=True), _load("b")]
    for minutes, some in ((0, loads[:1]), (2, loads), (5, loads)):
        now = NOW + timedelta(minutes=minutes)
        shares, decision = _decide(THREE, some, SHORT, turns=turns, now=now)
        turns = decision.turns
        inside += [name for name, share in shares.items() if not share.waiting]
    assert inside == ["a", "a", "b"]  # at first it may only be slow


def test_the_reason_names_node_and_phase_of_those_who_wait():
    shares, _ = _decide(THREE, [_load(name) for name in "abc"], SHORT)
    assert shares["b"].reason == (
        "waiting: the least useful power does not fit under the circuit garage limit on L1"
        " (place 1 of 2)"
    )


def test_the_connection_itself_may_limit_its_phases():
    site = replace(SITE, grid_phase_limit_da=100, circuits=())
    chargers = [_charger("a", circuit_id=None), _charger("b", circuit_id=None)]
    shares, decision = _decide(chargers, [_load("a"), _load("b")], site)
    assert _amperes(shares) == {"a": 10, "b": 0}  # 5 A each would be of no use
    assert decision.tree.nodes[0].id == NodeId("grid")
    assert decision.nodes[0].phase_limit_da == 100
