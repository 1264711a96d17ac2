"""One walk over a payload together with its schema, putting right what it meets.

The rules know kinds of values, not messages, so a quirk that nobody has met is met by the rule for
its kind. The walk never judges: whether what it made is valid says the schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from csms.ocppj.repairs import catalogue as names
from csms.ocppj.repairs import scalars, spelling
from csms.ocppj.repairs.defaults import ANSWER, default
from csms.ocppj.repairs.switches import Switches

_PHASES = ("L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1")
_JSON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


_CAPPED: Final = frozenset({"transactionId", "meterStart", "meterStop"})
"""Numbers that count as none, or as odd, when they are the largest there are."""

_WIDEST = 2**63
_TENTHS_PRECISION = 1e-9
_MOST_GUESSES = 40  # a payload may hold thousands of odd words, and each guess takes its time


_SOMETHING: Final[Mapping[str, Any]] = {
    "meterValue": [{"timestamp": "2000-01-01T00:00:00Z", "sampledValue": [{"value": "0"}]}],
    "sampledValue": [{"value": "0"}],
}


class _Senseless(Exception):
    """No reading of a value fits its schema. Never leaves this file."""


@dataclass(slots=True)
class Walk:
    """The walk over one payload; used once.

    Attributes:
        action: Of the message; an answer's with `ANSWER` behind.
        received_at: Stands for a time that is missing.
        names: Of the repairs done, in their order.
        defaulted: Names of the fields that were missing and have a default now.
        excused: What stays as it is though the schema does not allow it: where it stands, and what
            the schema would allow there.
    """

    action: str
    switches: Switches
    received_at: datetime
    names: dict[str, None] = field(default_factory=dict)
    defaulted: set[str] = field(default_factory=set)
    excused: list[tuple[dict[str, Any], str, Any]] = field(default_factory=list)
    _guesses: int = _MOST_GUESSES
    _missed: bool = False

    def may(self, name: str) -> bool:
        """Note a repair that is about to be done; False when it is off."""
        if name not in self.switches:
            self._missed = True
            return False
        self.names[name] = None
        return True

    def made(self, schema: Mapping[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
        """Return a payload as it was meant, as far as anybody can tell."""
        fields = tuple(schema.get("properties", {}))
        if payload and not any(_known(name, fields) for name in payload):
            # the message wrapped once more, or a part of it, as in OCPP 2.0
            inside = next((v for v in payload.values() if _speaks_of(v, fields)), None)
            if inside is not None and self.may(names.NESTING):
                payload = inside
        return self._object(schema, payload)

    def _guess(self, text: str, words: tuple[str, ...]) -> str | None:
        if self._guesses == 0:
            return None
        self._guesses -= 1
        return spelling.resembling(text, words)

    # -- by type

    def _value(self, schema: Mapping[str, Any], value: Any, name: str) -> Any:
        """Return a value that fits its schema; raises `_Senseless`."""
        match schema.get("type"):
            case "object":
                return self._object(schema, self._single(schema, value))
            case "array":
                return self._array(schema, value, name)
            case "string":
                return self._text(schema, value, name)
            case "integer" | "number" as kind:
                if kind == "number" and schema.get("multipleOf") == 0.1:
                    return self._tenths(value)
                return self._number(value, whole=kind == "integer")
            case "boolean":
                return self._boolean(value)
            case _:
                return value

    def _single(self, schema: Mapping[str, Any], value: Any) -> dict[str, Any]:
        """Return the object that stands in a list of its own, or whose only field stands here."""
        if isinstance(value, dict):
            return value
        if isinstance(value, list):
            only = value[0] if len(value) == 1 else None if value else {}
            if isinstance(only, dict) and self.may(names.LIST_OR_SINGLE):
                return only
        elif len(required := schema.get("required", ())) == 1 and self.may(names.NESTING):
            return {required[0]: value}
        raise _Senseless

    def _array(self, schema: Mapping[str, Any], value: Any, name: str) -> list[Any]:
        if not isinstance(value, list):
            if not self.may(names.LIST_OR_SINGLE):
                raise _Senseless
            if isinstance(value, dict) and value and all(key.isdecimal() for key in value):
                value = [value[key] for key in sorted(value, key=int)]
            else:
                value = [value]
        items = schema.get("items", {})
        required = items.get("required", ())
        made = []
        for item in value:
            try:
                if item is None:
                    raise _Senseless
                fitting = self._value(items, item, name)
                if isinstance(fitting, dict) and any(n not in fitting for n in required):
                    raise _Senseless
                made.append(fitting)
            except _Senseless:
                if not self.may(names.FIELD_DROPPED):
                    raise
        return made

    def _text(self, schema: Mapping[str, Any], value: Any, name: str) -> str:
        if isinstance(value, str):
            text = value
        else:
            read = scalars.as_text(value)
            if read is None or not self.may(names.TEXT_FROM_VALUE):
                raise _Senseless
            text = read
        choices = schema.get("enum")
        if choices is not None:
            return self._choice(choices, text, name)
        longest = schema.get("maxLength")
        if longest is None or len(text) <= longest:
            return text
        if name == "idTag":
            bare = "".join(char for char in text if char.isprintable()).strip()
            if len(bare) <= longest and self.may(names.TAG_CONTROL_CHARACTERS):
                return bare
            text = bare or text
        return text[:longest] if self.may(names.TEXT_CUT) else text

    def _choice(self, choices: list[str], text: str, name: str) -> str:
        if text in choices or (name == "unit" and text == "Hertz"):
            return text
        others = spelling.OTHER_VALUES.get(name, {})
        words = (*choices, "Hertz") if name == "unit" else tuple(choices)
        meant = spelling.known_as(text, words, others)
        joined = name == "measurand" and text.rpartition(".")[2].upper() in _PHASES
        if meant is None and name in spelling.GUESSED and not joined:
            meant = self._guess(text, words)
        if meant is not None:
            return meant if self.may(names.CHOICE_SPELLING) else text
        other = spelling.FALLBACKS.get(name)
        if other is not None and text.strip() and self.may(names.CHOICE_OTHER):
            return other
        if name not in spelling.KEPT and name not in spelling.FALLBACKS:
            raise _Senseless
        if not text.strip() and name != "measurand":  # nobody knows what an empty one measures
            raise _Senseless
        return text

    def _number(self, value: Any, *, whole: bool) -> int | float:
        if type(value) is int:
            return value
        number = value
        if type(value) is not float:
            number = scalars.as_number(value)
            if number is None or abs(number) >= _WIDEST or not self.may(names.NUMBER_FROM_TEXT):
                raise _Senseless
        if not whole or type(number) is int:
            return number  # type: ignore[no-any-return]  # an int or a float, see as_number
        rounded = scalars.as_integer(number)
        if rounded is None or not self.may(names.NUMBER_ROUNDED):
            raise _Senseless
        return rounded

    def _tenths(self, value: Any) -> int | float:
        number = self._number(value, whole=False)
        if abs(number * 10 - round(number * 10)) < _TENTHS_PRECISION:
            return number
        if not self.may(names.NUMBER_ROUNDED):
            raise _Senseless
        return round(number, 1)

    def _boolean(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        read = scalars.as_boolean(value)
        if read is None or not self.may(names.BOOLEAN_FROM_VALUE):
            raise _Senseless
        return read

    # -- objects

    def _object(self, schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        fields: Mapping[str, Any] = schema.get("properties", {})
        required: list[str] = schema.get("required", [])
        named = self._named(fields, required, given)
        if "measurand" in fields:
            self._split_phase(named)
        made: dict[str, Any] = {}
        for name, value in named.items():
            part = fields.get(name)
            if value is None and part is not None:
                if not self.may(names.NULL_FIELD):
                    made[name] = value
                continue
            if part is None:
                made[name] = value
                continue
            self._missed = False
            try:
                fitting = self._value(part, value, name)
                if fitting == [] and part.get("minItems") and name not in required:
                    raise _Senseless  # nothing, said in a way that the schema does not have
                made[name] = fitting
            except _Senseless:
                end = scalars.capped(value) if name in _CAPPED else None
                if end is not None and self.may(names.NUMBER_CAPPED):
                    made[name] = end
                    continue
                # what a repair that is off would have understood is refused, not left out
                if self._missed or not self._goes(name, value, name in required):
                    made[name] = value  # its problem will be reported
        for name in required:
            if name not in made:
                self._fill(name, made)
        for name in made:
            if name in fields:
                self._excuse(made, name, fields[name])
        return made

    def _goes(self, name: str, value: Any, required: bool) -> bool:
        """Return whether a field without sense is left out: it is not needed, or has a default.

        A number that is no more than too large stays: the station means something by it.
        """
        if required and (isinstance(value, int | float) or not self._has_default(name)):
            return False
        return self.may(names.FIELD_DROPPED)

    def _has_default(self, name: str) -> bool:
        if (self.action, name) == ("StatusNotification", "connectorId"):
            return False  # absent it may be the only one; nonsense may be any
        try:
            default(self.action, name, {}, self.received_at)
        except KeyError:
            return False
        return True

    def _excuse(self, made: dict[str, Any], name: str, part: Mapping[str, Any]) -> None:
        """Note what is kept though the schema does not allow it."""
        value = made[name]
        if self.action.endswith(ANSWER):
            return
        choices = part.get("enum")
        kept = isinstance(value, str) and (value.strip() or name == "measurand")
        if choices is not None and kept and value not in choices:
            # the unit is in the enumeration of MeterValues; the schema of the stop forgot it
            hertz = (self.action, name, value) == ("StopTransaction", "unit", "Hertz")
            rule = names.HERTZ_IN_STOP_TRANSACTION if hertz else names.CHOICE_KEPT
            if (hertz or name in spelling.KEPT) and self.may(rule):
                self.excused.append((made, name, choices[0]))
        elif (
            (value == [] and part.get("minItems"))
            and self.action == "MeterValues"  # a triggered one may be empty (M57)
            and self.may(names.NOTHING_MEASURED)
        ):
            self.excused.append((made, name, _SOMETHING[name]))

    def _named(
        self, fields: Mapping[str, Any], required: list[str], given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the fields under their names; those with right names keep their places."""
        found = {name: value for name, value in given.items() if name in fields}
        unknown = {name: value for name, value in given.items() if name not in fields}
        for name, value in list(unknown.items()):
            free = tuple(other for other in fields if found.get(other) is None)
            meant = spelling.known_as(name, free, spelling.OTHER_FIELDS) or self._guess(name, free)
            fits = meant is not None and self._could_be(fields[meant], value)
            if meant is not None and fits and self.may(names.FIELD_SPELLING):
                found[meant] = value
                del unknown[name]
        self._lift(fields, required, found, unknown)
        if unknown and not self.may(names.UNKNOWN_FIELD):
            found |= unknown
        return found

    @staticmethod
    def _could_be(schema: Mapping[str, Any], value: Any) -> bool:
        """Return whether a field of another name may be this one: structures must fit."""
        kind = schema.get("type", "")
        if kind == "string" and isinstance(value, dict):
            return scalars.wrapped_text(value) is not None
        if isinstance(value, dict | list) or kind in ("object", "array"):
            return isinstance(value, _JSON_TYPES.get(kind, ()))
        return True

    def _lift(
        self,
        fields: Mapping[str, Any],
        required: list[str],
        found: dict[str, Any],
        unknown: dict[str, Any],
    ) -> None:
        """Put parts of a missing list's element, which stand here, where they belong."""
        for name in required:
            items = fields.get(name, {}).get("items", {})
            inside = items.get("properties")
            if not inside or name in found:
                continue
            whole = next((key for key in unknown if _is_element(unknown[key], inside)), None)
            if whole is not None and self.may(names.FIELD_SPELLING):
                found[name] = unknown.pop(whole)
                continue
            parts = {key: unknown[key] for key in unknown if key in inside}
            if parts and self.may(names.NESTING):
                found[name] = [parts]
                for key in parts:
                    del unknown[key]

    def _split_phase(self, sample: dict[str, Any]) -> None:
        """Take the phase off a measurand, `Current.Import.L1` (Alfen)."""
        measurand = sample.get("measurand")
        if not isinstance(measurand, str) or "." not in measurand:
            return
        head, _, tail = measurand.rpartition(".")
        phase = tail.strip().upper()
        if phase in _PHASES and self.may(names.MEASURAND_WITH_PHASE):
            sample["measurand"] = head
            sample.setdefault("phase", phase)

    def _fill(self, name: str, made: dict[str, Any]) -> None:
        try:
            value = default(self.action, name, made, self.received_at)
        except KeyError:
            return
        rule = names.TIME_MISSING if name == "timestamp" else names.MISSING_FIELD
        if self.may(rule):
            made[name] = value
            self.defaulted.add(name)


def _is_element(value: Any, fields: Mapping[str, Any]) -> bool:
    """Return whether a value of an unknown name is an element, or a list, of these fields."""
    first = value[0] if isinstance(value, list) and value else value
    return isinstance(first, dict) and bool(first) and all(key in fields for key in first)


def _known(name: str, fields: tuple[str, ...]) -> bool:
    return name in fields or spelling.known_as(name, fields, spelling.OTHER_FIELDS) is not None


def _speaks_of(value: Any, fields: tuple[str, ...]) -> bool:
    """Return whether a value is an object with some of these fields."""
    return isinstance(value, dict) and any(_known(name, fields) for name in value)
