"""Rules for messages of a station that no certification case plays."""

from __future__ import annotations

import pytest
import pytest_asyncio

from tests.spec.playbook import (
    NOW,
    Asks,
    Does,
    Has,
    PowerCycles,
    Says,
    Sees,
    Stage,
    at,
    transaction,
)
from tests.spec.states import (
    BLOCKED,
    BOOT,
    CHILD,
    EXPIRED,
    GROUP,
    UNKNOWN,
    VALID,
    authorizes,
    booted,
    boots,
    charging,
    starts,
    status,
    stops,
)

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

STATION = "/api/stations/{id}"
SESSIONS = "/api/sessions?stationId={id}"
EVENTS = "/api/stations/{id}/security-events"
HEARTBEAT = Says("Heartbeat", {}, {"currentTime": NOW})


def newest(answer):
    return answer["items"][0] if answer["items"] else None


def connector(number):
    return lambda station: next(
        each for each in station["connectors"] if each["connectorId"] == number
    )


def session(tx, **more):
    return Sees(SESSIONS, Has(transactionId=tx, **more), newest)


def meter(tx, value="2000", measurand=None, **more):
    sample = {"value": value, **({} if measurand is None else {"measurand": measurand})}
    values = {"timestamp": at(), "sampledValue": [sample]}
    payload = {"connectorId": 1, "transactionId": tx, "meterValue": [values], **more}
    return Says("MeterValues", {k: v for k, v in payload.items() if v is not None}, {})


def refused_start(tx, answer, *, tag, **more):
    step = starts(tx, tag=tag, **more)
    step.confirmation = {"transactionId": tx, "idTagInfo": Has(status=answer)}
    return step


@pytest_asyncio.fixture(loop_scope="module")
async def other(csms, identity):
    """Another station."""
    name = f"other-{identity}"[:60]
    await csms.add(name, connectors=2)
    stage = Stage(csms, name)
    await stage.plug_in()
    yield stage
    await stage.close()


async def test_m05_a_boot_ends_no_transaction_and_keeps_history(stage):
    tx = transaction()
    await stage.play(
        booted(),
        charging(tx),
        boots(),
        session(tx, status="active"),
        meter(tx),
        stops(tx, "Reboot"),
        session(tx, status="completed", flags=[]),
    )


async def test_m08_the_longest_boot_is_taken(stage):
    longest = {
        "chargePointVendor": "v" * 20,
        "chargePointModel": "m" * 20,
        "chargePointSerialNumber": "s" * 25,
        "chargeBoxSerialNumber": "b" * 25,
        "firmwareVersion": "f" * 50,
        "iccid": "i" * 20,
        "imsi": "j" * 20,
        "meterType": "t" * 25,
        "meterSerialNumber": "u" * 25,
    }
    step = boots()
    step.payload = longest
    await stage.play(
        step, Sees(STATION, Has(vendor="v" * 20, firmwareVersion="f" * 50, meterType="t" * 25))
    )


async def test_m09_hostile_texts_are_kept_as_they_are(stage):
    step = boots()
    step.payload = {
        **BOOT,
        "chargePointVendor": "<b>'; --\u202e",
        "firmwareVersion": '"\\ \U0001f50c',
    }
    await stage.play(
        step, Sees(STATION, Has(vendor="<b>'; --\u202e", firmwareVersion='"\\ \U0001f50c'))
    )


@pytest.mark.parametrize("odd", ["Charging", "Reserved"])
async def test_m11_an_odd_status_of_the_whole_station_is_answered(stage, odd):
    await stage.play(booted(), status(0, odd))


async def test_m13_times_of_statuses_are_the_stations(stage):
    await stage.play(
        booted(),
        status(1, "Charging", timestamp=at(-10)),
        Sees(STATION, Has(status="Charging"), connector(1)),
        status(1, "Finishing"),
        Sees(STATION, Has(status="Finishing"), connector(1)),
    )


