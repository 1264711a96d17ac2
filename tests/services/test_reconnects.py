"""When a newcomer's limits are forgotten, and when it may be told them."""

from __future__ import annotations

import asyncio
import time

from csms.services.reconnects import FREE_RECONNECTS, Reconnects

SITES = {1: "s", 2: "t"}


def forget(reconnects):
    """Do what the control loop does; returns who was forgotten."""
    new = reconnects.to_forget()
    reconnects.forgotten(new, {key: SITES[key] for key in new if key in SITES})
    return set(new)


def test_a_newcomer_is_forgotten_at_once_and_told_when_it_speaks(clock):
    reconnects = Reconnects(clock)
    reconnects.connected(1)
    assert (reconnects.is_settling(1), reconnects.is_held_back(1)) == (True, False)
    assert forget(reconnects) == {1}
    assert forget(reconnects) == set()
    assert reconnects.take_ready() == set()
    reconnects.spoke(1)
    assert reconnects.take_ready() == {"s"}
    assert not reconnects.is_settling(1)


async def test_a_silent_newcomer_is_told_after_three_seconds(clock):
    reconnects = Reconnects(clock)
    reconnects.connected(1)
    forget(reconnects)
    await clock.advance(2.9)
    assert reconnects.take_ready() == set()
    await clock.advance(0.1)
    assert reconnects.take_ready() == {"s"}


def test_nobody_is_told_before_its_forgetting_is_stored(clock):
    reconnects = Reconnects(clock)
    reconnects.connected(1)
    reconnects.spoke(1)
    assert reconnects.take_ready() == set()
    assert reconnects.is_settling(1)
    forget(reconnects)
    assert reconnects.take_ready() == {"s"}


def test_a_connection_that_comes_while_the_former_is_being_forgotten_counts_anew(clock):
    reconnects = Reconnects(clock)
    reconnects.connected(1)
    storing = reconnects.to_forget()
    reconnects.connected(1)
    reconnects.forgotten(storing, SITES)
    assert forget(reconnects) == {1}


def test_words_of_those_that_are_known_mean_nothing(clock):
    reconnects = Reconnects(clock)
    reconnects.spoke(1)
    assert not reconnects.is_settling(1)
    assert reconnects.to_forget() == {}


def test_without_a_site_nobody_is_to_be_hinted(clock):
    reconnects = Reconnects(clock)
    reconnects.connected(3)
    reconnects.spoke(3)
    forget(reconnects)
    assert reconnects.take_ready() == set()
    assert not reconnects.is_settling(3)


async def test_one_that_flaps_is_held_back_to_once_a_minute(clock):
    reconnects = Reconnects(clock)
    for _ in range(FREE_RECONNECTS):
        reconnects.connected(1)
        reconnects.spoke(1)
        forget(reconnects)
        assert reconnects.take_ready() == {"s"}
        await clock.advance(1)
    for speaks in (True, False):
        reconnects.connected(1)
        if speaks:
            reconnects.spoke(1)
        forget(reconnects)
        assert (reconnects.is_settling(1), reconnects.is_held_back(1)) == (False, True)
        await clock.advance(10)
        assert reconnects.take_ready() == set()
    await clock.advance(60 - FREE_RECONNECTS - 20)
    assert reconnects.take_ready() == {"s"}
    await clock.advance(60)
    reconnects.connected(1)
    assert not reconnects.is_held_back(1)


async def test_waiting_ends_with_news(clock):
    reconnects = Reconnects(clock)
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(reconnects.wait())
        await clock.settle()
        assert not waiting.done()
        reconnects.connected(1)
    forget(reconnects)
    await clock.advance(3)
    async with asyncio.timeout(30):
        await reconnects.wait()  # someone is ready: no waiting
    assert reconnects.take_ready() == {"s"}


def test_thousands_at_once_are_no_burden(clock):
    """Each word wakes the loop, so a look at all newcomers each time would take minutes."""
    reconnects = Reconnects(clock)
    for key in range(10_000):
        reconnects.connected(key)
    forget(reconnects)
    began = time.process_time()
    for key in range(10_000):
        reconnects.spoke(key)
        reconnects.take_ready()
        assert not reconnects.to_forget()
    assert not any(reconnects.is_settling(key) for key in range(10_000))
    assert time.process_time() - began < 20
