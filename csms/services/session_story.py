"""What has happened to a session, and why it got what it got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from csms.clock import Clock
from csms.domain.ids import id_tag_key
from csms.domain.session_messages import QUIET_ACTIONS, VALUES, About, belongs, words
from csms.domain.transactions import UNBILLABLE, Finding
from csms.errors import NotFound
from csms.services.messages import LoggedMessage, logged_message
from csms.services.ports.site_rules import KeptDecision
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import IdTag, MessageRecord, Session
from csms.services.sessions import cost, energy_wh

_BEFORE = timedelta(minutes=5)  # the plug, the tag, a remote start
_AFTER = timedelta(minutes=2)  # the unplugging
_ANSWERED_WITHIN = timedelta(minutes=1)
_MOST_OPEN = 200
_MOST_DECISIONS = 1_000

FLAG_TEXTS: Final[Mapping[str, str]] = {
    Finding.UNAUTHORISED: "The tag was not allowed to charge, but the charger started.",
    Finding.OFFLINE: "It was reported late: the charger was offline and has kept it.",
    Finding.TIME_SUSPECT: "The charger's clock was wrong.",
    Finding.METER_SUSPECT: "The meter values make no sense, so it is not billed.",
    Finding.REGISTER_FELL: "The register ran backwards; the newest value counts.",
    Finding.CONNECTOR_SUSPECT: "The charger named no connector of its own, so it is not billed.",
    Finding.FOREIGN_TAG_STOP: "It was stopped with a tag of another group.",
    Finding.DUPLICATE_STOP: "The charger has told of its end twice; the first one counts.",
    Finding.STOP_MISSING: "The charger never told of its end, so it is not billed.",
    Finding.RESERVATION_UNKNOWN: "It names a reservation that is not known.",
    Finding.REGISTER_SUSPECT: "Values in between do not fit start and stop, which are billed.",
    Finding.UNIT_SUSPECT: "The charger names units that do not fit what it measures.",
    Finding.LOCAL_TIME: "The charger sends local time that calls itself UTC.",
    Finding.ID_MISSING: "The charger named no transaction at the end; its content has told which.",
    Finding.CLOSED_BY_HAND: "An operator has ended it: the charger had not told of its end.",
    Finding.CORRECTED_BY_HAND: "An operator has corrected its values.",
}

TAG_TEXTS: Final[Mapping[str, str]] = {
    "Accepted": "The tag was accepted.",
    "Blocked": "The tag is blocked.",
    "Expired": "The tag had expired.",
    "Invalid": "The tag was not known.",
    "ConcurrentTx": "The tag was in use in as many sessions as it may have.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One line of the timeline; exactly one of `message` and `decision` for their kinds.

    Attributes:
        text: In a few words.
    """

    at: datetime
    kind: Literal["message", "decision", "session"]
    text: str
    message: LoggedMessage | None = None
    decision: KeptDecision | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a session got what it got.

    Attributes:
        told: What the charger was told of the tag when the session started.
        tag: The tag as it stands now; None when it is none of ours.
        decisions: Limits with their reasons, the newest first, as far as they are kept.
        energy_wh: Of which the price is computed.
        billable: Whether there is one.
    """

    session: Session
    told: str
    tag: IdTag | None
    decisions: Sequence[KeptDecision]
    energy_wh: int
    cost: Decimal | None
    billable: bool


class SessionStory:
    """Tells it, from the message log, the decisions that are kept, and the session itself."""

    def __init__(self, units: UnitsOfWork, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def timeline(
        self,
        transaction_id: int,
        limit: int,
        *,
        after: tuple[datetime, int] | None = None,
        values: bool = False,
    ) -> tuple[list[Happening], tuple[datetime, int] | None]:
        """Return what happened, the oldest first, and where to continue; None: that was all.

        Args:
            transaction_id: Of the session.
            limit: Most messages that are looked at.
            after: Where the page before ended.
            values: Whether meter values are shown too.

        Raises:
            NotFound: There is no such session.
        """
        async with self._units() as unit:
            session = await _existing(unit, transaction_id)
            begin, end = self._times(session)
            records = await unit.messages.from_oldest(
                session.charge_point,
                limit,
                after=after,
                at_from=begin,
                at_to=end,
                without=QUIET_ACTIONS if values else QUIET_ACTIONS | {VALUES},
            )
            before: list[MessageRecord] = []
            if after is not None:  # whose calls the first answers of this page belong to
                before = await unit.messages.from_oldest(
                    session.charge_point,
                    _MOST_OPEN,
                    at_from=after[0] - _ANSWERED_WITHIN,
                    at_to=after[0] + timedelta(microseconds=1),
                )
            decisions = await _decisions(unit, session)
        more = len(records) == limit
        first = begin if after is None else after[0]
        last = records[-1].at if more else end
        found = _messages(records, before, session)
        found += [
            Happening(
                at=decision.at,
                kind="decision",
                text=f"{decision.limit_w / 1000:g} kW: {decision.reason}",
                decision=decision,
            )
            for decision in decisions
        ]
        found += _facts(session)
        shown = [one for one in found if first < one.at <= last or one.message is not None]
        shown.sort(key=lambda one: one.at)
        return shown, (records[-1].at, records[-1].key) if more else None

    async def explanation(self, transaction_id: int) -> Explanation:
        """Return why a session got what it got. Raises NotFound."""
        async with self._units() as unit:
            session = await _existing(unit, transaction_id)
            told = await unit.sessions.id_tag_status(transaction_id)
            tag = await unit.id_tags.get(id_tag_key(session.id_tag))
            decisions = await _decisions(unit, session)
        return Explanation(
            session=session,
            told=told,
            tag=tag,
            decisions=decisions,
            energy_wh=energy_wh(session),
            cost=cost(session),
            billable=not UNBILLABLE.intersection(session.findings),
        )

    def _times(self, session: Session) -> tuple[datetime, datetime]:
        end = self._clock.now()
        if not session.active and session.ended_at is not None:
            end = min(end, session.ended_at + _AFTER)
        return session.start_received_at - _BEFORE, end


async def _existing(unit: UnitOfWork, transaction_id: int) -> Session:
    session = await unit.sessions.get(transaction_id)
    if session is None:
        raise NotFound("session_not_found", "There is no such session.")
    return session


async def _decisions(unit: UnitOfWork, session: Session) -> list[KeptDecision]:
    if session.site_id is None:
        return []
    return await unit.site_rules.decisions(
        session.site_id, _MOST_DECISIONS, transaction_id=session.transaction_id
    )


def _messages(
    records: Sequence[MessageRecord], before: Sequence[MessageRecord], session: Session
) -> list[Happening]:
    """Return the messages that tell of this session; an answer goes with its call.

    Those of `before` are not told, but have answers that may be.
    """
    about = About(
        transaction_id=session.transaction_id,
        connector_id=session.connector_id,
        id_tag=session.id_tag,
    )
    others: set[str | None] = set()
    found: list[Happening] = []
    for record in (*before, *records):
        message = logged_message(record)
        if message.type == "call" and not belongs(record.action, message.payload, about):
            others.add(record.message_id)
        elif message.type == "call" or record.message_id not in others:
            text = words(record.action, message.type, record.direction, message.payload)
            found.append(Happening(at=record.at, kind="message", text=text, message=message))
    told = {record.key for record in records}
    return [one for one in found if one.message is not None and one.message.record.key in told]


def _facts(session: Session) -> list[Happening]:
    """Return beginning and end as they are kept, which the message log may have outlived."""
    start = f"Session {session.transaction_id} begins at connector {session.connector_id}"
    found = [Happening(at=session.start_received_at, kind="session", text=start)]
    if not session.active and session.ended_at is not None:
        reason = session.stop_reason or "Local"
        text = f"It ends after {energy_wh(session) / 1000:g} kWh: {reason}"
        if session.meter_stop_wh is None:
            text = "It is ended without a word from the charger"
        found.append(Happening(at=session.ended_at, kind="session", text=text))
    return found