async def test_m15_a_status_neither_starts_nor_ends_a_session(stage):
    tx = transaction()
    await stage.play(
        booted(),
        status(2, "Charging"),
        charging(tx),
        status(1, "Available"),
        session(tx, status="active"),
        stops(tx, "Local"),
        status(1, "Charging"),
        session(tx, status="completed"),
    )


async def test_m16_errors_beside_any_status_are_shown(stage):
    more = {"info": "<i>", "vendorId": "V", "vendorErrorCode": "E\t1"}
    await stage.play(
        booted(),
        status(1, "Charging", "HighTemperature", **more),
        Sees(STATION, Has(status="Charging", errorCode="HighTemperature"), connector(1)),
        status(0, "Available", "LocalListConflict"),
    )


async def test_m21_a_tag_that_charges_elsewhere_is_accepted_by_authorize(csms, stage):
    await csms.ask("POST", "/api/id-tags", {"idTag": "ONE-ONLY", "maxActiveSessions": 1})
    tx, second = transaction(), transaction("second")
    await stage.play(
        booted(),
        charging(tx, tag="ONE-ONLY"),
        authorizes("ONE-ONLY"),
        refused_start(second, "ConcurrentTx", tag="ONE-ONLY", connector=2),
        stops(tx, "Local"),
        refused_start(transaction("third"), "Accepted", tag="one-only", connector=2, when=at(1)),
    )


async def test_m20_blocked_wins_over_expired(csms, stage):
    await csms.ask(
        "POST",
        "/api/id-tags",
        {"idTag": "BOTH", "status": "Blocked", "expiresAt": "2020-01-01T00:00:00Z"},
    )
    await stage.play(booted(), authorizes("BOTH", "Blocked"))


async def test_m22_tags_are_any_characters(csms, stage):
    for tag in (" a b ", "\u00e9#;%/", "0" * 20):
        await csms.ask("POST", "/api/id-tags", {"idTag": tag})
        await stage.play(authorizes(tag), authorizes(tag.upper()))
    await stage.play(authorizes("a b", "Invalid"), authorizes("x" * 20, "Invalid"))


async def test_m23_authorize_makes_no_tag(stage):
    await stage.play(
        authorizes("SOMEBODY-NEW", "Invalid"),
        Does("GET", "/api/id-tags/SOMEBODY-NEW", None, 404, Has(code="id_tag_not_found")),
    )


@pytest.mark.parametrize(
    ("tag", "answer"), [(UNKNOWN, "Invalid"), (BLOCKED, "Blocked"), (EXPIRED, "Expired")]
)
async def test_m30_m38_a_start_is_always_a_session(stage, tag, answer):
    tx = transaction()
    await stage.play(
        booted(),
        refused_start(tx, answer, tag=tag),
        Sees(SESSIONS, Has(transactionId=tx, status="active"), newest),
        stops(tx, "DeAuthorized"),
        session(tx, status="completed", stopReason="DeAuthorized"),
    )


async def test_m31_m45_a_stop_of_another_stations_session_changes_nothing(stage, other):
    tx = transaction()
    await other.play(booted(), charging(tx))
    await stage.play(
        booted(),
        stops(tx.value, "Local"),
        meter(tx.value, "9000"),
        Sees(EVENTS, Has(type="ForeignTransactionId", source="server"), newest),
    )
    await other.play(session(tx, status="active", energyKwh=0.0), stops(tx, "Local"))


@pytest.mark.parametrize("odd", ["1970-01-01T00:00:10Z", "2100-01-01T00:00:00Z"])
async def test_m34_odd_clocks_are_stored_and_flagged(stage, odd):
    tx = transaction()
    await stage.play(
        booted(),
        starts(tx, when=odd),
        Sees(SESSIONS, True, lambda answer: bool(newest(answer) and newest(answer)["flags"])),
        session(tx, startedAt=odd),
        stops(tx, "Local", when=odd),
    )


