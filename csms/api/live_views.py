"""What is watched live, as JSON objects: names and units as in the resources.

Made by hand, not by models: a thousand of them each second must cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csms.api.fields import amperes, kilo
from csms.api.sessions import session_out
from csms.api.site_views import StatusOut
from csms.clock import wire_time
from csms.services.attention import Attention
from csms.services.live import LiveSession, Thing
from csms.services.live_sites import LiveSite
from csms.services.live_stations import LiveStation, power_now
from csms.services.live_today import Today
from csms.services.ports.live import ConnectorRow
from csms.services.records import Session
from csms.services.sessions import cost, energy_wh

View = dict[str, Any]


def view(thing: Thing, known: Mapping[str, View]) -> View:
    """Return the object of a thing; `known` has those of the same topic by id, to build upon."""
    match thing:
        case LiveStation():
            return _station(thing)
        case LiveSession():
            return _session(thing, known)
        case LiveSite():
            return _site(thing, known)
        case Attention():
            return _attention(thing)
        case Today():
            return _today(thing)


def _station(station: LiveStation) -> View:
    row, seen = station.row, station.last_seen_at
    sessions = station.sessions
    connectors = [_connector(each, sessions.get(each.connector_id)) for each in row.connectors]
    known = {each.connector_id for each in row.connectors}
    connectors += [
        _connector(ConnectorRow(connector_id=number), session)
        for number, session in sessions.items()
        if number not in known
    ]
    return {
        "id": row.identity,
        "name": row.name,
        "siteId": row.site_id,
        "online": station.online,
        "lastSeenAt": None if seen is None else wire_time(seen),
        "vendor": row.vendor,
        "model": row.model,
        "firmwareVersion": row.firmware_version,
        "bootedAt": None if row.booted_at is None else wire_time(row.booted_at),
        "registration": row.registration,
        "quiet": row.quiet,
        "connectors": connectors,
    }


def _connector(row: ConnectorRow, session: Session | None) -> View:
    view: View = {
        "connectorId": row.connector_id,
        "status": row.status,
        "errorCode": row.error_code,
        "info": row.info,
        "vendorErrorCode": row.vendor_error_code,
        "powerKw": None,
        "limitA": None,
        "limitKw": None,
        "sessionId": None,
    }
    if session is not None:
        view["powerKw"] = kilo(power_now(session, row))
        view["limitA"] = _limit_a(session)
        view["limitKw"] = kilo(session.limit_w)
        view["sessionId"] = str(session.transaction_id)
    return view


def _limit_a(session: Session) -> float | None:
    return amperes(
        session.limit_w,
        current_type=session.current_type,
        phases=session.phases,
        voltage_v=session.voltage_v,
    )


def _session(live: LiveSession, known: Mapping[str, View]) -> View:
    session, eta = live.session, live.eta_at
    before = known.get(str(session.transaction_id))
    if before is None or not session.active:
        return session_out(session, eta).model_dump(mode="json", by_alias=True)
    price, soc = cost(session), session.soc_percent
    return {
        **before,
        "vehicleId": session.vehicle_id,
        "energyKwh": energy_wh(session) / 1000,
        "powerKw": kilo(session.power_w),
        "socPercent": None if soc is None else float(soc),
        "limitA": _limit_a(session),
        "limitKw": kilo(session.limit_w),
        "cost": None if price is None else float(price),
        "flags": list(session.findings),
        "etaAt": None if eta is None else wire_time(eta),
    }


def _site(site: LiveSite, known: Mapping[str, View]) -> View:
    row = site.row
    before = known.get(row.id)
    view: View = {
        "id": row.id,
        "name": row.name,
        "timeZone": row.time_zone,
        "gridCapacityKw": row.grid_limit_w / 1000,
        "powerKw": site.power_w / 1000,
        "limitKw": site.limit_w / 1000,
        "meterKw": kilo(row.meter_w),
        "solarKw": kilo(row.solar_w),
        "activeSessions": site.active_sessions,
        "version": row.version,
    }
    if row.status is None:
        return view
    if before is not None and before["version"] == row.version:  # a decision is large
        return {**before, **view}
    return {**StatusOut.of(row.status).model_dump(mode="json", by_alias=True), **view}


def _attention(item: Attention) -> View:
    return {
        "id": item.id,
        "kind": item.kind,
        "severity": item.severity,
        "since": None if item.since is None else wire_time(item.since),
        "stationId": item.station,
        "connectorId": item.connector_id,
        "sessionId": None if item.session is None else str(item.session),
        "siteId": item.site_id,
        "text": item.text,
        "detail": item.detail,
    }


def _today(today: Today) -> View:
    one = next(iter(today.revenues), None) if len(today.revenues) == 1 else None
    return {
        "id": today.id,
        "powerKw": today.power_w / 1000,
        "capacityKw": today.capacity_w / 1000,
        "energyKwh": today.energy_wh / 1000,
        "sessions": today.sessions,
        "activeSessions": today.active_sessions,
        "revenue": None if one is None else float(today.revenues[one]),
        "currency": one,
        "revenues": [
            {"currency": currency, "amount": float(amount)}
            for currency, amount in sorted(today.revenues.items())
        ],
    }
