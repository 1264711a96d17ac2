"""The administrator's link of the first start: whoever is killed over it is shown another one."""

from __future__ import annotations

import re

import aiohttp
import pytest

from tests.app.commands import start
from tests.waiting import wait_until

KILLED_AFTER_THE_LINK = """
import csms.cli, os
def say(line, *, error=False):
    print(line, flush=True)
    if "token=" in line:
        os._exit(9)
csms.cli.say = say
"""


async def told(database_url, folder, *, code=None):
    """Start csms until it has shown the link; returns both."""
    process = await start(
        "serve", code=code, data_dir=folder, database_url=database_url, admin_token=""
    )
    said = ""
    while "sign in" not in said:
        line = (await process.stdout.readline()).decode()
        said += line
        if not line:
            break
    return process, re.search(r"http://\S+/sign-in\?token=\S+", said)


@pytest.mark.slow
async def test_killed_between_showing_the_link_and_keeping_it(database_url, tmp_path):
    process, first = await told(database_url, tmp_path, code=KILLED_AFTER_THE_LINK)
    assert await process.wait() == 9
    process, second = await told(database_url, tmp_path)
    try:
        assert second[0] != first[0]
        async with aiohttp.ClientSession() as client:

            async def signs_in():
                async with client.get(second[0], allow_redirects=False) as answer:
                    return answer.status == 303

            await wait_until(signs_in)
    finally:
        process.terminate()
        await process.communicate()
