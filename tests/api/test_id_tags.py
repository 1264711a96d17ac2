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


async def tags(bench, *given: dict) -> None:
    for tag in given:
        await bench.post(PATH, tag, status=201)


async def found(bench, query: str) -> list[str]:
    return [tag["idTag"] for tag in (await bench.get(f"{PATH}?{query}"))["items"]]


async def test_the_list_is_filtered_before_it_is_cut_into_pages(bench):
    await tags(
        bench,
        {"idTag": "04A1", "name": "Ada Lovelace", "parentIdTag": "Fleet"},
        {"idTag": "04B2", "name": "100 % Bo", "status": "Blocked"},
        {"idTag": "07ada", "expiresAt": "2020-01-01T00:00:00Z", "parentIdTag": "FLEET"},
        {"idTag": "08", "status": "Blocked", "expiresAt": "2020-01-01T00:00:00Z"},
    )
    assert await found(bench, "q=ADA") == ["07ada", "04A1"]
    assert await found(bench, "q=%25") == ["04B2"]  # a character like any other
    assert await found(bench, "status=Blocked") == ["08", "04B2"]
    assert await found(bench, "status=Accepted&expired=false") == ["04A1"]
    assert await found(bench, "expired=true") == ["08", "07ada"]
    assert await found(bench, "parentIdTag=fleet") == ["07ada", "04A1"]
    assert await found(bench, "parentIdTag=FLEET&q=love") == ["04A1"]
    first = await bench.get(f"{PATH}?parentIdTag=fleet&limit=1")
    assert [tag["idTag"] for tag in first["items"]] == ["07ada"]
    assert await found(bench, f"parentIdTag=fleet&limit=1&cursor={first['nextCursor']}") == ["04A1"]
    reply = await bench.ask("GET", f"{PATH}?status=Accepted&expired=false&format=csv")
    assert reply.text.split("\r\n")[1:] == ["04A1,Accepted,,Fleet,,Ada Lovelace", ""]


@pytest.mark.parametrize("wrong", ["q=", "q=a%00", "status=Expired", "expired=soon", "odd=1"])
async def test_a_filter_that_is_none_is_refused(bench, wrong):
    assert (await bench.ask("GET", f"{PATH}?{wrong}")).status == 422


async def test_groups_are_what_stands_as_parent_in_any_case(bench):
    await tags(
        bench,
        {"idTag": "1", "parentIdTag": "Fleet"},
        {"idTag": "2", "parentIdTag": "FLEET"},
        {"idTag": "3", "parentIdTag": "guests"},
        {"idTag": "4"},
    )
    page = await bench.get("/api/id-tag-groups?limit=1")
    assert [(each["parentIdTag"].upper(), each["members"]) for each in page["items"]] == [
        ("FLEET", 2)
    ]
    rest = await bench.get(f"/api/id-tag-groups?cursor={page['nextCursor']}")
    assert rest == {"items": [{"parentIdTag": "guests", "members": 1}], "nextCursor": None}
    assert (await bench.get("/api/id-tag-groups?q=UEST"))["items"] == rest["items"]
    assert (await bench.get("/api/id-tag-groups?q=_"))["items"] == []


async def test_many_are_blocked_at_once_and_each_refusal_names_its_tag(bench):
    await tags(
        bench,
        {"idTag": "Fleet"},
        {"idTag": "04A1", "parentIdTag": "FLEET"},
        {"idTag": "04B2", "status": "Blocked"},
    )
    await bench.station()
    await bench.session(id_tag="04a1")
    body = {"idTags": ["04A1", "04b2", "fleet", "GONE", "04a1"], "change": "block"}
    outcomes = [
        ("04A1", "changed", 1, 0),
        ("04B2", "unchanged", 0, 0),
        ("Fleet", "changed", 0, 1),
        ("GONE", "refused", 0, 0),
    ]
    preview = await bench.post(f"{PATH}/bulk", {**body, "preview": True})
    assert (preview["changed"], preview["unchanged"], preview["refused"]) == (2, 1, 1)
    assert await found(bench, "status=Blocked") == ["04B2"]  # it has only looked

    done = await bench.post(f"{PATH}/bulk", body)
    for answer in (preview, done):
        assert [
            (each["idTag"], each["outcome"], each["sessions"], each["members"])
            for each in answer["items"]
        ] == outcomes
    assert "no such id tag" in done["items"][3]["detail"]
    assert await found(bench, "status=Blocked") == ["04B2", "04A1", "Fleet"]
    entries = (await bench.get("/api/audit?action=change&objectType=id_tag"))["items"]
    assert [(each["objectId"], each["details"]) for each in reversed(entries)] == [
        (tag, {"status": "Blocked", "before": {"status": "Accepted"}}) for tag in ("04A1", "Fleet")
    ]


async def test_many_are_accepted_and_deleted(bench):
    await tags(
        bench,
        {"idTag": "1", "status": "Blocked", "expiresAt": "2020-01-01T00:00:00Z"},
        {"idTag": "2"},
    )
    accepted = await bench.post(f"{PATH}/bulk", {"idTags": ["1", "2"], "change": "accept"})
    assert [each["outcome"] for each in accepted["items"]] == ["changed", "unchanged"]
    assert "expired" in accepted["items"][0]["detail"]
    deleted = await bench.post(f"{PATH}/bulk", {"idTags": ["1", "2"], "change": "delete"})
    assert deleted["changed"] == 2
    assert await found(bench, "limit=10") == []
    for wrong in ({"idTags": []}, {"idTags": ["x" * 21]}, {"change": "burn"}):
        reply = await bench.ask(
            "POST", f"{PATH}/bulk", {"idTags": ["1"], "change": "block"} | wrong
        )
        assert reply.status == 422
