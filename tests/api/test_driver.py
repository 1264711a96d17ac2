"""A connector's page: what strangers see, a driver's start to stop, and what is refused."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from csms.api import problems
from csms.api.driver import TOKEN_COOKIE
from csms.errors import CallFailed
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork

TOKEN_A = "a" * 32
TOKEN_B = "b" * 32


@pytest.fixture
async def page(bench):
    """A station with two connectors, connected, whose page is open."""
    await bench.station("CP1", name="Bay <1>", connectors=2)
    await bench.online("CP1")
    await bench.ask("PATCH", "/api/stations/CP1/driver-page", {"access": "open"})
    return bench


async def ask(bench, method, path, body=None, *, token=TOKEN_A, **headers):
    """Ask as a phone does: with the driver's cookie, without the operator's token."""
    sent = {"Cookie": f"{TOKEN_COOKIE}={token}"} if token else {}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    async with bench.client.request(
        method, f"{bench.url}{path}", json=body, headers=sent, allow_redirects=False
    ) as answer:
        text = await answer.text()
        content = json.loads(text) if "json" in answer.content_type else None
        return answer.status, content, text, answer


async def state(bench, path="/c/CP1/1", **more):
    status, content, text, _ = await ask(bench, "GET", f"{path}/state", **more)
    assert status == 200, text
    return content


async def start(bench, body=None, *, status=200, path="/c/CP1/1", **more):
    answered, content, text, _ = await ask(bench, "POST", f"{path}/start", body or {}, **more)
    assert answered == status, text
    return content


async def reported(bench, connector_id=1, status="Available", error_code="NoError"):
    await bench.sql.execute(
        "INSERT INTO connectors (charge_point_id, connector_id, status, error_code)"
        " VALUES ($1, $2, $3, $4) ON CONFLICT (charge_point_id, connector_id)"
        " DO UPDATE SET status = $3, error_code = $4",
        await bench.key(),
        connector_id,
        status,
        error_code,
    )


async def begun(bench, **columns):
    """Let the transaction begin that the last RemoteStart was for."""
    payload = bench.gateway.sent[-1][2]
    row = {"id_tag": payload["idTag"], "connector_id": payload["connectorId"], **columns}
    return await bench.session(**row)


async def test_a_body_that_does_not_come_is_not_waited_for(page, monkeypatch):
    monkeypatch.setattr(problems, "BODY_S", 0.05)

    async def stalled():
        yield b'{"idTag":'
        await asyncio.Event().wait()

    headers = {"Content-Type": "application/json", "Content-Length": "30"}
    url = f"{page.url}/c/CP1/1/start"
    limit = aiohttp.ClientTimeout(total=20)
    async with page.client.post(url, data=stalled(), headers=headers, timeout=limit) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, "too_slow")


async def test_a_page_that_nobody_has_turned_on_is_not_there(bench):
    await bench.station()
    for path in ("/c/CP1/1", "/c/NOBODY/1", "/c/CP1/1/state", "/c/CP1/1/events"):
        assert (await ask(bench, "GET", path))[0] == 404, path
    assert (await ask(bench, "POST", "/c/CP1/1/start", {}))[0] == 404
    assert "No page for this charger" in (await ask(bench, "GET", "/c/CP1/1"))[2]
    assert bench.gateway.sent == []


async def test_connectors_that_do_not_exist(page):
    for path in ("/c/CP1/3", "/c/CP1/0", "/c/CP1/999", "/c/CP1/x", "/c/CP%00/1", "/c/CP1/1/odd"):
        assert (await ask(page, "GET", path))[0] == 404, path


async def test_a_station_of_which_nothing_is_known_has_one_connector(page):
    await page.station("NEW")
    await page.ask("PATCH", "/api/stations/NEW/driver-page", {"access": "open"})
    assert (await state(page, "/c/NEW/1"))["state"] == "offline"
    assert (await ask(page, "GET", "/c/NEW/2"))[0] == 404


async def test_the_first_picture_needs_no_script(page):
    await reported(page, status="Preparing")
    status, _, text, answer = await ask(page, "GET", "/c/cp1/1", token=None)
    assert status == 200
    assert "Bay &lt;1&gt;" in text
    assert "Bay <1>" not in text
    assert "Ready to start" in text
    assert 'lang="en"' in text
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert "Access-Control-Allow-Origin" not in answer.headers
    cookie = answer.cookies[TOKEN_COOKIE]
    assert len(cookie.value) >= 32
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/c/")
    again = (await ask(page, "GET", "/c/CP1/1", token=cookie.value))[3]
    assert TOKEN_COOKIE not in again.cookies


async def test_the_languages_of_the_browser_and_of_the_switch(page):
    german = await ask(page, "GET", "/c/CP1/1", Accept_Language="de-CH,de;q=0.9,en;q=0.8")
    assert 'lang="de"' in german[2]
    assert "Laden an Bay" in german[2]
    spanish = await ask(page, "GET", "/c/CP1/1?lang=es", Accept_Language="de")
    assert "Recarga en Bay" in spanish[2]
    assert spanish[3].cookies["csms_language"].value == "es"
    odd = await ask(page, "GET", "/c/CP1/1?lang=<x>", Accept_Language="xx")
    assert 'lang="en"' in odd[2]
    assert "csms_language" not in odd[3].cookies


async def test_what_a_stranger_sees(page):
    assert (await state(page))["state"] == "unknown"
    for status, seen in (
        ("Available", "free"),
        ("Preparing", "plugged"),
        ("Finishing", "finishing"),
        ("Charging", "inUse"),
        ("Reserved", "reserved"),
        ("Unavailable", "unavailable"),
        ("Faulted", "faulted"),
    ):
        await reported(page, status=status)
        assert (await state(page))["state"] == seen
    await reported(page, status="Faulted", error_code="GroundFailure")
    assert (await state(page))["fault"] == "GroundFailure"
    await reported(page, status="Faulted", error_code="MadeUpByAVendor")
    assert (await state(page))["fault"] == "OtherError"
    await reported(page)
    await reported(page, 0, status="Unavailable")
    assert (await state(page))["state"] == "unavailable"
    page.gateway.online_keys.clear()
    assert (await state(page))["state"] == "offline"


async def test_of_others_only_that_it_is_in_use(page):
    await page.session(id_tag="SECRET-TAG", register_wh=9000, power_w=7000)
    seen = await state(page, token=TOKEN_B)
    assert (seen["state"], seen["mine"]) == ("inUse", None)
    text = json.dumps(seen)
    assert "SECRET-TAG" not in text
    assert "7.0" not in text


async def test_start_watch_and_stop(page):
    await reported(page, status="Preparing")
    mine = (await start(page))["mine"]
    assert (mine["phase"], mine["session"]) == ("starting", None)
    key, action, payload, _ = page.gateway.sent[0]
    assert (action, payload["connectorId"]) == ("RemoteStartTransaction", 1)
    tag = await page.get(f"/api/id-tags/{payload['idTag']}")
    assert (tag["status"], tag["maxActiveSessions"]) == ("Accepted", 1)
    assert tag["expiresAt"] is not None
    assert (await state(page, token=TOKEN_B))["state"] == "inUse"
    assert (await start(page, status=409, token=TOKEN_B))["code"] == "in_use"
    assert (await start(page, status=409))["code"] == "in_use"

    number = await begun(page, register_wh=3000, power_w=7000, soc_percent=50)
    await reported(page, status="Charging")
    seen = await state(page)
    assert seen["mine"]["phase"] == "charging"
    session = seen["mine"]["session"]
    assert (session["energyKwh"], session["powerKw"], session["cost"]) == (2.0, 7.0, 0.6)
    assert (session["socPercent"], session["reference"]) == (50.0, str(number))
    assert payload["idTag"] not in json.dumps(seen)
    assert (await state(page, token=TOKEN_B))["mine"] is None

    stranger = await ask(page, "POST", "/c/CP1/1/stop", {}, token=TOKEN_B)
    assert (stranger[0], stranger[1]["code"]) == (404, "no_session")
    assert (await ask(page, "POST", "/c/CP1/1/stop", {}, token=None))[0] == 404
    stopping = await ask(page, "POST", "/c/CP1/1/stop", {})
    assert (stopping[0], stopping[1]["mine"]["phase"]) == (200, "stopping")
    assert page.gateway.sent[-1][1:3] == ("RemoteStopTransaction", {"transactionId": number})
    await page.stop(number, stop_reason="Remote")
    over = await state(page)
    assert over["mine"]["phase"] == "done"
    assert over["mine"]["session"]["energyKwh"] == 10.0
    assert over["say"] == ["done", "reason.Remote"]
    assert (await state(page, token=TOKEN_B))["mine"] is None
    assert key == await page.key()


async def test_what_the_charger_refuses_is_said(page):
    page.gateway.answers["RemoteStartTransaction"] = {"status": "Rejected"}
    refused = (await start(page))["mine"]
    assert (refused["phase"], refused["problem"]) == ("failed", "rejected")
    page.gateway.answers["RemoteStartTransaction"] = CallFailed("call_timeout", "No answer.")
    silent = (await start(page))["mine"]
    assert (silent["phase"], silent["problem"]) == ("failed", "noAnswer")
    number = await begun(page)  # it has started all the same
    assert (await state(page))["mine"]["phase"] == "charging"
    page.gateway.answers["RemoteStopTransaction"] = {"status": "Rejected"}
    _, content, _, _ = await ask(page, "POST", "/c/CP1/1/stop", {})
    assert content["mine"]["problem"] == "stopRejected"
    assert content["say"][1] == "problem.stopRejected"
    await page.stop(number)
    assert (await ask(page, "POST", "/c/CP1/1/stop", {}))[0] == 404


async def test_another_ones_transaction_is_not_taken_for_mine(page):
    await start(page)
    await page.session(id_tag="SOMEBODY")
    mine = (await state(page))["mine"]
    assert (mine["phase"], mine["session"]) == ("starting", None)


async def test_a_start_that_nobody_plugs_in_for_ends(page):
    await start(page)
    await page.sql.execute("UPDATE driver_starts SET asked_at = asked_at - interval '4 minutes'")
    mine = (await state(page))["mine"]
    assert (mine["phase"], mine["problem"]) == ("failed", "noStart")
    await start(page, token=TOKEN_B)


async def test_own_codes(page):
    await page.ask("PATCH", "/api/stations/CP1/driver-page", {"access": "idTag"})
    assert (await start(page, status=403))["code"] == "tag_needed"
    for tag, fields in (("GOOD", {}), ("BLOCKED", {"status": "Blocked"})):
        await page.post("/api/id-tags", {"idTag": tag, **fields}, status=201)
    answers = [
        (await ask(page, "POST", "/c/CP1/1/start", {"idTag": tag}))[1]["code"]
        for tag in ("UNKNOWN", "BLOCKED")
    ]
    assert answers == ["tag_refused", "tag_refused"]
    assert page.gateway.sent == []
    assert (await start(page, {"idTag": "good"}))["mine"]["phase"] == "starting"
    assert page.gateway.sent[0][2] == {"connectorId": 1, "idTag": "good"}
    await begun(page, id_tag="GOOD")
    assert (await state(page))["mine"]["phase"] == "charging"


async def test_the_session_of_ones_own_card(page):
    await page.post("/api/id-tags", {"idTag": "CARD"}, status=201)
    number = await page.session(id_tag="card")
    assert (await start(page, status=403, body={"idTag": "OTHER"}))["code"] == "tag_refused"
    seen = await start(page, {"idTag": "CARD"})
    assert seen["mine"]["session"]["reference"] == str(number)
    assert page.gateway.sent == []
    assert (await state(page, token=TOKEN_B))["mine"] is None


async def test_wrong_codes_come_to_an_end(page):
    for number in range(5):
        assert await start(page, {"idTag": f"GUESS{number}"}, status=403)
    late = await ask(page, "POST", "/c/CP1/1/start", {"idTag": "GUESS6"})
    assert (late[0], late[1]["code"]) == (429, "too_many")
    assert int(late[3].headers["Retry-After"]) > 1
    await start(page, path="/c/CP1/2")  # who guesses nothing goes on


async def test_starts_are_limited(page):
    page.gateway.answers["RemoteStartTransaction"] = {"status": "Rejected"}
    for _ in range(10):
        await start(page)
    assert (await start(page, status=429))["code"] == "too_many"


async def test_the_cable_first_where_the_operator_says_so(page):
    await page.ask("PATCH", "/api/stations/CP1/driver-page", {"plugFirst": True})
    await reported(page)
    assert (await start(page, status=409))["code"] == "not_plugged_in"
    assert (await state(page))["blocked"] == "not_plugged_in"
    await reported(page, status="Preparing")
    await start(page)


async def test_what_keeps_from_starting(page):
    for status, code in (("Faulted", "out_of_order"), ("Reserved", "reserved")):
        await reported(page, status=status)
        assert (await start(page, status=409))["code"] == code
    await page.post("/api/id-tags", {"idTag": "HOLDER"}, status=201)
    await start(page, {"idTag": "HOLDER"})


async def test_one_session_at_a_time_without_a_card(page):
    await start(page)
    await begun(page)
    elsewhere = await state(page, "/c/CP1/2")
    assert elsewhere["elsewhere"] == {"stationId": "CP1", "connectorId": 1}
    refused = await start(page, path="/c/CP1/2", status=409)
    assert refused["code"] == "already_charging"


async def test_who_may_send_and_what(page):
    assert (await start(page, status=403, token=None))["code"] == "cookie_needed"
    foreign = await ask(page, "POST", "/c/CP1/1/start", {}, Origin="https://evil.example")
    assert (foreign[0], foreign[1]["code"]) == (403, "wrong_origin")
    form = await page.client.post(
        f"{page.url}/c/CP1/1/start",
        data={"a": "b"},
        headers={"Cookie": f"{TOKEN_COOKIE}={TOKEN_A}"},
    )
    assert form.status == 415
    for body in ({"idTag": "x" * 21}, {"idTag": 7}, {"idTag": ""}, {"other": 1}):
        assert (await ask(page, "POST", "/c/CP1/1/start", body))[0] == 422, body
    large = await ask(page, "POST", "/c/CP1/1/start", {"idTag": "x" * 1000})
    assert (large[0], large[1]["code"]) == (400, "body_too_large")
    assert page.gateway.sent == []


async def test_two_who_start_at_once(page):
    both = await asyncio.gather(
        ask(page, "POST", "/c/CP1/1/start", {}, token=TOKEN_A),
        ask(page, "POST", "/c/CP1/1/start", {}, token=TOKEN_B),
    )
    assert sorted(status for status, *_ in both) == [200, 409]
    assert len(page.gateway.sent) == 1


async def events(answer):
    """Return the next event with its data; comments are passed over."""
    name, data = None, None
    async for line in answer.content:
        text = line.decode().rstrip("\n")
        if text.startswith("event: "):
            name = text.removeprefix("event: ")
        elif text.startswith("data: "):
            data = json.loads(text.removeprefix("data: "))
        elif not text and name is not None:
            return name, data
    raise AssertionError("the stream has ended")


def listen(bench, token=TOKEN_A):
    return bench.client.get(
        f"{bench.url}/c/CP1/1/events",
        headers={"Cookie": f"{TOKEN_COOKIE}={token}"},
        timeout=aiohttp.ClientTimeout(total=60),
    )


async def test_the_stream_tells_the_whole_state_each_time_it_changes(page):
    await reported(page)
    async with listen(page) as mine, listen(page, TOKEN_B) as other:
        assert mine.headers["Content-Type"] == "text/event-stream"
        assert (await events(mine))[1]["state"] == "free"
        assert (await events(other))[1]["state"] == "free"
        await start(page)
        assert (await events(mine))[1]["mine"]["phase"] == "starting"
        assert (await events(other))[1]["state"] == "inUse"
        await begun(page, power_w=5000)
        name, data = await events(mine)
        assert (name, data["mine"]["session"]["powerKw"]) == ("state", 5.0)
    async with listen(page) as again:  # a cut leaves nothing to mend
        assert (await events(again))[1]["mine"]["phase"] == "charging"


async def test_the_stream_tells_when_it_was_so_and_repeats_nothing(page):
    async with listen(page) as stream:
        first = (await events(stream))[1]
        assert first["at"].endswith("Z")
        await reported(page, status="Preparing")
        second = (await events(stream))[1]
        assert second["state"] == "plugged"
        assert second["at"] > first["at"]


async def test_the_stream_ends_in_words_when_the_page_goes(page):
    async with listen(page) as stream:
        await events(stream)
        await page.sql.execute("UPDATE charge_points SET deleted_at = now()")
        assert await events(stream) == ("gone", {})


async def test_time_until_full(page):
    await start(page)
    number = await begun(page, meter_start_wh=0, register_wh=6000, power_w=7200, soc_percent=30)
    now = page.clock.now()
    await page.sql.execute(
        "INSERT INTO meter_values (received_at, charge_point_id, transaction_id, connector_id,"
        " measured_at, energy_wh, soc_permille) VALUES ($1, $2, $3, 1, $1, 0, 200)",
        now,
        await page.key(),
        number,
    )
    session = (await state(page))["mine"]["session"]
    assert session["etaPercent"] == 100
    assert session["etaAt"].endswith("00Z")


async def test_old_starts_and_their_tags_go(page, database_url):
    await start(page)
    tag = page.gateway.sent[0][2]["idTag"]
    await page.sql.execute("UPDATE driver_starts SET asked_at = now() - interval '31 days'")
    database = Database(database_url)
    async with SqlUnitsOfWork(database)() as unit:
        assert await unit.driver_pages.forget(page.clock.now(), 10) == 1
    await database.close()
    assert (await page.ask("GET", f"/api/id-tags/{tag}")).status == 404
