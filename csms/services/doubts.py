"""Findings that meter values leave on their transactions."""

from __future__ import annotations

from collections.abc import Sequence

from csms.domain.ids import TransactionId
from csms.domain.metering import MeterValuesFact
from csms.domain.transactions import CLOCK_UNSET_BEFORE_YEAR, OpenTransaction
from csms.services.ports.intake import IntakeBatch


def record_doubts(
    batch: IntakeBatch, facts: Sequence[MeterValuesFact], links: Sequence[TransactionId | None]
) -> None:
    """Add the doubts of meter values to the transactions that they belong to, each once."""
    doubts = {
        (link, fact.charge_point, doubt): None
        for fact, link in zip(facts, links, strict=True)
        if link is not None
        for doubt in fact.doubts
    }
    if doubts:
        batch.doubt(list(doubts))


def nameless_link(fact: MeterValuesFact, active: Sequence[OpenTransaction]) -> TransactionId | None:
    """Return the transaction that values with an impossible id, or none, belong to.

    The one on their connector; else, for values of connector 0 with an impossible id, the only one
    of the station. Without an id those of connector 0 are the main meter's (M52), and what was
    measured before a start is not of its transaction.
    """
    own = [row for row in active if row.charge_point == fact.charge_point]
    there = [row for row in own if row.connector_id == fact.connector_id]
    if fact.transaction_id is None:
        there = [row for row in there if row.connector_id > 0 and not _is_before(fact, row)]
        return there[-1].id if there else None
    if there:
        return there[-1].id
    if fact.connector_id <= 0 and len(own) == 1:
        return own[0].id
    return None


def _is_before(fact: MeterValuesFact, row: OpenTransaction) -> bool:
    """Return whether values were measured before a start, by a clock that was set at both."""
    at = max((reading.measured_at for reading in fact.readings), default=fact.received_at)
    return at.year >= CLOCK_UNSET_BEFORE_YEAR and at < row.started_at <= fact.received_at
