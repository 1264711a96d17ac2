"""Stations and id tags from CSV files: tried first, a result for each row."""

from __future__ import annotations

import io

import pytest

from csms.api.csv_import import parse_csv
from csms.domain.events import SiteChanged
from csms.errors import Invalid

STATIONS = """identity,name,Max kW,connectors,siteId,lat,lon,strict
CP1,Gate,22,2,S1,48.1,11.5,true
CP2,"Garage, back",11,,,,,
,No identity,11,1,,,,
CP1,Once more,11,1,,,,
CP4,No power,,1,,,,
CP5,Nowhere,11,1,S9,,,
"""


async def send(bench, path, text, **more):
    headers = {"Content-Type": "text/csv"} | more.pop("headers", {})
    data = io.BytesIO(text.encode() if isinstance(text, str) else text)
    return await bench.ask("POST", path, data=data, headers=headers, **more)


async def imported(bench, what, text, query=""):
    reply = await send(bench, f"/api/{what}/import{query}", text)
    assert reply.status == 200, reply
    return reply.json


async def site(bench):
    await bench.post("/api/sites", {"id": "S1", "name": "A", "gridCapacityKw": 50}, status=201)


def outcomes(result):
    return [(row["line"], row["id"], row["outcome"], list(row["errors"])) for row in result["rows"]]


EXPECTED = [
    (2, "CP1", "created", []),
    (3, "CP2", "created", []),
    (4, None, "created", []),
    (5, "CP1", "refused", ["identity"]),
    (6, "CP4", "refused", ["maxKw"]),
    (7, "CP5", "refused", ["siteId"]),
]


async def test_each_row_has_its_result_and_keeps_none_of_the_others(bench):
    await site(bench)
    result = await imported(bench, "stations", STATIONS)
    assert outcomes(result) == EXPECTED
    assert (result["created"], result["changed"], result["refused"]) == (3, 0, 3)
    station = await bench.get("/api/stations/CP1")
    assert (station["name"], station["maxKw"], station["strict"]) == ("Gate", 22, True)
    assert (station["siteId"], len(station["connectors"])) == ("S1", 2)
    assert station["location"] == {"lat": 48.1, "lon": 11.5}
    assert (await bench.get("/api/stations/CP2"))["name"] == "Garage, back"
    assert SiteChanged("S1") in bench.published
    assert bench.allocator.decided.count("S1") == 1  # when the site was made


async def test_a_dry_run_says_the_same_and_keeps_nothing(bench):
    await site(bench)
    result = await imported(bench, "stations", STATIONS, "?dryRun=true")
    assert outcomes(result) == EXPECTED
    assert result["dryRun"] is True
    assert (await bench.get("/api/stations"))["items"] == []
    audit = (await bench.get("/api/audit"))["items"]
    assert [entry["objectType"] for entry in audit] == ["site"]


async def test_what_is_there_is_refused_or_changed(bench):
    await bench.station("CP1")
    text = "identity;name;maxKw\ncp1;Renamed;7,4\n"
    assert outcomes(await imported(bench, "stations", text)) == [
        (2, "cp1", "refused", ["identity"])
    ]
    for query in ("?update=true&dryRun=true", "?update=true"):
        result = await imported(bench, "stations", text, query)
        assert outcomes(result) == [(2, "cp1", "changed", [])]
    station = await bench.get("/api/stations/CP1")
    assert (station["name"], station["maxKw"]) == ("Renamed", 7.4)


async def test_an_export_can_be_imported(bench):
    place = {"lat": 48.1, "lon": 11.5, "address": "Gate 1"}
    await bench.station("CP1", name="=1+1", connectors=2, location=place)
    await bench.post("/api/id-tags", {"idTag": "T1", "name": "Ann"}, status=201)
    for what, path in (("stations", "/api/stations/CP1"), ("id-tags", "/api/id-tags/T1")):
        before = await bench.get(path)
        export = await bench.ask("GET", f"/api/{what}?format=csv")
        await bench.ask("DELETE", path)
        result = await imported(bench, what, export.text)
        assert result["created"] == 1, result
        after = await bench.get(path)
        assert after | {"createdAt": None} == before | {"createdAt": None}


