"""Meter values that come again because their answer was lost, and how they are known.

A charge point sends one message at a time and repeats the one that was not answered, so a
repetition is one of the last messages that its charge point has sent. Their contents are
remembered here; what is not remembered (after a start, a new connection, or a commit whose end is
unknown) is looked up in the database, once. Some charge points do not wait for answers and repeat
several messages: after one that was found the next one is looked up too.

Concurrency: used by the intake's one task.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from csms.domain.ids import ChargePointKey
from csms.domain.metering import MeterValuesFact

_MOST_CONNECTORS = 64
_REMEMBERED = 3  # a triggered message may come between the first sending and the second


@dataclass(slots=True, kw_only=True)
class Sifted:
    """Which of a batch's messages are new.

    Attributes:
        fresh: Their places in the batch, in order.
        contents: What is to be remembered once they are stored.
        repeating: Connectors of which nothing but repetitions has come since they were looked up.
    """

    fresh: list[int]
    contents: Mapping[tuple[ChargePointKey, int], tuple[int, ...]]
    repeating: Collection[tuple[ChargePointKey, int]]


class Repetitions:
    """Remembers the contents of the last messages of each connector, as hashes.

    A charge point may send what it has of other connectors before it repeats something.
    """

    def __init__(self) -> None:
        self._last: dict[ChargePointKey, dict[int, tuple[int, ...]]] = {}
        self._repeating: Collection[tuple[ChargePointKey, int]] = ()

    def unknown(self, facts: Iterable[MeterValuesFact]) -> list[MeterValuesFact]:
        """Return those that the database may have though their contents are not remembered."""
        repeating = self._repeating  # nearly always empty
        return [
            fact
            for fact in facts
            if fact.readings
            and (
                fact.connector_id not in self._last.get(fact.charge_point, ())
                or (repeating and (fact.charge_point, fact.connector_id) in repeating)
            )
        ]

    def sift(
        self, facts: Sequence[MeterValuesFact], stored: Iterable[MeterValuesFact] = ()
    ) -> Sifted:
        """Return which messages are new, within the batch too.

        Args:
            facts: Of one batch, in the order of their arrival.
            stored: Those that the database has already.
        """
        contents: dict[tuple[ChargePointKey, int], tuple[int, ...]] = {}
        for fact in stored:
            place = fact.charge_point, fact.connector_id
            before = contents.get(place)
            if before is None:
                before = self._last.get(fact.charge_point, {}).get(fact.connector_id, ())
            contents[place] = (_content(fact), *before)
        repeating = {*self._repeating, *contents}
        fresh = []
        for number, fact in enumerate(facts):
            place = fact.charge_point, fact.connector_id
            before = contents.get(place)
            if before is None:
                before = self._last.get(fact.charge_point, {}).get(fact.connector_id, ())
            content = _content(fact)
            if content not in before:
                fresh.append(number)
                if repeating:
                    repeating.discard(place)
                contents[place] = (content, *before[: _REMEMBERED - 1])
        return Sifted(fresh=fresh, contents=contents, repeating=repeating)

    def remember(self, sifted: Sifted) -> None:
        """Take in what has been stored."""
        self._repeating = sifted.repeating
        for (key, connector_id), contents in sifted.contents.items():
            connectors = self._last.setdefault(key, {})
            if len(connectors) >= _MOST_CONNECTORS:  # numbers that no real charge point has
                connectors.clear()
            connectors[connector_id] = contents

    def forget(self, charge_points: Iterable[ChargePointKey]) -> None:
        """Have the next messages of these looked up."""
        gone = set(charge_points)
        for key in gone:
            self._last.pop(key, None)
        if self._repeating:
            self._repeating = {place for place in self._repeating if place[0] not in gone}


def _content(fact: MeterValuesFact) -> int:
    """Return a hash of all that a message says; its time of arrival is not part of it."""
    return hash(
        (
            fact.connector_id,
            fact.transaction_id,
            *[
                (
                    r.measured_at,
                    r.context,
                    r.energy_wh,
                    r.power_w,
                    r.offered_w,
                    r.soc_permille,
                    *r.current_ma,
                    *r.voltage_mv,
                    None if r.rest is None else repr(r.rest),
                )
                for r in fact.readings
            ],
        )
    )
