"""When a newcomer's limits are forgotten, and when it may be told them."""

from __future__ import annotations

import asyncio

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
    assert (reconnects.settling(), reconnects.held_back()) == ({1}, set())
    assert forget(reconnects) == {1}
    assert forget(reconnects) == set()
    assert reconnects.take_ready() == set()
    reconnects.spoke(1)
    assert reconnects.take_ready() == {"s"}
    assert reconnects.settling() == set()


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
    assert reconnects.settling() == {1}
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
    assert reconnects.settling() == set()
    assert reconnects.to_forget() == {}


def test_without_a_site_nobody_is_to_be_hinted(clock):
    reconnects = Reconnects(clock)
    reconnects.connected(3)
    reconnects.spoke(3)
    forget(reconnects)
    assert reconnects.take_ready() == set()
    assert reconnects.settling() == set()


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
        assert (reconnects.settling(), reconnects.held_back()) == (set(), {1})
        await clock.advance(10)
        assert reconnects.take_ready() == set()
    await clock.advance(60 - FREE_RECONNECTS - 20)
    assert reconnects.take_ready() == {"s"}
    await clock.advance(60)
    reconnects.connected(1)
    assert reconnects.held_back() == set()


async def test_waiting_ends_with_news(clock):
    reconnects = Reconnects(clock)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(reconnects.wait())
        await clock.settle()
        assert not waiting.done()
        reconnects.connected(1)
    forget(reconnects)
    await clock.advance(3)
    async with asyncio.timeout(5):
        await reconnects.wait()  # someone is ready: no waiting
    assert reconnects.take_ready() == {"s"}
