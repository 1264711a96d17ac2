"""A search of the whole message log, over real rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from csms.services import message_search

MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)
PADDING = "x" * 600  # some twelve frames a block


async def days(bench, *offsets):
    for offset in offsets:
        day = MIDNIGHT + timedelta(days=offset)
        await bench.sql.execute(
            f"CREATE TABLE ocpp_messages_{day:%Y%m%d} PARTITION OF ocpp_messages"
            f" FOR VALUES FROM ('{day:%Y-%m-%d}') TO ('{day + timedelta(days=1):%Y-%m-%d}')"
        )


async def frames(bench, identity, *rows):
    """Rows of (minutes from midnight, action, text), in the order of arrival."""
    key = await bench.key(identity)
    records = [
        (MIDNIGHT + timedelta(minutes=m), key, "in", 2, action, f"[2,{text!r},{PADDING!r}]")
        for m, action, text in rows
    ]
    await bench.sql.copy_records_to_table(
        "ocpp_messages",
        columns=["at", "charge_point_id", "direction", "type", "action", "raw"],
        records=records,
    )


async def log(bench, number=200):
    """Two stations' frames by turns over three days; each has its number in its text."""
    await bench.station("CP1")
    await bench.station("CP2")
    await days(bench, 0, 1, 2)
    step = 3 * 24 * 60 / number
    for n in range(number):
        action = "Heartbeat" if n % 5 else "BootNotification"
        await frames(bench, f"CP{n % 2 + 1}", (n * step, action, f"n{n}."))


async def ask(bench, **query):
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return await bench.get(f"/api/messages?{text}")


async def all_of(bench, **query):
    """All pages of a search: the numbers of what it finds."""
    items, cursor = [], None
    while True:
        page = await ask(bench, **query, **({} if cursor is None else {"cursor": cursor}))
        items += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            assert page["searchedTo"] is None
            return [int(item["raw"].split("n")[1].split(".")[0]) for item in items]


@pytest.fixture(params=[2, 10_000])
def pieces(request, monkeypatch):
    """Small pieces and large ones: what is found is the same."""
    monkeypatch.setattr(message_search, "_PIECE", request.param)


@pytest.mark.slow
async def test_all_is_found_the_newest_first(bench, pieces):
    await log(bench)
    everything = list(range(199, -1, -1))
    assert await all_of(bench, limit=7) == everything
    assert await all_of(bench, limit=1000) == everything
    assert await all_of(bench, action="BootNotification", limit=3) == everything[4::5]
    assert await all_of(bench, stationId="cp1", limit=9) == everything[1::2]
    assert await all_of(bench, text="N19", limit=4) == [*range(199, 189, -1), 19]
    assert await all_of(bench, stationId="CP2", text="n1.") == [1]
    assert await all_of(bench, text="nothing") == []
    assert await all_of(bench, text="%25%25") == []  # no wildcard
    assert await all_of(bench, type="callError") == []
    assert await all_of(bench, direction="in", repair="any") == []


@pytest.mark.parametrize("minutes", [0, 700, 1440, 4319])
async def test_times_are_found_within_a_day(bench, pieces, minutes):
    await log(bench, 150)
    step = 3 * 24 * 60 / 150
    at = (MIDNIGHT + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    newer = [n for n in range(149, -1, -1) if n * step >= minutes]
    older = [n for n in range(149, -1, -1) if n * step < minutes]
    assert await all_of(bench, limit=1000, **{"from": at}) == newer
    assert await all_of(bench, limit=1000, to=at) == older
    assert await all_of(bench, limit=1000, stationId="CP1", to=at) == [
        n for n in older if not n % 2
    ]
    assert await all_of(bench, limit=50, stationId="CP1", **{"from": at}) == [
        n for n in newer if not n % 2
    ]


async def test_what_takes_too_long_goes_on_with_its_cursor(bench, monkeypatch):
    monkeypatch.setattr(message_search, "_PIECE", 2)
    monkeypatch.setattr(message_search, "_BUDGET_S", 0.0)
    monkeypatch.setattr(message_search, "_STEP", timedelta(hours=6))
    await log(bench)
    page = await ask(bench, text="n0.")
    assert (page["items"], page["nextCursor"] is None) == ([], False)
    assert page["searchedTo"] is not None
    assert await all_of(bench, text="n0.") == [0]
    assert await all_of(bench, text="n0.", stationId="CP1") == [0]


async def test_an_item_is_as_of_its_station(bench):
    await bench.station()
    await days(bench, 0)
    await frames(bench, "CP1", (1, "Heartbeat", "n0."))
    (item,) = (await ask(bench))["items"]
    assert item.pop("stationId") == "CP1"
    assert (await bench.get("/api/stations/CP1/messages"))["items"] == [item]


async def test_an_empty_log(bench):
    assert (await ask(bench))["items"] == []
    assert (await ask(bench, stationId="CP1"))["items"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("text=x", "text"),
        ("type=heartbeat", "type"),
        ("from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "to"),
        ("cursor=nonsense", "cursor"),
        ("limit=0", "limit"),
    ],
)
async def test_nonsense_is_said_at_its_field(bench, query, field):
    reply = await bench.ask("GET", f"/api/messages?{query}")
    assert (reply.status, list(reply.json["fields"])) == (422, [field])