async def test_id_tags(bench):
    text = (
        "Id Tag,name,expiresAt,max_active_sessions,status\n"
        "T1,Ann,2030-01-31,1,\n"
        "t1,Twice,,,\n"
        "T2,Bob,tomorrow,,\n"
        "T3,Eve,,,Blocked\n"
        "A TAG THAT IS MUCH TOO LONG,,,,\n"
    )
    expected = [
        (2, "T1", "created", []),
        (3, "t1", "refused", ["idTag"]),
        (4, "T2", "refused", ["expiresAt"]),
        (5, "T3", "created", []),
        (6, "A TAG THAT IS MUCH TOO LONG", "refused", ["idTag"]),
    ]
    assert outcomes(await imported(bench, "id-tags", text, "?dryRun=true")) == expected
    assert (await bench.get("/api/id-tags"))["items"] == []
    assert outcomes(await imported(bench, "id-tags", text)) == expected
    tag = await bench.get("/api/id-tags/T1")
    assert (tag["expiresAt"], tag["maxActiveSessions"]) == ("2030-01-31T00:00:00Z", 1)
    changed = await imported(bench, "id-tags", "idTag,status\nT1,Blocked\n", "?update=true")
    assert changed["changed"] == 1
    tag = await bench.get("/api/id-tags/T1")
    assert (tag["status"], tag["name"]) == ("Blocked", "Ann")


@pytest.mark.parametrize(
    ("text", "status", "field"),
    [
        ("", 422, "header"),
        ("identity,colour\n", 422, "header"),
        ("identity,Identity\n", 422, "header"),
        ("identity,,name\n", 422, "header"),
        (b"identity,name\nCP1,\xff\n", 422, "file"),
        ("identity,name\n" + "CP,x\n" * 2001, 422, "file"),
        ('identity,name\n"CP1,x\n' + "x" * 200_000, 422, "file"),
    ],
)
async def test_files_that_cannot_be_read(bench, text, status, field):
    reply = await send(bench, "/api/stations/import", text)
    assert (reply.status, list(reply.json["fields"])) == (status, [field])


async def test_other_refusals(bench):
    reply = await send(bench, "/api/stations/import", "identity\n" + "x" * 2_100_000)
    assert reply.status == 413
    reply = await bench.ask("POST", "/api/stations/import", {"identity": "CP1"})
    assert reply.status == 415
    reply = await send(bench, "/api/stations/import?dryRun=perhaps", "identity\n")
    assert reply.status == 422
    key = await bench.post("/api/api-keys", {"name": "v", "role": "viewer"}, status=201)
    headers = {"Authorization": f"Bearer {key['token']}"}
    assert (await send(bench, "/api/id-tags/import", "idTag\n", headers=headers)).status == 403


async def test_a_row_with_too_many_cells(bench):
    result = await imported(bench, "id-tags", "idTag,name\nT1,Ann,more\n")
    assert outcomes(result) == [(2, "T1", "refused", ["row"])]


def test_separators_and_marks():
    for text in ("a,b\n1,2\n", "a;b\r\n1;2\r\n", "a\tb\n1\t2", "\ufeffa,b\n1,2\n".lstrip("\ufeff")):
        (row,) = parse_csv(text, ["a", "b"], [])
        assert row.values == {"a": "1", "b": "2"}
    (row,) = parse_csv("a;b\n1,5;x\n", ["a", "b"], [])
    assert row.values["a"] == "1.5"
    (row,) = parse_csv("a,b\n'=1+1,'x\n", ["a", "b"], [])
    assert row.values == {"a": "=1+1", "b": "'x"}
    assert parse_csv("a,b\n\n , \n", ["a", "b"], []) == []
    with pytest.raises(Invalid):
        parse_csv("a,c\n", ["a"], ["b"])
