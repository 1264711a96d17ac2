"""Limits near the fair share stay where they are; what comes out fits, is near, and is settled."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from csms.domain.ids import SiteId
from csms.domain.power_tree import LoadId
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
from csms.domain.steadiness import RAISED_BELOW
from tests.domain.control_world import NOW
from tests.many import many

VOLTS = 208
MAX_W = 32 * VOLTS


def garage(count: int, **more) -> list[Charger]:
    """Return chargers of 32 A on one phase."""
    fields = {"phases": 1, "voltage_v": VOLTS, "max_w": MAX_W} | more
    return [Charger(id=ChargerId(f"{n:02}"), **fields) for n in range(count)]


def decided(
    limit_a, has_a, *, count=None, chargers=None, takes_a=None, site=None, idle=0, exact=False
):
    """Return what a garage decides, in A; `has_a` are the limits of those who have one."""
    count = len(has_a) if count is None else count
    chargers = garage(count) if chargers is None else chargers
    free = garage(count + idle)[count:]
    site = site or Site(id=SiteId("s"), name="s", grid_limit_w=limit_a * VOLTS)
    loads = [
        SiteLoad(
            id=LoadId(charger.id),
            at=ConnectorRef(charger_id=charger.id, connector_id=1),
            vehicle_max_w=(takes_a or {}).get(n, 32) * VOLTS,
            order=n,
        )
        for n, charger in enumerate(chargers)
    ]
    decision = decide_site(
        site=site,
        chargers=[*chargers, *free],
        loads=loads,
        exact=exact,
        has_w={LoadId(chargers[n].id): -(-int(a * 10) * VOLTS // 10) for n, a in enumerate(has_a)},
        now=NOW,
    )
    return [share.limit_w * 10 // VOLTS / 10 for share in decision.shares]


def test_a_small_site_is_shared_exactly():
    assert decided(32, [32], count=2) == [16, 16]
    assert decided(48, [24, 24], count=3) == [16, 16, 16]
    assert decided(48, [16, 16, 16], count=4) == [12] * 4
    assert decided(32, [16]) == [32]


def test_who_comes_is_given_room_by_few():
    before = [20.0] * 8
    after = decided(160, before, count=9)
    moved = [new for new, old in zip(after, before, strict=False) if new != old]
    assert len(moved) == 2  # of 8
    assert sum(after) <= 160
    assert min(after) >= 160 / 9 * 3 / 4 - 0.2


def test_what_becomes_free_goes_to_few_of_those_with_the_least():
    after = decided(160, [15.0, 16.0, 18.0, 18.0, 18.0, 18.0, 18.0, 19.0])
    assert after[2:] == [18, 18, 18, 18, 18, 19]
    assert after[0] == 30  # one and a half of 20 A
    assert after[1] == 21 or sum(after) == 160


def test_nobody_is_left_with_less_than_two_thirds():
    after = decided(200, [10.0, *[21.0] * 9])
    assert after[0] >= 20 * 3 / 4 - 0.1
    assert sum(after) <= 200


def test_a_limit_that_drops_by_half_is_shared_exactly():
    assert decided(80, [16.0] * 10) == [8.0] * 10


def test_who_takes_little_is_lowered_only_where_somebody_wants_it():
    takes = {0: 7, 1: 7}
    assert decided(160, [20.0, 20.0, 32, 32, 32], takes_a=takes) == [20, 20, 32, 32, 32]
    assert decided(100, [20.0, 20.0, 20, 20, 20], takes_a=takes)[:2] == [7, 7]


def test_on_an_exact_site_too_who_takes_little_is_lowered_only_where_somebody_wants_it():
    takes = {0: 7}
    assert decided(64, [32, 32], takes_a=takes, exact=True) == [32, 32]
    assert decided(60, [30, 30], takes_a=takes, exact=True) == [7, 32]
    assert decided(64, [32], takes_a=takes, count=2, exact=True) == [32, 32]
    assert decided(48, [32], takes_a=takes, count=2, exact=True) == [7, 32]
    assert decided(32, [32], takes_a=takes) == [32]  # a few are told exactly as well


def test_room_for_the_next_car_is_not_left_to_who_does_not_take_it():
    takes = {0: 7}
    assert decided(32, [32], takes_a=takes, idle=1, exact=True) == [7]
    assert decided(63, [32], takes_a=takes, idle=1, exact=True) == [7]
    assert decided(64, [32], takes_a=takes, idle=1, exact=True) == [32]


def test_of_several_who_take_little_those_with_the_least_unused_keep_it():
    takes = {0: 7, 1: 20, 2: 28}
    assert decided(90, [32, 32, 32], takes_a=takes, exact=True) == [7, 32, 32]


def test_a_battery_that_is_nearly_full_is_followed_in_few_steps():
    has, told = [20.0] * 5, []
    for takes_a in range(20, 5, -1):
        has = decided(100, has, takes_a={0: takes_a})
        told.append(has[0])
    assert sorted(set(told), reverse=True) == [20, 13, 8]


def test_less_than_three_amperes_are_not_worth_a_message():
    assert decided(126, [24.0, 24.5, 25.0, 25.0, 26.0]) == [24, 24.5, 25, 25, 26]
    assert decided(160, [31.0, 31.5] * 2 + [32]) == [32] * 5  # what there is is given


def test_only_steps_that_a_charger_takes():
    steps = tuple(Decimal(step) for step in (6, 10, 16, 25, 32))
    after = decided(90, [16.0, 16.0, 25.0, 25.0], count=6, chargers=garage(6, allowed_a=steps))
    assert set(after) <= {6, 10, 16, 25, 32}
    assert 80 <= sum(after) <= 90


def test_direct_current_is_told_in_watts():
    fast = garage(6, current_type=CurrentType.DC)
    after = decided(90, [18.0] * 5, count=6, chargers=fast)
    assert sum(new != 18 for new in after[:5]) == 2
    assert sum(after) <= 90


@st.composite
def sites(draw):
    """A garage with circuits and perhaps phases, and limits that some have already."""
    count = draw(st.integers(5, 12))
    phased = draw(st.booleans())
    circuits = tuple(
        Circuit(
            id=CircuitId(f"c{n}"),
            limit_w=draw(st.integers(0, 40_000)),
            parent_id=CircuitId("c0") if n == 1 and draw(st.booleans()) else None,
            phase_limit_da=draw(st.integers(0, 1000)) if phased else None,
        )
        for n in range(2)
    )
    site = Site(
        id=SiteId("s"),
        name="s",
        grid_limit_w=draw(st.integers(0, 80_000)),
        grid_phase_limit_da=draw(st.integers(60, 2000)) if phased else None,
        circuits=circuits,
    )
    chargers = [
        Charger(
            id=ChargerId(f"{n:02}"),
            max_w=draw(st.sampled_from((3680, 7360, 11_040, 22_080))),
            phases=draw(st.sampled_from((1, 3))),
            circuit_id=draw(st.sampled_from((None, "c0", "c1"))),
            allowed_a=draw(
                st.sampled_from(((), (), tuple(Decimal(step) for step in (6, 10, 16, 25, 32))))
            ),
        )
        for n in range(count)
    ]
    loads = [
        SiteLoad(
            id=LoadId(charger.id),
            at=ConnectorRef(charger_id=charger.id, connector_id=1),
            vehicle_max_w=draw(st.sampled_from((None, None, 1000, 5000))),
            drawn=draw(st.sampled_from((None, 0b001))) if phased and charger.phases > 1 else None,
            order=n,
        )
        for n, charger in enumerate(chargers)
        if n < 5 or draw(st.booleans())
    ]
    told = draw(
        st.lists(
            st.one_of(st.none(), st.integers(0, 320)), min_size=len(loads), max_size=len(loads)
        )
    )
    by_id = {LoadId(charger.id): charger for charger in chargers}
    has_w = {
        load.id: min(by_id[load.id].max_w, current * by_id[load.id].volts // 10)
        for load, current in zip(loads, told, strict=True)
        if current is not None
    }
    return site, chargers, loads, has_w


@many(300)
@given(sites(), st.booleans())
def test_it_fits_is_near_and_is_settled(given_site, exact):
    site, chargers, loads, has_w = given_site

    def decide(has):
        return decide_site(
            site=site, chargers=chargers, loads=loads, has_w=has, exact=exact, now=NOW
        )

    fair, near = decide(None), decide(has_w)
    by_id = {charger.id: charger for charger in chargers}
    for node in near.nodes:
        below = [s for s in near.shares if node.id in near.tree.path(charger_node(s.at.charger_id))]
        draws = [(s, s.limit_w * 10 // by_id[s.at.charger_id].volts) for s in below]
        drawn_w = sum(da * (s.volts or by_id[s.at.charger_id].volts) // 10 for s, da in draws)
        assert drawn_w <= node.limit_w, node
        for phase in range(3) if node.phase_limit_da is not None else ():
            on_phase = (da for s, da in draws if (s.phases or 0) >> phase & 1)
            assert sum(on_phase) <= (node.phase_limit_da or 0), node
    for was, share in zip(fair.shares, near.shares, strict=True):
        assert share.load_id == was.load_id
        assert bool(share.limit_w) == bool(was.limit_w)
        assert share.limit_w >= was.limit_w * (1 if exact else RAISED_BELOW)
        assert share.limit_w <= by_id[share.at.charger_id].max_w
        assert share.waiting == was.waiting
    told = {share.load_id: share.limit_w for share in near.shares if share.limit_w}
    again = decide(told)
    assert {s.load_id: s.limit_w for s in again.shares} == {
        s.load_id: s.limit_w for s in near.shares
    }, (fair.shares, site, has_w)


def test_comings_move_few():
    has: list[float] = []
    changes = 0
    for _ in range(16):
        after = decided(120, has, count=len(has) + 1)
        changes += sum(new != old for new, old in zip(after, has, strict=False))
        has = after
        assert min(has) >= min(32, 120 / len(has)) * 2 / 3 - 0.1
    assert changes <= 3 * 16  # told exactly, it would be 16 * 15 / 2
