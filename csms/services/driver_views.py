"""What pages of connectors show: to all whether they can be used, to a driver their own session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from csms.clock import Clock
from csms.domain.charging_time import Estimate
from csms.domain.driver_page import (
    CLAIM,
    SHOWN_AFTER_STOP,
    Access,
    ConnectorFacts,
    ConnectorState,
    EffectiveRules,
    Phase,
    Standing,
    StartFacts,
    connector_state,
    resolve,
    standing,
)
from csms.domain.ids import ChargePointKey, TransactionId
from csms.services.charging_estimates import ChargingEstimates
from csms.services.ports.driver_pages import DriverStart, Place, PlaceKey
from csms.services.ports.store import UnitOfWork
from csms.services.records import Session
from csms.services.transactions import Price

_KNOWN = timedelta(days=7)
_FAILURE_SHOWN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question: a connector, and who asks (token digest; None: nobody in particular)."""

    place: PlaceKey
    digest: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """The asking driver's own start at this connector, and what has become of it.

    Attributes:
        called: Whether the charge point has accepted the start.
    """

    start: DriverStart
    standing: Standing
    called: bool
    session: Session | None
    estimate: Estimate | None
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """What a connector's page shows to one driver.

    Attributes:
        state: For this driver: their own start under way does not make it in use.
        elsewhere: A session of this driver that runs at another connector.
    """

    place: Place
    state: ConnectorState
    rules: EffectiveRules
    price: Price
    mine: Mine | None
    elsewhere: Session | None


class DriverViews:
    """Reads what pages show: a few statements, whatever their number.

    Args:
        clock: Time.
        default: What is allowed where the operator has said nothing.
        price: What a kWh costs.
        is_online: Whether a charge point has a live connection.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        default: Access,
        price: Price,
        is_online: Callable[[ChargePointKey], bool],
    ) -> None:
        self._clock = clock
        self._default = default
        self._price = price
        self._is_online = is_online
        self._estimates = ChargingEstimates(clock)

    async def read(self, unit: UnitOfWork, asked: Sequence[Asked]) -> list[PageView | None]:
        """Return what each shows, in order; None: there is no such connector."""
        now = self._clock.now()
        digests = {each.digest for each in asked if each.digest is not None}
        starts: list[DriverStart] = []
        if digests:
            await unit.driver_pages.link(digests, now)
            starts = await unit.driver_pages.starts(digests, since=now - _KNOWN)
        places = await unit.driver_pages.places(
            {each.place for each in asked}, now=now, claimed_since=now - CLAIM
        )
        ids = {start.transaction_id for start in starts if start.transaction_id is not None}
        found = await unit.sessions.many(ids) if ids else []
        sessions = {session.transaction_id: session for session in found}
        await self._estimates.find(unit, sessions.values())
        by_driver: dict[bytes, list[DriverStart]] = {}
        for start in starts:
            by_driver.setdefault(start.token_digest, []).append(start)
        views: list[PageView | None] = []
        for each in asked:
            place = places.get(each.place)
            own = by_driver.get(each.digest, []) if each.digest is not None else []
            views.append(None if place is None else self._composed(place, own, sessions, now))
        return views

    def _composed(
        self,
        place: Place,
        own: Sequence[DriverStart],
        sessions: Mapping[TransactionId, Session],
        now: datetime,
    ) -> PageView:
        mine, elsewhere = None, None
        for start in own:
            session = None if start.transaction_id is None else sessions.get(start.transaction_id)
            if (start.charge_point, start.connector_id) == (place.charge_point, place.connector_id):
                mine = self._mine(start, session, now)
            elif session is not None and session.active:
                elsewhere = session
        claimed = place.claimed_by is not None and not any(
            place.claimed_by == start.token_digest for start in own
        )
        state = connector_state(
            ConnectorFacts(
                online=self._is_online(place.charge_point),
                accepted=place.accepted,
                status=place.status,
                station_status=place.station_status,
                busy=place.busy,
                reserved=place.reserved,
                claimed=claimed,
            )
        )
        return PageView(
            place=place,
            state=state,
            rules=resolve(place.station_rules, place.site_rules, self._default),
            price=self._price,
            mine=mine,
            elsewhere=elsewhere,
        )

    def _mine(self, start: DriverStart, session: Session | None, now: datetime) -> Mine | None:
        stands = standing(
            StartFacts(
                asked_at=start.asked_at,
                outcome=start.outcome,
                running=None if session is None else session.active,
                stop_asked_at=start.stop_asked_at,
                stop_outcome=start.stop_outcome,
            ),
            now,
        )
        if stands.phase is Phase.FAILED and now - start.asked_at > _FAILURE_SHOWN:
            return None
        if stands.phase is Phase.DONE and session is not None:
            ended = session.stopped_at or session.started_at  # of a clock that may be wrong
            if now - max(ended, start.asked_at) > SHOWN_AFTER_STOP:
                return None
        return Mine(
            start=start,
            standing=stands,
            called=start.outcome == "accepted",
            session=session,
            estimate=None if session is None else self._estimates.estimate(session),
            seen_at=now,
        )
