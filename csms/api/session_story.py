"""What has happened to a session, and why it got what it got."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from csms.api import pages
from csms.api.fields import Out, Page, PageQuery, PreciseTime, Time
from csms.api.routes import Route
from csms.api.sessions import session_number, session_out
from csms.api.station_logs import MessageOut, message_out
from csms.services.access import Role
from csms.services.ports.site_rules import KeptDecision
from csms.services.records import IdTag
from csms.services.session_story import FLAG_TEXTS, TAG_TEXTS, Happening, SessionStory


class TimelineQuery(PageQuery):
    """`meterValues`: show them too, which are many."""

    meter_values: bool = False


class LimitDecidedOut(Out):
    """A limit that was decided; `reason` says why it is not more."""

    at: PreciseTime
    limit_kw: float
    reason: str


class HappeningOut(Out):
    """One line; `message` and `decision` are there for their kinds."""

    at: PreciseTime
    kind: Literal["message", "decision", "session"]
    text: str
    message: MessageOut | None
    decision: LimitDecidedOut | None


class TagOut(Out):
    """An id tag as it stands now."""

    id_tag: str
    status: str
    expires_at: Time | None
    parent_id_tag: str | None
    name: str | None


class AuthorizationOut(Out):
    """Why it could start: `told` is what the charger was told of the tag."""

    id_tag: str
    told: str
    text: str
    tag: TagOut | None


class LimitsOut(Out):
    """What it may draw: `limitKw` as the charger has acknowledged it, `reason` of the newest.

    `decisions` are what was decided over time, the newest first, as far as it is kept.
    """

    limit_kw: float | None
    limit_a: float | None
    power_kw: float | None
    reason: str | None
    decisions: list[LimitDecidedOut]


class PriceLineOut(Out):
    """One component of the price."""

    component: Literal["energy"]
    quantity: float
    unit: Literal["kWh"]
    price: float
    amount: float | None


class PriceOut(Out):
    """What it costs; `amount` is null when it is not billable."""

    currency: str
    amount: float | None
    billable: bool
    components: list[PriceLineOut]


class FlagOut(Out):
    """Something odd, in words."""

    flag: str
    text: str


class ExplanationOut(Out):
    """Why a session got what it got."""

    session_id: str
    authorization: AuthorizationOut
    limits: LimitsOut
    price: PriceOut
    flags: list[FlagOut]


class SessionStories:
    """The operations."""

    def __init__(self, story: SessionStory) -> None:
        self._story = story

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        one = "/api/sessions/{session_id}"
        absent = {404: "There is no such session."}
        return [
            Route(
                method="GET",
                path=f"{one}/timeline",
                handler=self.list_timeline,
                role=Role.VIEWER,
                tag="sessions",
                refusals=absent,
            ),
            Route(
                method="GET",
                path=f"{one}/explanation",
                handler=self.get_explanation,
                role=Role.VIEWER,
                tag="sessions",
                refusals=absent,
            ),
        ]

    async def list_timeline(self, session_id: str, query: TimelineQuery) -> Page[HappeningOut]:
        """Return every message and decision of a session, the oldest first.

        A page may hold fewer items than its limit; it was the last one when there is no cursor.
        """
        after = None
        if query.cursor is not None:
            at, key = pages.decode(query.cursor, datetime, int)
            after = (at, key)
        found, more = await self._story.timeline(
            session_number(session_id), query.limit, after=after, values=query.meter_values
        )
        return Page[HappeningOut](
            items=[_happening(one) for one in found],
            next_cursor=None if more is None else pages.encode(*more),
        )

    async def get_explanation(self, session_id: str) -> ExplanationOut:
        """Say why a session could start, why it gets its limit, and how its price comes about."""
        found = await self._story.explanation(session_number(session_id))
        session = session_out(found.session)
        decisions = [_decided(decision) for decision in found.decisions]
        amount = None if found.cost is None else float(found.cost)
        return ExplanationOut(
            session_id=session.id,
            authorization=AuthorizationOut(
                id_tag=found.session.id_tag,
                told=found.told,
                text=TAG_TEXTS.get(found.told, f"The charger was told {found.told}."),
                tag=None if found.tag is None else _tag(found.tag),
            ),
            limits=LimitsOut(
                limit_kw=session.limit_kw,
                limit_a=session.limit_a,
                power_kw=session.power_kw,
                reason=decisions[0].reason if decisions else None,
                decisions=decisions,
            ),
            price=PriceOut(
                currency=found.session.currency,
                amount=amount,
                billable=found.billable,
                components=[
                    PriceLineOut(
                        component="energy",
                        quantity=found.energy_wh / 1000,
                        unit="kWh",
                        price=float(found.session.price_per_kwh),
                        amount=amount,
                    )
                ],
            ),
            flags=[
                FlagOut(flag=flag, text=FLAG_TEXTS.get(flag, flag))
                for flag in found.session.findings
            ],
        )


def _happening(one: Happening) -> HappeningOut:
    return HappeningOut(
        at=one.at,
        kind=one.kind,
        text=one.text,
        message=None if one.message is None else message_out(one.message),
        decision=None if one.decision is None else _decided(one.decision),
    )


def _decided(decision: KeptDecision) -> LimitDecidedOut:
    return LimitDecidedOut(at=decision.at, limit_kw=decision.limit_w / 1000, reason=decision.reason)


def _tag(tag: IdTag) -> TagOut:
    return TagOut(
        id_tag=tag.id_tag,
        status=tag.status,
        expires_at=tag.expires_at,
        parent_id_tag=tag.parent_id_tag,
        name=tag.name,
    )
