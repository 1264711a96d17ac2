"""When a site's loop takes its next step."""

from __future__ import annotations

import asyncio

import pytest

from csms.domain.ids import SiteId
from csms.domain.site_status import SiteStatus
from csms.services.agenda import Agenda
from tests.domain.control_world import NOW

LONG_S = 600.0


def status(version: int) -> SiteStatus:
    return SiteStatus(
        site_id=SiteId("s"),
        version=version,
        decided_at=NOW,
        loads=(),
        circuits=(),
        battery=None,
        grid_power_w=0,
    )


async def waits(agenda: Agenda) -> bool:
    """Whether the loop still waits when nothing else is to be done."""
    waiting = asyncio.ensure_future(agenda.wait())
    for _ in range(5):
        await asyncio.sleep(0)
    is_waiting = not waiting.done()
    waiting.cancel()
    return is_waiting


async def test_a_new_site_is_looked_at_at_once():
    assert not await waits(Agenda())


async def test_a_step_answers_the_hints_from_before_it():
    agenda = Agenda()
    agenda.give()
    agenda.begin()
    agenda.end(status(1), LONG_S)
    assert await waits(agenda)
    agenda.give()
    assert not await waits(agenda)


async def test_a_hint_during_a_step_is_for_the_next_one():
    agenda = Agenda()
    agenda.begin()
    agenda.give()
    agenda.end(status(1), LONG_S)
    assert not await waits(agenda)


async def test_a_step_that_fails_answers_nothing():
    agenda = Agenda()
    agenda.begin()
    agenda.fail()
    assert not await waits(agenda)


async def test_without_a_hint_the_pause_of_the_newest_step_counts():
    agenda = Agenda()
    agenda.begin()
    agenda.end(status(1), LONG_S)
    waiting = asyncio.ensure_future(agenda.wait())
    await asyncio.sleep(0)
    agenda.begin()
    agenda.end(status(2), 0.0)  # of somebody else's step
    async with asyncio.timeout(30):
        await waiting
    assert agenda.is_due
    agenda.begin()
    assert not agenda.is_due


@pytest.mark.parametrize("fails", [False, True])
async def test_a_decision_counts_for_those_who_asked_before_its_step_began(fails):
    agenda = Agenda()
    agenda.begin()
    asked = agenda.begun
    agenda.end(status(1), LONG_S)
    assert agenda.decided_since(asked) is None  # it may have read before the change
    agenda.begin()
    if fails:
        agenda.fail()
        assert agenda.decided_since(asked) is None
    else:
        agenda.end(status(2), LONG_S)
        assert agenda.decided_since(asked) == status(2)
