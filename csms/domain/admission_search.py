"""Chooses how many of each kind of load get in, so that their claims sum up to the most.

Loads of one kind take the same of every link, so of a kind the strongest claims go first and only
the number is open. Prices on links (a Lagrangian dual) say what a place is worth and bound every
choice from above; then a search looks only at numbers that can still beat the best one found.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import gcd, inf

from csms.domain.admission_trade import Choice, Trade

_PATIENT = 120
_HASTY = 8
_STEADY = 16
"""Rounds of finding prices; every so many of them something is made of the prices."""

_SWEEPS = 3
"""How often each link's price is set to the best beside the others'; at first that alone is tried,
and mostly it is enough."""

_MOST_LOOKS = 200_000
"""Choices that the exact search looks at before it gives up."""

_MOST_TRADES = 20_000
_TRADES_IN_ALL = 2_000_000  # shared out among the kinds
"""How often places are traded when not exact."""

_ROUNDING = 1e-6

_FILL_EVERY = 12
_GUESS = 0.1
_MOMENTUM = 0.7
_STALE = 8
"""How much of a step's direction is kept; rounds without a better bound before steps are halved."""

_NEAR = 0.993
"""Part of the bound that is good enough when not exact."""


def best_counts(choices: Sequence[Choice], rooms: Sequence[int], *, exact: bool) -> list[int]:
    """Return how many of each kind to let in.

    Args:
        choices: The kinds.
        rooms: What each link has to give.
        exact: Search until nothing better can exist; else only for a while.
    """
    search = _Search(choices, rooms)
    if exact:
        search.find_prices(_PATIENT)
        search.look(_MOST_LOOKS)
    else:
        for rounds in (0, _HASTY, _STEADY, _PATIENT):
            search.find_prices(rounds)
            if search.is_near():
                break
        else:
            search.trade(min(_MOST_TRADES, _TRADES_IN_ALL // len(choices)))
    return search.best


class _Search:
    def __init__(self, choices: Sequence[Choice], rooms: Sequence[int]) -> None:
        self._choices = choices
        steps = [0] * len(rooms)
        for choice in choices:
            for link, take in choice.takes:
                steps[link] = gcd(steps[link], take)
        # room for part of a place is room for nobody: without it the bound is much closer
        self._rooms = [
            room // step * step if step else room for room, step in zip(rooms, steps, strict=True)
        ]
        self._falling = [[-claim for claim in choice.claims] for choice in choices]
        self._sums = [list(accumulate(choice.claims, initial=0)) for choice in choices]
        self.best = [0] * len(choices)
        self._worth = -1
        self._left = 0
        self._prices = [0.0] * len(rooms)
        self._bound = float(sum(sums[-1] for sums in self._sums))
        used = sorted({link for choice in choices for link, _ in choice.takes})
        self._links = used
        self._inside: dict[int, list[tuple[int, int]]] = {link: [] for link in used}
        for number, choice in enumerate(choices):
            for link, take in choice.takes:
                self._inside[link].append((number, take))
        self._better = gcd(*(claim for choice in choices for claim in choice.claims)) or 1

    def find_prices(self, rounds: int) -> None:
        """Lower the bound by subgradient steps with momentum, then fill greedily by the prices."""
        rooms, links = self._rooms, self._links
        prices = list(self._prices)
        drift = dict.fromkeys(links, 0.0)
        pace = 1.0
        stale = 0
        for turn in range(1, rounds + 1):
            if turn % _FILL_EVERY == 0:
                self._keep(self._filled(prices, ratio=bool(turn // _FILL_EVERY % 2)))
            bound, spare = self._bound_at(prices)
            if bound < self._bound:
                self._bound, self._prices, stale = bound, list(prices), 0
            else:
                stale += 1
                if stale == _STALE:
                    pace, stale, prices = pace / 2, 0, list(self._prices)
                    drift = dict.fromkeys(links, 0.0)
                    continue
            # before anything was filled a guess of what will be
            gap = bound - self._worth if self._worth >= 0 else _GUESS * bound
            length = 0.0
            for link in links:
                # by the room, so that links of amperes and of watts move alike
                over = spare[link] / (rooms[link] or 1) + _MOMENTUM * drift[link]
                drift[link] = over
                if over < 0 or prices[link] > 0:
                    length += over * over
            if not length or gap < self._better:
                break
            step = pace * gap / length
            for link in links:
                over = drift[link]
                if over < 0 or prices[link] > 0:
                    prices[link] = max(0.0, prices[link] - step * over / (rooms[link] or 1))
        self.sweep(_SWEEPS)
        self._fills_well()

    def _bound_at(self, prices: Sequence[float]) -> tuple[float, dict[int, int]]:
        """Return the bound that these prices give, and what they leave free of each link."""
        rooms, links = self._rooms, self._links
        bound = sum([prices[link] * rooms[link] for link in links])
        spare = {link: rooms[link] for link in links}
        for number, choice in enumerate(self._choices):
            cost = sum([prices[link] * take for link, take in choice.takes])
            count = bisect_left(self._falling[number], -cost)
            if count:
                bound += self._sums[number][count] - count * cost
                for link, take in choice.takes:
                    spare[link] -= count * take
        return bound, spare

    def _fills_well(self) -> bool:
        """Fill greedily by the prices in two ways; return whether the result is good enough."""
        for ratio in (True, False):
            self._keep(self._filled(self._prices, ratio=ratio))
            if self.is_near():
                return True
        return False

    def is_near(self) -> bool:
        """Return whether the best found is as good as the bound, or nearly."""
        return self._worth >= _NEAR * self._bound

    def sweep(self, times: int) -> None:
        """Set the price of one link after the other to the best beside the others', `times` times.

        That alone may get stuck, but from any prices it never makes the bound worse.
        """
        choices, falling, rooms = self._choices, self._falling, self._rooms
        prices = list(self._prices)
        costs = [sum([prices[link] * take for link, take in choice.takes]) for choice in choices]
        for _ in range(times):
            for link, inside in self._inside.items():
                before, wanted = prices[link], 0
                bidders = []
                for number, take in inside:
                    other = costs[number] - before * take
                    if count := bisect_left(falling[number], -other):
                        wanted += count * take
                        bidders.append((number, take, other, count))
                price = self._clearing(bidders, rooms[link]) if wanted > rooms[link] else 0.0
                if price != before:
                    prices[link] = price
                    for number, take in inside:
                        costs[number] += (price - before) * take
        bound, _ = self._bound_at(prices)
        if bound < self._bound:
            self._bound, self._prices = bound, prices

    def _clearing(self, bidders: Sequence[tuple[int, int, float, int]], free: int) -> float:
        """Return the highest bid for a link that there is no room for.

        Args:
            bidders: Kind, what one of it takes, what it pays elsewhere, and how many bid more.
            free: What there is, less than what they want.
        """
        choices, first = self._choices, bidders[0][1]
        if all(take == first for _, take, _, _ in bidders):
            offers: list[float] = []
            for number, _, other, count in bidders:
                offers += [claim - other for claim in choices[number].claims[:count]]
            offers.sort(reverse=True)
            return offers[free // first] / first
        bids: list[tuple[float, int]] = []
        for number, take, other, count in bidders:
            bids += [((claim - other) / take, take) for claim in choices[number].claims[:count]]
        bids.sort(reverse=True)
        for bid, take in bids:
            free -= take
            if free < 0:
                return bid
        return 0.0

    def _filled(self, prices: Sequence[float], ratio: bool = False) -> list[int]:
        """Return counts of a greedy filling: who brings most over his price goes first."""
        queue: list[tuple[float, int]] = []
        for number, choice in enumerate(self._choices):
            cost = sum([prices[link] * take for link, take in choice.takes])
            if ratio:
                part = -1 / cost if cost else -inf
                queue += [(part * claim, number) for claim in choice.claims]
            else:
                queue += [(cost - claim, number) for claim in choice.claims]
        queue.sort()
        free = list(self._rooms)
        counts = [0] * len(self._choices)
        closed = [False] * len(self._choices)
        for _, number in queue:
            if closed[number]:
                continue
            takes = self._choices[number].takes
            for link, take in takes:
                if free[link] < take:
                    closed[number] = True
                    break
            else:
                for link, take in takes:
                    free[link] -= take
                counts[number] += 1
        return counts

    def _keep(self, counts: list[int]) -> None:
        worth = sum(sums[count] for sums, count in zip(self._sums, counts, strict=True))
        if worth > self._worth:
            self._worth, self.best = worth, counts

    def look(self, most: int) -> None:
        """Search through all that can still be better, depth first; at most so many looks."""
        self._left = most
        ways = self._ways()
        # those with little choice first
        order = sorted(ways, key=lambda number: -ways[number][1][0])
        self._descend(order, 0, ways, (0.0, 0), [0] * len(ways), list(self._rooms))

    def trade(self, times: int) -> None:
        """Trade places so many times, or until the result is good enough."""
        trade = Trade(self._choices, self._rooms, self.best)
        for turn in range(times):
            if self.is_near():
                return
            trade.step(turn % 3 + 1)
            if trade.worth > self._worth:
                self._worth, self.best = trade.worth, list(trade.counts)

    def _ways(self) -> dict[int, list[tuple[float, int]]]:
        """Return for each kind its numbers, the best for the prices first, with what they lose."""
        ways = {}
        for number, choice in enumerate(self._choices):
            cost = sum(self._prices[link] * take for link, take in choice.takes)
            gains = [total - count * cost for count, total in enumerate(self._sums[number])]
            top = max(gains)
            ways[number] = sorted((top - gain, -count) for count, gain in enumerate(gains))
        return ways

    def _descend(
        self,
        order: Sequence[int],
        depth: int,
        ways: dict[int, list[tuple[float, int]]],
        so_far: tuple[float, int],
        counts: list[int],
        free: list[int],
    ) -> None:
        """Try the numbers of the kinds from `depth` on; what they lose adds up to the gap."""
        lost, worth = so_far
        if depth == len(order):
            if worth > self._worth:
                self._worth, self.best = worth, list(counts)
            return
        number = order[depth]
        takes = self._choices[number].takes
        sums = self._sums[number]
        before = counts[number]
        for loss, minus in ways[number]:
            self._left -= 1
            bound = self._bound - lost - loss + _ROUNDING
            if bound < self._worth + self._better or self._left < 0:
                break
            count = -minus
            for link, take in takes:
                if free[link] < take * count:
                    break
            else:
                for link, take in takes:
                    free[link] -= take * count
                counts[number] = count
                after = (lost + loss, worth + sums[count])
                self._descend(order, depth + 1, ways, after, counts, free)
                for link, take in takes:
                    free[link] += take * count
        counts[number] = before
