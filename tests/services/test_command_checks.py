"""What is refused, warned of and made of calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from csms.domain.charge_points import Registration
from csms.services import command_checks
from csms.services.records import Connector, Session, Station

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATION = Station(
    key=7,
    identity="CP1",
    name="CP1",
    location=None,
    site_id=None,
    circuit_id=None,
    registration=Registration.ACCEPTED,
    current_type="AC",
    phases=3,
    voltage_v=230,
    max_power_w=None,
    connector_count=2,
    connector_type=None,
    security_profile=1,
    has_password=True,
    serial_number=None,
    strict=False,
    quiet=True,
    vendor=None,
    model=None,
    charge_point_serial_number=None,
    charge_box_serial_number=None,
    firmware_version=None,
    iccid=None,
    imsi=None,
    meter_type=None,
    meter_serial_number=None,
    booted_at=None,
    connected_at=None,
    disconnected_at=None,
    last_seen_at=None,
    created_at=NOW,
    connectors=(Connector(connector_id=1), Connector(connector_id=2)),
)
SESSION = Session(
    transaction_id=42,
    charge_point=7,
    identity="CP1",
    site_id=None,
    connector_id=1,
    id_tag="T",
    vehicle_id=None,
    active=True,
    started_at=NOW,
    start_received_at=NOW,
    stopped_at=None,
    meter_start_wh=0,
    meter_stop_wh=None,
    register_wh=None,
    power_w=None,
    soc_percent=None,
    limit_w=None,
    current_type="AC",
    phases=3,
    voltage_v=230,
    stop_reason=None,
    findings=(),
    price_per_kwh=Decimal("0.3"),
    currency="EUR",
    cost=None,
)


def warned(action, payload, session=None):
    return command_checks.warnings(STATION, action, payload, session, NOW)


def profile(connector=1, schedule=None, **changes):
    body = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "startSchedule": "2026-03-01T12:00:00Z",
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.1}],
            **(schedule or {}),
        },
        **changes,
    }
    return {"connectorId": connector, "csChargingProfiles": body}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((status, "accepted") for status in ("Accepted", "Unlocked", "Scheduled")),
        *((status, "accepted") for status in ("RebootRequired", "AcceptedCanceled")),
        *(
            (status, "rejected")
            for status in ("Rejected", "UnlockFailed", "NotSupported", "Unknown")
        ),
        *((status, "rejected") for status in ("Failed", "VersionMismatch", "NotFound", "Occupied")),
    ],
)
def test_outcomes(status, outcome):
    assert command_checks.outcome({"status": status}) == (outcome, status)


def test_security_profiles_rise_only():
    def refused(value):
        payload = {"key": "SecurityProfile", "value": value}
        return command_checks.refusal(STATION, "ChangeConfiguration", payload) is not None

    assert [refused(value) for value in ("0", "1", "2", "3", "", "two", "1.5")] == [
        *(True, True, False, False),
        *(True, True, True),
    ]


def test_rejected_stations_get_nothing():
    station = replace(STATION, registration=Registration.REJECTED)
    assert command_checks.refusal(station, "GetConfiguration", {}) is not None
    assert command_checks.refusal(STATION, "GetConfiguration", {}) is None


def test_sound_calls_have_no_warnings():
    assert warned("SetChargingProfile", profile()) == []
    assert warned("ChangeConfiguration", {"key": "authorizationKey", "value": "0A" * 16}) == []
    assert warned("RemoteStopTransaction", {"transactionId": 42}, SESSION) == []
    assert warned("ChangeAvailability", {"connectorId": 0, "type": "Operative"}) == []
    assert warned("ReserveNow", {"connectorId": 0, "expiryDate": "2027-01-01T00:00:00Z"}) == []
    assert warned("SendLocalList", {"listVersion": 1, "updateType": "Full"}) == []
    relative = profile(chargingProfileKind="Relative")
    del relative["csChargingProfiles"]["chargingSchedule"]["startSchedule"]
    assert warned("SetChargingProfile", relative) == []


@pytest.mark.parametrize(
    ("action", "payload", "session", "about"),
    [
        ("UnlockConnector", {"connectorId": 3}, None, "connector 3"),
        ("UnlockConnector", {"connectorId": 0}, None, "connectorId 0"),
        ("UnlockConnector", {"connectorId": -1}, None, "negative"),
        ("RemoteStopTransaction", {"transactionId": 42}, None, "no transaction 42"),
        (
            "RemoteStopTransaction",
            {"transactionId": 42},
            replace(SESSION, active=False),
            "has ended",
        ),
        (
            "RemoteStopTransaction",
            {"transactionId": 42},
            replace(SESSION, charge_point=8),
            "another station",
        ),
        (
            "SetChargingProfile",
            profile(chargingProfilePurpose="ChargePointMaxProfile"),
            None,
            "connector 0 only",
        ),
        (
            "SetChargingProfile",
            profile(chargingProfilePurpose="TxProfile"),
            None,
            "needs the transactionId",
        ),
        (
            "SetChargingProfile",
            profile(0, chargingProfilePurpose="TxProfile", transactionId=42),
            SESSION,
            "greater than 0",
        ),
        ("SetChargingProfile", profile(transactionId=42), SESSION, "takes no transactionId"),
        ("SetChargingProfile", profile(recurrencyKind="Daily"), None, "recurrencyKind"),
        ("SetChargingProfile", profile(chargingProfileKind="Recurring"), None, "recurrencyKind"),
        (
            "SetChargingProfile",
            profile(chargingProfileKind="Relative"),
            None,
            "no startSchedule",
        ),
        (
            "SetChargingProfile",
            profile(schedule={"chargingSchedulePeriod": [{"startPeriod": 5, "limit": 6}]}),
            None,
            "not 0",
        ),
        (
            "SetChargingProfile",
            profile(
                schedule={
                    "chargingSchedulePeriod": [
                        {"startPeriod": 0, "limit": 6},
                        {"startPeriod": 0, "limit": 6},
                    ]
                }
            ),
            None,
            "does not rise",
        ),
        (
            "SetChargingProfile",
            profile(schedule={"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.25}]}),
            None,
            "one decimal",
        ),
        (
            "SetChargingProfile",
            profile(schedule={"chargingSchedulePeriod": []}),
            None,
            "no periods",
        ),
        ("ChangeConfiguration", {"key": "AuthorizationKey", "value": "0"}, None, "hex digits"),
        ("SendLocalList", {"listVersion": 0, "updateType": "Full"}, None, "listVersion"),
        (
            "SendLocalList",
            {
                "listVersion": 1,
                "updateType": "Full",
                "localAuthorizationList": [{"idTag": "a"}, {"idTag": "A"}],
            },
            None,
            "more than once",
        ),
        (
            "ReserveNow",
            {"connectorId": 1, "expiryDate": "2026-03-01T11:59:59Z"},
            None,
            "past",
        ),
        (
            "RemoteStartTransaction",
            {"idTag": "T", "chargingProfile": profile()["csChargingProfiles"]},
            None,
            "TxProfile only",
        ),
    ],
)
def test_what_looks_wrong_is_told(action, payload, session, about):
    assert any(about in text for text in warned(action, payload, session)), warned(
        action, payload, session
    )


def test_only_pem_texts_change():
    payload = {"a": ["-----BEGIN CERTIFICATE-----\r\nx\r-----END CERTIFICATE-----\r\n"], "b": "\r"}
    assert command_checks.with_unix_line_ends(payload) == {
        "a": ["-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"],
        "b": "\r",
    }
