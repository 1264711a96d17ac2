"""Values in playbooks: what is exact, what the central system chooses, what is known later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any


class Matcher:
    """Stands in a script for a value that the central system chooses."""

    def __init__(self, name: str, accepts: Callable[[Any], bool] = lambda _: True) -> None:
        self.name, self._accepts = name, accepts

    def fits(self, value: Any) -> bool:
        return self._accepts(value)

    def __repr__(self) -> str:
        return self.name


class Slot(Matcher):
    """Takes the first value that fits; from then on it is that value, also in what is sent."""

    value: Any = None

    def fits(self, value: Any) -> bool:
        if self.value is None and self._accepts(value):
            self.value = value
        return self.value is not None and self.value == value

    def __repr__(self) -> str:
        return self.name if self.value is None else f"{self.name}={self.value!r}"


class Has(dict):  # type: ignore[type-arg]
    """A part of an object: other fields may be there too."""

    def __repr__(self) -> str:
        return f"Has({super().__repr__()})"


ANY = Matcher("ANY")
NOW = Matcher(
    "NOW", lambda text: abs(datetime.now(UTC) - datetime.fromisoformat(text)) < timedelta(minutes=1)
)
POSITIVE = Matcher("POSITIVE", lambda number: type(number) is int and number > 0)


def transaction(name: str = "transactionId") -> Slot:
    """A transaction id: positive and within 32 bits (M31)."""
    return Slot(name, lambda number: type(number) is int and 0 < number < 2**31)


def fits(expected: Any, actual: Any) -> bool:
    """Whether what happened is what a script says."""
    if isinstance(expected, Matcher):
        return expected.fits(actual)
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            return False
        same = (
            expected.keys() <= actual.keys()
            if isinstance(expected, Has)
            else (expected.keys() == actual.keys())
        )
        return same and all(fits(value, actual[name]) for name, value in expected.items())
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(expected) == len(actual)
            and all(map(fits, expected, actual))
        )
    return isinstance(expected, bool) is isinstance(actual, bool) and bool(expected == actual)


def filled(value: Any) -> Any:
    """Return a value with its slots replaced by what they hold."""
    if isinstance(value, Slot):
        assert value.value is not None, f"{value.name} has no value yet"
        return value.value
    if isinstance(value, dict):
        return {name: filled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each) for each in value]
    return value


def at(offset_s: float = 0) -> str:
    """Return now plus an offset, as OCPP writes it."""
    moment = datetime.now(UTC) + timedelta(seconds=offset_s)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
