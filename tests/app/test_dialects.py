"""Dialects over the whole system: calls keep the spacing and the quiet time that they name."""

from __future__ import annotations

import asyncio

import pytest

from tests.app.bench import TOKEN, system
from tests.app.station import call, plugged
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

OWN = "/api/stations/A/dialect"
BOOT = {"chargePointVendor": "Easee", "chargePointModel": "Home", "firmwareVersion": "328"}
SPACING_S = 0.2
QUIET_S = 3


@pytest.fixture
async def s(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.add("A")
        yield s


async def try_call(s, action="ClearCache"):
    url = f"http://127.0.0.1:{s.running.http_port}/api/stations/A/calls/{action}"
    async with s.client.post(url, json={}, headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
        return answer.status, await answer.json()


async def test_operators_calls_are_spaced(s):
    await s.ask("PATCH", OWN, {"callSpacingS": SPACING_S})
    now = asyncio.get_running_loop().time
    times = []
    async with plugged(s) as station:

        def note(action, payload):
            times.append(now())
            return {"status": "Accepted"}

        station.choose = note
        asked_at = now()
        await asyncio.gather(*(call(s, "ClearCache", {}) for _ in range(3)))
    assert len(times) == 3
    # counted from before the first was sent: on its way it may be late, not early
    assert times[1] - asked_at >= SPACING_S
    assert times[2] - asked_at >= 2 * SPACING_S


async def test_a_call_that_comes_too_early_is_told_so_and_not_sent(s):
    async with plugged(s) as station:
        await station.say("BootNotification", BOOT)
        assert (await try_call(s))[0] == 200
        # 30 s to wait is within the time limit of a call; 40 s are not
        await s.ask("PATCH", OWN, {"callSpacingS": 40})
        status, problem = await try_call(s)
        assert (status, problem["code"]) == (409, "too_early")
        assert "one call in 40 s" in problem["detail"]
        assert [action for action, _ in station.got] == ["ClearCache"]
        calls = (await s.ask("GET", "/api/stations/A/calls"))["items"]
        assert [each["outcome"] for each in calls] == ["too_early", "accepted"]
        await s.ask("PATCH", OWN, {"callSpacingS": 0})  # also takes the built-in 30 s back
        assert (await try_call(s))[0] == 200


async def test_it_stays_quiet_after_a_boot_and_not_after_a_mere_reconnect(s):
    await s.ask("PATCH", OWN, {"quietAfterBootS": 600})
    async with plugged(s) as station:
        await station.say("BootNotification", BOOT)
        status, problem = await try_call(s)
        assert (status, problem["code"]) == (409, "too_early")
        assert "just booted" in problem["detail"]
        await s.sql.execute("UPDATE charge_points SET booted_at = now() - interval '1 hour'")
    async with plugged(s) as station:
        # its boot may be on the way in the first seconds; then it may be called
        await s.sql.execute("UPDATE charge_points SET connected_at = now() - interval '1 minute'")
        await s.ask("PATCH", OWN, {"callSpacingS": 0})
        assert (await try_call(s))[0] == 200
        assert [action for action, _ in station.got] == ["ClearCache"]


async def test_a_new_dialect_holds_within_seconds(s):
    async with plugged(s) as station:
        await station.say("BootNotification", {**BOOT, "chargePointVendor": "Acme"})
        assert (await try_call(s))[0] == 200
        body = {"vendor": "acme", "traits": {"callSpacingS": 3000}}
        await s.ask("POST", "/api/dialects", body)

        async def told():
            return (await try_call(s))[1].get("code") == "too_early"

        await wait_until(told)


async def test_limits_wait_for_the_end_of_the_quiet_time(database_url, tmp_path, monkeypatch):
    """They are patient where an operator's call would be refused, and not a moment early."""
    # who was refused would come again by one of these
    for pause in ("POLL_S", "PROOF_POLL_S", "IDLE_POLL_S"):
        monkeypatch.setattr(f"csms.services.smart_charging.{pause}", 3600.0)
    async with system(database_url, tmp_path, call_timeout_s=0.3) as s:
        await s.ask("POST", "/api/sites", {"id": "s", "name": "s", "gridCapacityKw": 10})
        await s.add("A", siteId="s", quiet=False)
        await s.ask("PATCH", OWN, {"quietAfterBootS": QUIET_S})
        now = asyncio.get_running_loop().time
        times = []
        async with plugged(s) as station:

            def note(action, payload):
                times.append((action, now()))
                return {"status": "Accepted"}

            station.choose = note
            booted_at = now()
            await station.say("BootNotification", BOOT)
            assert (await try_call(s))[1]["code"] == "too_early"
            await wait_until(lambda: times)
        action, came_at = times[0]
        assert action == "SetChargingProfile"
        assert came_at - booted_at >= QUIET_S - 0.05  # two clocks
