"""StartTransaction and StopTransaction, by batches (OCPP 1.6 4.8, 4.10; rules M30-M49)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from csms.domain import authorization, stop_matching
from csms.domain.authorization import AuthorizationStatus, IdTagInfo, IdTagRecord
from csms.domain.ids import ChargePointKey, SiteId, TransactionId, id_tag_key
from csms.domain.metering import MeterValuesFact
from csms.domain.transactions import (
    Finding,
    OpenTransaction,
    StartContent,
    StartFact,
    StartOutcome,
    StopFact,
    StopOutcome,
    cost,
    is_no_id,
    start_findings,
    stop_findings,
)
from csms.services.ports.intake import (
    IntakeBatch,
    Known,
    NewTransaction,
    Orphan,
    StoppedTransaction,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a kWh costs where there is no tariff."""

    per_kwh: Decimal
    currency: str


@dataclass(slots=True)
class Touched:
    """What a batch has changed, for the hints that follow the commit."""

    sites: set[SiteId]
    transactions: set[TransactionId]


class _Running(NamedTuple):
    """What a start must know of a transaction that runs on its charge point."""

    id: TransactionId
    status: AuthorizationStatus
    content: StartContent


async def record_starts(
    batch: IntakeBatch, facts: Sequence[StartFact], known: Known, price: Price, touched: Touched
) -> list[StartOutcome]:
    """Insert the new transactions, recognise the repeated ones, and return the answers in order.

    A start on a connector with an active transaction ends that one without inventing a stop (M36).
    """
    tags = known.tags
    limited = [
        key
        for key in {id_tag_key(fact.id_tag) for fact in facts}
        if key in tags and tags[key].max_active_sessions is not None
    ]
    sessions = Counter(await batch.active_sessions(limited) if limited else {})
    by_content: dict[StartContent, _Running] = {}
    by_connector: dict[tuple[ChargePointKey, int], _Running] = {}
    for each in known.active:
        running = _Running(each.id, each.id_tag_status, each.content)
        by_content[running.content] = by_connector[each.charge_point, each.connector_id] = running
    contents = [fact.content for fact in facts]
    ids = iter(await batch.next_transaction_ids(sum(c not in by_content for c in contents)))
    rows: list[NewTransaction] = []
    ended: list[TransactionId] = []
    outcomes = []
    for fact, content in zip(facts, contents, strict=True):
        key = content.id_tag_key
        repeated = by_content.get(content)
        if repeated is not None:
            info = authorization.authorize(tags.get(key), fact.received_at)
            info = replace(info, status=repeated.status)
            outcomes.append(StartOutcome(transaction_id=repeated.id, id_tag_info=info))
            continue
        place = fact.charge_point, fact.connector_id
        before = by_connector.get(place)
        if before is not None and fact.connector_id > 0:
            ended.append(before.id)
            sessions[before.content.id_tag_key] -= _counts(before.status)
            by_content.pop(before.content, None)
        info = authorization.authorize_start(tags.get(key), fact.received_at, sessions[key])
        status = info.status
        sessions[key] += _counts(status)
        row = NewTransaction(
            id=next(ids),
            start=fact,
            id_tag_status=status,
            findings=tuple(start_findings(fact, status)),
            price_per_kwh=price.per_kwh,
            currency=price.currency,
        )
        rows.append(row)
        by_content[content] = by_connector[place] = _Running(row.id, status, content)
        outcomes.append(StartOutcome(transaction_id=row.id, id_tag_info=info))
    if rows:
        batch.start(rows)
    if ended:
        # after the inserts: a transaction may begin and be overtaken within one batch
        batch.end_without_stop(ended, facts[-1].received_at)
    touched.transactions.update(row.id for row in rows)
    touched.transactions.update(ended)
    return outcomes