@pytest.mark.parametrize("number", [0, -1, 99])
async def test_m37_odd_connectors_are_sessions_without_a_bill(stage, number):
    tx = transaction()
    await stage.play(booted(), starts(tx, connector=number), stops(tx, "Local"))
    if number <= 0:
        await stage.play(session(tx, connectorId=number, cost=None))


async def test_m41_the_tag_of_a_stop_is_answered_for(stage):
    tx = transaction()
    stop = stops(tx, "Local", tag=UNKNOWN)
    stop.confirmation = {"idTagInfo": Has(status="Invalid")}
    await stage.play(
        booted(), charging(tx), stop, session(tx, status="completed", stopReason="Local")
    )


async def test_m41_the_tag_of_a_group_may_stop(csms, stage):
    tx = transaction()
    await csms.ask("POST", "/api/id-tags", {"idTag": "SIBLING", "parentIdTag": GROUP})
    stop = stops(tx, "Local", tag="SIBLING")
    stop.confirmation = {"idTagInfo": Has(status="Accepted", parentIdTag=GROUP)}
    await stage.play(booted(), charging(tx, tag=CHILD), stop, session(tx, flags=[]))


async def test_m42_another_tags_stop_is_flagged(stage):
    tx = transaction()
    stop = stops(tx, "Local", tag=CHILD)
    await stage.play(
        booted(),
        charging(tx),
        stop,
        session(tx, status="completed"),
        Sees(SESSIONS, True, lambda answer: bool(newest(answer)["flags"])),
    )


async def test_m44_transaction_minus_one_is_answered_as_if_valid(stage):
    await stage.play(
        booted(),
        meter(-1),
        stops(-1),
        stops(-1, "Local", tag=VALID),
        Sees(SESSIONS, [], lambda answer: answer["items"]),
    )


async def test_m47_a_register_that_falls_is_not_billed(stage):
    tx = transaction()
    await stage.play(
        booted(),
        charging(tx),
        stops(tx, "Local", meter=500),
        session(tx, status="completed", meterStopWh=500, cost=None),
        Sees(SESSIONS, True, lambda answer: bool(newest(answer)["flags"])),
    )


async def test_m48_transaction_data_is_kept_with_the_session(stage):
    tx = stage.slot(transaction("transaction"))
    stop = stops(tx, "Local")
    stop.payload["transactionData"] = [
        {
            "timestamp": at(-1),
            "sampledValue": [
                {"value": "1000", "context": "Transaction.Begin"},
                {"value": "6000", "context": "Transaction.End"},
            ],
        }
    ]
    await stage.play(
        booted(),
        charging(tx),
        stop,
        session(tx, energyKwh=5.0),
        Sees("/api/sessions/{transaction}/meter-values", 1, lambda answer: len(answer["items"])),
    )


async def test_m49_a_stop_may_come_hours_later_on_another_connection(stage):
    tx, when = transaction(), at(-7200)
    await stage.play(
        booted(),
        starts(tx, when=at(-10_000)),
        PowerCycles(),
        HEARTBEAT,
        stops(tx, "Local", when=when),
        session(tx, stoppedAt=when, status="completed"),
    )


async def test_m51_values_without_a_session_of_the_station_are_answered(stage):
    tx = transaction()
    await stage.play(
        booted(),
        meter(None),
        meter(0),
        meter(2**31 - 1),
        charging(tx),
        stops(tx, "Local"),
        meter(tx, "5500"),
        session(tx, meterStopWh=6000, energyKwh=5.0),
    )


@pytest.mark.parametrize("value", ["nonsense", "NaN", "1e999", "-5", "", "1,5"])
async def test_m54_values_that_are_no_numbers_are_kept_raw(stage, value):
    tx = transaction()
    await stage.play(
        booted(), charging(tx), meter(tx, value), meter(tx, value, "Power.Active.Import")
    )
    await stage.play(meter(tx, "3000"), session(tx, status="active", energyKwh=2.0))


