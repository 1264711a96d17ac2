"""Stations that speak but answer no ping.

A socket whose other end is gone is told from such a station by what it has done before: it is
dropped like any other, twice; when it has spoken each time and comes back once more, it is pinged
no longer. TCP's own probes find its dead sockets from then on.
"""

from __future__ import annotations

import socket
from collections import OrderedDict

from websockets.asyncio.connection import Connection

from csms.domain.ids import ChargePointKey

LEARNED_AFTER = 2
_MOST_REMEMBERED = 20_000
_TIMED_OUT = "keepalive ping timeout"  # as the library says it
_PROBES = (
    ("SO_KEEPALIVE", socket.SOL_SOCKET, 1),
    ("TCP_KEEPIDLE", socket.IPPROTO_TCP, 60),
    ("TCP_KEEPINTVL", socket.IPPROTO_TCP, 30),
    ("TCP_KEEPCNT", socket.IPPROTO_TCP, 4),
)


class UnansweredPings:
    """Which stations those are; learned in this process."""

    def __init__(self) -> None:
        self._dropped: OrderedDict[ChargePointKey, int] = OrderedDict()

    def answers_none(self, key: ChargePointKey) -> bool:
        """Return whether a station is one of them."""
        return self._dropped.get(key, 0) >= LEARNED_AFTER

    def ended(self, key: ChargePointKey, connection: Connection, *, spoke: bool) -> None:
        """Learn from the end of a connection.

        Args:
            key: Whose it was.
            connection: As it ended.
            spoke: Whether the station has sent any text in it.
        """
        if connection.latency:  # it has answered a ping
            self._dropped.pop(key, None)
            return
        sent = connection.protocol.close_sent
        if spoke and sent is not None and sent.reason == _TIMED_OUT:
            self._dropped[key] = self._dropped.get(key, 0) + 1
            self._dropped.move_to_end(key)
            if len(self._dropped) > _MOST_REMEMBERED:
                self._dropped.popitem(last=False)


def probe_instead(connection: Connection) -> None:
    """Let TCP find out whether the other end is there; to be called before pings begin."""
    connection.ping_interval = None
    wire = connection.transport.get_extra_info("socket")
    for name, level, value in _PROBES:
        option = getattr(socket, name, None)  # not every system has each
        if option is not None:
            wire.setsockopt(level, option, value)
