"""Power over time from meter values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from csms.domain.power_series import HELD_S, Measured, Span, power_series


def value(step, power=None, register=None, *, load=1, transaction=1, connector=1, at=None):
    return Measured(
        load=load,
        transaction=transaction,
        connector=connector,
        step=step,
        power_w=power,
        register_wh=register,
        at_s=step * 60 + 30 if at is None else at,
    )


def span(begin, end, *, load=1, transaction=1):
    return Span(load=load, transaction=transaction, begin_s=begin, end_s=end)


def series(measured, spans, steps=6, now=10_000):
    return power_series(measured, spans, steps=steps, step_s=60, now_s=now)


def test_a_value_holds_until_the_next_one_and_no_longer_than_its_transaction():
    found = series([value(1, 5000), value(3, 7000)], [span(60, 270)])
    assert found == {1: [0, 5000, 5000, 7000, 3500, 0]}


def test_a_step_has_the_part_for_which_its_transactions_run():
    measured = [value(1, 8000), value(1, 6000, transaction=2)]
    spans = [span(0, 75), span(90, None, transaction=2)]
    assert series(measured, spans, now=150)[1][1:4] == [2000 + 3000, 6000, None]


def test_a_value_does_not_hold_for_ever():
    steps = HELD_S // 60 + 4
    found = series([value(0, 5000)], [span(0, None)], steps=steps)[1]
    assert found[: HELD_S // 60 + 1] == [5000] * (HELD_S // 60 + 1)
    assert found[HELD_S // 60 + 1 :] == [None] * 3


def test_registers_alone_give_the_mean_between_them():
    found = series([value(0, None, 1000), value(3, None, 1600)], [span(0, 240)])
    # 600 Wh within three minutes
    assert found == {1: [None, 12_000, 12_000, 12_000, 0, 0]}


def test_a_register_that_runs_backwards_tells_nothing():
    found = series([value(0, None, 1000), value(1, None, 900)], [span(0, 119)])
    assert found[1][:3] == [None, None, 0]


def test_connectors_of_one_station_add_up_and_the_unknown_stays_unknown():
    measured = [value(0, 1000), value(0, 2000, transaction=2, connector=2)]
    spans = [span(0, 60), span(0, 60, transaction=2)]
    assert series(measured, spans)[1][0] == 3000
    spans.append(span(0, 50, transaction=3))  # of which nothing came
    assert series(measured, spans)[1][0] is None


def test_of_what_comes_nothing_is_known():
    assert series([value(0, 5000)], [span(0, None)], now=70)[1] == [5000, 5000] + [None] * 4


def test_values_outside_of_a_transaction_stand_for_themselves():
    assert series([value(2, 40, transaction=None)], []) == {1: [0, 0, 40, 0, 0, 0]}


@given(
    st.lists(st.tuples(st.integers(0, 19), st.integers(0, 22_000)), max_size=20),
    st.integers(0, 1199),
    st.integers(0, 1199),
)
def test_power_lies_between_nothing_and_the_most_that_was_measured(values, one, other):
    begin, end = sorted((one, other))
    measured = [value(step, power) for step, power in sorted(dict(values).items())]
    found = series(measured, [span(begin, end)], steps=20)[1]
    most = max((m.power_w for m in measured), default=0)
    assert len(found) == 20
    assert all(power is None or 0 <= power <= most for power in found)
    for m in measured:
        whole = begin <= m.step * 60 and end >= m.step * 60 + 60
        if whole or end <= m.step * 60 or begin >= m.step * 60 + 60:
            assert found[m.step] == m.power_w