async def test_m55_all_units_are_taken(stage):
    units = {
        "Temperature": ("Celsius", "Celcius", "Fahrenheit", "K"),
        "Energy.Reactive.Import.Register": ("varh", "kvarh"),
        "Power.Reactive.Import": ("var", "kvar"),
        "Frequency": (None,),
        "Voltage": ("V",),
    }
    samples = [
        {"value": "5", "measurand": measurand, **({} if unit is None else {"unit": unit})}
        for measurand, each in units.items()
        for unit in each
    ]
    values = {"connectorId": 1, "meterValue": [{"timestamp": at(), "sampledValue": samples}]}
    await stage.play(Says("MeterValues", values, {}))


async def test_m56_kilowatt_hours_are_watt_hours(stage):
    tx = transaction()
    sample = {"value": "3.5", "unit": "kWh", "measurand": "Energy.Active.Import.Register"}
    values = {
        "connectorId": 1,
        "transactionId": tx,
        "meterValue": [{"timestamp": at(), "sampledValue": [sample]}],
    }
    await stage.play(
        booted(), charging(tx), Says("MeterValues", values, {}), session(tx, energyKwh=2.5)
    )


async def test_m75_security_events_stand_once(stage):
    event = {"type": "Unheard-of", "timestamp": at(-3600), "techInfo": "<b>" + "x" * 252}
    say = Says("SecurityEventNotification", event, {})
    await stage.play(
        say, say, PowerCycles(), say, Sees(EVENTS, 1, lambda answer: len(answer["items"]))
    )


async def test_m80_a_request_that_is_none_is_rejected(stage):
    reject = {"status": "Rejected"}
    await stage.play(
        Says("SignCertificate", {"csr": "nonsense"}, reject),
        Says("SignCertificate", {"csr": "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"}, reject),
    )


@pytest.mark.parametrize(
    "name", ["RDAM 123", "a/b", "C\u00e9+%41", "x" * 100, "a.b~c-d_e!'()*,;=@$&"]
)
async def test_h01_identities_of_any_letters(csms, name):
    await csms.add(name, connectors=2)
    stage = Stage(csms, name)
    await stage.plug_in()
    await stage.play(
        booted(), Asks("ClearCache", {}), Sees(STATION, Has(id=name, online=True, vendor="Vendor"))
    )
    await stage.close()
    await stage.check_the_log()


async def test_payloads_keep_their_order_and_their_numbers(stage):
    period = {"limit": 6.0, "startPeriod": 0}
    plan = {"chargingSchedulePeriod": [period], "chargingRateUnit": "A", "minChargingRate": 0.1}
    profile = {
        "chargingSchedule": {"startSchedule": "2026-03-01T12:00:00.000+01:00", **plan},
        "chargingProfileKind": "Absolute",
        "chargingProfilePurpose": "TxDefaultProfile",
        "stackLevel": 0,
        "chargingProfileId": 2**31 - 1,
    }
    await stage.play(
        Asks("SetChargingProfile", {"csChargingProfiles": profile, "connectorId": 0}),
        Asks("DataTransfer", {"data": '\u00e4\U0001f50c\n\t\\"/', "vendorId": "\u20ac"}),
    )


async def test_h03_another_spelling_of_an_identity_is_the_same_station_or_none(csms, identity):
    await csms.add(identity)
    status_, answer = await Stage(csms, identity).ask(
        "POST",
        "/api/stations",
        {"identity": identity.swapcase(), "name": "twin", "maxKw": 11},
    )
    assert (status_, answer["code"]) == (409, "station_exists")


async def test_h11_the_newest_connection_wins(csms, stage):
    newcomer = Stage(csms, stage.identity)
    await newcomer.plug_in()
    await newcomer.play(booted())
    frame, _ = await stage.receive()
    assert frame == "the end of the connection, 1008"
    await newcomer.close()
    stage.said += newcomer.said
    stage.heard += newcomer.heard
