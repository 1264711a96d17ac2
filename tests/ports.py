"""Ports for what is started again on the same one.

The kernel hands out ports from 32768 on (Linux; others higher) to every connection and to whoever
asks for any port: one of those that was free a moment ago may be somebody's by the next start.
"""

from __future__ import annotations

import os
import socket
from random import Random

_FIRST, _LAST = 20_000, 26_000  # above are those of embedded Postgres servers
_chance = Random(os.getpid())  # processes of one run look in different places
_given: set[int] = set()


def steady_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free, and that nobody gets by accident."""
    while True:
        port = _chance.randrange(_FIRST, _LAST)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
