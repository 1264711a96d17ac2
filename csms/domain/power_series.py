"""Power over time from meter values: what was measured, held between two readings.

Charge points send values each minute or each quarter of an hour, some of them only the register.
A step in which nothing came gets the newest value before it, while the transaction lasts and for a
while; a step of a transaction of which nothing is known stays unknown. Of a transaction that runs
for a part of a step that part counts: two that follow each other are not added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

HELD_S = 1200
"""How long a value stands for what follows: longer than the longest usual interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came of one transaction within one step.

    Attributes:
        load: Whose power it is: any key of a charge point.
        transaction: Its number; None: values outside of any.
        connector: Of the charge point.
        step: Number of the step, from 0.
        power_w: Mean of the power that was measured; None: only the register was sent.
        register_wh: Highest of the register.
        at_s: When the newest value came, in seconds from the beginning.
    """

    load: int
    transaction: int | None
    connector: int
    step: int
    power_w: int | None
    register_wh: int | None
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """How long a transaction runs, in seconds from the beginning; `end_s` None: it still does."""

    load: int
    transaction: int
    begin_s: float
    end_s: float | None


def power_series(
    measured: Iterable[Measured], spans: Iterable[Span], *, steps: int, step_s: int, now_s: float
) -> dict[int, list[int | None]]:
    """Return the power of each load by step, in W; 0 where nothing runs, None where unknown.

    >>> value = Measured(load=7, transaction=1, connector=1, step=0, power_w=5000,
    ...                  register_wh=None, at_s=30)
    >>> span = Span(load=7, transaction=1, begin_s=10, end_s=100)
    >>> power_series([value], [span], steps=4, step_s=60, now_s=150)
    {7: [4167, 3333, 0, None]}

    Args:
        measured: In the order of load, connector, transaction and step.
        spans: Of all transactions of `measured`, and of those of which nothing came.
        steps: How many there are.
        step_s: Length of a step.
        now_s: The present, in seconds from the beginning: nothing is known of what comes then.
    """
    last = min(steps, max(0, int(now_s // step_s) + 1))
    by_transaction: dict[tuple[int, int | None, int], list[Measured]] = {}
    for one in measured:
        by_transaction.setdefault((one.load, one.transaction, one.connector), []).append(one)
    known_spans = {(span.load, span.transaction): span for span in spans}
    nothing: list[int | None] = [0] * last
    nothing += [None] * (steps - last)
    series: dict[int, list[int | None]] = {}
    for (load, transaction, _), values in by_transaction.items():
        span = None if transaction is None else known_spans.pop((load, transaction), None)
        of_one = _of_one(values, span, last, step_s)
        if span is not None:
            of_one = {
                step: None if value is None else round(value * _part(span, step, step_s, now_s))
                for step, value in of_one.items()
            }
        _add(series.setdefault(load, nothing.copy()), of_one)
    for span in known_spans.values():
        unknown = dict.fromkeys(_steps_of(span, last, step_s))
        _add(series.setdefault(span.load, nothing.copy()), unknown)
    return series


def _of_one(
    values: Sequence[Measured], span: Span | None, last: int, step_s: int
) -> dict[int, int | None]:
    """Return the power of one transaction by step."""
    found: dict[int, int | None] = {}
    before: Measured | None = None
    for value in values:
        power_w = value.power_w
        if power_w is None and before is not None:
            power_w = _mean_w(before, value)
            if power_w is not None:  # it is the mean since the value before
                found |= dict.fromkeys(range(before.step + 1, value.step), power_w)
        if power_w is not None:
            found[value.step] = power_w
        before = value
    for step in _steps_of(span, last, step_s) if span is not None else range(0):
        found.setdefault(step, None)
    return _held(found, step_s)


def _held(found: Mapping[int, int | None], step_s: int) -> dict[int, int | None]:
    """Return the same with gaps filled from before, for as long as a value holds."""
    result: dict[int, int | None] = {}
    newest: tuple[int, int] | None = None
    for step in sorted(found):
        value = found[step]
        if value is None and newest is not None and (step - newest[0]) * step_s <= HELD_S:
            value = newest[1]
        elif value is not None:
            newest = (step, value)
        result[step] = value
    return result


def _mean_w(before: Measured, value: Measured) -> int | None:
    if before.register_wh is None or value.register_wh is None or value.at_s <= before.at_s:
        return None
    taken_wh = value.register_wh - before.register_wh
    return None if taken_wh < 0 else round(taken_wh * 3600 / (value.at_s - before.at_s))


def _steps_of(span: Span, last: int, step_s: int) -> range:
    """Return the steps during which a transaction runs."""
    first = max(0, int(span.begin_s // step_s))
    end = last if span.end_s is None else min(last, int(-(-span.end_s // step_s)))
    return range(first, end)


def _part(span: Span, step: int, step_s: int, now_s: float) -> float:
    """Return for how much of a step a transaction runs, above 0 to 1.

    What came of it in a step outside of its time (clocks of charge points lie) stands as it is.
    """
    begin_s, end_s = step * step_s, min((step + 1) * step_s, now_s)
    runs_s = min(end_s, end_s if span.end_s is None else span.end_s) - max(begin_s, span.begin_s)
    return runs_s / (end_s - begin_s) if 0 < runs_s < end_s - begin_s else 1.0


def _add(sums: list[int | None], values: Mapping[int, int | None]) -> None:
    """Add up; what is unknown stays so."""
    for step, value in values.items():
        present = sums[step]
        sums[step] = None if present is None or value is None else present + value
