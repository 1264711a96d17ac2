"""Meter values that come again because their answer was lost, and how they are known.

A charge point sends one message at a time and repeats the one that was not answered, so a
repetition is one of the last messages that its charge point has sent. Their contents are
remembered here; what is not remembered (after a start, a new connection, or a commit whose end is
unknown) is looked up in the database, once.

Concurrency: used by the intake's one task.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from csms.domain.ids import ChargePointKey
from csms.domain.metering import MeterValuesFact

_REMEMBERED = 3  # a triggered message may come between the first sending and the second


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """Which of a batch's messages are new.

    Attributes:
        fresh: Their places in the batch, in order.
        contents: What is to be remembered once they are stored.
    """

    fresh: list[int]
    contents: Mapping[ChargePointKey, tuple[int, ...]]


class Repetitions:
    """Remembers the contents of the last messages of each charge point, as hashes."""

    def __init__(self) -> None:
        self._last: dict[ChargePointKey, tuple[int, ...]] = {}

    def knows(self, facts: Iterable[MeterValuesFact]) -> bool:
        """Return whether nothing has to be looked up for these messages."""
        return not self.unknown(facts)

    def unknown(self, facts: Iterable[MeterValuesFact]) -> list[MeterValuesFact]:
        """Return those whose charge points' last messages are not remembered."""
        return [f for f in facts if f.readings and f.charge_point not in self._last]

    def sift(
        self, facts: Sequence[MeterValuesFact], stored: Iterable[MeterValuesFact] = ()
    ) -> Sifted:
        """Return which messages are new, within the batch too.

        Args:
            facts: Of one batch, in the order of their arrival.
            stored: Those that the database has already.
        """
        contents: dict[ChargePointKey, tuple[int, ...]] = {}
        for fact in stored:
            contents[fact.charge_point] = (_content(fact), *contents.get(fact.charge_point, ()))
        fresh = []
        for place, fact in enumerate(facts):
            key = fact.charge_point
            before = contents[key] if key in contents else self._last.get(key, ())
            content = _content(fact)
            if content not in before:
                fresh.append(place)
                contents[key] = (content, *before[: _REMEMBERED - 1])
        return Sifted(fresh=fresh, contents=contents)

    def remember(self, sifted: Sifted) -> None:
        """Take in what has been stored."""
        self._last.update(sifted.contents)

    def forget(self, charge_points: Iterable[ChargePointKey]) -> None:
        """Have the next messages of these looked up."""
        for key in charge_points:
            self._last.pop(key, None)


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
