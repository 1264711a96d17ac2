"""Rules for messages of a station that no certification case plays."""

from __future__ import annotations

import pytest

from tests.spec.playbook import Asks, Does, PowerCycles, Says, Sees, Stage
from tests.spec.states import (
    BOOT,
    authorizes,
    booted,
    boots,
    charging,
    starts,
    status,
    stops,
)
from tests.spec.values import Has, at, transaction

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

STATION = "/api/stations/{id}"
SESSIONS = "/api/sessions?stationId={id}"
EVENTS = "/api/stations/{id}/security-events"


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


async def test_m13_what_comes_late_out_of_a_queue_is_history_only(stage):
    def changes(answer):
        return [(each["status"], each["late"]) for each in answer["items"][:3]]

    history = "/api/stations/{id}/connectors/1/history"
    finished = status(1, "Finishing", timestamp=at(-3000))
    await stage.play(
        booted(),
        status(1, "Available", timestamp=at()),
        finished,
        Sees(STATION, Has(status="Available"), connector(1)),
        Sees(history, [Has(status="Finishing", late=True), Has(late=False)], lambda a: a["items"]),
        finished,
        status(1, "Charging", timestamp=at()),
        Sees(history, [("Charging", False), ("Finishing", True), ("Available", False)], changes),
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
