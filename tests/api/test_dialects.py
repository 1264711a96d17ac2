"""Dialects through the API: kept, matched, each value with its origin."""

from __future__ import annotations

import pytest

from csms.domain.limit_dialect import limit_dialect, spoken_to
from csms.domain.sites import Charger, ChargerId, rate_limit
from csms.services.audit import AuditTrail
from csms.services.dialect_book import DialectBook, built_in
from csms.services.dialects import DialectService
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork

PATH = "/api/dialects"
OWN = "/api/stations/CP1/dialect"


async def booted(bench, vendor="Easee", model="Home", firmware="328"):
    await bench.sql.execute(
        "UPDATE charge_points SET vendor = $1, model = $2, firmware_version = $3",
        vendor,
        model,
        firmware,
    )


async def trait(bench, name):
    found = (await bench.get(OWN))["traits"][name]
    return found["value"], found["origin"], found["dialectId"]


async def test_create_read_change_delete(bench):
    body = {"id": "ours", "vendor": "Easee*", "traits": {"callSpacingS": 5, "rateUnits": ["A"]}}
    made = await bench.post(PATH, body, status=201)
    assert made["origin"] == "operator"
    assert {name for name, value in made["traits"].items() if value is not None} == {
        "callSpacingS",
        "rateUnits",
    }
    changes = {"traits": {"callSpacingS": None, "maxStackLevel": 0}, "firmware": "3*"}
    changed = (await bench.ask("PATCH", f"{PATH}/ours", changes)).json
    assert (changed["vendor"], changed["firmware"]) == ("Easee*", "3*")
    traits = changed["traits"]
    assert (traits["callSpacingS"], traits["maxStackLevel"], traits["rateUnits"]) == (
        None,
        0,
        ["A"],
    )
    assert await bench.get(f"{PATH}/ours") == changed
    assert (await bench.ask("DELETE", f"{PATH}/ours")).status == 204
    assert (await bench.ask("GET", f"{PATH}/ours")).status == 404


async def test_the_list_holds_built_in_ones_too_page_by_page(bench):
    await bench.post(PATH, {"model": "m*", "traits": {}}, status=201)
    found, cursor = [], ""
    while cursor is not None:
        page = await bench.get(f"{PATH}?limit=4" + (f"&cursor={cursor}" if cursor else ""))
        found += page["items"]
        cursor = page["nextCursor"]
    assert [each["id"] for each in found] == sorted(each["id"] for each in found)
    assert len(found) == len(built_in()) + 1
    easee = next(each for each in found if each["id"] == "easee")
    assert (easee["origin"], easee["traits"]["callSpacingS"]) == ("builtIn", 30)
    assert "evcc" in easee["source"]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_built_in_ones_stay_as_they_are(bench, method):
    reply = await bench.ask(method, f"{PATH}/easee", {} if method == "PATCH" else None)
    assert (reply.status, reply.json["code"]) == (409, "built_in")
    taken = await bench.ask("POST", PATH, {"id": "easee", "vendor": "x", "traits": {}})
    assert (taken.status, taken.json["code"]) == (409, "dialect_exists")


@pytest.mark.parametrize(
    "traits",
    [
        {"rateUnits": ["V"]},
        {"rateUnits": []},
        {"rateUnits": ["A", "A"]},
        {"profileKinds": ["relative"]},
        {"allowedA": [8, 6]},
        {"allowedA": [0]},
        {"callSpacingS": -1},
        {"callSpacingS": 3601},
        {"measurandsPerCall": 0},
        {"remoteStartNeeded": "yes"},
        {"maxStackLevel": 1.5},
        {"colour": "red"},
    ],
)
async def test_wrong_traits_are_refused(bench, traits):
    await bench.station()
    for method, path, body in (
        ("POST", PATH, {"vendor": "x", "traits": traits}),
        ("PATCH", OWN, traits),
    ):
        reply = await bench.ask(method, path, body)
        assert reply.status == 422, reply
        assert any(next(iter(traits)) in name for name in reply.json["fields"]), reply.json


async def test_a_dialect_must_name_charge_points(bench):
    assert (await bench.ask("POST", PATH, {"traits": {}})).status == 422
    await bench.post(PATH, {"id": "d", "vendor": "v", "traits": {}}, status=201)
    assert (await bench.ask("PATCH", f"{PATH}/d", {"vendor": None})).status == 422


