"""The control panel over HTTP."""

import json

import aiohttp
import pytest

from simulator.control import Panel
from simulator.serving import listening
from simulator.supply import Supply
from simulator.vehicle import Vehicle


@pytest.fixture
async def panel(make):
    async with make(connectors=2) as station:
        await station.until_registered()
        routes = Panel(lambda: [station], station.clock).routes()
        async with (
            listening(routes, "127.0.0.1", 0) as port,
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
        ):
            yield station, http


async def post(http, path: str, **body) -> tuple[int, dict]:
    async with http.post(f"/api/stations/CP1{path}", json=body) as answer:
        return answer.status, await answer.json()


async def test_plug_tag_soc_and_unplug(panel, central):
    station, http = panel
    status, shown = await post(http, "/connectors/1/plug", batteryKwh=50, socPercent=30)
    assert (status, shown["connectors"][0]["status"]) == (200, "Preparing")
    assert shown["connectors"][0]["socPercent"] == 30
    assert (await post(http, "/connectors/1/plug"))[0] == 409
    assert (await post(http, "/connectors/1/tag", idTag="BAD"))[0] == 409
    assert (await post(http, "/connectors/1/tag", idTag="TAG"))[0] == 200
    await station.wait_for(lambda state: state.connectors[1].status == "Charging")
    _, shown = await post(http, "/connectors/1/soc", socPercent=99.99)
    assert shown["connectors"][0]["socPercent"] == pytest.approx(100, abs=0.1)
    status, shown = await post(http, "/connectors/1/unplug")
    assert (status, shown["connectors"][0]["vehicle"]) == (200, False)
    assert (await post(http, "/connectors/1/unplug"))[0] == 409
    assert (await post(http, "/connectors/1/soc", socPercent=5))[0] == 409
    await central.until_calls("StopTransaction")


async def test_physics_are_shown(make):
    supply = Supply(sag_v=12.0, efficiency=0.9, standby_w=5)
    async with make(supply=supply) as station:
        station.plug(1, Vehicle(onboard_a=16, battery_c=21.26))
        await station.until_registered()
        await station.present_tag(1, "T")
        await station.wait_for(lambda state: state.connectors[1].status == "Charging")
        routes = Panel(lambda: [station], station.clock).routes()
        async with (
            listening(routes, "127.0.0.1", 0) as port,
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
            http.get("/api/stations/CP1") as answer,
        ):
            (shown,) = (await answer.json())["connectors"]
        assert (shown["voltageV"], shown["powerW"], shown["gridW"]) == (224, 10_752, 11_952)
        assert shown["batteryC"] == 21.3
        station.unplug(1)


async def test_network_cable_error_and_reset(panel, central):
    station, http = panel
    _, shown = await post(http, "/network", online=False)
    assert shown["network"] is False
    await station.wait_for(lambda state: not state.is_connected)
    await post(http, "/network", online=True)
    await station.wait_for(lambda state: state.is_registered)
    _, shown = await post(http, "/connectors/2/error", errorCode="GroundFailure")
    assert shown["connectors"][1]["status"] == "Faulted"
    await central.until(lambda: central.statuses(2)[-1] == "Faulted")
    boots = len(central.of("BootNotification"))
    assert (await post(http, "/reset", type="Hard"))[0] == 200
    await central.until_calls("BootNotification", boots + 1)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/connectors/1/plug", {"socPercent": 101}),
        ("/connectors/1/plug", {"socPercent": True}),
        ("/connectors/1/plug", {"colour": "red"}),
        ("/connectors/1/tag", {}),
        ("/connectors/1/error", {"errorCode": "Nope"}),
        ("/network", {"online": "yes"}),
        ("/reset", {"type": "soft"}),
    ],
)
async def test_bad_requests(panel, path, body):
    status, problem = await post(panel[1], path, **body)
    assert status == 400
    assert problem["code"]


async def test_unknown_places(panel):
    _, http = panel
    for path in ("/connectors/3/plug", "/connectors/x/plug", "/connectors/²/plug"):
        assert (await post(http, path))[0] == 404
    async with http.get("/api/stations/NONE") as answer:
        assert (answer.status, (await answer.json())["code"]) == (404, "unknown_station")


async def test_the_whole_charge_point(panel, central):
    """One reader, a fault of all, the power, the housing."""
    _, http = panel
    await post(http, "/connectors/2/plug")
    assert (await post(http, "/tag", idTag="BAD"))[0] == 409
    assert (await post(http, "/tag", idTag="TAG"))[0] == 200
    (start,) = await central.until_calls("StartTransaction")
    assert start["connectorId"] == 2
    _, shown = await post(http, "/error", errorCode="InternalError")
    assert [one["status"] for one in shown["connectors"]] == ["Faulted", "Faulted"]
    await central.until(lambda: central.statuses(0)[-1:] == ["Faulted"])
    assert (await post(http, "/reset", type="PowerLoss"))[0] == 200
    (stop,) = await central.until_calls("StopTransaction")
    assert stop["reason"] == "PowerLoss"
    _, shown = await post(http, "/tamper")
    assert (shown["securityProfile"], shown["firmwareVersion"]) == (0, "1.0.0")
    (told,) = await central.until_calls("SecurityEventNotification")
    assert told["type"] == "TamperDetectionActivated"


async def test_live_tells_everything_and_then_changes(panel):
    station, http = panel
    async with http.get("/api/live") as stream:
        assert await _event(stream) == ("stations", ["CP1"])
        station.set_error(1, "OtherError")
        assert await _event(stream) == ("changes", ["CP1"])
    async with http.get("/api/stations", params={"q": "none"}) as answer:
        assert (await answer.json())["total"] == 0


async def _event(stream) -> tuple[str, list[str]]:
    name = (await stream.content.readline()).decode().removeprefix("event: ").strip()
    data = json.loads((await stream.content.readline()).decode().removeprefix("data: "))
    await stream.content.readline()
    return name, [item["identity"] for item in data["items"]]


async def test_page_is_whole_and_asks_nobody_else(panel):
    _, http = panel
    for path in ("/ui", "/ui/panel.js", "/ui/panel.css"):
        async with http.get(path) as answer:
            assert answer.status == 200
            assert "connect-src 'self'" in answer.headers["Content-Security-Policy"]
            assert "http://" not in await answer.text()
