"""Payloads that break their schema, as they were meant.

The walk makes what it can; the schema then says whether that may be taken. What is kept on purpose
(an unknown value of an enumeration, an empty list of readings) is set aside for that question.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csms.ocppj.repairs.defaults import ANSWER
from csms.ocppj.repairs.payload_walk import Walk
from csms.ocppj.repairs.switches import Switches
from csms.ocppj.schemas import Problem, Schemas


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
        walk = Walk(action, self._switches, received_at)
        made = walk.made(self._schemas.document(action), payload)
        kept = [(place, name, place[name]) for place, name, _ in walk.excused]
        for place, name, allowed in walk.excused:
            place[name] = allowed
        problems = self._schemas.request_problems(action, made)
        for place, name, value in kept:
            place[name] = value
        return _repaired(walk, made, problems)

    def answer(self, action: str, payload: dict[str, Any], received_at: datetime) -> Repaired:
        """Return an answer to a call of ours as it was meant."""
        walk = Walk(action + ANSWER, self._switches, received_at)
        made = walk.made(self._schemas.answer_document(action), payload)
        return _repaired(walk, made, self._schemas.response_problems(action, made))


def _repaired(walk: Walk, made: dict[str, Any], problems: list[Problem]) -> Repaired:
    return Repaired(
        payload=made,
        names=tuple(walk.names),
        defaulted=frozenset(walk.defaulted),
        problems=problems,
    )
