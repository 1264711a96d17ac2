"""Vendor dialects: how a kind of charge point wants to be spoken to, as data.

A dialect names charge points by patterns of vendor, model and firmware and says some traits of
them. What holds for one charge point is merged from all that is known, trait by trait; the more
one can be sure of it, the later it comes and wins:

1. `reported`: what the charge point says of itself in its configuration; some boast;
2. `builtIn`: what others have seen in the field, the more specific pattern last;
3. `learned`: what its own answers have shown, as long as its firmware is the same;
4. `operator`: dialects that the operator has set, the more specific pattern last;
5. `station`: what the operator has set for just this charge point.

Nothing here sends or stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any

from csms.domain.charging_profiles import ProfileKind, ProfilePurpose, RateUnit


class Origin(StrEnum):
    """Who says so, the least certain first."""

    REPORTED = "reported"
    BUILT_IN = "builtIn"
    LEARNED = "learned"
    OPERATOR = "operator"
    STATION = "station"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What is known of how charge points want to be spoken to; None: nothing.

    Attributes:
        rate_units: Units of limits that it takes.
        max_stack_level: The highest stack level that it really takes.
        profile_kinds: Kinds of charging profiles that it takes.
        profile_purposes: Purposes of charging profiles that it takes.
        allowed_a: The only currents a phase that it takes, rising; others are cut down to these.
        call_spacing_s: Least time from one call of ours to the next; earlier ones get lost.
        quiet_after_boot_s: How long it wants no calls after its BootNotification.
        measurands_per_call: The longest list of measurands that one ChangeConfiguration may set.
        remote_start_needed: It charges only after a RemoteStartTransaction.
        zero_means_stop: A limit of 0 ends its transaction instead of pausing it.
    """

    rate_units: tuple[RateUnit, ...] | None = None
    max_stack_level: int | None = None
    profile_kinds: tuple[ProfileKind, ...] | None = None
    profile_purposes: tuple[ProfilePurpose, ...] | None = None
    allowed_a: tuple[Decimal, ...] | None = None
    call_spacing_s: Decimal | None = None
    quiet_after_boot_s: Decimal | None = None
    measurands_per_call: int | None = None
    remote_start_needed: bool | None = None
    zero_means_stop: bool | None = None

    def known(self) -> dict[str, Any]:
        """Return the traits of which something is known, by name."""
        values = {name: getattr(self, name) for name in TRAITS}
        return {name: value for name, value in values.items() if value is not None}


TRAITS = tuple(each.name for each in fields(Traits))
NO_TRAITS = Traits()

_ENUMS = {
    "rate_units": RateUnit,
    "profile_kinds": ProfileKind,
    "profile_purposes": ProfilePurpose,
}
_DECIMALS = frozenset({"call_spacing_s", "quiet_after_boot_s"})


def read_traits(values: Mapping[str, Any]) -> Traits:
    """Return the traits of a JSON or TOML object; what is missing or null is not known.

    >>> read_traits({"rate_units": ["W"], "allowed_a": [6, 8.5]}).allowed_a
    (Decimal('6'), Decimal('8.5'))

    Raises:
        TypeError: There is no trait of a name.
        ValueError: No such unit, kind or purpose.
    """
    read: dict[str, Any] = {}
    for name, value in values.items():
        if value is None:
            continue
        if name in _ENUMS:
            value = tuple(_ENUMS[name](each) for each in value)
        elif name == "allowed_a":
            value = tuple(Decimal(str(each)) for each in value)
        elif name in _DECIMALS:
            value = Decimal(str(value))
        read[name] = value
    return Traits(**read)


def written_traits(traits: Traits) -> dict[str, Any]:
    """Return known traits as a JSON object.

    >>> written_traits(read_traits({"call_spacing_s": 30, "rate_units": ["A"]}))
    {'rate_units': ['A'], 'call_spacing_s': 30}
    """
    return {name: written_trait(value) for name, value in traits.known().items()}


