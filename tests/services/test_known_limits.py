"""What is beyond what a station has said is sent with a sentence; silence sets no limits."""

from __future__ import annotations

import pytest

from csms.services.known_limits import limit_warnings


def profile(periods=1, stack=0, unit="A"):
    return {
        "chargingProfileId": 1,
        "stackLevel": stack,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": [{"startPeriod": i, "limit": 6} for i in range(periods)],
        },
    }


def sets(**more):
    return "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile(**more)}


def sends(count, kind="Full"):
    entries = [{"idTag": f"T{i}"} for i in range(count)]
    return "SendLocalList", {"updateType": kind, "localAuthorizationList": entries}


CASES = [
    ({"getconfigurationmaxkeys": "2"}, ("GetConfiguration", {"key": ["A", "B", "C"]}), "2 keys"),
    ({"sendlocallistmaxlength": "1"}, sends(2, "Differential"), "1 entries a call"),
    ({"localauthlistmaxlength": "1"}, sends(2), "1 entries in its list"),
    ({"localauthlistenabled": "False"}, sends(1), "does not use its list"),
    (
        {"reserveconnectorzerosupported": "false"},
        ("ReserveNow", {"connectorId": 0}),
        "no reservation of connector 0",
    ),
    ({"chargingschedulemaxperiods": "3"}, sets(periods=4), "3 periods"),
    ({"chargeprofilemaxstacklevel": "5"}, sets(stack=6), "5 as stackLevel"),
    ({"chargingscheduleallowedchargingrateunit": "Power"}, sets(), "does not list Current (A)"),
    ({"chargingscheduleallowedchargingrateunit": "A"}, sets(unit="W"), "does not list Power (W)"),
    (
        {"chargeprofilemaxstacklevel": "0"},
        ("RemoteStartTransaction", {"idTag": "T", "chargingProfile": profile(stack=1)}),
        "0 as stackLevel",
    ),
    (
        {"supportedfeatureprofiles": "Core, SmartCharging"},
        ("ReserveNow", {"connectorId": 1}),
        "does not list Reservation",
    ),
]


@pytest.mark.parametrize(("known", "call", "words"), CASES)
def test_each_limit_has_its_sentence(known, call, words):
    (warning,) = limit_warnings(known, *call)
    assert words in warning
    assert warning.endswith(".")
    assert limit_warnings({}, *call) == []
    odd = dict.fromkeys(known, "many")
    odd.pop("chargingscheduleallowedchargingrateunit", None)
    odd.pop("supportedfeatureprofiles", None)
    assert limit_warnings(odd, *call) == []


@pytest.mark.parametrize(
    ("known", "call"),
    [
        ({"getconfigurationmaxkeys": "2"}, ("GetConfiguration", {"key": ["A", "B"]})),
        ({"getconfigurationmaxkeys": "2"}, ("GetConfiguration", {})),
        ({"localauthlistmaxlength": "1"}, sends(2, "Differential")),
        ({"chargingscheduleallowedchargingrateunit": "Current,Power"}, sets()),
        ({"chargingscheduleallowedchargingrateunit": "A, W"}, sets(unit="W")),
        ({"supportedfeatureprofiles": "core,reservation"}, ("ReserveNow", {"connectorId": 1})),
        ({"supportedfeatureprofiles": ""}, ("ReserveNow", {"connectorId": 1})),
        ({"chargeprofilemaxstacklevel": "5"}, sets(stack=5)),
    ],
)
def test_what_is_within_them_has_none(known, call):
    assert limit_warnings(known, *call) == []
