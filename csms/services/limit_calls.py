"""Limits on their way: which requests are open, how they end, what chargers say of their limits.

All of it is memory only. What is lost here in a crash stands as an open request in the ledger, and
whoever runs the site next doubts it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from uuid import uuid4

import structlog

from csms.clock import Clock
from csms.domain.ids import ChargePointKey, SiteId
from csms.domain.limit_messages import LimitPayloads, question, said_limit_w
from csms.domain.site_control import ControlStep, Sending
from csms.domain.site_observation import ReadBack, ReadBackEnd, SendingEnd
from csms.domain.site_snapshot import Request, SiteSnapshot
from csms.domain.sites import Charger
from csms.errors import CallFailed, DatabaseAway
from csms.metrics import METRICS
from csms.services.ports.gateway import Gateway

_log = structlog.get_logger(__name__)

_ASK_AGAIN_S = 60.0

End = SendingEnd | ReadBackEnd


class LimitCalls:
    """Sends what steps have decided, and keeps how it ended until the next step stores it.

    Concurrency: one event loop; `tell` opens requests before it returns.
    """

    def __init__(self, gateway: Gateway, clock: Clock, wake: Callable[[SiteId], None]) -> None:
        """Start with nothing open; `wake` is called when a site has something to store."""
        self._gateway = gateway
        self._clock = clock
        self._wake = wake
        self._open: set[Request] = set()  # sent by us, their end not stored yet
        self._ends: dict[SiteId, list[End]] = {}
        self._asked: dict[ReadBack, float] = {}
        self._mute: set[ChargePointKey] = set()
        self._held: set[SiteId] = set()
        self._tasks: asyncio.TaskGroup | None = None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Send from now on, in these tasks."""
        self._tasks = tasks

    def stop(self) -> None:
        """Send nothing more; whoever runs the sites next finds what is open in doubt."""
        self._tasks = None

    def take_up(self, site_id: SiteId) -> None:
        """Keep the ends of a site's sendings from now on."""
        self._held.add(site_id)

    def let_go(self, site_id: SiteId) -> None:
        """Forget a site; what is open there is in doubt for whoever holds it next."""
        self._held.discard(site_id)
        self.drop(self._ends.pop(site_id, ()))

    def take_ends(self, site_id: SiteId) -> list[End]:
        """Return what came back since the last step of a site."""
        return self._ends.pop(site_id, [])

    def put_back(self, site_id: SiteId, ends: list[End]) -> None:
        """Keep ends whose step has failed for the next one, where the site is still ours."""
        if site_id in self._held:
            self._ends[site_id] = ends + self._ends.get(site_id, [])
        else:
            self.drop(ends)

    def drop(self, ends: Iterable[End]) -> None:
        """Close the requests that have ended: their ends are stored, or nobody stores them."""
        for end in ends:
            if isinstance(end, SendingEnd):
                self._open.discard(end.request)

    def lost(self, snapshot: SiteSnapshot, ends: Iterable[End]) -> list[Request]:
        """Return the stored open requests that no task of ours waits for."""
        ended = {end.request for end in ends if isinstance(end, SendingEnd)}
        return [
            request
            for request in snapshot.open_requests()
            if request not in self._open and request not in ended
        ]

    def reads_back(self, charge_point: ChargePointKey) -> bool:
        """Return whether a charge point is known to tell which limit holds, as far as we know."""
        return charge_point not in self._mute

    @property
    def open_count(self) -> int:
        """How many limits are on their way."""
        return len(self._open)

    def tell(self, site_id: SiteId, step: ControlStep) -> None:
        """Send all that a stored step has decided, before anything that comes back is looked at."""
        if self._tasks is None:
            return
        payloads = LimitPayloads(self._clock.now())
        for sending in step.sendings:
            self._open.add(sending.request)
            self._tasks.create_task(
                self._send(site_id, sending, payloads), name=f"limit {sending.target.key}"
            )
        now = self._clock.monotonic()
        chargers = step.chargers
        for asking in step.askings:
            if now - self._asked.get(asking, -_ASK_AGAIN_S) >= _ASK_AGAIN_S:
                self._asked[asking] = now
                self._tasks.create_task(
                    self._ask(site_id, asking, chargers[asking.key]),
                    name=f"read back {asking.key}",
                )
        if len(self._asked) > len(step.askings):
            asked = set(step.askings)
            self._asked = {
                asking: at
                for asking, at in self._asked.items()
                if asking in asked or now - at < _ASK_AGAIN_S
            }

    async def _send(self, site_id: SiteId, sending: Sending, payloads: LimitPayloads) -> None:
        try:
            status = await self._told(sending, payloads)
        except BaseException:
            self._open.discard(sending.request)  # its outcome is unknown
            raise
        if site_id not in self._held:
            self._open.discard(sending.request)  # whoever has taken over doubts it
            return
        self._ended(
            site_id,
            SendingEnd(
                request=sending.request,
                limit_w=sending.limit_w,
                status=status,
                at=self._clock.now(),
                ends_at=sending.ends_at,
            ),
        )

    async def _told(self, sending: Sending, payloads: LimitPayloads) -> str:
        """Send a limit and return its status: the answer's, or the code of what went wrong."""
        key = sending.target.key
        try:
            answer = await self._gateway.call(
                key,
                "SetChargingProfile",
                payloads.of(sending),
                message_id=str(uuid4()),
            )
            status = "callError" if answer.error_code else str(answer.payload.get("status"))
        except CallFailed as error:
            status = error.code
        except DatabaseAway:
            status = "database_away"  # the charge point's pace cannot be looked up
        except Exception:
            # a fault of ours in one sending must not stop the loops of all sites
            _log.exception("limit could not be sent", charge_point_key=key)
            status = "failed"
        METRICS.limits[status] += 1
        if status != "Accepted":
            _log.warning(
                "limit not taken", charge_point_key=key, limit_w=sending.limit_w, status=status
            )
        return status

    async def _ask(self, site_id: SiteId, asking: ReadBack, charger: Charger) -> None:
        try:
            answer = await self._gateway.call(
                asking.key, "GetCompositeSchedule", question(asking), message_id=str(uuid4())
            )
            if answer.error_code is not None:
                raise ValueError(answer.error_code)
            limit_w = said_limit_w(charger, answer.payload)
        except (CallFailed, DatabaseAway) as error:
            _log.info("limit not read back", charge_point_key=asking.key, why=str(error))
            return  # asked again later, while it is there
        except (ValueError, KeyError) as error:
            _log.info("limits cannot be read back", charge_point_key=asking.key, why=str(error))
            self._mute.add(asking.key)
            self._wake(site_id)
            return
        if site_id in self._held:
            self._ended(site_id, ReadBackEnd(asking=asking, limit_w=limit_w, at=self._clock.now()))

    def _ended(self, site_id: SiteId, end: End) -> None:
        self._ends.setdefault(site_id, []).append(end)
        self._wake(site_id)
