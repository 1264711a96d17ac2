"""A probe: how a station wants its limits told, found by trying."""

from __future__ import annotations

import pytest


async def test_a_probe_finds_the_way_and_keeps_it(site):
    key = await site.sql.fetchval("SELECT id FROM charge_points WHERE identity = 'A'")
    refused = await site.ask("POST", "/api/stations/A/probe")
    assert (refused.status, refused.json["code"]) == (409, "no_fallback_share")
    await site.sql.execute(
        "INSERT INTO charging_limits (charge_point_id, connector_id, purpose, acknowledged_w)"
        " VALUES ($1, 0, 'TxDefaultProfile', 4140)",
        key,
    )
    refused = await site.ask("POST", "/api/stations/A/probe")
    assert (refused.status, refused.json["code"]) == (409, "station_offline")
    site.gateway.connect(key)

    def watts_only(payload):
        profile = payload["csChargingProfiles"]
        taken = (
            profile["chargingSchedule"]["chargingRateUnit"] == "W"
            and profile["chargingProfilePurpose"] == "TxDefaultProfile"
        )
        return {"status": "Accepted" if taken else "Rejected"}

    site.gateway.answers["SetChargingProfile"] = watts_only
    site.gateway.answers["GetConfiguration"] = {"configurationKey": [], "unknownKey": []}
    found = await site.post("/api/stations/A/probe", status=200)
    assert [(each["what"], each["status"]) for each in found["trials"]] == [
        ("GetConfiguration", None),
        ("A, Absolute", "Rejected"),
        ("W, Absolute", "Accepted"),
        ("ChargePointMaxProfile", "Rejected"),
    ]
    traits = (await site.get("/api/stations/A/dialect"))["traits"]
    assert (traits["rateUnits"]["value"], traits["rateUnits"]["origin"]) == (["W"], "learned")
    assert traits["profilePurposes"]["value"] == ["TxDefaultProfile", "TxProfile"]
    limits = [
        payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
        for _, action, payload, _ in site.gateway.sent
        if action == "SetChargingProfile"
    ]
    assert limits == [6, 4140, 22_000]


async def test_a_probe_finds_the_way_of_a_station_that_has_refused_all_so_far(site):
    key = await site.sql.fetchval("SELECT id FROM charge_points WHERE identity = 'A'")
    await site.sql.execute(
        "INSERT INTO charging_limits (charge_point_id, connector_id, purpose, desired_w)"
        " VALUES ($1, 0, 'TxDefaultProfile', 4140)",
        key,
    )
    site.gateway.connect(key)
    await site.session("A")

    def without_times(payload):
        profile = payload["csChargingProfiles"]
        taken = profile["chargingProfileKind"] == "Relative"
        return {"status": "Accepted" if taken else "Rejected"}

    site.gateway.answers["SetChargingProfile"] = without_times
    site.gateway.answers["GetConfiguration"] = {"configurationKey": [], "unknownKey": []}
    found = await site.post("/api/stations/A/probe", status=200)
    assert [(each["what"], each["status"]) for each in found["trials"][1:]] == [
        ("A, Absolute", "Rejected"),
        ("W, Absolute", "Rejected"),
        ("A, Relative", "Accepted"),
        ("ChargePointMaxProfile", "Rejected"),
        ("TxProfile", "Accepted"),
    ]
    assert found["learned"]["profileKinds"] == ["Relative"]
    limits = [
        payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
        for _, action, payload, _ in site.gateway.sent
        if action == "SetChargingProfile"
    ]
    assert limits == [6, 4140, 6, 31.8, 6]  # nobody is paused by it
    row = "SELECT acknowledged_w FROM charging_limits WHERE purpose = 'TxDefaultProfile'"
    assert await site.sql.fetchval(row) is None  # it counts in full as before


def takes(currents):
    """A station that takes these currents alone as limits of sessions and shares."""

    def answer(payload):
        (period,) = payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"]
        cap = payload["csChargingProfiles"]["chargingProfilePurpose"] == "ChargePointMaxProfile"
        return {"status": "Accepted" if cap or period["limit"] in currents else "Rejected"}

    return answer