async def test_each_value_of_a_station_has_its_origin(bench):
    await bench.station()
    assert await trait(bench, "callSpacingS") == (None, None, None)  # it never booted
    await booted(bench)
    assert await trait(bench, "callSpacingS") == (30, "builtIn", "easee")
    await bench.post(
        PATH, {"id": "ours", "vendor": "e*", "traits": {"callSpacingS": 5}}, status=201
    )
    assert await trait(bench, "callSpacingS") == (5, "operator", "ours")
    assert (await bench.get(OWN))["matched"] == ["easee", "ours"]
    await bench.ask("PATCH", OWN, {"callSpacingS": 1.5, "maxStackLevel": 3})
    assert await trait(bench, "callSpacingS") == (1.5, "station", None)
    await bench.ask("PATCH", OWN, {"callSpacingS": None})
    assert await trait(bench, "callSpacingS") == (5, "operator", "ours")
    assert await trait(bench, "maxStackLevel") == (3, "station", None)
    details = await bench.get("/api/audit")
    assert {entry["action"] for entry in details["items"]} >= {"dialect", "create"}


async def test_configuration_is_a_witness_of_its_own(bench):
    await bench.station()
    for name, value in (
        ("ChargingScheduleAllowedChargingRateUnit", "Current,Power"),
        ("ChargeProfileMaxStackLevel", "7"),
    ):
        await bench.sql.execute(
            "INSERT INTO configuration_keys (charge_point_id, key_folded, key, value)"
            " VALUES ($1, lower($2), $2, $3)",
            await bench.key(),
            name,
            value,
        )
    assert await trait(bench, "rateUnits") == (["A", "W"], "reported", None)
    await booted(bench, "ABB", "Terra AC")
    assert await trait(bench, "maxStackLevel") == (0, "builtIn", "abb-terra-ac")


async def test_what_was_learned_is_void_with_another_firmware(bench, database_url):
    await bench.station()
    await booted(bench)
    database = Database(database_url)
    units = SqlUnitsOfWork(database)
    service = DialectService(units, bench.bus, AuditTrail(units, bench.clock))
    await service.learn(await bench.key(), {"call_spacing_s": 60, "rate_units": ["W"]})
    await service.learn(await bench.key(), {"call_spacing_s": 45})
    await database.close()
    assert await trait(bench, "callSpacingS") == (45, "learned", None)
    assert await trait(bench, "rateUnits") == (["W"], "learned", None)
    await booted(bench, firmware="329")
    assert await trait(bench, "callSpacingS") == (30, "builtIn", "easee")
    assert await trait(bench, "rateUnits") == (None, None, None)


async def test_stations_that_are_not_there(bench):
    for method, body in (("GET", None), ("PATCH", {})):
        reply = await bench.ask(method, OWN, body)
        assert (reply.status, reply.json["code"]) == (404, "station_not_found")


async def test_many_stations_are_known_at_once(bench, database_url):
    for name in ("CP1", "CP2", "CP3"):
        await bench.station(name)
    await bench.sql.execute("UPDATE charge_points SET vendor = 'Huawei' WHERE identity = 'CP2'")
    await bench.ask("PATCH", "/api/stations/CP3/dialect", {"maxStackLevel": 2})
    database = Database(database_url)
    book = DialectBook(SqlUnitsOfWork(database), bench.bus, bench.clock)
    keys = [await bench.key(name) for name in ("CP1", "CP2", "CP3")]
    found = await book.traits([*keys, 999])
    await database.close()
    assert set(found) == set(keys)
    assert [found[key].zero_means_stop for key in keys] == [None, True, None]
    assert [found[key].max_stack_level for key in keys] == [None, None, 2]


async def test_the_currents_that_one_station_takes_are_set_for_it_alone(bench, database_url):
    await bench.station("CP1")
    changed = await bench.ask("PATCH", "/api/stations/CP1/dialect", {"allowedA": [8, 16, 32]})
    told = changed.json["traits"]["allowedA"]
    assert (told["value"], told["origin"]) == ([8, 16, 32], "station")
    database = Database(database_url)
    book = DialectBook(SqlUnitsOfWork(database), bench.bus, bench.clock)
    key = await bench.key("CP1")
    traits = (await book.traits([key]))[key]
    await database.close()
    charger = spoken_to(Charger(id=ChargerId("CP1"), max_w=22_000), limit_dialect(traits))
    assert rate_limit(charger, 11_000).value == 8
    back = await bench.ask("PATCH", "/api/stations/CP1/dialect", {"allowedA": None})
    assert back.json["traits"]["allowedA"]["value"] is None
