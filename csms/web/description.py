"""The OpenAPI document of this code, made without a database, a socket or a charge point."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from csms.api.app import ApiConfig, Ports, create_api


class _Absent:
    """Stands for every driver: a description calls none of them."""

    def __getattr__(self, name: str) -> _Absent:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: object, **__: object) -> _Absent:
        return self

    def __iter__(self) -> Iterator[_Absent]:
        return iter(())


def description() -> bytes:
    """Return the document as JSON, with every resource that any setting can switch on."""
    absent = cast(Any, _Absent())
    ports = Ports(
        units=absent,
        gateway=absent,
        schemas=absent,
        allocator=absent,
        bus=absent,
        clock=absent,
        diary=absent,
        redelivery=absent,
        reader=absent,
        files=absent,
        addresses=absent,
        check_signature=absent,
        security=absent,
    )
    app = create_api(ports, ApiConfig(version="", secret=b"", admin_token=None)).app
    return asyncio.run(_described(app))


async def _described(app: web.Application) -> bytes:
    request = make_mocked_request("GET", "/api/openapi.json")
    match = await app.router.resolve(request)
    answer = await match.handler(request)
    if not isinstance(answer, web.Response) or not isinstance(answer.body, bytes):
        raise TypeError("the document has no body")
    return answer.body
