"""Each change of a connector is kept with the state that it makes, once, and no more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from csms.domain.charge_points import BootFact
from csms.domain.connectors import StatusFact
from tests.services.test_intake import NOW, bench


@pytest.fixture
async def b(database_url):
    async with bench(database_url) as made:
        yield made


def after(seconds):
    return NOW + timedelta(seconds=seconds)


def told(cp, status="Available", at=0.0, *, reported=0.0, connector=1, **more):
    """A report that comes at `at`; `reported` is by the station's clock, None: no time."""
    return StatusFact(
        charge_point=cp,
        received_at=after(at),
        connector_id=connector,
        status=status,
        error_code=more.pop("error_code", "NoError"),
        reported_at=None if reported is None else after(reported),
        **more,
    )


async def tell(b, *facts):
    for fact in facts:
        await b.submit(fact)


async def history(b):
    rows = await b.sql.fetch("SELECT * FROM connector_statuses ORDER BY id")
    return [(row["connector_id"], row["status"], row["error_code"], row["late"]) for row in rows]


async def present(b, connector=1):
    return await b.sql.fetchval(
        "SELECT status FROM connectors WHERE connector_id = $1 ORDER BY charge_point_id LIMIT 1",
        connector,
    )


async def test_each_change_is_kept_and_equal_reports_are_not(b):
    cp = await b.station()
    await tell(
        b,
        told(cp, "Available", 0),
        told(cp, "Available", 10, reported=10),  # the same again, later
        told(cp, "Faulted", 20, reported=20, error_code="GroundFailure"),
        told(cp, "Faulted", 30, reported=30, error_code="OtherError", info="door"),
        told(cp, "Faulted", 40, reported=40, error_code="OtherError", info="door"),
        told(cp, "Faulted", 50, reported=50, error_code="OtherError", vendor_error_code="E7"),
        told(cp, "Available", 60, reported=60),
        told(cp, "Available", 61, reported=61, connector=2),
    )
    assert await history(b) == [
        (1, "Available", "NoError", False),
        (1, "Faulted", "GroundFailure", False),
        (1, "Faulted", "OtherError", False),
        (1, "Faulted", "OtherError", False),
        (1, "Available", "NoError", False),
        (2, "Available", "NoError", False),
    ]
    row = await b.sql.fetchrow("SELECT * FROM connector_statuses ORDER BY id OFFSET 2 LIMIT 1")
    assert (row["info"], row["reported_at"], row["received_at"]) == ("door", after(30), after(30))
    # what did not change anything has still moved the time of the state
    newest = await b.sql.fetchrow("SELECT * FROM connectors WHERE connector_id = 1")
    assert (newest["status"], newest["received_at"]) == ("Available", after(60))


async def test_of_several_in_one_batch_all_are_kept_in_order_and_the_last_holds(b):
    cp = await b.station()
    facts = [told(cp, s, n, reported=n) for n, s in enumerate(("Preparing", "Charging", "Faulted"))]
    async with b.intake._store.batch() as batch:
        batch.report_status(facts)
    assert [row[1] for row in await history(b)] == ["Preparing", "Charging", "Faulted"]
    assert await present(b) == "Faulted"


async def test_a_commit_that_is_done_again_adds_nothing(b):
    cp = await b.station()
    facts = [told(cp, "Preparing", 1, reported=1), told(cp, "Charging", 2, reported=2)]
    for _ in range(3):
        async with b.intake._store.batch() as batch:
            batch.report_status(facts)
    assert [row[1] for row in await history(b)] == ["Preparing", "Charging"]
    assert await present(b) == "Charging"


async def test_what_comes_late_out_of_a_queue_is_history_only(b):
    cp = await b.station()
    queue = [
        told(cp, "Charging", 3601, reported=600),
        told(cp, "Finishing", 3602, reported=1200),
    ]
    await tell(b, told(cp, "Available", 3600, reported=3600), *queue)
    assert await present(b) == "Available"
    assert await history(b) == [
        (1, "Available", "NoError", False),
        (1, "Charging", "NoError", True),
        (1, "Finishing", "NoError", True),
    ]
    # told once more, after a reconnect, it adds nothing
    again = [told(cp, f.status, 9000, reported=s) for f, s in zip(queue, (600, 1200), strict=True)]
    await tell(b, *again)
    assert len(await history(b)) == 3


async def test_a_queue_in_its_order_is_the_state_step_by_step(b):
    cp = await b.station()
    await tell(
        b,
        told(cp, "Available", 0),
        told(cp, "Charging", 3601, reported=600),
        told(cp, "Finishing", 3602, reported=1200),
    )
    assert await present(b) == "Finishing"
    assert all(not late for *_, late in await history(b))


@pytest.mark.parametrize(
    ("known", "then"),
    [
        # (received, reported) of what is known and of what comes then, in seconds
        ((0, 0), (60, -1_700_000_000)),  # the clock is not set any more
        ((0, 3600), (60, 60)),  # it was an hour ahead and is right now
        ((0, -7200), (60, -7210)),  # it was never right
        ((0, 0), (60, -10)),  # it was put back a little
        ((0, 0), (60, None)),  # no time at all
        ((0, None), (60, -7200)),
    ],
)
async def test_an_odd_clock_keeps_no_state_from_being_seen(b, known, then):
    cp = await b.station()
    await tell(
        b,
        told(cp, "Available", known[0], reported=known[1]),
        told(cp, "Faulted", then[0], reported=then[1], error_code="OtherError"),
    )
    assert await present(b) == "Faulted"


async def test_after_a_boot_the_clock_begins_anew(b):
    cp = await b.station()
    await tell(b, told(cp, "Available", 0))
    await b.submit(
        BootFact(charge_point=cp, received_at=after(60), vendor="V", model="M"),
    )
    await tell(b, told(cp, "Faulted", 61, reported=-7200, error_code="OtherError"))
    assert await present(b) == "Faulted"


async def test_stations_do_not_mix(b):
    one, two = await b.station("A"), await b.station("B")
    await tell(b, told(one, "Available", 0), told(two, "Available", 0), told(one, "Charging", 5))
    rows = await b.sql.fetch(
        "SELECT charge_point_id, count(*) FROM connector_statuses GROUP BY 1 ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [(one, 2), (two, 1)]


async def test_odd_connectors_leave_no_history(b):
    cp = await b.station()
    await tell(b, told(cp, connector=-1), told(cp, connector=100_000), told(cp, connector=0))
    assert [row[0] for row in await history(b)] == [0]
