"""Payloads that break their schema, put right by walking the schema itself.

One walk over schema and value together: the rules know kinds of values, not messages, so a quirk
that nobody has met is met by the rule for its kind. What is left after the walk is either excused
(an unknown value that is kept as text) or refused with its code.
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
from csms.ocppj.schemas import Problem, Schemas

_PHASES = ("L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1")
_JSON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


_WIDEST = 2**63
_MOST_GUESSES = 40  # a payload may hold thousands of odd words, and each guess takes its time


class _Senseless(Exception):
    """No reading of a value fits its schema. Never leaves this file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A payload as it was meant.

    Attributes:
        defaulted: Names of the fields that were missing and have a default now.
        problems: What is still wrong, worst first; empty when it may be taken.
    """

    payload: dict[str, Any]
    names: tuple[str, ...]
    defaulted: frozenset[str]
    problems: list[Problem]


class PayloadRepairs:
    """Puts requests of charge points, and their answers to our calls, right."""

    def __init__(self, schemas: Schemas, switches: Switches) -> None:
        self._schemas = schemas
        self._switches = switches

    def request(self, action: str, payload: dict[str, Any], received_at: datetime) -> Repaired:
        """Return a request that breaks its schema as it was meant."""
        work = _Work(action, self._switches, received_at)
        made = work.root(self._schemas.document(action), payload)
        left = self._schemas.request_problems(action, made)
        return work.finished(made, [p for p in left if not work.excuses(p)])

    def answer(self, action: str, payload: dict[str, Any], received_at: datetime) -> Repaired:
        """Return an answer to a call of ours as it was meant."""
        work = _Work(action + ANSWER, self._switches, received_at)
        made = work.root(self._schemas.answer_document(action), payload)
        return work.finished(made, self._schemas.response_problems(action, made))


@dataclass(slots=True)
class _Work:
    """The walk over one payload."""

    action: str
    switches: Switches
    received_at: datetime
    names: dict[str, None] = field(default_factory=dict)
    defaulted: set[str] = field(default_factory=set)
    guesses: int = _MOST_GUESSES

    def may(self, name: str) -> bool:
        """Note a repair that is about to be done; False when it is off."""
        if name not in self.switches:
            return False
        self.names[name] = None
        return True

    def finished(self, payload: dict[str, Any], problems: list[Problem]) -> Repaired:
        return Repaired(
            payload=payload,
            names=tuple(self.names),
            defaulted=frozenset(self.defaulted),
            problems=problems,
        )

    def excuses(self, problem: Problem) -> bool:
        """Return whether what is left does no harm."""
        name = str(problem.path[-1]) if problem.path else ""
        if problem.keyword == "Enum" and isinstance(problem.value, str):
            # the unit is in the enumeration of MeterValues; the schema of the stop forgot it
            if (self.action, name, problem.value) == ("StopTransaction", "unit", "Hertz"):
                return self.may(names.HERTZ_IN_STOP_TRANSACTION)
            return name in spelling.KEPT and self.may(names.CHOICE_KEPT)
        if self.action == "MeterValues" and problem.keyword == "MinItems":
            return self.may(names.NOTHING_MEASURED)  # a triggered one may be empty (M57)
        return False

    def root(self, schema: Mapping[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
        return self._object(schema, payload)

    def _guess(self, text: str, words: tuple[str, ...]) -> str | None:
        if self.guesses == 0:
            return None
        self.guesses -= 1
        return spelling.resembling(text, words)

    # -- by type

    def _value(self, schema: Mapping[str, Any], value: Any, name: str) -> Any:
        """Return a value that fits its schema; raises `_Senseless`."""
        match schema.get("type"):
            case "object":
                return self._object(schema, self._single(value, dict))
            case "array":
                return self._array(schema, value, name)
            case "string":
                return self._text(schema, value, name)
            case "integer" | "number" as kind:
                return self._number(value, whole=kind == "integer")
            case "boolean":
                return self._boolean(value)
            case _:
                return value

    def _single(self, value: Any, kind: type) -> Any:
        if isinstance(value, kind):
            return value
        if isinstance(value, list):
            if not value and kind is dict:
                value = [{}]
            if len(value) == 1 and isinstance(value[0], kind) and self.may(names.LIST_OR_SINGLE):
                return value[0]
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
        if not text.strip() or (name not in spelling.KEPT and name not in spelling.FALLBACKS):
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
            try:
                made[name] = self._value(part, value, name)
            except _Senseless:
                if name in required:
                    made[name] = value  # its problem is reported
                elif not self.may(names.FIELD_DROPPED):
                    made[name] = value
        for name in required:
            if name not in made:
                self._fill(name, made)
        minimum = {n: p for n, p in fields.items() if p.get("minItems") and n not in required}
        for name in minimum:
            if made.get(name) == [] and self.may(names.FIELD_DROPPED):
                del made[name]
        return made

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
