"""The playbooks themselves: they fail where they should, and say what happened."""

from __future__ import annotations

import asyncio

import pytest

from tests.spec.playbook import Asks, Does, Says, Sees
from tests.spec.states import BOOT, boots, starts
from tests.spec.values import ANY, Has, fits, transaction

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


async def fails(stage, *steps):
    with pytest.raises(AssertionError) as caught:
        await stage.play(*steps)
    return str(caught.value).splitlines()


async def test_another_confirmation_is_a_difference(stage):
    lines = await fails(stage, boots(), Says("Authorize", {"idTag": "x"}, {"idTagInfo": {}}))
    assert any(line.startswith("-station  gets the confirmation") for line in lines)
    assert any(line.startswith("+station") and "'Invalid'" in line for line in lines)
    assert any(line.startswith(" station  BootNotification") for line in lines)  # what fitted


async def test_an_unasked_message_is_a_difference(stage):
    async def play_until_it_comes():
        while True:
            await stage.play(Sees("/api/stations/{id}", Has(online=True)))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stage.ask_call("ClearCache", {}))
        with pytest.raises(AssertionError, match=r"\+station +gets, unasked, .*ClearCache"):
            await asyncio.wait_for(play_until_it_comes(), 30)


async def test_another_call_is_a_difference(stage):
    asks = Asks("Reset", {"type": "Soft"}, typed={"type": "Hard"})
    lines = await fails(stage, asks)
    assert any(line.startswith("-") and "Soft" in line for line in lines)
    assert any(line.startswith("+") and "Hard" in line for line in lines)


async def test_another_outcome_is_a_difference(stage):
    lines = await fails(stage, Asks("ClearCache", {}, {"status": "Rejected"}, "accepted"))
    assert any(line.startswith("+operator sees the outcome") for line in lines)


async def test_what_the_operator_gets_is_compared(stage):
    lines = await fails(stage, Does("GET", "/api/stations/{id}", None, 200, Has(name="other")))
    assert any(line.startswith("+operator GET") for line in lines)


async def test_silence_is_a_difference(stage, monkeypatch):
    monkeypatch.setattr("tests.spec.playbook.PATIENCE_S", 2.0)
    silence = Asks("ClearCache", {}, typed={"surplus": 1})
    lines = await fails(stage, silence)
    assert any("nothing within" in line for line in lines)
    assert any("invalid_payload" in line for line in lines)


async def test_a_script_that_breaks_a_schema_is_told_so(stage):
    lines = await fails(stage, Says("BootNotification", {**BOOT, "surplus": 1}, ANY))
    assert "the script itself breaks a schema" in lines[0]


async def test_a_slot_keeps_its_first_value(stage):
    tx = transaction()
    again = starts(tx, connector=2)
    assert await fails(stage, boots(), starts(tx), again)


@pytest.mark.parametrize(
    ("expected", "actual", "fit"),
    [
        (Has(a=1), {"a": 1, "b": 2}, True),
        (Has(a=1), {"b": 2}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([ANY, 2], [5, 2], True),
        ([ANY], [], False),
        (1, True, False),
        (5.0, 5, True),
        (None, 0, False),
    ],
)
async def test_fitting(expected, actual, fit):
    assert fits(expected, actual) is fit
