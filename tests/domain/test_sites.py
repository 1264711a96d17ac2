from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.allocation import Policy
from csms.domain.battery import Battery, BatteryId
from csms.domain.charging_profiles import RateLimit, RateUnit
from csms.domain.ids import SiteId
from csms.domain.power_tree import LoadId, NodeId
from csms.domain.sites import (
    PHASES_UNHEARD,
    Charger,
    ChargerId,
    Circuit,
    CircuitId,
    ConnectorRef,
    CurrentType,
    Site,
    SiteLoad,
    limit_power_w,
    rate_limit,
    site_problems,
    site_tree,
    tree_load,
)


def _charger(name="c", max_w=22_000, **more):
    return Charger(id=ChargerId(name), max_w=max_w, **more)


def _site(**more):
    return Site(id=SiteId("s"), name="S", grid_limit_w=more.pop("grid_limit_w", 50_000), **more)


def _load(charger="c", **more):
    return SiteLoad(
        id=LoadId("l"), at=ConnectorRef(charger_id=ChargerId(charger), connector_id=1), **more
    )


def test_a_sound_site_has_no_problems():
    circuits = (
        Circuit(id=CircuitId("a"), limit_w=40_000),
        Circuit(id=CircuitId("b"), limit_w=20_000, parent_id=CircuitId("a")),
    )
    site = _site(circuits=circuits)
    assert site_problems(site, [_charger(circuit_id=CircuitId("b"))]) == []


def test_all_problems_of_a_site_are_told_at_once():
    site = _site(
        grid_limit_w=-1,
        circuits=(
            Circuit(id=CircuitId("a"), limit_w=1, parent_id=CircuitId("b")),
            Circuit(id=CircuitId("b"), limit_w=1, parent_id=CircuitId("a")),
            Circuit(id=CircuitId("d"), limit_w=-5, parent_id=CircuitId("attic")),
            Circuit(id=CircuitId("d"), limit_w=5),
            Circuit(id=CircuitId(""), limit_w=5),
        ),
        batteries=(
            Battery(id=BatteryId("x"), capacity_wh=-1, power_w=-2),
            Battery(id=BatteryId("x"), capacity_wh=1, power_w=2),
        ),
    )
    chargers = [
        _charger("c", circuit_id=CircuitId("cellar"), phases=4, voltage_v=0),
        _charger("c", max_w=-3, connectors=0),
        _charger(""),
    ]
    assert sorted(site_problems(site, chargers)) == [
        "a charger has no id",
        "a circuit has no id",
        "battery x has a negative capacity (-1 Wh)",
        "battery x has a negative power (-2 W)",
        "battery x is there twice",
        "charger c has 4 phases; 1 to 3 are possible",
        "charger c has a negative limit (-3 W)",
        "charger c has a voltage of 0 V",
        "charger c has no connector",
        "charger c is fed by circuit cellar, which is not there",
        "charger c is there twice",
        "circuit a and circuit b feed each other in a circle",
        "circuit d has a negative limit (-5 W)",
        "circuit d is fed by circuit attic, which is not there",
        "circuit d is there twice",
        "grid has a negative limit (-1 W)",
    ]


def test_the_tree_of_a_site():
    site = _site(circuits=(Circuit(id=CircuitId("a"), limit_w=40_000),))
    of = site_tree(
        site,
        [_charger(circuit_id=CircuitId("a")), _charger("d")],
        reserved_w={NodeId("grid"): 1000, NodeId("charger d"): 500},
        supply_w=60_000,
    )
    assert of.path(NodeId("charger c")) == ("charger c", "circuit a", "grid")
    assert of.path(NodeId("charger d")) == ("charger d", "grid")
    assert of.available_w[0] == 58_500
    with pytest.raises(ValueError, match="charger z"):
        site_tree(site, [], reserved_w={NodeId("charger z"): 1})


def _amps(text):
    return RateLimit(unit=RateUnit.AMPERES, value=Decimal(text))


def _watts(text):
    return RateLimit(unit=RateUnit.WATTS, value=Decimal(text))


