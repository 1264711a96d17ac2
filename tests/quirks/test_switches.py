"""Settings that switch repairs off and on."""

from __future__ import annotations

import pytest

from csms.errors import StartError
from tests.app.bench import system
from tests.quirks.bench import plugged

pytestmark = pytest.mark.slow


async def test_a_setting_takes_repairs_away_and_adds_others(database_url, tmp_path):
    settings = {"repairs_off": ("json_comma",), "repairs_on": ("message_id_number",)}
    async with system(database_url, tmp_path, **settings) as s:
        await s.add("A")
        async with plugged(s, "A") as station:
            assert (await station.send('[2,"1","Heartbeat",{},]'))[2] == "FormationViolation"
            assert (await station.send('[2,2,"Heartbeat",{}]'))[:2] == [3, "2"]
            assert (await station.send('[2,"3","Heartbeat",{"x":1}]'))[0] == 3
            assert await station.repairs("json_comma") == []


async def test_a_setting_for_no_repair_is_one_sentence(database_url, tmp_path):
    with pytest.raises(StartError, match="did you mean json_comma"):
        async with system(database_url, tmp_path, repairs_off=("json_coma",)):
            pass
