"""A driver's page as JSON: what the browser shows, and by which texts.

Never in it: id tags, and of other drivers anything but that the connector is in use.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from csms.api.fields import kilo
from csms.clock import wire_time
from csms.domain.driver_page import Access, ConnectorState, Phase, obstacle
from csms.domain.transactions import Finding
from csms.services.driver_views import Mine, PageView
from csms.services.records import Session
from csms.services.sessions import cost, energy_wh

FAULTS = frozenset(
    {
        "ConnectorLockFailure",
        "EVCommunicationError",
        "GroundFailure",
        "HighTemperature",
        "InternalError",
        "LocalListConflict",
        "OtherError",
        "OverCurrentFailure",
        "OverVoltage",
        "PowerMeterFailure",
        "PowerSwitchFailure",
        "ReaderFailure",
        "ResetFailure",
        "UnderVoltage",
        "WeakSignal",
    }
)
REASONS = frozenset(
    {
        "EVDisconnected",
        "Remote",
        "Local",
        "DeAuthorized",
        "EmergencyStop",
        "PowerLoss",
        "HardReset",
        "SoftReset",
        "Reboot",
        "UnlockCommand",
        "Other",
    }
)
_UNDER_WAY = frozenset({Phase.STARTING, Phase.CHARGING, Phase.STOPPING})


def view_out(view: PageView) -> dict[str, Any]:
    """Return what the page of one driver shows.

    `say` names the texts of headline and sentence; `blocked` why a start without an id tag would
    be refused, null: it would not; `tag` whether an id tag may be entered.
    """
    place, mine = view.place, view.mine
    under_way = mine is not None and mine.standing.phase in _UNDER_WAY
    blocked = obstacle(view.rules, view.state, with_tag=False)
    with_tag = obstacle(view.rules, view.state, with_tag=True)
    elsewhere = view.elsewhere
    return {
        "place": {
            "stationId": place.identity,
            "connectorId": place.connector_id,
            "connectors": place.connectors,
            "name": place.name,
            "site": place.site_name,
            "connectorType": place.connector_type,
            "maxKw": kilo(place.max_power_w),
        },
        "state": view.state.value,
        "say": list(said(view)),
        "fault": fault(view),
        "price": {"perKwh": float(view.price.per_kwh), "currency": view.price.currency},
        "open": view.rules.access is Access.OPEN,
        "blocked": "in_use" if under_way else None if blocked is None else blocked.value,
        "tag": not under_way and (with_tag is None or view.state is ConnectorState.IN_USE),
        "mine": None
        if mine is None
        else _mine_out(mine, offline=view.state is ConnectorState.OFFLINE),
        "elsewhere": None
        if elsewhere is None
        else {"stationId": elsewhere.identity, "connectorId": elsewhere.connector_id},
    }


def said(view: PageView) -> tuple[str, str]:
    """Return the keys of headline and sentence."""
    mine = view.mine
    if mine is None:
        return f"state.{view.state.value}", f"state.{view.state.value}.text"
    match mine.standing.phase:
        case Phase.STARTING:
            return "starting", "starting.waiting" if mine.called else "starting.asking"
        case Phase.FAILED:
            return "failed", f"problem.{mine.standing.problem}"
        case Phase.STOPPING:
            return "stopping", "stopping.text"
        case Phase.DONE:
            return "done", _end_said(mine)
        case Phase.CHARGING:
            return _charging_said(view, mine)


def fault(view: PageView) -> str | None:
    """Return the fault that drivers are told of, by its OCPP error code; the connector's first.

    Codes that OCPP does not know are `OtherError`; no detail of the vendor's is shown.
    """
    place = view.place
    for code in (place.error_code, place.station_error_code):
        if code not in (None, "NoError"):
            return code if code in FAULTS else "OtherError"
    return "OtherError" if view.state is ConnectorState.FAULTED else None


def _charging_said(view: PageView, mine: Mine) -> tuple[str, str]:
    headline, sentence = "charging", "charging.text"
    if view.state is ConnectorState.OFFLINE:  # what it said last is old
        headline, sentence = "charging.offline", "charging.offline.text"
    elif view.place.status == "SuspendedEV":
        headline, sentence = "charging.carPaused", "charging.carPaused.text"
    elif view.place.status == "SuspendedEVSE":
        headline, sentence = "charging.waits", "charging.waits.text"
    elif mine.session is not None and mine.session.power_w is None:
        sentence = "charging.begins"
    if mine.standing.problem is not None:
        sentence = f"problem.{mine.standing.problem}"
    return headline, sentence


def _end_said(mine: Mine) -> str:
    reason = None if mine.session is None else mine.session.stop_reason
    if reason is None:
        return "done.text"
    return f"reason.{reason}" if reason in REASONS else "reason.Other"


def _mine_out(mine: Mine, *, offline: bool) -> dict[str, Any]:
    """Return the driver's own start; nobody knows what a charger that is offline gives now."""
    out: dict[str, Any] = {
        "phase": mine.standing.phase.value,
        "problem": mine.standing.problem,
        "askedAt": wire_time(mine.start.asked_at),
        "session": None,
    }
    session = mine.session
    if session is None:
        return out
    price = cost(session)
    soc = session.soc_percent
    estimate = None if offline else mine.estimate
    out["session"] = {
        "reference": str(session.transaction_id),
        "startedAt": wire_time(_started(session)),
        "stoppedAt": None
        if session.active or session.stopped_at is None
        else wire_time(session.stopped_at),
        "energyKwh": energy_wh(session) / 1000,
        "powerKw": kilo(session.power_w) if session.active and not offline else None,
        "limitKw": kilo(session.limit_w),
        "socPercent": None if soc is None else float(soc),
        "cost": None if price is None else float(price),
        "currency": session.currency,
        "etaAt": None
        if estimate is None
        else wire_time(_to_the_minute(mine.seen_at + estimate.remaining)),
        "etaPercent": None if estimate is None else estimate.target_percent,
    }
    return out


def _started(session: Session) -> datetime:
    """Return when a session began: by the charge point's clock, unless that is wrong."""
    if Finding.TIME_SUSPECT in session.findings:
        return session.start_received_at
    return session.started_at


def _to_the_minute(at: datetime) -> datetime:
    """Return the full minute nearest to a time, so that an estimate does not tremble."""
    return (at + timedelta(seconds=30)).replace(second=0, microsecond=0)
