"""The rule of whole steps, played one step after the other: what the fast ways must come to."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from csms.domain.phase_network import PhaseLoad
from csms.domain.power_tree import LoadId, PowerTree


def poorest_first(
    tree: PowerTree, loads: Iterable[PhaseLoad], outside: Collection[LoadId] = ()
) -> dict[LoadId, int]:
    """Return each load's current in dA; slow, and it shares nothing with the allocator.

    Args:
        tree: Limits.
        loads: All of them.
        outside: Those that wait; the minimums of the others fit.
    """
    queue = sorted(loads, key=lambda load: (load.order, load.id))
    rooms: dict[tuple[str, object], int] = {}
    for place, node in enumerate(tree.nodes):
        if (watts := tree.available_w[place]) is not None:
            rooms[node.id, "power"] = 10 * watts
        for phase in range(3):
            if tree.available_da and (da := tree.available_da[3 * place + phase]) is not None:
                rooms[node.id, phase] = da
    takes = {
        load.id: {
            link: load.volts if link[1] == "power" else 1
            for node in tree.path(load.node)
            for link in [(node, "power"), *((node, p) for p in range(3) if load.phases >> p & 1)]
            if link in rooms
        }
        for load in queue
    }
    got = {load.id: 0 for load in queue}

    def takes_step(load: PhaseLoad, after: int) -> bool:
        step = after - got[load.id]
        if any(rooms[link] < take * step for link, take in takes[load.id].items()):
            return False
        for link, take in takes[load.id].items():
            rooms[link] -= take * step
        got[load.id] = after
        return True

    climbing = [load for load in queue if load.id not in outside]
    for load in climbing:
        assert takes_step(load, load.least_da)
    scale = 1
    for load in queue:
        scale *= load.weight
    while climbing:
        turn, poorest = min(
            enumerate(climbing),
            key=lambda one: (
                got[one[1].id] * one[1].volts * (scale // one[1].weight),
                one[1].phases.bit_count(),
                one[0],
            ),
        )
        after = poorest.step_up(got[poorest.id])
        if after is None or after > poorest.most_da or not takes_step(poorest, after):
            del climbing[turn]
    return got
