"""The audit trail: what was given, what it was before, and what an object was called."""

from __future__ import annotations


async def newest(bench) -> dict:
    return (await bench.get("/api/audit?limit=1"))["items"][0]


async def change(bench, path, body, method="PATCH") -> dict:
    reply = await bench.ask(method, path, body)
    assert reply.status < 300, reply.json
    return (await newest(bench))["details"]


async def test_a_change_tells_what_was_before(bench):
    await bench.station("CP1", name="Bay 1", maxKw=11)
    details = await change(bench, "/api/stations/CP1", {"maxKw": 22, "name": "Bay 7"})
    assert (details["max_power_w"], details["name"]) == (22_000, "Bay 7")
    assert details["before"] == {"max_power_w": 11_000, "name": "Bay 1"}
    details = await change(bench, "/api/stations/CP1", {"password": "0123456789abcdef"})
    assert "0123" not in str(details)
    assert details["password"] == "set"

    await bench.post("/api/id-tags", {"idTag": "A", "expiresAt": "2030-01-01"}, status=201)
    details = await change(bench, "/api/id-tags/A", {"expiresAt": None, "name": "Ann"})
    assert details == {
        "expires_at": None,
        "name": "Ann",
        "before": {"expires_at": "2030-01-01T00:00:00+00:00", "name": None},
    }

    key = "/api/stations/CP1/configuration/MeterValueSampleInterval"
    await change(bench, key, {"desired": "60"}, "PUT")
    details = await change(bench, key, {"desired": None}, "PUT")
    assert (details["desired"], details["before"]) == (None, {"desired": "60"})


async def test_of_a_site_and_its_rules(bench):
    site = {"id": "s", "name": "Yard", "gridCapacityKw": 100}
    await bench.post("/api/sites", site, status=201)
    circuits = [{"id": "c", "name": "Row", "limitKw": 50}]
    details = await change(bench, "/api/sites/s", {"gridCapacityKw": 80, "circuits": circuits})
    assert (details["grid_limit_w"], details["circuits"][0]["limit_w"]) == (80_000, 50_000)
    assert details["before"]["grid_limit_w"] == 100_000
    assert details["before"]["circuits"] == []
    details = await change(bench, "/api/sites/s/rules", {"leaseS": 600})
    assert (details["lease_s"], details["before"]["lease_s"]) == (600, 900)
    made = await bench.post("/api/sites/s/limits", {"limitKw": 40, "reason": "14a"}, status=201)
    one = f"/api/sites/s/limits/{made['id']}"
    details = await change(bench, one, {"endsAt": "2040-01-01T00:00:00Z"})
    assert (details["site"], details["before"]) == ("s", {"ends_at": None})
    details = await change(bench, one, None, "DELETE")
    assert (details["limit_w"], details["reason"]) == (40_000, "14a")


async def test_what_has_only_a_number_is_told_by_its_name(bench):
    user = await bench.post("/api/users", {"name": "Ann", "role": "viewer"}, status=201)
    one = f"/api/users/{user['id']}"
    details = await change(bench, one, {"role": "operator", "password": "a long password"})
    assert details == {
        "role": "operator",
        "password": "changed",
        "before": {"role": "viewer"},
        "called": "Ann",
    }
    assert await change(bench, one, None, "DELETE") == {"called": "Ann"}
    key = await bench.post("/api/api-keys", {"name": "a script", "role": "viewer"}, status=201)
    details = await change(bench, f"/api/api-keys/{key['id']}", None, "DELETE")
    assert details == {"called": "a script"}
