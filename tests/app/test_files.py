"""Files from and to a simulated charge point, over the whole system and real sockets."""

from __future__ import annotations

import hashlib

import pytest

from tests.app.bench import system
from tests.app.station import call
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


async def job(s, identity="A"):
    return (await s.ask("GET", f"/api/stations/{identity}/jobs"))["items"][0]


async def ended(s, identity="A"):
    async def over():
        found = await job(s, identity)
        return found if found["state"] != "running" else None

    return await wait_until(over, 20)


async def content(s, path):
    url = f"http://127.0.0.1:{s.running.http_port}{path}"
    async with s.client.get(url) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Disposition"].startswith("attachment; ")
        return await answer.read()


async def sent(s, action, identity="A"):
    items = (await s.ask("GET", f"/api/stations/{identity}/messages?action={action}"))["items"]
    return next(item["payload"] for item in items if item["direction"] == "out")


@pytest.mark.parametrize("on", [{"files_port": 0}, {"ftp_port": 0}])
async def test_diagnostics_of_an_empty_body_end_with_the_file(database_url, tmp_path, on):
    async with system(database_url, tmp_path, **on) as s:
        await s.add("A")
        await s.plug_in("A", step_s=0.01)
        answer = await call(s, "GetDiagnostics", {})
        assert answer["outcome"] == "accepted"
        found = await ended(s)
        assert (found["state"], found["status"]) == ("done", "Uploaded")
        (file,) = found["files"]
        assert file["complete"]
        assert not found["fileMissing"]
        assert file["name"].startswith("diagnostics-")
        assert file["label"] == answer["response"]["fileName"]
        data = await content(s, file["url"])
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file["sizeBytes"], file["sha256"])
        assert data
        # the token is in no log
        location = (await sent(s, "GetDiagnostics"))["location"]
        assert "***" in location
