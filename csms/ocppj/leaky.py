"""Counts that forget: how often something happened lately, by key."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from csms.clock import Clock

K = TypeVar("K", bound=Hashable)

_MOST_KEYS = 20_000


class LeakyCounts(Generic[K]):
    """Each event counts one; each count loses `forgotten_per_s` a second.

    Bounded: beyond 20,000 keys the one that was counted longest ago is forgotten.
    """

    def __init__(self, clock: Clock, *, forgotten_per_s: float) -> None:
        self._clock = clock
        self._forgotten_per_s = forgotten_per_s
        self._levels: OrderedDict[K, tuple[float, float]] = OrderedDict()

    def add(self, key: K) -> float:
        """Count an event and return the count, this one included."""
        level = self.level(key) + 1
        self._levels[key] = (level, self._clock.monotonic())
        self._levels.move_to_end(key)
        if len(self._levels) > _MOST_KEYS:
            self._levels.popitem(last=False)
        return level

    def level(self, key: K) -> float:
        """Return the count of a key."""
        level, at = self._levels.get(key, (0.0, 0.0))
        return max(0.0, level - (self._clock.monotonic() - at) * self._forgotten_per_s)

    def forget(self, key: K) -> None:
        """Start from 0."""
        self._levels.pop(key, None)
