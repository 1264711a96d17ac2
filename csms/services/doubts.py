"""Findings that meter values leave on their transactions."""

from __future__ import annotations

from collections.abc import Sequence

from csms.domain.ids import TransactionId
from csms.domain.metering import MeterValuesFact
from csms.domain.transactions import OpenTransaction
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
    """Return the transaction that values with an impossible id belong to, if only one can be.

    The one on their connector; else, for values of connector 0, the only one of the station.
    """
    own = [row for row in active if row.charge_point == fact.charge_point]
    there = [row for row in own if row.connector_id == fact.connector_id]
    if there:
        return there[-1].id
    if fact.connector_id <= 0 and len(own) == 1:
        return own[0].id
    return None
