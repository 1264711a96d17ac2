"""Local lists over the whole system: desired, sent, followed (N10, N15; TC_042_2, TC_043)."""

from __future__ import annotations

import pytest

from tests.app.bench import system
from tests.app.station import call, plugged
from tests.waiting import wait_until

ONE = "/api/stations/A/local-list"


@pytest.fixture
async def s(database_url, tmp_path):
    async with system(database_url, tmp_path, quiet=False) as s:
        await s.add("A")
        yield s


def tags(*names):
    return {"entries": [{"idTag": name} for name in names]}


def lists(station):
    return [payload for action, payload in station.got if action == "SendLocalList"]


async def until(s, state):
    async def so():
        found = await s.ask("GET", ONE)
        return found if found["state"] == state else None

    return await wait_until(so)


async def test_the_desired_list_is_sent_full_and_then_by_differences(s):
    nothing = {"installedVersion": None, "desiredVersion": None, "state": "unknown", "entries": []}
    assert await s.ask("GET", ONE) == nothing
    put = await s.ask(
        "PUT",
        ONE,
        {
            "entries": [
                {"idTag": "A", "expiresAt": "2030-01-01T00:00:00Z", "parentIdTag": "P"},
                {"idTag": "B", "status": "Blocked"},
                {"idTag": "C"},
            ]
        },
    )
    assert (put["state"], put["desiredVersion"], put["installedVersion"]) == ("pending", 1, None)
    async with plugged(s) as station:
        installed = await until(s, "installed")
        assert installed["installedVersion"] == 1
        assert installed["entries"][0] == {
            "idTag": "A",
            "status": "Accepted",
            "expiresAt": "2030-01-01T00:00:00Z",
            "parentIdTag": "P",
        }
        (full,) = lists(station)
        assert (full["updateType"], len(full["localAuthorizationList"])) == ("Full", 3)
        await s.ask("PUT", ONE, tags("B", "C", "a"))
        await until(s, "installed")
        await s.ask("PUT", ONE, tags("B", "C"))
        await until(s, "installed")
        last = lists(station)[-1]
        assert last["updateType"] == "Differential"
        assert last["localAuthorizationList"] == [{"idTag": "a"}]


@pytest.mark.parametrize("refusal", ["Failed", "VersionMismatch"])
async def test_a_refused_difference_is_followed_by_the_full_list(s, refusal):
    async with plugged(s) as station:
        await s.ask("PUT", ONE, tags("A", "B", "C"))
        await until(s, "installed")
        station.choose = lambda action, payload: {
            "status": refusal if payload.get("updateType") == "Differential" else "Accepted"
        }
        await s.ask("PUT", ONE, tags("A", "B"))
        await until(s, "installed")
        kinds = [payload["updateType"] for payload in lists(station)]
        assert kinds == ["Full", "Differential", "Full"]


@pytest.mark.parametrize(
    ("status", "state"), [("NotSupported", "notSupported"), ("Failed", "failed")]
)
async def test_a_refused_list_is_not_sent_again_until_it_changes(s, status, state):
    async with plugged(s) as station:
        station.replies["SendLocalList"] = {"status": status}
        await s.ask("PUT", ONE, tags("A"))
        assert (await until(s, state))["installedVersion"] is None
        station.replies["SendLocalList"] = {"status": "Accepted"}
    async with plugged(s) as station:
        await s.ask("PUT", "/api/stations/A/configuration/Odd", {"desired": "1"})
        await wait_until(lambda: station.got)
        assert lists(station) == []
        await s.ask("PUT", ONE, tags("A"))
        await until(s, "installed")


async def test_long_lists_go_in_parts_and_too_long_ones_are_refused(s):
    limits = {"SendLocalListMaxLength": "2", "LocalAuthListMaxLength": "5"}
    async with plugged(s) as station:
        station.replies["GetConfiguration"] = {
            "configurationKey": [
                {"key": key, "readonly": True, "value": value} for key, value in limits.items()
            ]
        }
        await call(s, "GetConfiguration", {})
        await s.ask("PUT", ONE, tags(*"ABCDE"))
        installed = await until(s, "installed")
        assert installed["installedVersion"] == 3
        sent = [(p["updateType"], p["listVersion"]) for p in lists(station)]
        assert sent == [("Full", 1), ("Differential", 2), ("Differential", 3)]
        url = f"http://127.0.0.1:{s.running.http_port}{ONE}"
        async with s.client.put(url, json=tags(*"ABCDEF")) as answer:
            assert (answer.status, (await answer.json())["code"]) == (422, "list_too_long")
        async with s.client.put(url, json=tags("A", "a")) as answer:
            assert answer.status == 422


async def test_calls_are_followed_and_a_quiet_station_gets_nothing(s):
    await s.ask("PATCH", "/api/stations/A", {"quiet": True})
    async with plugged(s) as station:
        station.replies["GetLocalListVersion"] = {"listVersion": 0}
        await call(s, "GetLocalListVersion", {})
        assert (await s.ask("GET", ONE))["installedVersion"] == 0
        entry = {"idTag": "X", "idTagInfo": {"status": "Accepted"}}
        full = {"listVersion": 4, "updateType": "Full", "localAuthorizationList": [entry]}
        await call(s, "SendLocalList", full)
        found = await s.ask("GET", ONE)
        assert (found["installedVersion"], found["state"]) == (4, "installed")
        assert [each["idTag"] for each in found["entries"]] == ["X"]
        assert (await s.ask("PUT", ONE, tags("X", "Y")))["desiredVersion"] == 5
        await call(s, "ClearCache", {})
        assert lists(station) == [full]
