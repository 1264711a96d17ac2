"""What the cockpit costs a browser: `.venv/bin/python -m bench.browser [--stations 1000]`.

A real csms with charge points on real sockets, of which each charges and sends MeterValues with
another power every second; the Chromium of the browser tests looks on. Measured are

* first view: from the start of the navigation until the overview shows live numbers, with an empty
  cache, and the largest paint; all stations are known, and none is at work yet;
* each page, left open: the main thread's own CPU time (DevTools protocol, `TaskDuration` in thread
  ticks), which other processes on the machine do not lengthen; the target is 30 % of a core;
* bytes of the first view on the line;
* the table of stations with 10,000 rows, which stand still: CPU time of the main thread for a
  letter in its filter, for a click on the head of a column, for a turn of the wheel.

Prints a table and writes `bench/browser.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import statistics
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from playwright.async_api import Browser, CDPSession, Page, async_playwright, expect
from websockets.asyncio.client import ClientConnection, connect

from csms.store.embedded import EmbeddedPostgres
from csms.web import build
from tests.app.bench import TOKEN
from tests.app.commands import Serving, serving
from tests.browser.chromium import installed

OUT = Path(__file__).with_suffix(".json")
PAGES = ("/", "/stations", "/sessions", "/sites", "/simulator")
TARGET_PERCENT = 30.0
TARGET_VIEW_S = 1.5
VIEWS = 5
_ARGUMENTS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update"]
_CONNECT_AT_ONCE = 50
_SITES = 4
_SITED = 10  # one of so many is at a site: sharing power is what bench/limits.py measures
_PATIENCE_MS = 30_000
_TIMES = 8
_STATIONS = """
INSERT INTO charge_points (identity, name, connector_count, max_power_w, site_id)
SELECT 'CP' || n, 'Charger ' || n, 1, 11000,
    CASE n % $2::int WHEN 0 THEN 'site' || (n / $2::int) % $3::int END
FROM generate_series(1, $1::int) n
"""
_LARGEST_PAINT = """
() => new Promise((found) => {
  const tell = (list) => found(list.getEntries().at(-1).startTime);
  new PerformanceObserver(tell).observe({type: "largest-contentful-paint", buffered: true});
})
"""


class ChargePoint:
    """One that charges at a power that is never the same."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count()
        self._transaction = 0
        self._wh = 0.0

    async def begin(self) -> None:
        await self._call("BootNotification", chargePointVendor="Bench", chargePointModel="Bench")
        await self._status("Preparing")
        started = await self._call(
            "StartTransaction", connectorId=1, idTag="BENCH", meterStart=0, timestamp=_now()
        )
        self._transaction = started["transactionId"]
        await self._status("Charging")

    async def meter(self) -> None:
        power = random.randint(3_000, 11_000)
        self._wh += power / 3600
        values = [
            {"measurand": "Power.Active.Import", "unit": "W", "value": str(power)},
            {
                "measurand": "Energy.Active.Import.Register",
                "unit": "Wh",
                "value": f"{self._wh:.0f}",
            },
            {"measurand": "SoC", "unit": "Percent", "value": "50"},
        ]
        await self._call(
            "MeterValues",
            connectorId=1,
            transactionId=self._transaction,
            meterValue=[{"timestamp": _now(), "sampledValue": values}],
        )

    async def _status(self, status: str) -> None:
        await self._call("StatusNotification", connectorId=1, status=status, errorCode="NoError")

    async def _call(self, action: str, **payload: Any) -> Any:
        number = f"{next(self._numbers)}"
        await self._socket.send(json.dumps([2, number, action, payload]))
        while True:
            kind, answered, *rest = json.loads(await self._socket.recv())
            if kind == 2:  # a limit, a trigger: anything is well
                await self._socket.send(json.dumps([3, answered, {"status": "Accepted"}]))
            elif answered == number:
                return rest[0]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@asynccontextmanager
