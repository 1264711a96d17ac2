"""Types of fields: strict JSON in, contract spelling out, units at the border.

Inside, power is W and energy is Wh; outside it is kW and kWh.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from csms.clock import wire_time

T = TypeVar("T")

_ISO = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d:?\d\d)?)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class In(BaseModel):
    """A request body: strict types, unknown fields refused."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        alias_generator=to_camel,
        allow_inf_nan=False,
        frozen=True,
        hide_input_in_errors=True,
    )


class Query(BaseModel):
    """Query parameters: texts are converted, unknown ones refused."""

    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, allow_inf_nan=False, frozen=True
    )


class Out(BaseModel):
    """An answer."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True
    )


class Page(Out, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = None


class PageQuery(Query):
    """What each list takes; as CSV the next cursor stands in the header `X-Next-Cursor`."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: Annotated[str, Field(max_length=500)] | None = None
    format: Literal["json", "csv"] = "json"


def clean(text: str) -> str:
    """Return the text. Raises ValueError where control characters are in it."""
    if _CONTROL.search(text):
        raise ValueError("must not contain control characters")
    return text


def _when(value: object) -> object:
    """Return an ISO 8601 text as an aware UTC time; without an offset it is UTC."""
    if not isinstance(value, str):
        return value
    if not _ISO.fullmatch(value):
        raise ValueError("must be an ISO 8601 time such as 2026-01-31T12:00:00Z")
    try:
        at = datetime.fromisoformat(value.upper())
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not a time") from None
    if not 1970 <= at.year <= 9998:
        raise ValueError("must lie between the years 1970 and 9998")
    return at


def _day(value: object) -> object:
    """Return the day of a date, or of a time as it stands there."""
    if isinstance(value, str) and _ISO.fullmatch(value):
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            raise ValueError("is not a date") from None
    return value


def precise_time(at: datetime) -> str:
    """Return `at` with milliseconds, where the order within a second matters."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Text = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(clean)]
IdTagText = Annotated[str, StringConstraints(min_length=1, max_length=20), AfterValidator(clean)]
When = Annotated[datetime, BeforeValidator(_when)]
Day = Annotated[date, BeforeValidator(_day)]
Time = Annotated[
    datetime, PlainSerializer(wire_time), WithJsonSchema({"type": "string", "format": "date-time"})
]
PreciseTime = Annotated[
    datetime,
    PlainSerializer(precise_time),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Kilo = Annotated[float, Field(ge=0, le=1_000_000)]
"""kW or kWh, up to a gigawatt: beyond that somebody has mixed up units."""
ConnectorNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]
JsonObject = dict[str, Any]


def whole(kilo: float) -> int:
    """Return kW as W (kWh as Wh), rounded to whole ones.

    >>> whole(22), whole(6.9), whole(0.0004)
    (22000, 6900, 0)
    """
    return round(Decimal(repr(kilo)) * 1000)


def kilo(whole_units: int | None) -> float | None:
    """Return W as kW (Wh as kWh).

    >>> kilo(22_080), kilo(None)
    (22.08, None)
    """
    return None if whole_units is None else whole_units / 1000


def amperes(power_w: int | None, *, current_type: str, phases: int, voltage_v: int) -> float | None:
    """Return a limit as AC charge points get it: A a phase, floored to 0.1; None for DC.

    >>> amperes(11_000, current_type="AC", phases=3, voltage_v=230)
    15.9
    """
    if power_w is None or current_type != "AC":
        return None
    return power_w * 10 // (phases * voltage_v) / 10
