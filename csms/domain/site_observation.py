"""What a look at a site's chargers shows: who follows, who takes less, what has ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from csms.domain.charging_profiles import ProfilePurpose
from csms.domain.ids import ChargePointKey
from csms.domain.limit_rows import (
    LimitRow,
    accepted,
    as_of,
    in_doubt,
    is_ahead,
    lapsed,
    refused,
    superseded,
)
from csms.domain.obedience import Judgement, judged, read_back, tolerance_w
from csms.domain.pieces import AT_ONCE, Pieces
from csms.domain.reclaim import Appetite, weighed
from csms.domain.rotation import as_of_now
from csms.domain.site_snapshot import (
    ChargerState,
    Request,
    RowKey,
    SessionState,
    SiteSnapshot,
)
from csms.domain.site_wishes import ampere_w
from csms.domain.sites import ChargerId

ACCEPTED = "Accepted"
READ_BACK = "readBack"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """A question to a charge point: which limit holds on a connector?

    Attributes:
        row: The row that the answer is held against.
        version: The acknowledged version; an answer about another one says nothing.
    """

    key: ChargePointKey
    connector_id: int
    row: RowKey
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingEnd:
    """How the sending of a limit ended.

    Attributes:
        status: ``Accepted``, another status, ``callError``, or the code of a failed call.
        ends_at: When the limit ends by itself; None: never.
        passed_on: Its charge point was not on the site that it was sent for.
    """

    request: Request
    limit_w: int
    status: str
    at: datetime
    ends_at: datetime | None = None
    passed_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBackEnd:
    """What a charge point has said of the limit that holds.

    Attributes:
        limit_w: Over all phases; None: no limit at all.
    """

    asking: ReadBack
    limit_w: int | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A snapshot after the look."""

    snapshot: SiteSnapshot
    appetites: Mapping[RowKey, Appetite]
    askings: tuple[ReadBack, ...]


def with_ends(
    snapshot: SiteSnapshot, ends: Iterable[SendingEnd | ReadBackEnd], lost: Iterable[Request]
) -> Pieces[SiteSnapshot]:
    """Return the snapshot with what came back, and with requests that nobody waits for in doubt.

    In pieces.

    What belongs to a row of another site, to another request or to a session that is over is
    dropped.
    """
    ends, lost = tuple(ends), tuple(lost)
    if not ends and not lost:
        return snapshot
    meant = {_key(end) for end in ends} | {request.key for request in lost}
    chargers = {state.key: state for state in snapshot.chargers if state.key in meant}
    rows = snapshot.rows({state.charger.id for state in chargers.values()})
    changed: dict[RowKey, LimitRow] = {}
    yield
    busy = {(each.charger_id, each.connector_id) for each in snapshot.sessions}
    # connector 0 stands for the floor, under which sessions without a limit of their own draw
    busy |= {(each.charger_id, 0) for each in snapshot.sessions if _may_be_under_floor(each)}
    for number, end in enumerate(ends):
        if not number % AT_ONCE:
            yield
        place = end.request.row if isinstance(end, SendingEnd) else end.asking.row
        row = changed.get(place, rows.get(place))
        if row is None:
            continue
        state = chargers[place.key]
        if isinstance(end, ReadBackEnd):
            if row.acknowledged_version == end.asking.version:
                ampere = ampere_w(state.charger)
                changed[place] = read_back(row, end.limit_w, end.at, ampere_w=ampere)
        elif _is_open(row, end):
            is_busy = (state.charger.id, place.connector_id) in busy
            changed[place] = _ended(row, end, state, is_busy=is_busy)
            own = place._replace(purpose=ProfilePurpose.TX)
            if _replaces_another_way(end) and own in rows:
                changed[own] = superseded(changed.get(own, rows[own]))
    for request in lost:
        row = changed.get(request.row, rows.get(request.row))
        if row is not None and row.in_flight_version == request.version:
            changed[request.row] = in_doubt(row)
    yield
    return snapshot.with_rows(changed)


def _key(end: SendingEnd | ReadBackEnd) -> ChargePointKey:
    return end.request.key if isinstance(end, SendingEnd) else end.asking.row.key


