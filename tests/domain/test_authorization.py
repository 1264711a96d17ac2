from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from csms.domain.authorization import IdTagRecord, authorize, authorize_start
from csms.domain.ids import id_tag_key

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PAST, FUTURE = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (None, "Invalid"),
        (IdTagRecord(id_tag="A"), "Accepted"),
        (IdTagRecord(id_tag="A", blocked=True, expires_at=PAST), "Blocked"),
        (IdTagRecord(id_tag="A", expires_at=PAST), "Expired"),
        (IdTagRecord(id_tag="A", expires_at=NOW), "Expired"),
        (IdTagRecord(id_tag="A", expires_at=FUTURE), "Accepted"),
        (IdTagRecord(id_tag="A", max_active_sessions=0), "Accepted"),
    ],
)
def test_m20_m21_authorize_judges_the_tag_alone(record, status):
    assert authorize(record, NOW).status == status


def test_the_answer_carries_parent_and_expiry():
    info = authorize(IdTagRecord(id_tag="A", parent_id_tag="P", expires_at=FUTURE), NOW)
    assert (info.parent_id_tag, info.expires_at) == ("P", FUTURE)


@pytest.mark.parametrize(
    ("limit", "active", "status"),
    [(None, 99, "Accepted"), (1, 0, "Accepted"), (1, 1, "ConcurrentTx"), (2, 1, "Accepted")],
)
def test_m32_a_start_counts_the_sessions_of_the_tag(limit, active, status):
    record = IdTagRecord(id_tag="A", max_active_sessions=limit)
    assert authorize_start(record, NOW, active).status == status


def test_a_blocked_tag_is_blocked_whatever_it_charges():
    record = IdTagRecord(id_tag="A", blocked=True, max_active_sessions=1)
    assert authorize_start(record, NOW, 5).status == "Blocked"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("04a2b3", "04A2B3", True),
        ("TAG", "\x10\x0eTAG", True),  # as Ocular/BS return it
        ("TAG", "TAG ", False),
        ("TAG", "TAG\u00a0", False),
        ("TAG", "T\u00c4G", False),
    ],
)
def test_which_id_tags_are_the_same(one, other, same):
    assert (id_tag_key(one) == id_tag_key(other)) == same