@pytest.mark.parametrize(
    ("share_w", "session_w", "currents", "tried", "learned"),
    [
        # what holds may be more than whole amperes, what is tried is not
        (8_300, None, range(33), [12, 11.5, 12, 11], [*range(6, 32)]),
        (0, 8_300, range(33), [0, 12, 11.5, 12, 11], [*range(6, 32)]),
        # not even below the maximum; and all is known only where the maximum holds
        (22_000, None, (0, 31, 16, 10), [31, 30.5, 31, 30, *range(29, 5, -1)], [10, 16, 31]),
        (11_040, None, (0, 16, 10), [16, 15.5, 16, 15], None),
        (8_300, None, [each / 10 for each in range(330)], [12, 11.5], None),
        (4_140, None, range(33), [6], None),
    ],
)
async def test_a_probe_finds_the_currents_that_a_station_takes(
    site, share_w, session_w, currents, tried, learned
):
    key = await site.sql.fetchval("SELECT id FROM charge_points WHERE identity = 'A'")
    row = (
        "INSERT INTO charging_limits (charge_point_id, connector_id, purpose, transaction_id,"
        " acknowledged_w) VALUES ($1, $2, $3, $4, $5)"
    )
    await site.sql.execute(row, key, 0, "TxDefaultProfile", None, share_w)
    site.gateway.connect(key)
    if session_w is not None:
        await site.sql.execute(row, key, 1, "TxProfile", await site.session("A"), session_w)
    site.gateway.answers["SetChargingProfile"] = takes(currents)
    site.gateway.answers["GetConfiguration"] = {"configurationKey": [], "unknownKey": []}
    found = await site.post("/api/stations/A/probe", status=200)
    assert found["learned"]["allowedA"] == learned
    profiles = [payload.get("csChargingProfiles") for _, _, payload, _ in site.gateway.sent]
    assert tried == [
        each["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
        for each in profiles
        if each is not None and each["chargingProfilePurpose"] != "ChargePointMaxProfile"
    ]


async def test_who_needs_a_rest_between_limits_is_not_taken_for_one_of_few_currents(site):
    key = await site.sql.fetchval("SELECT id FROM charge_points WHERE identity = 'A'")
    await site.sql.execute(
        "INSERT INTO charging_limits (charge_point_id, connector_id, purpose, acknowledged_w)"
        " VALUES ($1, 0, 'TxDefaultProfile', 22000)",
        key,
    )
    site.gateway.connect(key)
    answers = iter(["Accepted"])
    site.gateway.answers["SetChargingProfile"] = lambda _: {"status": next(answers, "Rejected")}
    site.gateway.answers["GetConfiguration"] = {"configurationKey": [], "unknownKey": []}
    found = await site.post("/api/stations/A/probe", status=200)
    assert found["learned"]["allowedA"] is None
    assert len(found["trials"]) == 5


async def test_a_probe_tries_the_limit_of_a_session_that_runs(site):
    key = await site.sql.fetchval("SELECT id FROM charge_points WHERE identity = 'A'")
    await site.sql.execute(
        "INSERT INTO charging_limits (charge_point_id, connector_id, purpose, acknowledged_w)"
        " VALUES ($1, 0, 'TxDefaultProfile', 4140)",
        key,
    )
    site.gateway.connect(key)
    session = await site.session("A")

    def no_sessions(payload):
        profile = payload["csChargingProfiles"]
        taken = profile["chargingProfilePurpose"] == "TxDefaultProfile"
        return {"status": "Accepted" if taken else "Rejected"}

    site.gateway.answers["SetChargingProfile"] = no_sessions
    site.gateway.answers["GetConfiguration"] = {"configurationKey": [], "unknownKey": []}
    found = await site.post("/api/stations/A/probe", status=200)
    assert [(each["what"], each["status"]) for each in found["trials"][1:]] == [
        ("A, Absolute", "Accepted"),
        ("ChargePointMaxProfile", "Rejected"),
        ("TxProfile", "Rejected"),
    ]
    assert found["learned"]["profilePurposes"] == ["TxDefaultProfile"]
    profile = site.gateway.sent[-1][2]["csChargingProfiles"]
    assert profile["transactionId"] == session
    assert profile["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 6}]
    # without a session what was learned of sessions stays
    await site.sql.execute("UPDATE transactions SET active = false")
    found = await site.post("/api/stations/A/probe", status=200)
    assert found["learned"]["profilePurposes"] == ["TxDefaultProfile"]