def observed(snapshot: SiteSnapshot, now: datetime) -> Pieces[Observed]:
    """Look at all rows, in pieces: evidence, leases that have ended, appetites."""
    snapshot = yield from _of_the_past(snapshot, now)
    changed: dict[RowKey, LimitRow] = {}
    appetites: dict[RowKey, Appetite] = {}
    askings = []
    chargers = {state.charger.id: state for state in snapshot.chargers}
    follow: dict[ChargerId, float] = {}
    busy = {(each.charger_id, each.connector_id) for each in snapshot.sessions}
    sessions = []
    for number, session in enumerate(snapshot.sessions):
        if not number % AT_ONCE:
            yield
        state = chargers[session.charger_id]
        row = session.own_limit
        if state.key is None:
            sessions.append(session)
            continue
        place = RowKey(state.key, session.connector_id, session.purpose)
        # to a clock that is wrong the end of a lease is another time
        if row.has_lapsed(now) and row.in_flight_w is None and not session.clock_is_wrong:
            changed[place] = lapsed(row)
            sessions.append(session)
            continue
        ampere, reading = ampere_w(state.charger), session.reading(state.charger)
        look = judged(
            row,
            reading,
            now,
            ampere_w=ampere,
            follow_s=state.floor.follow_s,
            reads_back=state.reads_back,
        )
        if not state.reachable:  # whose word was the last before it went is not proven by silence
            look = Judgement(row=row)
        if look.row is not row:
            changed[place] = look.row
        if look.follow_s is not None:
            follow[state.charger.id] = look.follow_s
        askings += _question(look, place)
        appetite = weighed(
            session.appetite,
            reading,
            limit_w=row.acknowledged_w if row.is_firm else None,
            told_at=row.acknowledged_at,
            ampere_w=ampere,
        )
        if appetite is not session.appetite and appetite != session.appetite:
            if _matters(appetite, session.appetite, ampere):
                appetites[place._replace(purpose=ProfilePurpose.TX)] = appetite
            session = replace(session, appetite=appetite)
        sessions.append(session)
    yield
    for number, state in enumerate(snapshot.chargers):
        if not number % AT_ONCE:
            yield
        plain = not state.floor.is_lingering and not state.defaults
        if state.key is None or (plain and state.charger.id not in follow):
            continue  # nothing is to be seen of what nobody draws under
        floors, asking = _floors_looked_at(state, state.key, busy, follow, now)
        changed |= floors
        askings += asking
    yield
    if any(new is not old for new, old in zip(sessions, snapshot.sessions, strict=True)):
        snapshot = replace(snapshot, sessions=tuple(sessions))
    return Observed(
        snapshot=snapshot.with_rows(changed), appetites=appetites, askings=tuple(askings)
    )


def _of_the_past(snapshot: SiteSnapshot, now: datetime) -> Pieces[SiteSnapshot]:
    """Return the snapshot with nothing later than now, after our clock was set back."""
    ahead: set[ChargerId] = set()
    for number, session in enumerate(snapshot.sessions):
        if not number % AT_ONCE:
            yield
        weighed_at = session.appetite.weighed_at
        if is_ahead(session.limit, now) or (weighed_at is not None and weighed_at > now):
            ahead.add(session.charger_id)
    for number, state in enumerate(snapshot.chargers):
        if not number % AT_ONCE:
            yield
        if is_ahead(state.floor, now):
            ahead.add(state.charger.id)
    turns = snapshot.turns
    if any(turn.since > now for turn in turns.values()):
        turns = {name: as_of_now(turn, now) for name, turn in turns.items()}
        snapshot = replace(snapshot, turns=turns)
    if not ahead:
        return snapshot
    rows = {place: as_of(row, now) for place, row in snapshot.rows(ahead).items()}
    snapshot = snapshot.with_rows(rows)
    return replace(
        snapshot,
        sessions=tuple(
            replace(each, appetite=each.appetite._replace(weighed_at=None))
            if each.appetite.weighed_at is not None and each.appetite.weighed_at > now
            else each
            for each in snapshot.sessions
        ),
    )


