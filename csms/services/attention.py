"""What needs an operator: told from what is known, in plain words, the most urgent first.

Pure functions over what was read; `csms.services.live` asks for it while somebody watches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from csms.clock import wire_time
from csms.domain.ids import Identity, SiteId, TransactionId
from csms.domain.limit_rows import IGNORED
from csms.services.diary import fix_of
from csms.services.live_sites import LiveSite
from csms.services.live_stations import LiveStation
from csms.services.ports.live import (
    ConnectorRow,
    EndingCertificateRow,
    LimitTrouble,
    QuarantinedRow,
    RefusedRow,
)
from csms.services.records import Session

Severity = Literal["critical", "warning", "info"]
Kind = Literal[
    "stationFaulted",
    "stationOffline",
    "sessionStuck",
    "limitNotObeyed",
    "certificateEndsSoon",
    "quarantined",
    "siteWarning",
    "refusedConnection",
]

_ORDER: dict[Severity, int] = {"critical": 0, "warning": 1, "info": 2}

OFFLINE_AFTER = timedelta(minutes=1)
"""A station that is away for less has lost its line for a moment."""

SILENT_AFTER = timedelta(hours=1)
"""A session whose station is away for longer may have ended without our knowing."""

FREE_AFTER = timedelta(minutes=2)
"""A connector may say Available shortly before its StopTransaction arrives."""

LONG_AFTER = timedelta(days=3)

_FREE = frozenset({"Available", "Preparing", "Reserved"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """One thing that needs somebody.

    Attributes:
        id: The same as long as it is about the same thing.
        since: When it began, as far as is known.
        text: One sentence.
        detail: What would help, or what the station said; None where there is nothing to add.
    """

    id: str
    kind: Kind
    severity: Severity
    since: datetime | None
    text: str
    detail: str | None = None
    station: Identity | str | None = None
    connector_id: int | None = None
    session: TransactionId | None = None
    site_id: SiteId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubles:
    """What only the database knows."""

    limits: tuple[LimitTrouble, ...] = ()
    certificates: tuple[EndingCertificateRow, ...] = ()
    quarantined: tuple[QuarantinedRow, ...] = ()
    refused: tuple[RefusedRow, ...] = ()


def found(
    now: datetime,
    stations: Iterable[LiveStation],
    sites: Iterable[LiveSite],
    troubles: Troubles,
) -> list[Attention]:
    """Return everything that needs somebody: the most severe first, then the oldest."""
    items = [item for station in stations for item in _of_station(station, now)]
    # a charger that keeps no limits is told of once, with what can be done about it
    told = tuple(
        f"charger {trouble.identity} {what}"
        for trouble in troubles.limits
        for what in ("does not take limits", "draws more than the limit")
    )
    items += [item for site in sites for item in _of_site(site, told)]
    items += [_of_limit(trouble) for trouble in troubles.limits]
    items += [_of_certificate(row, now) for row in troubles.certificates]
    items += [_of_quarantine(row) for row in troubles.quarantined]
    items += [_of_refused(row) for row in troubles.refused]
    items.sort(key=lambda item: (_ORDER[item.severity], item.since or now, item.id))
    return items


def _of_station(station: LiveStation, now: datetime) -> Iterator[Attention]:
    row = station.row
    away_since = None if station.online else row.disconnected_at or station.last_seen_at
    away = away_since is not None and now - away_since >= OFFLINE_AFTER
    if away:
        running = len(station.sessions)
        yield Attention(
            id=f"stationOffline:{row.identity}",
            kind="stationOffline",
            severity="critical" if running else "warning",
            since=away_since,
            text=f"{row.name} is offline"
            + (f" with {running} session{'s' * (running > 1)} running." if running else "."),
            detail="Look at its connection diary: it says whether it tries to come back.",
            station=row.identity,
            site_id=row.site_id,
        )
    for connector in row.connectors:
        if connector.status == "Faulted":
            yield _fault(station, connector)
        session = station.sessions.get(connector.connector_id)
        if session is not None:
            reason = stuck_reason(session, connector, now, away_since)
            if reason is not None:
                yield _stuck(station, session, reason)


def _fault(station: LiveStation, connector: ConnectorRow) -> Attention:
    row, number = station.row, connector.connector_id
    code = connector.error_code
    words = (
        ("error " + code) if code not in (None, "NoError") else None,
        None if connector.vendor_error_code is None else f"code {connector.vendor_error_code}",
        connector.info,
    )
    where = row.name if number == 0 else f"Connector {number} of {row.name}"
    return Attention(
        id=f"stationFaulted:{row.identity}:{number}",
        kind="stationFaulted",
        severity="critical",
        since=connector.received_at,
        text=f"{where} is faulted.",
        detail=", ".join(word for word in words if word) or None,
        station=row.identity,
        connector_id=number,
        site_id=row.site_id,
    )


def stuck_reason(
    session: Session, connector: ConnectorRow, now: datetime, away_since: datetime | None
) -> str | None:
    """Return why an active session seems to have ended without our knowing; None: it does not."""
    said_at = connector.received_at
    if (
        connector.status in _FREE
        and said_at is not None
        and said_at > session.start_received_at
        and now - said_at >= FREE_AFTER
    ):
        return f"its connector is {connector.status}"
    if away_since is not None and now - away_since >= SILENT_AFTER:
        return f"its station is offline since {wire_time(away_since)}"
    if now - session.start_received_at >= LONG_AFTER:
        return f"it has run for {(now - session.start_received_at).days} days"
    return None


def _stuck(station: LiveStation, session: Session, reason: str) -> Attention:
    return Attention(
        id=f"sessionStuck:{session.transaction_id}",
        kind="sessionStuck",
        severity="warning",
        since=session.start_received_at,
        text=f"Session {session.transaction_id} at {station.row.name} is open, but {reason}.",
        detail="Stop it; if the station does not know it any more, close it by hand.",
        station=station.row.identity,
        connector_id=session.connector_id,
        session=session.transaction_id,
        site_id=station.row.site_id,
    )


def _of_site(site: LiveSite, told: tuple[str, ...]) -> Iterator[Attention]:
    status = site.row.status
    for warning in () if status is None else status.warnings:
        if warning.startswith(told):
            continue
        yield Attention(
            id=f"siteWarning:{site.row.id}:{warning}",
            kind="siteWarning",
            severity="warning",
            since=site.warned_since.get(warning),
            text=f"{site.row.name}: {warning[:1].upper()}{warning[1:]}.",
            site_id=site.row.id,
        )


def _of_limit(trouble: LimitTrouble) -> Attention:
    where = f"Connector {trouble.connector_id} of {trouble.identity}"
    wanted = "" if trouble.wanted_w is None else f" of {trouble.wanted_w / 1000:g} kW"
    ignored = trouble.status == IGNORED
    return Attention(
        id=f"limitNotObeyed:{trouble.identity}:{trouble.connector_id}",
        kind="limitNotObeyed",
        severity="critical" if ignored else "warning",
        since=trouble.since,
        text=f"{where} draws more than its limit{wanted}."
        if ignored
        else f"{where} does not take its limit{wanted}: {trouble.status}.",
        detail="It counts at what it may draw; others get less.",
        station=trouble.identity,
        connector_id=trouble.connector_id,
        session=trouble.transaction_id,
        site_id=trouble.site_id,
    )


def _of_certificate(row: EndingCertificateRow, now: datetime) -> Attention:
    over = row.not_after <= now
    return Attention(
        id=f"certificateEndsSoon:{row.identity}:{row.serial_number}",
        kind="certificateEndsSoon",
        severity="critical" if over else "warning",
        since=None,
        text=f"The certificate of {row.identity} {'has ended' if over else 'ends'} on "
        f"{wire_time(row.not_after)[:10]}.",
        detail="Let it ask for a new one: send ExtendedTriggerMessage SignChargePointCertificate.",
        station=row.identity,
    )


def _of_quarantine(row: QuarantinedRow) -> Attention:
    several = row.count > 1
    return Attention(
        id=f"quarantined:{row.identity}",
        kind="quarantined",
        severity="warning",
        since=row.since,
        text=f"{row.count} message{'s' * several} of {row.identity} "
        f"{'were' if several else 'was'} refused and kept.",
        detail=f"The newest: {row.newest_action}, {row.newest_reason}",
        station=row.identity,
    )


def _of_refused(row: RefusedRow) -> Attention:
    return Attention(
        id=f"refusedConnection:{row.identity.lower()}",
        kind="refusedConnection",
        severity="warning" if row.known else "info",
        since=row.first_at,
        text=f"{row.identity} from {row.address} was refused {row.count} "
        f"time{'s' * (row.count > 1)}: {row.reason or f'status {row.status}'}.",
        detail=fix_of(row.reason),
        station=row.identity,
    )