async def charging(served: Serving, count: int) -> AsyncIterator[None]:
    """Have so many charge points charge, spread over the second."""
    tags = {"idTag": "BENCH", "status": "Accepted"}
    await served.ask("POST", "/api/id-tags", tags)
    gate = asyncio.Semaphore(_CONNECT_AT_ONCE)
    ready = asyncio.Semaphore(0)

    async def run(number: int) -> None:
        identity = f"CP{number}"
        async with gate:
            socket = await connect(
                f"{served.ocpp_url}/{identity}", subprotocols=["ocpp1.6"], compression=None
            )
            station = ChargePoint(socket)
            await station.begin()
        ready.release()
        loop = asyncio.get_running_loop()
        due = loop.time() + random.random()
        async with socket:
            while True:
                await asyncio.sleep(max(0.0, due - loop.time()))
                due += 1.0
                await station.meter()

    async with asyncio.TaskGroup() as tasks:
        runs = [tasks.create_task(run(number)) for number in range(1, count + 1)]
        for _ in runs:
            await ready.acquire()
        yield
        for one in runs:
            one.cancel()


async def first_views(browser: Browser, served: Serving) -> dict[str, float]:
    """Open the overview with empty caches."""
    shown, painted, sizes = [], [], []
    for _ in range(VIEWS):
        context = await browser.new_context(
            base_url=served.http_url, locale="en-US", timezone_id="UTC"
        )
        page = await context.new_page()
        await page.request.get(f"/sign-in?token={TOKEN}", max_redirects=0)
        line = await context.new_cdp_session(page)
        await line.send("Network.enable")
        size: list[float] = []
        line.on("Network.loadingFinished", lambda e, size=size: size.append(e["encodedDataLength"]))
        await page.goto("/", wait_until="commit")
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        shown.append(await page.evaluate("performance.now()") / 1000)
        painted.append(await page.evaluate(_LARGEST_PAINT) / 1000)
        sizes.append(sum(size))
        await context.close()
    return {
        "first_view_s": round(statistics.median(shown), 3),
        "largest_paint_s": round(statistics.median(painted), 3),
        "first_view_kb": round(max(sizes) / 1000, 1),
    }


async def left_open(page: Page, line: CDPSession, path: str, seconds: float) -> dict[str, float]:
    """Measure a page that nobody touches, once it has settled."""
    await page.goto(path)
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await asyncio.sleep(3)
    frames: list[int] = []

    def count(event: dict[str, Any]) -> None:
        frames.append(len(event["response"]["payloadData"]))

    line.on("Network.webSocketFrameReceived", count)
    before = await _metrics(line)
    await asyncio.sleep(seconds)
    after = await _metrics(line)
    line.remove_listener("Network.webSocketFrameReceived", count)
    spent = {
        name: 100 * (after[name] - before[name]) / seconds
        for name in ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
    }
    return {
        "task_percent": round(spent["TaskDuration"], 1),
        "script_percent": round(spent["ScriptDuration"], 1),
        "layout_percent": round(spent["LayoutDuration"] + spent["RecalcStyleDuration"], 1),
        "live_frames_per_s": round(len(frames) / seconds, 1),
        "live_kb_per_s": round(sum(frames) / seconds / 1000, 1),
        "heap_mb": round(after["JSHeapUsedSize"] / 1e6, 1),
        "nodes": after["Nodes"],
    }


async def _metrics(line: CDPSession) -> dict[str, float]:
    found = await line.send("Performance.getMetrics")
    return {each["name"]: each["value"] for each in found["metrics"]}


async def table(page: Page, line: CDPSession, rows: int) -> dict[str, float]:
    """Measure what a hand does to a table of so many stations, ms of the main thread each."""
    await page.goto("/stations")
    await expect(page.get_by_text(f"{rows:,} of {rows:,}")).to_be_visible()
    await asyncio.sleep(3)
    spent: dict[str, float] = {}

    async def timed(name: str, act: Callable[[], Awaitable[None]]) -> None:
        before = await _metrics(line)
        for _ in range(_TIMES):
            await act()
            await page.evaluate("new Promise((done) => setTimeout(done, 50))")  # drawn by then
        after = await _metrics(line)
        spent[name] = round(1000 * (after["TaskDuration"] - before["TaskDuration"]) / _TIMES, 1)

    field = page.get_by_label("Filter by name")
    await field.focus()
    keys = itertools.cycle(["9", "Backspace"])
    await timed("filter_ms", lambda: page.keyboard.press(next(keys)))
    head = page.get_by_role("columnheader").get_by_role("button", name="Station")
    await timed("sort_ms", head.click)
    await page.mouse.move(800, 600)
    await timed("wheel_ms", lambda: page.mouse.wheel(0, 2_000))
    return {"rows": rows, **spent}


