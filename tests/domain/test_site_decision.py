from __future__ import annotations

from decimal import Decimal

import pytest

from csms.domain.allocation import Policy
from csms.domain.battery import Battery, BatteryId, BatteryState
from csms.domain.charging_profiles import RateUnit
from csms.domain.ids import SiteId
from csms.domain.power_tree import LoadId, NodeId
from csms.domain.site_decision import decide_site
from csms.domain.sites import (
    GRID,
    Charger,
    ChargerId,
    Circuit,
    CircuitId,
    ConnectorRef,
    CurrentType,
    Site,
    SiteLoad,
)

BATTERY = Battery(id=BatteryId("b"), capacity_wh=200_000, power_w=100_000)
EMPTY = {BATTERY.id: BatteryState(energy_mwh=0)}
CHARGERS = [
    Charger(id=ChargerId(name), max_w=max_w, connectors=2, controlled_elsewhere=True)
    for name, max_w in (("first", 200_000), ("second", 200_000), ("third", 300_000))
]


def _site(policy=Policy.EQUAL_KW, **more):
    return Site(
        id=SiteId("s"),
        name="S",
        grid_limit_w=400_000,
        batteries=(BATTERY,),
        policy=policy,
        **more,
    )


def _load(charger, connector, vehicle_max_w=None, **more):
    return SiteLoad(
        id=LoadId(f"{charger}/{connector}"),
        at=ConnectorRef(charger_id=ChargerId(charger), connector_id=connector),
        vehicle_max_w=vehicle_max_w,
        **more,
    )


def _kw(loads, states=None, **more):
    decision = decide_site(
        site=_site(**more), chargers=CHARGERS, loads=loads, batteries=states or {}
    )
    return [share.power_w / 1000 for share in decision.shares], decision


SIX = [_load(c, n, 150_000) for c in ("first", "second", "third") for n in (1, 2)]


@pytest.mark.parametrize("policy", Policy)
def test_one_load_gets_what_its_vehicle_takes(policy):
    got, decision = _kw([_load("first", 1, 150_000)], policy=policy)
    assert got == [150]
    assert decision.shares[0].reason == "vehicle maximum"
    assert (decision.battery_w, decision.grid_w) == (0, 150_000)


@pytest.mark.parametrize("policy", Policy)
def test_two_loads_share_a_charger(policy):
    got, decision = _kw([_load("first", 1, 150_000), _load("first", 2, 150_000)], policy=policy)
    assert got == [100, 100]
    assert {s.reason for s in decision.shares} == {"fair share of the charger first limit"}


@pytest.mark.parametrize("policy", Policy)
def test_what_a_small_vehicle_leaves_goes_to_the_other(policy):
    assert _kw([_load("first", 1, 30_000), _load("first", 2, 150_000)], policy=policy)[0] == [
        30,
        150,
    ]


def test_six_loads_share_grid_and_battery_in_whole_kilowatts():
    got, decision = _kw(SIX)
    assert sum(got) == 500
    assert max(got) - min(got) <= 1
    assert all(power.is_integer() for power in got)
    assert (decision.battery_w, decision.grid_w) == (100_000, 400_000)
    assert {s.reason for s in decision.shares} == {"fair share of the grid limit"}


def test_six_loads_with_an_empty_battery():
    got, decision = _kw(SIX, EMPTY)
    assert sum(got) == 400
    assert max(got) - min(got) <= 1
    assert (decision.battery_w, decision.grid_w) == (0, 400_000)


def test_an_emptied_battery_takes_what_the_car_leaves():
    got, decision = _kw([_load("first", 1, 50_000)], EMPTY)
    assert got == [50]
    assert (decision.battery_w, decision.grid_w) == (-100_000, 150_000)
    assert decision.batteries_w == {"b": -100_000}


def test_the_battery_charges_only_from_what_the_grid_can_spare():
    loads = [_load("first", 1, 150_000), _load("second", 1, 150_000), _load("third", 1, 60_000)]
    got, decision = _kw(loads, EMPTY)
    assert got == [150, 150, 60]
    assert (decision.battery_w, decision.grid_w) == (-40_000, 400_000)


def test_the_battery_gives_only_what_is_needed():
    loads = [_load("first", 1, 150_000), _load("second", 1, 150_000), _load("third", 1, 130_000)]
    _, decision = _kw(loads)
    assert (decision.battery_w, decision.grid_w) == (30_000, 400_000)


def test_circuits_bind_and_are_named():
    site = _site(Policy.FAIR, circuits=(Circuit(id=CircuitId("hall"), limit_w=90_000),))
    chargers = [
        Charger(
            id=ChargerId(name),
            max_w=100_000,
            circuit_id=CircuitId("hall"),
            current_type=CurrentType.DC,
        )
        for name in ("x", "y")
    ]
    alone = decide_site(site=site, chargers=chargers, loads=[_load("x", 1)])
    assert alone.shares[0].reason == "circuit hall limit"
    both = decide_site(site=site, chargers=chargers, loads=[_load("x", 1), _load("y", 1)])
    assert {s.reason for s in both.shares} == {"fair share of the circuit hall limit"}
    assert {n.id: (n.limit_w, n.load_w, n.headroom_w) for n in both.nodes} == {
        "grid": (400_000, 90_000, 310_000),
        "circuit hall": (90_000, 90_000, 0),
        "charger x": (100_000, 45_000, 55_000),
        "charger y": (100_000, 45_000, 55_000),
    }


