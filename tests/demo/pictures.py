"""A picture of a busy demo, made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from csms.demo.picture import (
    Addresses,
    Answered,
    BatteryPicture,
    CircuitPicture,
    MessagePicture,
    Picture,
    SessionPicture,
    SitePicture,
    Totals,
)

AT = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
SIGN_IN = "http://127.0.0.1:8080/sign-in?token=csms_0123456789abcdef01234567"
ADDRESSES = Addresses(
    ocpp="ws://127.0.0.1:9000/ocpp/IDENTITY",
    cockpit="http://127.0.0.1:8080/",
    driver="http://127.0.0.1:8080/c/DEPOT-01/1",
    api="http://127.0.0.1:8080/api",
    docs="http://127.0.0.1:8080/api/docs",
    sign_in=SIGN_IN,
)
SITES = (
    SitePicture(
        id="depot",
        name="Delivery depot",
        limit_w=60_000,
        cars_w=59_600,
        grid_w=59_600,
        sessions=8,
        connectors=8,
    ),
    SitePicture(
        id="garage",
        name="Riverside garage",
        limit_w=100_000,
        cars_w=69_600,
        grid_w=69_600,
        sessions=11,
        connectors=12,
        circuits=(
            CircuitPicture(id="east", power_w=26_100, limit_w=43_470),
            CircuitPicture(id="west", power_w=43_470, limit_w=43_470),
        ),
    ),
    SitePicture(
        id="park",
        name="Fast charging park",
        limit_w=250_000,
        cars_w=350_000,
        grid_w=250_000,
        sessions=8,
        connectors=8,
        battery=BatteryPicture(energy_wh=197_700, capacity_wh=200_000, power_w=100_000),
    ),
)


def session(site_id: str, number: int) -> SessionPicture:
    is_dc = site_id == "park"
    return SessionPicture(
        site_id=site_id,
        station=f"{site_id.upper()}-{number:02}",
        connector_id=1,
        id_tag=f"{site_id.upper()}-{number:02}-A",
        status="Charging",
        power_w=43_750 if is_dc else 7_452,
        limit_a=None if is_dc else Decimal("10.8"),
        limit_w=43_750 if is_dc else 7_452,
        energy_wh=1_234,
        soc_percent=Decimal(42) if is_dc else None,
        reason="fair share of the grid limit",
    )


SESSIONS = tuple(
    session(site.id, number) for site in SITES for number in range(1, site.sessions + 1)
)


def message(second: int, action: str, text: str, *, to_station: bool = False) -> MessagePicture:
    return MessagePicture(
        at=AT + timedelta(seconds=second),
        to_station=to_station,
        station="GARAGE-01",
        action=action,
        text=text,
        answer="Accepted" if to_station else "",
        answered=Answered.WELL,
    )


MESSAGES = (
    *(message(n, "SetChargingProfile", f"#1 {n}.5 A", to_station=True) for n in range(20)),
    *(message(20 + n, "MeterValues", "#1 7.4 kW 1.23 kWh") for n in range(30)),
)
PICTURE = Picture(
    addresses=ADDRESSES,
    version="0.1.0",
    uptime_s=3_723,
    sites=SITES,
    sessions=SESSIONS,
    messages=MESSAGES,
    totals=Totals(
        online=24,
        stations=24,
        sessions=27,
        cars_w=479_200,
        energy_today_wh=123_400,
        finished_today=412,
        messages_per_s=10.8,
        limits=1_312,
    ),
)
EMPTY = replace(PICTURE, sites=(), sessions=(), messages=())
