"""Who gets in when not every minimum fits: as much claim as can be, within every link.

A car takes 6 A or nothing, so at a shortage some wait. Those named first get in in their order;
among the others the sum of claims is made as large as possible. With one phase and equal minimums
greedy is exact (the sets that fit are a laminar matroid); per phase it is not, so this is a search
(`admission_search`), exact for up to `EXACT` loads and within about a percent beyond. Whatever it
finds, nobody is left out who would still fit.

What a claim is worth in time, and who comes first, is `rotation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from csms.domain.admission_search import best_counts
from csms.domain.admission_trade import Choice
from csms.domain.phase_network import Network
from csms.domain.power_tree import LoadId

EXACT = 60
"""Up to so many loads the search goes on until it is through."""


def admit(
    network: Network,
    claims: Mapping[LoadId, int] | None = None,
    first: Iterable[LoadId] = (),
) -> tuple[Sequence[Sequence[int]], dict[int, int]]:
    """Return for each group its loads that are let in, and the link without room of all others.

    Args:
        network: Loads, in the order of the queue, and links.
        claims: Above 0; what it is worth to let a load in, 1 where nothing is said. None: the
            queue's order alone decides, load by load.
        first: Let in before all others, in this order, as far as they fit.
    """
    groups, low = network.groups, network.low
    needs = [0] * len(network.rooms)
    for group in groups:
        least = sum([low[member] for member in group.members])
        if least:
            for link, take in zip(group.links, group.takes, strict=True):
                needs[link] += take * least
    short = {link for link, need in enumerate(needs) if need > network.rooms[link]}
    if not short:
        return [group.members for group in groups], {}
    door = _Door(network, short)
    if claims is None:
        door.let_in(range(len(network.loads)))
    else:
        if first := tuple(first):
            place = {load.id: number for number, load in enumerate(network.loads)}
            door.let_in(place[load_id] for load_id in first if load_id in place)
        door.choose(claims)
        door.let_in(range(len(network.loads)))
    return door.inside()


class _Door:
    """Counts what minimums take of the links that are short; the others never matter."""

    def __init__(self, network: Network, short: set[int]) -> None:
        self._network = network
        self._free = list(network.rooms)
        self._in = [least == 0 for least in network.low]
        self._takes: list[tuple[tuple[int, int], ...]] = []
        self._group_of = [-1] * len(network.loads)
        for number, group in enumerate(network.groups):
            _, links, takes = group
            self._takes.append(
                tuple([part for part in zip(links, takes, strict=True) if part[0] in short])
            )
            for member in group.members:
                self._group_of[member] = number

    def let_in(self, members: Iterable[int]) -> None:
        """Let in whoever fits, one after the other."""
        free, low, group_of = self._free, self._network.low, self._group_of
        for member in members:
            if self._in[member] or group_of[member] < 0:
                continue
            takes, least = self._takes[group_of[member]], low[member]
            for link, take in takes:
                if free[link] < take * least:
                    break
            else:
                self._in[member] = True
                for link, take in takes:
                    free[link] -= take * least

    def choose(self, claims: Mapping[LoadId, int]) -> None:
        """Let in those who are outside and whose claims sum up to the most."""
        low, inside, group_of = self._network.low, self._in, self._group_of
        worth = [claims.get(load.id, 1) for load in self._network.loads]
        alike: dict[tuple[tuple[int, int], ...], int] = {}
        kind_of = [alike.setdefault(takes, len(alike)) for takes in self._takes]
        outside = [m for m, place in enumerate(group_of) if place >= 0 and not inside[m]]
        outside.sort(key=worth.__getitem__, reverse=True)  # equal ones stay in the queue's order
        kinds: dict[tuple[int, int], list[int]] = {}
        for member in outside:
            key = (kind_of[group_of[member]], low[member])
            if key in kinds:
                kinds[key].append(member)
            else:
                kinds[key] = [member]
        takes_of = list(alike)
        choices, queues = [], []
        for (kind, least), members in kinds.items():
            takes = takes_of[kind]
            if not takes:  # nothing that is short is in their way
                self.let_in(members)
                continue
            queues.append(members)
            choices.append(
                Choice(
                    takes=tuple([(link, take * least) for link, take in takes]),
                    claims=[worth[member] for member in members],
                )
            )
        exact = sum(map(len, queues)) <= EXACT
        counts = best_counts(choices, self._free, exact=exact)
        for members, count in zip(queues, counts, strict=True):
            self.let_in(members[:count])

    def inside(self) -> tuple[list[list[int]], dict[int, int]]:
        """Return who is in, and a link without room for each of the others."""
        network = self._network
        present = [[m for m in group.members if self._in[m]] for group in network.groups]
        outside = {}
        for number, group in enumerate(network.groups):
            for member in group.members:
                if not self._in[member]:
                    least = network.low[member]
                    outside[member] = next(
                        link
                        for link, take in self._takes[number]
                        if self._free[link] < take * least
                    )
        return present, outside
