"""Which certificates charge points have connected with, noted without holding up a handshake."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from itertools import islice

import structlog

from csms.clock import Clock
from csms.domain.certificates import ClientCertificate
from csms.domain.charge_points import ChargePointRecord
from csms.errors import BadFact
from csms.services.ports.certificates import CertificateStore

_log = structlog.get_logger(__name__)

_WRITE_EVERY_S = 2.0
_MOST_WAITING = 20_000
_MOST_AT_ONCE = 500


class ShownCertificates:
    """Takes notes.

    Concurrency: any task may note; one task runs `run`.
    """

    def __init__(self, store: CertificateStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: deque[tuple[ChargePointRecord, ClientCertificate, datetime]] = deque(
            maxlen=_MOST_WAITING
        )

    def note(self, record: ChargePointRecord, certificate: ClientCertificate) -> None:
        """Note that a station has come with this certificate. Never blocks."""
        self._waiting.append((record, certificate, self._clock.now()))

    async def run(self) -> None:
        """Write what was noted, for ever."""
        while True:
            await self._clock.sleep(_WRITE_EVERY_S)
            await self.flush()

    async def flush(self) -> None:
        """Write all that was noted so far.

        Raises:
            DatabaseAway: The rest waits on.
        """
        while self._waiting:
            batch = list(islice(self._waiting, _MOST_AT_ONCE))
            try:
                await self._store.shown(batch)
            except BadFact:
                _log.exception("certificates that were shown cannot be kept", count=len(batch))
            for note in batch:
                # meanwhile a storm may have pushed it out, or another flush written it
                if self._waiting and self._waiting[0] is note:
                    self._waiting.popleft()