@pytest.mark.parametrize(
    ("charger", "power_w", "phases", "limit"),
    [
        (_charger(), 22_000, None, _amps("31.8")),
        (_charger(), 4140, None, _amps("6.0")),
        (_charger(), 4139, None, _amps("0")),
        (_charger(), 3680, 1, _amps("16.0")),
        (_charger(phases=1, max_w=7400), 7400, None, _amps("32.1")),
        (_charger(phases=1, max_w=7400), 3680, 3, _amps("16.0")),  # no more phases than it has
        (_charger(max_w=3700), 3700, None, _amps("6.0")),  # all it can have, told as the least
        (_charger(max_w=3700), 3699, None, _amps("0")),
        (_charger(), 0, None, _amps("0")),
        (_charger(max_w=0), 0, None, _amps("0")),
        (_charger(rate_unit=RateUnit.WATTS), 11_000, None, _watts("11000")),
        (_charger(rate_unit=RateUnit.WATTS), 4139, None, _watts("0")),
        (_charger(current_type=CurrentType.DC), 1234, None, _watts("1234")),
    ],
)
def test_a_share_as_a_charger_is_told_it(charger, power_w, phases, limit):
    assert rate_limit(charger, power_w, phases) == limit


@given(
    st.integers(0, 60_000),
    st.none() | st.integers(0, 40_000),
    st.integers(1, 3),
    st.none() | st.integers(1, 3),
    st.sampled_from(CurrentType),
    st.sampled_from([None, RateUnit.WATTS]),
    st.sampled_from([(), (6, 8, 10, 13, 16), (8, 16, 32), (2, 32)]),
)
def test_no_limit_lets_more_through_than_the_room_that_was_kept(
    max_w, vehicle, phases, used, current, unit, steps
):
    charger = _charger(
        max_w=max_w,
        phases=phases,
        current_type=current,
        rate_unit=unit,
        allowed_a=tuple(map(Decimal, steps)),
    )
    load = tree_load(_load(vehicle_max_w=vehicle, phases=used), charger, Policy.FAIR)
    for granted in {0, load.least_w, (load.least_w + load.max_w) // 2, load.max_w}:
        limit = rate_limit(charger, granted, used)
        assert limit_power_w(charger, limit, used) <= granted
        # the ledger keeps W: the same limit comes out of them again
        assert rate_limit(charger, limit_power_w(charger, limit, used), used) == limit
        if granted:  # and whoever gets a share is told more than nothing
            assert limit.value > 0


@pytest.mark.parametrize(
    ("steps", "power_w", "told"),
    [
        ((8, 16, 32), 22_000, "16"),
        ((8, 16, 32), 5520, "8"),
        ((8, 16, 32), 5519, "0"),  # 6 A is none of its steps
        ((6, 13), 8970, "13"),
        ((6, 13), 8969, "6"),
        ((2, 5), 22_000, "0"),  # nothing that a car takes
    ],
)
def test_only_the_currents_that_a_charger_takes_are_told(steps, power_w, told):
    charger = _charger(allowed_a=tuple(map(Decimal, steps)))
    assert rate_limit(charger, power_w) == _amps(told)


def test_a_load_waits_for_the_least_step_of_its_charger():
    charger = _charger(allowed_a=(Decimal(8), Decimal(16)))
    assert tree_load(_load(), charger, Policy.FAIR).min_w == 5520


def test_an_ac_load_gets_six_amperes_or_nothing():
    assert tree_load(_load(), _charger(), Policy.FAIR).min_w == 4140
    assert tree_load(_load(phases=1), _charger(), Policy.FAIR).min_w == 1380
    assert tree_load(_load(), _charger(), Policy.EQUAL_KW).min_w == 0
    assert tree_load(_load(), _charger(current_type=CurrentType.DC), Policy.FAIR).min_w == 0
    assert tree_load(_load(), _charger(controlled_elsewhere=True), Policy.FAIR).min_w == 0
    weak = tree_load(_load(vehicle_max_w=3700), _charger(), Policy.FAIR)
    assert (weak.min_w, weak.max_w) == (4140, 4140)
    assert tree_load(_load(vehicle_max_w=0), _charger(), Policy.FAIR).max_w == 0


def test_a_limit_of_phases_needs_a_policy_that_knows_them():
    site = Site(id=SiteId("s"), name="s", grid_limit_w=1, grid_phase_limit_da=10)
    assert site_problems(site) == []
    assert site_problems(replace(site, policy=Policy.EQUAL_KW)) == [PHASES_UNHEARD]
