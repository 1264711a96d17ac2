"""Trades places between kinds of loads while that lets in more of their claims.

Where prices on links leave a gap (whole places, claims that are nearly alike), a choice is made
better step by step: one to three places are given up, and what that frees is offered to others.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

_LOOKED_AT = 60
"""How many kinds, drawn by chance, freed places are offered to."""

_MOST_OUT = 3


class Choice(NamedTuple):
    """One kind of load.

    Attributes:
        takes: Links and what one load takes of each, above 0.
        claims: Of its loads, the highest first, each above 0.
    """

    takes: tuple[tuple[int, int], ...]
    claims: Sequence[int]


class Trade:
    """Numbers of each kind that fit the links, and their steps.

    Steps that are as good are kept too: where claims are alike they lead to better ones. Chance is
    the same each time, so that equal sites are treated alike.

    Attributes:
        counts: How many of each kind are in.
        worth: The sum of their claims.
    """

    def __init__(
        self, choices: Sequence[Choice], rooms: Sequence[int], counts: Sequence[int]
    ) -> None:
        """Begin with numbers that fit.

        Args:
            choices: The kinds.
            rooms: What each link has to give.
            counts: How many of each kind are in.
        """
        self._choices = choices
        self._free = list(rooms)
        self.counts = [0] * len(choices)
        self.worth = 0
        self._inside: dict[int, list[int]] = {}
        for number, choice in enumerate(choices):
            for link, _ in choice.takes:
                self._inside.setdefault(link, []).append(number)
            for _ in range(counts[number]):
                self._enter(number)
        self._chance = Random(1).random  # noqa: S311  no secret: any order will do

    def step(self, most_out: int) -> None:
        """Try one trade of so many places at most; what would be worse is taken back."""
        chance, choices, worth = self._chance, self._choices, self.worth
        first = int(chance() * len(choices))
        if not self.counts[first]:
            return
        # a narrow link finds partners near by, the connection's finds them anywhere
        takes = choices[first].takes
        kinds = self._inside[takes[int(chance() * len(takes))][0]]
        out = [first]
        self._leave(first)
        for _ in range(min(most_out, _MOST_OUT) - 1):
            other = kinds[int(chance() * len(kinds))]
            if self.counts[other]:
                self._leave(other)
                out.append(other)
        some = [kinds[int(chance() * len(kinds))] for _ in range(min(_LOOKED_AT, len(kinds)))]
        entered = self._fill_up([*some, *out])
        if self.worth < worth:
            for number in entered:
                self._leave(number)
            for number in out:
                self._enter(number)

    def _fill_up(self, order: Sequence[int]) -> list[int]:
        """Let in of these kinds, one after the other, whoever fits; return who has come in."""
        choices, counts, free = self._choices, self.counts, self._free
        entered = []
        for number in order:
            takes, claims = choices[number]
            while counts[number] < len(claims):
                for link, take in takes:
                    if free[link] < take:
                        break
                else:
                    self._enter(number)
                    entered.append(number)
                    continue
                break
        return entered

    def _enter(self, number: int) -> None:
        takes, claims = self._choices[number]
        self.worth += claims[self.counts[number]]
        self.counts[number] += 1
        for link, take in takes:
            self._free[link] -= take

    def _leave(self, number: int) -> None:
        takes, claims = self._choices[number]
        self.counts[number] -= 1
        self.worth -= claims[self.counts[number]]
        for link, take in takes:
            self._free[link] += take
