"""How often somebody may do something: buckets that fill with time, by key, bounded in number."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict

from csms.clock import Clock

_MOST_KEYS = 20_000


class Allowance:
    """Lets each key do `burst` things at once, and `per_s` a second in the long run.

    Beyond 20,000 keys the one that was used longest ago starts afresh.
    """

    def __init__(self, clock: Clock, *, burst: int, per_s: float) -> None:
        self._clock = clock
        self._burst = burst
        self._per_s = per_s
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Return in how many seconds this key may do it; 0: now."""
        over = self._level(key) + 1 - self._burst
        return max(0.0, over / self._per_s)

    def take(self, key: str) -> float:
        """Use it once if that is allowed now; returns `wait_s` from before."""
        wait_s = self.wait_s(key)
        if wait_s == 0:
            self._used[key] = (self._level(key) + 1, self._clock.monotonic())
            self._used.move_to_end(key)
            if len(self._used) > _MOST_KEYS:
                self._used.popitem(last=False)
        return wait_s

    def _level(self, key: str) -> float:
        level, at = self._used.get(key, (0.0, 0.0))
        return max(0.0, level - (self._clock.monotonic() - at) * self._per_s)


def household(address: str) -> str:
    """Return what counts as one sender: an IPv4 address, or the /64 of an IPv6 one.

    >>> household("192.0.2.7"), household("2001:db8::1:2:3:4")
    ('192.0.2.7', '2001:db8::/64')
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