async def record_stops(
    batch: IntakeBatch, facts: Sequence[StopFact], known: Known, touched: Touched
) -> list[StopOutcome]:
    """Stop the transactions that the facts name and return the answers in order.

    The first stop wins (M46); an id of another charge point or of nobody changes nothing and is
    kept as an orphan (M43, M45); -1 and other impossible ids mean the one that the rest of the
    message fits, or the one that an equal message has ended (M44, `csms.domain.stop_matching`).
    """
    nameless = {f.charge_point for f in facts if is_no_id(f.transaction_id)}
    before = await batch.stopped_at(nameless, {f.stopped_at for f in facts}) if nameless else []
    active = known.active
    rows: dict[TransactionId, StoppedTransaction] = {}
    orphans: list[Orphan] = []
    readings: list[MeterValuesFact] = []
    links: list[TransactionId | None] = []
    outcomes = []
    for fact in facts:
        opened = known.transactions.get(TransactionId(fact.transaction_id))
        if is_no_id(fact.transaction_id):
            if stop_matching.repeated(fact, before) is not None or _in_batch(fact, rows, active):
                outcomes.append(StopOutcome(id_tag_info=_stop_info(fact, known.tags)))
                continue
            opened = stop_matching.meant(fact, [row for row in active if row.id not in rows])
        if opened is None or opened.charge_point != fact.charge_point:
            orphans.append(_orphan(fact, foreign=opened is not None))
        elif opened.id not in rows and opened.meter_stop_wh is None:
            rows[opened.id] = _stopped(fact, opened, known.tags)
            if fact.readings:
                readings.append(_as_meter_values(fact, opened))
                links.append(opened.id)
        else:
            first = rows.get(opened.id)
            again = stop_matching.with_meter_that_can_be(fact, opened).meter_stop_wh
            if (first.meter_stop_wh if first else opened.meter_stop_wh) != again:
                orphans.append(_orphan(fact, foreign=False, reason=Finding.DUPLICATE_STOP))
        outcomes.append(StopOutcome(id_tag_info=_stop_info(fact, known.tags)))
    if readings:
        batch.meter(readings, links)
    if rows:
        batch.stop(list(rows.values()))
        touched.transactions.update(rows)
    if orphans:
        batch.keep_orphans(orphans)
    return outcomes


def _counts(status: AuthorizationStatus) -> int:
    """Return 1 for a session that uses up one of its tag's; an unauthorised one does not."""
    return int(status is AuthorizationStatus.ACCEPTED)


def _in_batch(
    fact: StopFact,
    rows: dict[TransactionId, StoppedTransaction],
    active: Sequence[OpenTransaction],
) -> bool:
    """Return whether an equal stop stands earlier in the batch."""
    return any(
        row.stopped_at == fact.stopped_at
        and row.meter_stop_wh
        == stop_matching.with_meter_that_can_be(fact, transaction).meter_stop_wh
        for transaction in active
        if transaction.charge_point == fact.charge_point
        and (row := rows.get(transaction.id)) is not None
    )


def _stopped(
    fact: StopFact, opened: OpenTransaction, tags: dict[str, IdTagRecord]
) -> StoppedTransaction:
    fact = stop_matching.with_meter_that_can_be(fact, opened)
    findings = [f for f in opened.findings if f != Finding.STOP_MISSING]
    same_group = fact.id_tag != opened.id_tag and _share_a_group(fact, opened, tags)
    findings += [f for f in stop_findings(fact, opened, same_group=same_group) if f not in findings]
    return StoppedTransaction(
        id=opened.id,
        meter_stop_wh=fact.meter_stop_wh,
        stopped_at=fact.stopped_at,
        received_at=fact.received_at,
        reason=fact.reason or "Local",
        id_tag=fact.id_tag,
        findings=tuple(findings),
        cost=cost(fact.meter_stop_wh - opened.meter_start_wh, opened.price_per_kwh, findings),
    )


def _share_a_group(fact: StopFact, opened: OpenTransaction, tags: dict[str, IdTagRecord]) -> bool:
    """Return whether the tag that stops has the same parent as the one that has started."""
    starter = tags.get(id_tag_key(opened.id_tag))
    stopper = tags.get(id_tag_key(fact.id_tag)) if fact.id_tag is not None else None
    return (
        starter is not None
        and stopper is not None
        and starter.parent_id_tag is not None
        and stopper.parent_id_tag is not None
        and id_tag_key(starter.parent_id_tag) == id_tag_key(stopper.parent_id_tag)
    )


def _stop_info(fact: StopFact, tags: dict[str, IdTagRecord]) -> IdTagInfo | None:
    if fact.id_tag is None:
        return None
    return authorization.authorize(tags.get(id_tag_key(fact.id_tag)), fact.received_at)


def _as_meter_values(fact: StopFact, opened: OpenTransaction) -> MeterValuesFact:
    return MeterValuesFact(
        charge_point=fact.charge_point,
        received_at=fact.received_at,
        connector_id=opened.connector_id,
        transaction_id=opened.id,
        readings=fact.readings,
    )


def _orphan(fact: StopFact, *, foreign: bool, reason: str | None = None) -> Orphan:
    return Orphan(
        charge_point=fact.charge_point,
        action="StopTransaction",
        reason=reason or ("foreignTransaction" if foreign else "unknownTransaction"),
        payload={
            "transactionId": fact.transaction_id,
            "meterStop": fact.meter_stop_wh,
            "timestamp": fact.stopped_at.isoformat(),
            "idTag": fact.id_tag,
            "reason": fact.reason,
        },
        received_at=fact.received_at,
    )
