"""When vehicles of running sessions will be full, from the first state of charge that each told."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from csms.clock import Clock
from csms.domain.charging_time import Estimate, Progress, estimate
from csms.domain.ids import TransactionId
from csms.services.ports.driver_pages import FirstCharge
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import Session
from csms.services.sessions import energy_wh

_MOST_KNOWN = 20_000
_AT_ONCE = 500
_MINUTE = timedelta(minutes=1)


class ChargingEstimates:
    """Remembers what each session began with. Concurrency: for the event loop's thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._firsts: OrderedDict[TransactionId, FirstCharge] = OrderedDict()

    async def find(self, unit: UnitOfWork, sessions: Iterable[Session]) -> None:
        """Learn the first state of charge of running sessions that tell one; once for each.

        Raises:
            DatabaseAway: Those that are not known stay so.
        """
        wanted = self._unknown(sessions)
        for start in range(0, len(wanted), _AT_ONCE):
            piece = wanted[start : start + _AT_ONCE]
            self._firsts.update(await unit.driver_pages.first_charges(piece))
        while len(self._firsts) > _MOST_KNOWN:
            self._firsts.popitem(last=False)

    async def learn(self, units: UnitsOfWork, sessions: Sequence[Session]) -> None:
        """As `find`; asks nothing where all is known.

        Raises:
            DatabaseAway: Those that are not known stay so.
        """
        if self._unknown(sessions):
            async with units() as unit:
                await self.find(unit, sessions)

    async def etas(
        self, units: UnitsOfWork, sessions: Sequence[Session]
    ) -> dict[TransactionId, datetime]:
        """Return when vehicles will be full, of those sessions where somebody can tell.

        Raises:
            DatabaseAway: Something had to be learned first.
        """
        await self.learn(units, sessions)
        found = {session.transaction_id: self.eta(session) for session in sessions}
        return {key: at for key, at in found.items() if at is not None}

    def _unknown(self, sessions: Iterable[Session]) -> list[TransactionId]:
        return [
            session.transaction_id
            for session in sessions
            if session.active
            and session.soc_percent is not None
            and session.transaction_id not in self._firsts
        ]

    def estimate(self, session: Session) -> Estimate | None:
        """Return how long it will take; None: it is over, or nobody can tell (yet)."""
        first = self._firsts.get(session.transaction_id)
        if first is None or session.soc_percent is None or not session.active:
            return None
        register = first.register_wh
        taken = 0 if register is None else max(register - session.meter_start_wh, 0)
        progress = Progress(
            first_permille=first.soc_permille,
            first_wh=taken,
            now_permille=int(session.soc_percent * 10),
            now_wh=energy_wh(session),
            power_w=session.power_w or 0,
        )
        return estimate(progress, dc=session.current_type == "DC")

    def eta(self, session: Session) -> datetime | None:
        """Return when that will be, at the next whole minute: it is no better known."""
        found = self.estimate(session)
        if found is None:
            return None
        at = self._clock.now() + found.remaining
        return at.replace(second=0, microsecond=0) + _MINUTE