async def measure(stations: int, seconds: float, rows: int) -> dict[str, Any]:
    expect.set_options(timeout=_PATIENCE_MS)
    chromium = installed()
    build.build()
    results: dict[str, Any] = {"stations": stations, "seconds": seconds, "pages": {}}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.executable,
            env={**os.environ, **chromium.environment},
            chromium_sandbox=os.geteuid() != 0,
            args=_ARGUMENTS,
        )
        async with _serving(stations) as served:
            results["load_average"] = round(os.getloadavg()[0], 1)
            results |= await first_views(browser, served)
            async with charging(served, stations):
                page, line = await _window(browser, served)
                for path in PAGES:
                    results["pages"][path] = await left_open(page, line, path, seconds)
        async with _serving(rows) as served:
            page, line = await _window(browser, served)
            results["table"] = await table(page, line, rows)
        await browser.close()
    return results


@asynccontextmanager
async def _serving(stations: int) -> AsyncIterator[Serving]:
    """Serve a system of so many stations, of which some are at sites."""
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(Path(folder) / "postgres") as postgres,
    ):
        async with serving(Path(folder) / "data", database_url=postgres.url) as served:
            for number in range(_SITES):
                capacity = 11 * stations
                body = {"id": f"site{number}", "name": f"Site {number}", "gridCapacityKw": capacity}
                await served.ask("POST", "/api/sites", body)
            sql = await asyncpg.connect(postgres.url)
            await sql.execute(_STATIONS, stations, _SITED, _SITES)
            await sql.close()
            yield served


async def _window(browser: Browser, served: Serving) -> tuple[Page, CDPSession]:
    """Return a page as wide as a wall display, signed in, and what measures it."""
    context = await browser.new_context(
        base_url=served.http_url,
        locale="en-US",
        timezone_id="UTC",
        viewport={"width": 1920, "height": 1080},
    )
    page = await context.new_page()
    await page.goto(f"/sign-in?token={TOKEN}")
    line = await context.new_cdp_session(page)
    await line.send("Performance.enable", {"timeDomain": "threadTicks"})
    await line.send("Network.enable")
    return page, line


def told(results: dict[str, Any]) -> str:
    """Return the results as a table."""
    lines = [
        f"{results['stations']} stations, new values each second; load {results['load_average']}",
        f"first view {results['first_view_s']:.2f} s (target {TARGET_VIEW_S}), largest paint "
        f"{results['largest_paint_s']:.2f} s, {results['first_view_kb']:.0f} kB",
        f"{'page':14}{'main thread':>12}{'script':>9}{'layout':>9}{'live':>11}{'heap':>10}",
    ]
    for path, one in results["pages"].items():
        lines.append(
            f"{path:14}{one['task_percent']:>10.1f} %{one['script_percent']:>7.1f} %"
            f"{one['layout_percent']:>7.1f} %{one['live_kb_per_s']:>6.0f} kB/s"
            f"{one['heap_mb']:>7.1f} MB"
        )
    worst = max(one["task_percent"] for one in results["pages"].values())
    lines.append(f"most: {worst:.1f} % of a core (target {TARGET_PERCENT:.0f})")
    one = results["table"]
    lines.append(
        f"{one['rows']:,} rows: {one['filter_ms']:.0f} ms a letter, {one['sort_ms']:.0f} ms a "
        f"sort, {one['wheel_ms']:.0f} ms a turn of the wheel"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stations", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rows", type=int, default=10_000)
    given = parser.parse_args()
    results = asyncio.run(measure(given.stations, given.seconds, given.rows))
    print(told(results))
    OUT.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
