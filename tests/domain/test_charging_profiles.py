from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import jsonschema_rs
import ocpp
import pytest

from csms.domain.charging_profiles import (
    ChargingProfile,
    ChargingSchedule,
    ProfileKind,
    ProfilePurpose,
    RateLimit,
    RateUnit,
    RecurrencyKind,
    SchedulePeriod,
    parse_profile,
    parse_schedule,
    profile_payload,
    set_charging_profile,
    tx_default_profile,
    tx_profile,
)

NOW = datetime(2026, 3, 1, 12, 0, 30, 999_999, tzinfo=UTC)
SIXTEEN = RateLimit(unit=RateUnit.AMPERES, value=Decimal("16.09"))


def _tx(**more):
    given = {
        "connector_id": 1,
        "transaction_id": 42,
        "limit": SIXTEEN,
        "now": NOW,
        "profile_id": 7,
        "stack_level": 2,
    }
    return tx_profile(**(given | more))


def test_a_tx_profile_word_for_word():
    assert json.dumps(_tx(lease=timedelta(minutes=15))) == (
        '{"connectorId": 1, "csChargingProfiles": {"chargingProfileId": 7, "transactionId": 42, '
        '"stackLevel": 2, "chargingProfilePurpose": "TxProfile", '
        '"chargingProfileKind": "Absolute", "chargingSchedule": {"duration": 960, '
        '"startSchedule": "2026-03-01T11:59:30Z", "chargingRateUnit": "A", '
        '"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}]}}}'
    )


def test_a_tx_default_profile_word_for_word():
    limit = RateLimit(unit=RateUnit.WATTS, value=Decimal(6000))
    payload = tx_default_profile(connector_id=0, limit=limit, now=NOW, profile_id=1)
    assert json.dumps(payload) == (
        '{"connectorId": 0, "csChargingProfiles": {"chargingProfileId": 1, "stackLevel": 0, '
        '"chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute", '
        '"chargingSchedule": {"startSchedule": "1970-01-01T00:00:00Z", "chargingRateUnit": "W", '
        '"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6000.0}]}}}'
    )


def test_every_limit_to_a_tenth_is_valid_after_the_official_schema():
    folder = Path(ocpp.__file__).parent / "v16" / "schemas"
    schema = json.loads((folder / "SetChargingProfile.json").read_text(encoding="utf-8-sig"))
    validator = jsonschema_rs.validator_for(schema)
    for tenths in range(0, 2000, 7):
        limit = RateLimit(unit=RateUnit.AMPERES, value=Decimal(tenths).scaleb(-1))
        payload = json.loads(json.dumps(_tx(limit=limit, number_phases=1)))
        assert list(validator.iter_errors(payload)) == [], tenths
    assert validator.is_valid(_tx() | {"extra": 1}) is False


def test_a_lease_ends_when_it_should_although_it_starts_in_the_past():
    schedule = parse_schedule(
        _tx(lease=timedelta(minutes=15))["csChargingProfiles"]["chargingSchedule"]
    )
    ends = schedule.start + timedelta(seconds=schedule.duration_s)
    assert ends == NOW.replace(microsecond=0) + timedelta(minutes=15)


@pytest.mark.parametrize(("phases", "field"), [(None, None), (3, None), (1, 1), (2, 2)])
def test_the_number_of_phases_is_told_only_when_it_is_not_three(phases, field):
    schedule = _tx(number_phases=phases)["csChargingProfiles"]["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"][0].get("numberPhases") == field


def test_a_relative_profile_has_no_start():
    profile = _tx(kind=ProfileKind.RELATIVE)["csChargingProfiles"]
    assert profile["chargingProfileKind"] == "Relative"
    assert "startSchedule" not in profile["chargingSchedule"]


def test_what_no_charger_takes_is_not_built():
    with pytest.raises(ValueError, match="connector from 1"):
        _tx(connector_id=0)
    with pytest.raises(ValueError, match="connector from 0"):
        tx_default_profile(connector_id=-1, limit=SIXTEEN, now=NOW, profile_id=1)
    with pytest.raises(ValueError, match="Relative"):
        _tx(kind=ProfileKind.RELATIVE, lease=timedelta(minutes=1))
    with pytest.raises(ValueError, match="zone"):
        _tx(now=datetime(2026, 3, 1))  # noqa: DTZ001 - a naive time is the point
    for starts in ([], [60], [0, 60, 60], [0, 60, 30]):
        periods = tuple(SchedulePeriod(start_s=s, limit=Decimal(1)) for s in starts)
        with pytest.raises(ValueError, match="start at 0 and rise"):
            ChargingSchedule(unit=RateUnit.WATTS, periods=periods)


FULL = ChargingProfile(
    id=3,
    stack_level=0,
    purpose=ProfilePurpose.CHARGE_POINT_MAX,
    kind=ProfileKind.RECURRING,
    recurrency=RecurrencyKind.DAILY,
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    valid_to=datetime(2027, 1, 1, tzinfo=UTC),
    schedule=ChargingSchedule(
        unit=RateUnit.AMPERES,
        periods=(
            SchedulePeriod(start_s=0, limit=Decimal("6.1")),
            SchedulePeriod(start_s=3600, limit=Decimal("0.0"), number_phases=1),
        ),
        duration_s=86_400,
        start=datetime(2026, 1, 1, 6, tzinfo=UTC),
        min_rate=Decimal("6.0"),
    ),
)


def test_a_profile_comes_back_from_its_payload():
    assert parse_profile(json.loads(json.dumps(profile_payload(FULL)))) == FULL
    own = parse_profile(_tx()["csChargingProfiles"])
    assert (own.transaction_id, own.schedule.periods[0].limit) == (42, Decimal("16.0"))
    assert set_charging_profile(0, FULL)["connectorId"] == 0


def test_times_go_out_in_utc_and_come_in_with_any_zone():
    abroad = timezone(timedelta(hours=2))
    shifted = replace(FULL, valid_from=datetime(2026, 1, 1, 2, tzinfo=abroad))
    assert profile_payload(shifted)["validFrom"] == "2026-01-01T00:00:00Z"
    schedule = {
        "chargingRateUnit": "A",
        "startSchedule": "2026-01-01T02:00:00.5+02:00",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}],
    }
    start = datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    assert parse_schedule(schedule).start == start
    assert parse_schedule({**schedule, "startSchedule": "2026-01-01T00:00:00.5"}).start == start
