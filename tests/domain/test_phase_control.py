"""The control loop on a site with phases, judged by what its chargers may really draw on each."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from csms.domain.phases import PhaseRotation, grid_phases
from csms.domain.possible_limits import PossibleLimits
from csms.domain.power_tree import LoadId
from csms.domain.reconciliation import Obstacle, plan_changes
from csms.domain.sites import Charger, ChargerId, Site, charger_node, site_tree
from tests.domain.control_world import World
from tests.domain.test_site_control import EVENTS, play
from tests.many import many

KINDS = (
    (1, PhaseRotation.RST),
    (1, PhaseRotation.STR),
    (1, PhaseRotation.TRS),
    (1, PhaseRotation.UNKNOWN),
    (2, PhaseRotation.SRT),
    (3, PhaseRotation.RST),
)


class PhaseWorld(World):
    """Chargers of 32 A on one, two or three phases below a limit of the connection's phases."""

    def __init__(self, limit_da: int, kinds: list[tuple[int, PhaseRotation]]) -> None:
        super().__init__(1_000_000, [(7360 * phases, 1) for phases, _ in kinds])
        self.site = replace(self.site, grid_phase_limit_da=limit_da)
        for true, (phases, rotation) in zip(self.chargers, kinds, strict=True):
            true.charger = replace(true.charger, phases=phases, rotation=rotation)

    def overload(self):
        for phase in range(3):
            current = 0
            for true in self.chargers:
                charger = true.charger
                on = grid_phases(charger.rotation, charger.conductors) >> phase & 1
                current += on * true.most_w() * 10 // charger.volts
            if current > self.site.grid_phase_limit_da:
                return f"L{phase + 1}: {current} > {self.site.grid_phase_limit_da}"
        return super().overload()


@given(
    limit_da=st.integers(60, 900),
    kinds=st.lists(st.sampled_from(KINDS), min_size=2, max_size=5),
    events=st.lists(
        st.tuples(st.sampled_from(EVENTS), st.integers(0, 15)), min_size=30, max_size=100
    ),
)
@many(200)
def test_no_phase_may_ever_carry_more_than_its_limit_and_all_settles(limit_da, kinds, events):
    world = PhaseWorld(limit_da, kinds)
    world.settle()
    for name, number in events:
        play(world, name, number)
        assert world.overload() is None, f"after {name} {number}"
    world.settle()
    assert world.step().sendings == ()


def test_the_observer_sees_a_phase_overloaded_and_floors_keep_to_phases():
    world = PhaseWorld(320, [KINDS[0], KINDS[0], KINDS[1]])
    world.settle()
    assert [true.floor_w for true in world.chargers] == [0, 0, 0]  # two on L1 do not fit at once
    world.start(0, 1)
    world.start(1, 1)
    for n in (0, 1):
        world.chargers[n].floor_w = 7360
    assert world.overload() == "L1: 640 > 320"
    roomy = PhaseWorld(320, [KINDS[0], KINDS[1], KINDS[2]])
    roomy.settle()
    assert [true.floor_w for true in roomy.chargers] == [7360] * 3


def _entry(name, worst_w, **more):
    return PossibleLimits(
        id=LoadId(name),
        node=charger_node(ChargerId(name)),
        hardware_max_w=22_080,
        acknowledged_w=worst_w,
        **more,
    )


def test_an_increase_waits_for_its_own_phase_only():
    chargers = [
        Charger(id=ChargerId("a"), max_w=22_080),
        Charger(id=ChargerId("b"), max_w=22_080),
        Charger(id=ChargerId("c"), max_w=7360, phases=1, rotation=PhaseRotation.STR),
    ]
    tree = site_tree(
        Site(id="s", name="s", grid_limit_w=100_000, grid_phase_limit_da=320), chargers
    )
    full = _entry("a", 22_080, phases=0b001, volts=230)  # 32 A, and seen on L1 alone
    wish = {"b": 4140, "c": 7360}
    plan = plan_changes(tree, [full, _entry("b", 0), _entry("c", 0)], wish)
    assert [(step.load_id, step.limit_w) for step in plan.steps] == [("c", 7360)]
    assert [(wait.load_id, wait.obstacle) for wait in plan.waits] == [("b", Obstacle.ROOM)]
    part = plan_changes(
        tree, [full._replace(acknowledged_w=15_180), _entry("b", 0)], wish, smallest_raise_w=1000
    )
    assert [(step.load_id, step.limit_w) for step in part.steps] == [("b", 4140)]
    less = plan_changes(
        tree, [full._replace(acknowledged_w=19_320), _entry("b", 0)], wish, smallest_raise_w=1000
    )
    assert [(step.load_id, step.limit_w) for step in less.steps] == [("b", 2760)]
