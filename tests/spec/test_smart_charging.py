"""Charging profiles that an operator sends."""

from __future__ import annotations

import pytest

from tests.spec.playbook import Asks, Says, Sees
from tests.spec.states import VALID, authorizes, booted, charging, starts, status
from tests.spec.values import Has, at, transaction

octt = pytest.mark.octt
pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

CALLS = "/api/stations/{id}/calls"


def schedule(unit="A", limit=6.0, **more):
    return {
        "duration": 86400,
        "startSchedule": at(-60),
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit, "numberPhases": 3}],
        **more,
    }


def profile(purpose="TxDefaultProfile", **changes):
    made = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "validFrom": at(-60),
        "validTo": at(86400),
        "chargingSchedule": schedule(),
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def sets(made, connector=1, answer="Accepted", warnings=()):
    return Asks(
        "SetChargingProfile",
        {"connectorId": connector, "csChargingProfiles": made},
        {"status": answer},
        "accepted" if answer == "Accepted" else "rejected",
        {"warnings": list(warnings)},
    )


@octt("TC_056", "3.19", "Set a TxDefaultProfile")
@pytest.mark.parametrize(("unit", "limit"), [("A", 6.0), ("W", 6000.0)])
async def test_tx_default_profile(stage, unit, limit):
    made = profile(chargingSchedule=schedule(unit, limit), stackLevel=3)
    await stage.play(booted(), sets(made))


@octt("TC_057", "3.19", "Set a TxProfile")
@pytest.mark.parametrize("kind", ["Absolute", "Relative"])
async def test_tx_profile(stage, kind):
    tx = transaction()
    plan = schedule()
    if kind == "Relative":
        del plan["startSchedule"]
    made = profile("TxProfile", transactionId=tx, chargingProfileKind=kind, chargingSchedule=plan)
    await stage.play(booted(), charging(tx), sets(made))


@octt("TC_059", "3.19", "Remote start with a charging profile")
@pytest.mark.parametrize("kind", ["Absolute", "Relative"])
async def test_remote_start_with_a_profile(stage, kind):
    tx = transaction()
    plan = schedule()
    if kind == "Relative":
        del plan["startSchedule"]
    made = profile("TxProfile", chargingProfileKind=kind, chargingSchedule=plan)
    await stage.play(
        booted(),
        Asks(
            "RemoteStartTransaction",
            {"connectorId": 1, "idTag": VALID, "chargingProfile": made},
            more={"warnings": []},
        ),
        authorizes(),
        status(1, "Preparing"),
        starts(tx),
        status(1, "Charging"),
    )


@octt("TC_066", "3.19", "Get a composite schedule")
@pytest.mark.parametrize("unit", ["A", "W"])
async def test_composite_schedule(stage, unit):
    composite = {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": at(),
        "chargingSchedule": {
            "duration": 300,
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.1}],
        },
    }
    await stage.play(
        booted(),
        sets(profile()),
        Asks(
            "GetCompositeSchedule",
            {"connectorId": 1, "duration": 300, "chargingRateUnit": unit},
            composite,
            more={"response": composite},
        ),
        Sees(CALLS, Has(response=composite), lambda answer: answer["items"][0]),
    )


@octt("TC_067", "3.19", "Clear charging profiles")
async def test_clear_what_was_set(stage):
    tx = transaction()
    by_criteria = {"connectorId": 1, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 2}
    await stage.play(
        booted(),
        charging(tx),
        sets(profile("ChargePointMaxProfile", chargingProfileId=11, stackLevel=2), connector=0),
        sets(profile("TxDefaultProfile", chargingProfileId=12, stackLevel=2)),
        sets(profile("TxProfile", chargingProfileId=13, stackLevel=2, transactionId=tx)),
        *[
            Asks("ClearChargingProfile", which, more={"warnings": []})
            for which in ({"id": 11}, by_criteria, {})
        ],
    )


# -- variants


async def test_clear_charging_profiles(stage):
    for payload, answer in (
        ({}, "Accepted"),
        ({"id": 1}, "Accepted"),
        (
            {"connectorId": 0, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 1},
            "Unknown",
        ),
    ):
        outcome = "accepted" if answer == "Accepted" else "rejected"
        await stage.play(Asks("ClearChargingProfile", payload, {"status": answer}, outcome))


async def test_charge_point_max_profile_and_recurring_ones(stage):
    await stage.play(
        booted(),
        sets(profile("ChargePointMaxProfile"), connector=0),
        sets(profile(chargingProfileKind="Recurring", recurrencyKind="Daily"), connector=0),
        sets(profile(chargingProfileKind="Recurring", recurrencyKind="Weekly"), connector=2),
    )


async def test_n16_what_looks_wrong_is_sent_with_a_warning(stage):
    no_start = schedule()
    del no_start["startSchedule"]
    await stage.play(
        booted(),
        sets(
            profile("ChargePointMaxProfile"),
            1,
            "Rejected",
            ["ChargePointMaxProfile goes to connector 0 only."],
        ),
        sets(
            profile("TxProfile"),
            1,
            "Rejected",
            ["TxProfile needs the transactionId of the running transaction."],
        ),
        sets(
            profile("TxProfile", transactionId=999_999),
            1,
            "Rejected",
            ["There is no transaction 999999."],
        ),
        sets(
            profile(chargingSchedule=no_start),
            1,
            "NotSupported",
            ["An Absolute profile needs a startSchedule."],
        ),
        Asks(
            "SetChargingProfile",
            {"connectorId": 1, "csChargingProfiles": profile()},
            "PropertyConstraintViolation",
            "callError",
        ),
    )


async def test_n07_a_composite_schedule_that_is_rejected(stage):
    await stage.play(
        booted(),
        Asks(
            "GetCompositeSchedule",
            {"connectorId": 0, "duration": 60},
            {"status": "Rejected"},
            "rejected",
        ),
    )


async def test_nothing_is_sent_unasked_when_a_session_starts(stage):
    """A quiet station without a site gets no profile (Q1); `play` sees whatever would come."""
    tx = transaction()
    await stage.play(booted(), charging(tx), Says("Heartbeat", {}, Has()))