def test_a_charger_alone_and_the_grid_alone_are_the_limit():
    dc = Charger(id=ChargerId("x"), max_w=100_000, current_type=CurrentType.DC)
    big = Charger(id=ChargerId("z"), max_w=900_000, current_type=CurrentType.DC)
    weak = decide_site(site=_site(), chargers=[dc], loads=[_load("x", 1)])
    assert weak.shares[0].reason == "charger limit"
    strong = decide_site(site=_site(), chargers=[big], loads=[_load("z", 1)])
    assert (strong.shares[0].power_w, strong.shares[0].reason) == (500_000, "grid limit")


def _ac(number, **more):
    return Charger(id=ChargerId(f"ac{number}"), max_w=11_000, **more)


def _ac_decision(grid_limit_w, number=4, policy=Policy.FAIR, **more):
    site = Site(id=SiteId("s"), name="S", grid_limit_w=grid_limit_w, policy=policy)
    chargers = [_ac(i) for i in range(number)]
    loads = [_load(f"ac{i}", 1, order=number - i, **more) for i in range(number)]
    return decide_site(site=site, chargers=chargers, loads=loads)


def test_ac_limits_are_told_in_amperes_and_stay_within_the_grid():
    decision = _ac_decision(30_000)
    assert [str(s.limit.value) for s in decision.shares] == ["10.8"] * 4
    assert {s.limit.unit for s in decision.shares} == {RateUnit.AMPERES}
    assert sum(s.limit_w for s in decision.shares) <= 30_000


def test_under_six_amperes_the_first_in_the_queue_charge_and_the_rest_wait():
    decision = _ac_decision(9000)  # 2250 W each would be 3.2 A, which no car takes
    assert [s.load_id for s in decision.shares] == ["ac3/1", "ac2/1", "ac1/1", "ac0/1"]
    assert [s.power_w for s in decision.shares] == [4500, 4500, 0, 0]
    assert [s.limit.value for s in decision.shares] == [Decimal("6.5")] * 2 + [Decimal(0)] * 2
    assert [s.waiting for s in decision.shares] == [False, False, True, True]
    assert "does not fit under the grid limit" in decision.shares[2].reason


def test_the_whole_kilowatt_mode_keeps_its_exact_result_under_six_amperes():
    decision = _ac_decision(9000, policy=Policy.EQUAL_KW)
    assert [s.power_w for s in decision.shares] == [3000, 2000, 2000, 2000]
    assert {s.limit.value for s in decision.shares} == {Decimal(0)}


def test_a_weak_vehicle_is_told_six_amperes_and_shown_with_its_own_maximum():
    decision = _ac_decision(11_000, number=1, vehicle_max_w=3700)
    share = decision.shares[0]
    assert (share.power_w, share.limit.value, share.limit_w) == (3700, Decimal("6.0"), 4140)
    assert share.reason == "vehicle maximum"


def test_reserves_come_off_first():
    decision = decide_site(
        site=_site(),
        chargers=CHARGERS,
        loads=[_load("first", 1, 150_000), _load("third", 1, 300_000)],
        batteries=EMPTY,
        reserved_w={GRID: 90_000},
        unmanaged_w={GRID: 10_000, NodeId("charger first"): 120_000},
    )
    assert [s.power_w for s in decision.shares] == [80_000, 100_000]
    assert decision.grid_w == 400_000
    assert decision.tree.available_w[0] == 310_000  # the unmanaged are entries there


def test_reserves_over_the_grid_limit_are_shown_and_nothing_is_given():
    decision = decide_site(
        site=_site(Policy.FAIR),
        chargers=CHARGERS,
        loads=[_load("first", 1, 150_000)],
        batteries=EMPTY,
        reserved_w={GRID: 450_000},
    )
    assert decision.shares[0].power_w == 0
    assert decision.grid_w == 450_000
    assert decision.nodes[0].headroom_w == -50_000


def test_loads_in_any_order_give_the_same_decision():
    assert _kw(SIX)[1] == _kw(SIX[::-1])[1]


def test_an_unknown_charger_is_told():
    with pytest.raises(ValueError, match="attic"):
        decide_site(site=_site(), chargers=CHARGERS, loads=[_load("attic", 1)])


def test_a_site_without_loads():
    decision = decide_site(site=_site(), chargers=CHARGERS, loads=[])
    assert (decision.shares, decision.battery_w, decision.grid_w) == ((), 0, 0)
    assert decision.available_w == 500_000
