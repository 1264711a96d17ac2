"""What needs an operator, from what is known; and the day in numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from csms.domain.site_status import SiteStatus
from csms.services.attention import Troubles, found
from csms.services.live_sites import LiveSite
from csms.services.live_stations import LiveStation, power_now
from csms.services.live_today import Numbers
from csms.services.ports.live import (
    CompletedToday,
    ConnectorRow,
    EndingCertificateRow,
    LimitTrouble,
    RefusedRow,
    SiteRow,
    StationRow,
)
from csms.services.records import Session

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def session(number=7, **more):
    values = {
        "transaction_id": number, "charge_point": 1, "identity": "CP1", "site_id": "S1",
        "connector_id": 1, "id_tag": "T", "vehicle_id": None, "active": True,
        "started_at": NOW - 60 * MINUTE, "start_received_at": NOW - 60 * MINUTE,
        "stopped_at": None, "meter_start_wh": 0, "meter_stop_wh": None, "register_wh": 5000,
        "power_w": 7000, "soc_percent": None, "limit_w": None, "current_type": "AC", "phases": 3,
        "voltage_v": 230, "stop_reason": None, "findings": (), "price_per_kwh": Decimal("0.3"),
        "currency": "EUR", "cost": None,
    }  # fmt: skip
    return Session(**values | more)


def connector(status, minutes_ago=5, **more):
    return ConnectorRow(
        connector_id=1, status=status, received_at=NOW - minutes_ago * MINUTE, **more
    )


def station(*connectors, online=True, sessions=(), away=None, **row):
    values = {
        "key": 1, "identity": "CP1", "name": "Gate", "site_id": "S1", "registration": "Accepted",
        "quiet": False, "vendor": None, "model": None, "firmware_version": None,
        "connected_at": None, "disconnected_at": None if away is None else NOW - away,
        "last_seen_at": None, "booted_at": None, "connectors": connectors,
    }  # fmt: skip
    return LiveStation(
        row=StationRow(**values | row),
        online=online,
        last_seen_at=None,
        sessions={one.connector_id: one for one in sessions},
    )


def site(*warnings, **more):
    status = SiteStatus(
        site_id="S1", version=1, decided_at=NOW, loads=(), circuits=(), battery=None,
        grid_power_w=0, warnings=warnings,
    )  # fmt: skip
    row = SiteRow(
        id="S1", name="Depot", time_zone="UTC", grid_limit_w=50_000, version=1, status=status,
        meter_w=None, solar_w=None,
    )  # fmt: skip
    values = {"power_w": 0, "active_sessions": 0, "warned_since": dict.fromkeys(warnings, NOW)}
    return LiveSite(row=row, **values | more)


def kinds(*stations, sites=(), **troubles):
    return [item.kind for item in found(NOW, stations, sites, Troubles(**troubles))]


def test_all_is_well():
    assert kinds(station(connector("Charging"), sessions=[session()]), sites=[site()]) == []


@pytest.mark.parametrize(
    ("away", "expected"),
    [(None, []), (MINUTE / 2, []), (MINUTE, ["stationOffline"])],
)
def test_a_station_is_offline_after_a_while_and_only_if_it_was_ever_there(away, expected):
    assert kinds(station(online=False, away=away)) == expected


@pytest.mark.parametrize(
    ("status", "minutes_ago", "expected"),
    [
        ("Charging", 5, 7000),
        ("Faulted", 5, 7000),  # it may draw all the same, and then somebody has to see it
        ("Available", 5, None),
        ("Reserved", 5, None),
        ("Available", 90, 7000),  # said before it began
    ],
)
def test_what_a_free_connector_drew_last_is_not_what_it_draws_now(status, minutes_ago, expected):
    assert power_now(session(), connector(status, minutes_ago)) == expected


def test_a_charger_that_takes_no_limits_is_told_of_once():
    refused = LimitTrouble(
        identity="CP1", site_id="S1", connector_id=1, transaction_id=7, status="Rejected",
        wanted_w=4000, since=NOW,
    )  # fmt: skip
    warnings = [f"charger {name} does not take limits (Rejected): it counts for 22 kW"
                for name in ("CP1", "CP11")]  # fmt: skip
    items = found(NOW, [], [site(*warnings)], Troubles(limits=(refused,)))
    assert [(item.kind, item.station) for item in items] == [
        ("limitNotObeyed", "CP1"),
        ("siteWarning", None),
    ]
    assert "CP11" in items[1].text


def test_a_station_that_goes_with_a_session_is_worse():
    (alone,) = found(NOW, [station(online=False, away=MINUTE)], [], Troubles())
    (busy,) = found(NOW, [station(online=False, away=MINUTE, sessions=[session()])], [], Troubles())
    assert (alone.severity, busy.severity) == ("warning", "critical")
    assert busy.text == "Gate is offline with 1 session running."


@pytest.mark.parametrize(
    ("status", "minutes_ago", "age", "expected"),
    [
        ("Charging", 5, 60, None),
        ("SuspendedEV", 5, 60, None),
        ("Finishing", 5, 60, None),
        ("Available", 5, 60, "Session 7 at Gate is open, but its connector is Available."),
        ("Available", 1, 60, None),  # its stop may be on the way
        ("Available", 90, 60, None),  # said before it began
        ("Preparing", 5, 60, "Session 7 at Gate is open, but its connector is Preparing."),
        ("Charging", 5, 60 * 24 * 3, "Session 7 at Gate is open, but it has run for 3 days."),
        (None, 5, 60, None),
    ],
)
def test_a_session_that_seems_to_have_ended(status, minutes_ago, age, expected):
    running = session(start_received_at=NOW - age * MINUTE)
    row = connector(status, minutes_ago) if status else ConnectorRow(connector_id=1)
    items = found(NOW, [station(row, sessions=[running])], [], Troubles())
    assert [item.text for item in items if item.kind == "sessionStuck"] == (
        [] if expected is None else [expected]
    )


def test_a_session_of_a_station_that_is_long_gone():
    gone = station(connector("Charging"), online=False, away=61 * MINUTE, sessions=[session()])
    assert kinds(gone) == ["stationOffline", "sessionStuck"]


def test_a_fault_in_words():
    (item,) = found(
        NOW,
        [
            station(
                connector("Faulted", error_code="OtherError", vendor_error_code="E7", info="door")
            )
        ],
        [],
        Troubles(),
    )
    assert (item.text, item.detail) == (
        "Connector 1 of Gate is faulted.", "error OtherError, code E7, door",
    )  # fmt: skip
    whole = replace(connector("Faulted", error_code="NoError"), connector_id=0)
    (item,) = found(NOW, [station(whole)], [], Troubles())
    assert (item.text, item.detail) == ("Gate is faulted.", None)


def test_warnings_of_sites_keep_their_beginning():
    (item,) = found(NOW, [], [site("the meter is silent")], Troubles())
    assert (item.kind, item.text, item.since) == ("siteWarning", "Depot: The meter is silent.", NOW)


def test_the_most_severe_comes_first_then_the_oldest():
    troubles = Troubles(
        limits=(
            LimitTrouble(
                identity="CP1", site_id=None, connector_id=1, transaction_id=7,
                status="Rejected", wanted_w=None, since=NOW,
            ),
        ),
        certificates=(
            EndingCertificateRow(identity="A", serial_number="1", not_after=NOW - MINUTE),
            EndingCertificateRow(identity="B", serial_number="2", not_after=NOW + MINUTE),
        ),
        refused=(
            RefusedRow(
                identity="X", known=False, count=1, first_at=NOW - 9 * MINUTE, at=NOW, status=404,
                reason=None, address="10.0.0.9",
            ),
        ),
    )  # fmt: skip
    items = found(NOW, [station(connector("Faulted", 30))], [], troubles)
    assert [(item.severity, item.kind) for item in items] == [
        ("critical", "stationFaulted"),
        ("critical", "certificateEndsSoon"),
        ("warning", "certificateEndsSoon"),
        ("warning", "limitNotObeyed"),
        ("info", "refusedConnection"),
    ]
    assert items[1].text == "The certificate of A has ended on 2026-11-21."
    assert items[3].text == "Connector 1 of CP1 does not take its limit: Rejected."
    assert items[4].text == "X from 10.0.0.9 was refused 1 time: status 404."


def test_the_day_in_numbers():
    numbers = Numbers([site(power_w=9000, active_sessions=2)], lambda session: session.power_w or 0)
    numbers.add_active([session(1), session(2, site_id=None, power_w=3000, currency="CHF")])
    numbers.add_active([session(3, site_id="gone", power_w=None)])
    numbers.add_active([session(4, site_id=None, identity="REPLAY-CP1")])  # counted as it happened
    numbers.add_completed(
        [
            CompletedToday(
                site_id="S1", currency="EUR", sessions=2, energy_wh=20_000, revenue=Decimal(6)
            ),
            CompletedToday(
                site_id=None, currency="EUR", sessions=1, energy_wh=1000, revenue=Decimal(1)
            ),
        ]
    )
    everything, depot = numbers.totals()
    assert (everything.id, depot.id) == ("all", "S1")
    assert (everything.power_w, depot.power_w) == (12_000, 9000)
    assert (everything.active_sessions, depot.active_sessions) == (4, 2)
    assert (everything.sessions, depot.sessions) == (6, 3)
    assert (everything.energy_wh, depot.energy_wh) == (36_000, 25_000)
    assert everything.revenues == {"EUR": Decimal(10), "CHF": Decimal("1.5")}
    assert depot.revenues == {"EUR": Decimal("7.5")}