def written_trait(value: Any) -> Any:
    """Return the value of one trait as JSON has it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [written_trait(each) for each in value]
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What a charge point said of itself at its last boot; None: it never booted."""

    vendor: str | None = None
    model: str | None = None
    firmware: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Which charge points are meant: `*` stands for any text, case does not matter.

    None: any, also when the charge point did not name one.
    """

    vendor: str | None = None
    model: str | None = None
    firmware: str | None = None

    def matches(self, device: Device) -> bool:
        """Return whether a charge point is meant."""
        return (
            _fits(self.vendor, device.vendor)
            and _fits(self.model, device.model)
            and _fits(self.firmware, device.firmware)
        )

    @property
    def specificity(self) -> tuple[int, int, int]:
        """Return how narrow it is: firmware before model before vendor, by letters named."""
        return (_letters(self.firmware), _letters(self.model), _letters(self.vendor))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Traits of a kind of charge points.

    Attributes:
        origin: BUILT_IN or OPERATOR.
        source: Where it was seen: a project and its issue, or whatever the operator notes.
    """

    id: str
    pattern: Pattern
    traits: Traits
    origin: Origin
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Where the value of a trait comes from.

    Attributes:
        dialect_id: Of origins BUILT_IN and OPERATOR.
    """

    origin: Origin
    dialect_id: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """What holds for one charge point.

    Attributes:
        given: Of each known trait, by name.
        matched: Ids of the dialects that mean it, the weakest first.
    """

    traits: Traits
    given: Mapping[str, Given]
    matched: tuple[str, ...] = ()


def matching(dialects: Iterable[Dialect], device: Device) -> tuple[Dialect, ...]:
    """Return the dialects that mean a device, the narrowest last."""
    return tuple(
        sorted(
            (each for each in dialects if each.pattern.matches(device)),
            key=lambda each: (each.pattern.specificity, each.id),
        )
    )


def effective(
    ours: Iterable[Dialect],
    *,
    reported: Traits = NO_TRAITS,
    learned: Traits = NO_TRAITS,
    own: Traits = NO_TRAITS,
) -> Effective:
    """Merge all that is known of one charge point; see the module for the order.

    Args:
        ours: The dialects that mean it, from `matching`.
        reported: See `reported_traits`.
        learned: Of its present firmware.
        own: What the operator has set for it alone.
    """
    built_in = [each for each in ours if each.origin is Origin.BUILT_IN]
    operators = [each for each in ours if each.origin is Origin.OPERATOR]
    layers: list[tuple[Traits, Given]] = [
        (reported, Given(origin=Origin.REPORTED)),
        *map(_layer, built_in),
        (learned, Given(origin=Origin.LEARNED)),
        *map(_layer, operators),
        (own, Given(origin=Origin.STATION)),
    ]
    values: dict[str, Any] = {}
    given: dict[str, Given] = {}
    for traits, origin in layers:
        for name, value in traits.known().items():
            values[name], given[name] = value, origin
    matched = tuple(each.id for each in (*built_in, *operators))
    return Effective(traits=Traits(**values), given=given, matched=matched)


def reported_traits(configuration: Mapping[str, str]) -> Traits:
    """Return what a charge point's configuration says of it.

    Units come as `Current` and `Power`, or as the `A` and `W` of the messages; a list that names
    none of them says nothing.

    Args:
        configuration: Key in lower case -> value.

    >>> reported_traits({"chargingscheduleallowedchargingrateunit": "Power"}).rate_units
    (<RateUnit.WATTS: 'W'>,)
    """
    named = configuration.get("chargingscheduleallowedchargingrateunit", "").lower()
    words = {word.strip(" '\"") for word in named.split(",")}
    units = tuple(
        unit
        for unit, spellings in (
            (RateUnit.AMPERES, {"current", "a"}),
            (RateUnit.WATTS, {"power", "w"}),
        )
        if words & spellings
    )
    return Traits(
        rate_units=units or None,
        max_stack_level=_number(configuration.get("chargeprofilemaxstacklevel"), least=0),
        measurands_per_call=_number(configuration.get("metervaluessampleddatamaxlength"), least=1),
    )


REPORTING_KEYS = (
    "chargingscheduleallowedchargingrateunit",
    "chargeprofilemaxstacklevel",
    "metervaluessampleddatamaxlength",
)
"""The configuration keys that `reported_traits` reads, in lower case."""


def _layer(dialect: Dialect) -> tuple[Traits, Given]:
    given = Given(origin=dialect.origin, dialect_id=dialect.id, source=dialect.source)
    return dialect.traits, given


def _number(text: str | None, *, least: int) -> int | None:
    if text is None or not text.strip().isascii() or not text.strip().isdigit():
        return None
    number = int(text) if len(text) < 10 else None
    return number if number is not None and number >= least else None


def _letters(pattern: str | None) -> int:
    return 0 if pattern is None else len(pattern.replace("*", ""))


def _fits(pattern: str | None, value: str | None) -> bool:
    """Return whether a value fits a pattern; in linear time, whatever either holds."""
    if pattern is None:
        return True
    if value is None:
        return False
    first, *rest = pattern.casefold().split("*")
    text = value.strip().casefold()
    if not rest:
        return text == first
    if not text.startswith(first):
        return False
    *middle, last = rest
    at = len(first)
    for piece in middle:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(text) - at >= len(last) and text.endswith(last)
