"""Id tags: one tag whatever the case, defaults, clearing."""

from __future__ import annotations

import pytest

from tests.api.bench import quoted

PATH = "/api/id-tags"


async def test_create_read_change_delete(bench):
    tag = {
        "idTag": "04a2#;/b3",
        "status": "Blocked",
        "expiresAt": "2020-01-31T10:00:00Z",
        "parentIdTag": "FLEET",
        "maxActiveSessions": 2,
        "name": "Ann",
    }
    assert await bench.post(PATH, tag, status=201) == tag
    one = f"{PATH}/{quoted('04A2#;/B3')}"
    assert await bench.get(one) == tag
    changed = await bench.ask(
        "PATCH", one, {"expiresAt": None, "maxActiveSessions": None, "status": "Accepted"}
    )
    assert changed.json == {
        **tag,
        "expiresAt": None,
        "maxActiveSessions": None,
        "status": "Accepted",
    }
    assert (await bench.ask("DELETE", one)).status == 204
    assert (await bench.ask("GET", one)).status == 404
    assert (await bench.ask("PATCH", one, {})).status == 404
    assert (await bench.ask("DELETE", one)).status == 404


async def test_defaults_and_another_spelling(bench):
    assert await bench.post(PATH, {"idTag": "abc"}, status=201) == {
        "idTag": "abc",
        "status": "Accepted",
        "expiresAt": None,
        "parentIdTag": None,
        "maxActiveSessions": None,
        "name": None,
    }
    reply = await bench.ask("POST", PATH, {"idTag": "ABC"})
    assert (reply.status, reply.json["code"]) == (409, "id_tag_exists")


@pytest.mark.parametrize(
    "wrong",
    [
        {"idTag": ""},
        {"idTag": "x" * 21},
        {"idTag": "a\x00"},
        {"status": "Expired"},
        {"expiresAt": "soon"},
        {"expiresAt": 1700000000},
        {"expiresAt": "2026-13-01T00:00:00Z"},
        {"maxActiveSessions": "1"},
        {"maxActiveSessions": -1},
        {"maxActiveSessions": 1.5},
        {"odd": 1},
    ],
)
async def test_wrong_content(bench, wrong):
    reply = await bench.ask("POST", PATH, {"idTag": "abc", **wrong})
    assert reply.status == 422
    assert list(reply.json["fields"]) == list(wrong)


async def test_the_offset_of_a_time_is_understood(bench):
    tag = await bench.post(
        PATH, {"idTag": "abc", "expiresAt": "2030-06-01T02:00:00+02:00"}, status=201
    )
    assert tag["expiresAt"] == "2030-06-01T00:00:00Z"


async def test_the_list_as_csv_is_safe_in_a_spreadsheet(bench):
    await bench.post(PATH, {"idTag": "abc", "name": '=HYPERLINK("x"),1'}, status=201)
    await bench.post(PATH, {"idTag": "def", "maxActiveSessions": 3}, status=201)
    reply = await bench.ask("GET", f"{PATH}?format=csv&limit=2")
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert reply.headers["X-Next-Cursor"]
    assert reply.text.split("\r\n") == [
        "idTag,status,expiresAt,parentIdTag,maxActiveSessions,name",
        "def,Accepted,,,3,",
        'abc,Accepted,,,,"\'=HYPERLINK(""x""),1"',
        "",
    ]
