"""Shared moments and shapes of the simulator's pure tests."""

from datetime import UTC, datetime, timedelta

from simulator.schedule import ChargingProfile, parse_profile

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def profile(
    *periods: tuple[int, float] | tuple[int, float, int],
    profile_id: int = 1,
    level: int = 0,
    purpose: str = "TxDefaultProfile",
    kind: str = "Absolute",
    unit: str = "A",
    start: datetime | None = NOW,
    **others,
) -> ChargingProfile:
    """A profile from (startPeriod, limit[, numberPhases]) tuples."""
    schedule = {
        "charging_rate_unit": unit,
        "charging_schedule_period": [
            dict(zip(("start_period", "limit", "number_phases"), period, strict=False))
            for period in periods
        ],
    }
    if start is not None and kind != "Relative":
        schedule["start_schedule"] = start.isoformat()
    if "duration" in others:
        schedule["duration"] = others.pop("duration")
    return parse_profile(
        {
            "charging_profile_id": profile_id,
            "stack_level": level,
            "charging_profile_purpose": purpose,
            "charging_profile_kind": kind,
            "charging_schedule": schedule,
            **{
                key: value.isoformat() if isinstance(value, datetime) else value
                for key, value in others.items()
            },
        }
    )
