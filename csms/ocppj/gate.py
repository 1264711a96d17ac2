"""How many strangers may stand at the door, how fast they come, and how long failures wait.

Pure bookkeeping over a clock; `csms.ocppj.door` has the sockets. The aim is that true stations get
in while somebody else attacks:

* A slow handshake is never refused by count, but the *oldest* one that still waits for its peer is
  dropped when there are too many: a true station needs some round trips and is never the oldest.
* An address from which no station has come yet gets a rate; above it, it waits. The first station
  that comes from there lifts the rate, for a thousand may stand behind one carrier's gateway, and
  after our restart they all come at once.
* A failed handshake is answered later the more of them there were, from that address or for that
  identity. A right password is never held up, so nobody can lock a station out.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from csms.clock import Clock
from csms.metrics import METRICS
from csms.ocppj.leaky import LeakyCounts
from csms.proxies import TrustedProxies

MOST_OPENING = 4_096
"""Sockets that are not let in yet, in all: with TLS at most 170 MB."""

MOST_OPENING_OF_STRANGER = 1_024
"""Of them from one address that no station has come from: what its rate lets in within 10 s."""

STRANGER_BURST = 500
STRANGER_PER_S = 50.0
"""Accepted handshakes of such an address: 0.5 ms of CPU each, so at most 3 % of a core."""

LONGEST_TURN_S = 8.0
"""Who is not to have its turn by then waits for the address to become known; a handshake has 10."""

MOST_PARKED = 8_192
MOST_PARKED_OF_STRANGER = 2_048
"""Sockets that wait for their turn: 3 KB each, nothing is read of them; more are turned away."""

FREE_FAILURES_OF_ADDRESS = 20
FREE_FAILURES_OF_IDENTITY = 5
_FORGOTTEN_PER_S = 1 / 3
_HOLD_STEP_S = 0.1
LONGEST_HOLD_S = 2.0

_MOST_REMEMBERED = 20_000
_ABSENT = object()
_T = TypeVar("_T")


class Arrival:
    """One socket on its way in."""

    __slots__ = ("address", "drop", "go", "group")

    def __init__(
        self, address: str, drop: Callable[[], object], go: Callable[[], object] = lambda: None
    ) -> None:
        """Take what the gate may do to it.

        Args:
            address: Of the other end.
            drop: Closes it while it waits for its peer.
            go: Lets it go on while it waits for its turn.
        """
        self.address = address
        self.group = group_of(address)
        self.drop = drop
        self.go = go


class Gate:
    """The bookkeeping of one listener's strangers.

    Concurrency: one event loop.
    """

    def __init__(self, clock: Clock, proxies: TrustedProxies) -> None:
        self._clock = clock
        self._proxies = proxies
        self._waiting: OrderedDict[Arrival, object] = OrderedDict()
        self._of_group: dict[str, OrderedDict[Arrival, None]] = {}
        self._parked: dict[str, dict[Arrival, None]] = {}
        self._parked_count = 0
        self._known: OrderedDict[str, None] = OrderedDict()
        self._due: OrderedDict[str, float] = OrderedDict()
        self._failed_there: LeakyCounts[str] = LeakyCounts(clock, forgotten_per_s=_FORGOTTEN_PER_S)
        self._failed_as: LeakyCounts[str] = LeakyCounts(clock, forgotten_per_s=_FORGOTTEN_PER_S)
        self.dropped = 0

    def __len__(self) -> int:
        """Return how many arrivals wait for their peers."""
        return len(self._waiting)

    def turn_s(self, address: str) -> float:
        """Take a turn for a socket that was just accepted; return seconds until it may go on."""
        if self.knows(address):
            return 0.0
        group = group_of(address)
        now = self._clock.monotonic()
        due = max(self._due.get(group, 0.0), now - STRANGER_BURST / STRANGER_PER_S)
        due += 1 / STRANGER_PER_S
        if due - now <= LONGEST_TURN_S:
            _remember(self._due, group, due)
        return max(0.0, due - now)

    def park(self, arrival: Arrival) -> bool:
        """Let an arrival wait for its turn; return False when it is to be turned away."""
        mine = self._parked.setdefault(arrival.group, {})
        if self._parked_count >= MOST_PARKED or len(mine) >= MOST_PARKED_OF_STRANGER:
            return False
        mine[arrival] = None
        self._parked_count += 1
        return True

    def unpark(self, arrival: Arrival) -> None:
        """Take an arrival out that waited for its turn."""
        mine = self._parked.get(arrival.group, {})
        if arrival in mine:
            del mine[arrival]
            self._parked_count -= 1
        if not mine:
            self._parked.pop(arrival.group, None)

    def knows(self, address: str) -> bool:
        """Return whether stations have come from there; a trusted proxy counts as such."""
        return group_of(address) in self._known or address in self._proxies

    def wait(self, arrival: Arrival) -> None:
        """Count an arrival that waits for its peer from now on; may drop an older one."""
        mine = self._of_group.setdefault(arrival.group, OrderedDict())
        mine[arrival] = None
        self._waiting[arrival] = None
        if len(mine) > MOST_OPENING_OF_STRANGER and not self.knows(arrival.address):
            self._drop(next(iter(mine)))
        elif len(self._waiting) > MOST_OPENING:
            self._drop(next(iter(self._waiting)))

    def leave(self, arrival: Arrival) -> None:
        """Take an arrival out: it is served now, or gone. Harmless when it is out already."""
        if self._waiting.pop(arrival, _ABSENT) is _ABSENT:
            return
        mine = self._of_group[arrival.group]
        del mine[arrival]
        if not mine:
            del self._of_group[arrival.group]

    def let_in(self, address: str, identity: str) -> None:
        """Note that a station has come from there: its address is known, its failures forgotten."""
        group = group_of(address)
        _remember(self._known, group, None)
        for arrival in list(self._parked.get(group, ())):
            arrival.go()
        self._failed_as.forget(identity)

    def failed_s(self, address: str, identity: str | None) -> float:
        """Note a failed handshake and return how many seconds its answer is to be held."""
        level = self._failed_there.add(group_of(address)) - FREE_FAILURES_OF_ADDRESS
        if identity is not None:
            level = max(level, self._failed_as.add(identity) - FREE_FAILURES_OF_IDENTITY)
        return min(LONGEST_HOLD_S, max(0.0, level * _HOLD_STEP_S))

    def _drop(self, arrival: Arrival) -> None:
        self.leave(arrival)
        self.dropped += 1
        METRICS.handshakes_refused["dropped: too many handshakes wait"] += 1
        arrival.drop()


def group_of(address: str) -> str:
    """Return what counts as one address: an IPv4 one, or 64 bits of IPv6, as one customer has.

    >>> group_of("2001:db8::1"), group_of("::ffff:10.0.0.1"), group_of("10.0.0.1")
    ('2001:db8::', '10.0.0.1', '10.0.0.1')
    """
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(parsed) >> 64 << 64))


def _remember(rows: OrderedDict[str, _T], key: str, value: _T) -> None:
    rows[key] = value
    rows.move_to_end(key)
    if len(rows) > _MOST_REMEMBERED:
        rows.popitem(last=False)
