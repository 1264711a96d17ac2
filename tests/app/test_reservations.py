"""Reservations over the whole system (OCPP 1.6 5.11-5.13; N01, N13, M14, M35)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from tests.app.bench import system
from tests.app.station import call, plugged
from tests.waiting import wait_until


def later(seconds=3600):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def reserve(number=7, connector=1, tag="TAG", **more):
    return {
        "connectorId": connector,
        "expiryDate": later(),
        "idTag": tag,
        "reservationId": number,
        **more,
    }


def start(tag="TAG", connector=1, **more):
    return {
        "connectorId": connector,
        "idTag": tag,
        "meterStart": 0,
        "timestamp": datetime.now(UTC).isoformat(),
        **more,
    }


async def one(s, number=7, query=""):
    return await s.ask("GET", f"/api/reservations/{number}{query}")


async def refusal(s, method, path, body=None):
    url = f"http://127.0.0.1:{s.running.http_port}{path}"
    async with s.client.request(method, url, json=body) as answer:
        return answer.status, (await answer.json())["code"]


@pytest.fixture
async def s(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.add("A")
        for tag, parent in (("TAG", None), ("KIN1", "FAMILY"), ("KIN2", "family")):
            await s.ask(
                "POST",
                "/api/id-tags",
                {"idTag": tag, **({"parentIdTag": parent} if parent else {})},
            )
        yield s


async def test_it_is_made_used_by_its_tag_and_linked_to_the_session(s):
    async with plugged(s) as station:
        body = {"stationId": "A", "connectorId": 1, "idTag": "TAG", "expiresAt": later()}
        made = await s.ask("POST", "/api/reservations", body)
        assert (made["status"], made["confirmed"], made["sessionId"]) == ("active", True, None)
        number = made["reservationId"]
        (_, sent) = station.got[-1]
        assert (sent["reservationId"], sent["idTag"]) == (number, "TAG")
        answer = await station.say("StartTransaction", start(reservationId=number))
        used = await one(s, number)
        assert (used["status"], used["sessionId"]) == ("used", str(answer["transactionId"]))
        assert await refusal(s, "DELETE", f"/api/reservations/{number}") == (409, "not_active")
        session = await s.ask("GET", f"/api/sessions/{used['sessionId']}")
        assert "reservationUnknown" not in session["flags"]


async def test_a_group_may_use_it_and_strangers_may_not(s):
    async with plugged(s) as station:
        body = {"stationId": "A", "connectorId": 2, "idTag": "KIN1", "expiresAt": later()}
        made = await s.ask("POST", "/api/reservations", body)
        assert station.got[-1][1]["parentIdTag"] == "FAMILY"  # N13
        number = made["reservationId"]
        foreign = await station.say("StartTransaction", start(reservationId=number))
        assert (await one(s, number))["status"] == "active"
        await flagged(s, foreign["transactionId"])
        own = await station.say("StartTransaction", start("KIN2", 2))  # says no id
        used = await one(s, number)
        assert (used["status"], used["sessionId"]) == ("used", str(own["transactionId"]))


async def flagged(s, transaction):
    async def there():
        session = await s.ask("GET", f"/api/sessions/{transaction}")
        return "reservationUnknown" in session["flags"]

    await wait_until(there)


async def test_unknown_ids_are_flagged_and_no_id_is_not(s):
    async with plugged(s) as station:
        unknown = await station.say("StartTransaction", start(reservationId=99))
        assert unknown["idTagInfo"]["status"] == "Accepted"
        await flagged(s, unknown["transactionId"])
        none = await station.say("StartTransaction", start(connector=2, reservationId=0))
        await s.ask("GET", "/api/reservations")
        session = await s.ask("GET", f"/api/sessions/{none['transactionId']}")
        assert "reservationUnknown" not in session["flags"]


@pytest.mark.parametrize("status", ["Faulted", "Occupied", "Rejected", "Unavailable"])
async def test_what_the_station_refuses_is_not_active(s, status):
    async with plugged(s) as station:
        station.replies["ReserveNow"] = {"status": status}
        await call(s, "ReserveNow", reserve())
        assert (await one(s))["status"] == "refused"
        assert (await s.ask("GET", "/api/reservations?status=active"))["items"] == []


async def test_cancelled_dropped_replaced_and_changed(s):
    async with plugged(s) as station:
        await call(s, "ReserveNow", reserve())
        await call(s, "CancelReservation", {"reservationId": 7})
        assert (await one(s))["status"] == "cancelled"

        await call(s, "ReserveNow", reserve())
        await call(s, "ReserveNow", reserve(connector=2))
        found = (await s.ask("GET", "/api/reservations?stationId=A"))["items"]
        assert [(r["connectorId"], r["status"]) for r in found] == [
            (2, "active"),
            (1, "cancelled"),
            (1, "cancelled"),
        ]
        changed = await s.ask("PATCH", "/api/reservations/7", {"connectorId": 1})
        assert (changed["connectorId"], changed["status"]) == (1, "active")

        station.replies["CancelReservation"] = {"status": "Rejected"}
        assert (await s.ask("DELETE", "/api/reservations/7"))["status"] == "dropped"  # N01


@pytest.mark.parametrize(("connector", "status"), [(1, "Faulted"), (0, "Unavailable")])
async def test_a_connector_that_fails_drops_it(s, connector, status):
    async with plugged(s) as station:
        await call(s, "ReserveNow", reserve())
        report = {"connectorId": 2, "status": "Faulted", "errorCode": "OtherError"}
        await station.say("StatusNotification", report)
        assert (await one(s))["status"] == "active"
        await station.say(
            "StatusNotification", {**report, "connectorId": connector, "status": status}
        )
        after = {**report, "connectorId": connector, "status": "Available"}
        await station.say("StatusNotification", {**after, "errorCode": "NoError"})
        assert (await one(s))["status"] == "dropped"


async def test_it_expires_but_an_offline_start_was_in_time(s):
    async with plugged(s) as station:
        began = datetime.now(UTC).isoformat()
        await call(s, "ReserveNow", reserve(expiryDate=later(1)))

        async def expired():
            return (await one(s))["status"] == "expired"

        await wait_until(expired)
        late = await station.say("StartTransaction", start(reservationId=7, timestamp=later(30)))
        assert (await one(s))["status"] == "expired"
        await flagged(s, late["transactionId"])
        answer = await station.say("StartTransaction", start(reservationId=7, timestamp=began))
        used = await one(s)
        assert (used["status"], used["sessionId"]) == ("used", str(answer["transactionId"]))


async def test_offline_nothing_is_reserved(s):
    assert await refusal(
        s,
        "POST",
        "/api/reservations",
        {"stationId": "A", "idTag": "TAG", "expiresAt": later()},
    ) == (409, "station_offline")
    assert (await s.ask("GET", "/api/reservations"))["items"] == []
    assert await refusal(s, "GET", "/api/reservations/1") == (404, "reservation_not_found")


async def test_one_id_on_two_stations_needs_the_station(s):
    await s.add("B")
    async with plugged(s), plugged(s, "B"):
        for identity in ("A", "B"):
            await call(s, "ReserveNow", reserve(), identity)
        assert await refusal(s, "GET", "/api/reservations/7") == (409, "several_stations")
        await s.ask("DELETE", "/api/reservations/7?stationId=B")
        assert (await one(s))["stationId"] == "A"


async def test_a_lost_answer_leaves_it_unconfirmed(s):
    async with plugged(s) as station:
        station.replies["ReserveNow"] = {"status": "Maybe"}
        code = await refusal(s, "POST", "/api/stations/A/calls/ReserveNow", reserve())
        assert code == (502, "invalid_response")
        found = await one(s)
        assert (found["status"], found["confirmed"]) == ("active", False)


async def test_viewers_only_look(s):
    key = await s.ask("POST", "/api/api-keys", {"name": "v", "role": "viewer"})
    url = f"http://127.0.0.1:{s.running.http_port}/api/reservations"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key['token']}"}) as viewer:
        async with viewer.get(url) as answer:
            assert answer.status == 200
        async with viewer.delete(f"{url}/1") as answer:
            assert answer.status == 403


async def test_another_stations_transaction_is_a_security_event(s):
    await s.add("B")
    async with plugged(s) as a, plugged(s, "B") as b:
        number = (await a.say("StartTransaction", start()))["transactionId"]
        stop = {"transactionId": number, "meterStop": 5, "timestamp": later(0)}
        assert await b.say("StopTransaction", stop) == {}

        async def told():
            return (await s.ask("GET", "/api/stations/B/security-events"))["items"]

        (event,) = await wait_until(told)
        assert (event["type"], event["source"]) == ("ForeignTransactionId", "server")
        assert event["techInfo"] == f"transactionId {number}"
        assert (await s.ask("GET", "/api/stations/A/security-events"))["items"] == []