def as_drawn(snapshot: SiteSnapshot) -> SiteSnapshot:
    """Return the snapshot with chargers that draw more than they are said to be able to.

    A maximum that was set too low is no maximum. While their meters show it they count for that.
    """
    drawn: dict[ChargerId, int] = {}
    chargers = {state.charger.id: state.charger for state in snapshot.chargers}
    for session in snapshot.sessions:
        needed = session.told_w(chargers[session.charger_id])
        drawn[session.charger_id] = drawn.get(session.charger_id, 0) + (needed or 0)
    beyond = {
        name: power
        for name, power in drawn.items()
        if power > (most := chargers[name].max_w) + tolerance_w(most, ampere_w(chargers[name]))
    }
    if not beyond:
        return snapshot
    return replace(
        snapshot,
        chargers=tuple(
            replace(state, charger=replace(state.charger, seen_w=beyond[state.charger.id]))
            if state.charger.id in beyond
            else state
            for state in snapshot.chargers
        ),
    )


def _floors_looked_at(
    state: ChargerState,
    key: ChargePointKey,
    busy: Collection[tuple[ChargerId, int]],
    follow: Mapping[ChargerId, float],
    now: datetime,
) -> tuple[dict[RowKey, LimitRow], list[ReadBack]]:
    """Look at what stands for connectors without a session: the floor, and their own defaults."""
    changed, askings = {}, []
    for number, floor in ((0, state.floor), *state.defaults.items()):
        if (state.charger.id, number) in busy:
            continue
        look, asking = _floor_looked_at(state, number, floor, busy, now)
        row = look.row
        if number == 0 and state.charger.id in follow:
            row = row._replace(follow_s=follow[state.charger.id])
        if row is not floor:
            changed[RowKey(key, number, ProfilePurpose.TX_DEFAULT)] = row
        askings += asking
    return changed, askings


def _floor_looked_at(
    state: ChargerState,
    number: int,
    row: LimitRow,
    busy: Collection[tuple[ChargerId, int]],
    now: datetime,
) -> tuple[Judgement, list[ReadBack]]:
    """Judge a floor; it can be asked for where a connector without a default of its own is idle."""
    if not row.is_lingering:
        return Judgement(row=row), []
    free = (
        n
        for n in range(1, state.charger.connectors + 1)
        if (state.charger.id, n) not in busy and n not in state.defaults
    )
    idle = number or next(free, None)
    look = judged(
        row,
        None,
        now,
        ampere_w=ampere_w(state.charger),
        follow_s=state.floor.follow_s,
        reads_back=state.reads_back and idle is not None,
        draws=False,
    )
    if not state.reachable:
        return Judgement(row=row), []
    if idle is None or state.key is None:
        return look, []
    place = RowKey(state.key, number, ProfilePurpose.TX_DEFAULT)
    return look, _question(look, place, connector_id=idle)


def _question(look: Judgement, place: RowKey, connector_id: int | None = None) -> list[ReadBack]:
    if not look.ask_back:
        return []
    return [
        ReadBack(
            key=place.key,
            connector_id=place.connector_id if connector_id is None else connector_id,
            row=place,
            version=look.row.acknowledged_version,
        )
    ]


def _ended(row: LimitRow, end: SendingEnd, state: ChargerState, *, is_busy: bool) -> LimitRow:
    if end.status != ACCEPTED:
        return refused(row, end.status, end.at)
    nobody_draws = not is_busy and not state.occupied and not state.reads_back
    proven = end.request.transaction_id is None and nobody_draws
    if end.request.purpose is ProfilePurpose.CHARGE_POINT_MAX:
        proven = True
    return accepted(row, end.at, proven=proven, ends_at=end.ends_at)


def _may_be_under_floor(session: SessionState) -> bool:
    own = session.own_limit
    return own.acknowledged_w is None or own.first_end is not None


def _replaces_another_way(end: SendingEnd) -> bool:
    """Return whether a limit was taken by a connector that may have refused others before."""
    is_default = end.request.purpose is ProfilePurpose.TX_DEFAULT
    return is_default and end.request.connector_id > 0 and end.status == ACCEPTED


def _is_open(row: LimitRow, end: SendingEnd) -> bool:
    """Return whether the row's open request is the one that has ended."""
    ours = (end.request.transaction_id, end.request.version, end.limit_w)
    return (row.transaction_id, row.in_flight_version, row.in_flight_w) == ours


def _matters(after: Appetite, before: Appetite, ampere: int) -> bool:
    """Return whether an appetite has changed in what later steps go by."""
    if before.last_w is None or after.last_w is None:
        return True
    moved = abs(after.last_w - before.last_w) > ampere
    return moved or (after.cap_w, after.under) != (before.cap_w, before.under)
