"""Long computations in pieces: the same result, and a great many of them."""

from __future__ import annotations

from dataclasses import replace

from csms.domain.pieces import AT_ONCE, collected, whole
from csms.domain.site_control import control, controlled
from csms.domain.site_report import reported, site_status
from tests.domain.test_site_control import MAX, NOW, charger, session, snapshot


def large(count: int):
    names = [f"C{number}" for number in range(count)]
    return snapshot(
        MAX * count // 2,
        [charger(name) for name in names],
        [
            replace(session(number, name), measured_w=5_000, measured_at=NOW)
            for number, name in enumerate(names, 1)
        ],
    )


def counted(pieces):
    count = 0
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            return end.value, count
        count += 1


def test_an_iterator_is_collected_a_few_at_a_time():
    found, count = counted(collected(iter(range(10 * AT_ONCE))))
    assert found == list(range(10 * AT_ONCE))
    assert count == 10


def test_a_large_site_is_decided_in_pieces_that_grow_in_number_and_not_in_size():
    few, many = large(4 * AT_ONCE), large(8 * AT_ONCE)
    step, of_few = counted(controlled(few, NOW))
    assert step == control(few, NOW)
    _, of_many = counted(controlled(many, NOW))
    # what is done for each session, each charger, each node: ten loops and more
    assert of_many - of_few >= 4 * 10
    status, told = counted(reported(few, step, NOW))
    assert status == site_status(few, step, NOW) == whole(reported(few, step, NOW))
    assert told >= 8
