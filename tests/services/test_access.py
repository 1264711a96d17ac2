"""Principals: roles, cookies that run out, the memory of ten seconds."""

from __future__ import annotations

import pytest

from csms.services.access import Access, Role
from csms.services.credentials import new_token, token_digest
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork

SECRET = b"s" * 32


@pytest.fixture
async def units(database_url):
    database = Database(database_url)
    yield SqlUnitsOfWork(database)
    await database.close()


@pytest.fixture
def access(units, clock):
    return Access(units, clock, secret=SECRET, admin_token="the administrators token")


async def add_key(units, role="viewer", expires_at=None):
    token = new_token()
    async with units() as unit:
        key = await unit.users.insert_key(
            {
                "name": "k",
                "role": role,
                "token_digest": token_digest(SECRET, token),
                "expires_at": expires_at,
            }
        )
    return key, token


def test_roles_include_those_below_but_drivers_stand_apart():
    assert [[role.includes(needed) for needed in Role] for role in Role] == [
        [True, True, True, True],
        [False, True, True, False],
        [False, False, True, False],
        [False, False, False, True],
    ]


async def test_a_withdrawn_key_of_another_node_is_known_for_ten_seconds(units, access, clock):
    key, token = await add_key(units)
    assert (await access.by_token(token)).role is Role.VIEWER
    async with units() as unit:
        await unit.users.delete_key(key.key)
    await clock.advance(9.9)
    assert await access.by_token(token) is not None
    await clock.advance(0.2)
    assert await access.by_token(token) is None


async def test_forget_asks_at_once(units, access):
    key, token = await add_key(units)
    assert await access.by_token(token) is not None
    async with units() as unit:
        await unit.users.delete_key(key.key)
    access.forget()
    assert await access.by_token(token) is None


async def test_unknown_tokens_are_remembered_too(units, access, clock):
    token = new_token()
    assert await access.by_token(token) is None
    async with units() as unit:
        await unit.users.insert_key(
            {"name": "k", "role": "viewer", "token_digest": token_digest(SECRET, token)}
        )
    assert await access.by_token(token) is None
    await clock.advance(11)
    assert await access.by_token(token) is not None


async def test_a_cookie_ends_with_its_time_and_with_its_key(units, access, clock):
    key, token = await add_key(units)
    principal = await access.by_token(token)
    cookie = access.cookie(principal, lifetime_s=60)
    assert await access.by_cookie(cookie) == principal
    await clock.advance(59)
    assert await access.by_cookie(cookie) == principal
    await clock.advance(2)
    assert await access.by_cookie(cookie) is None
    cookie = access.cookie(principal, lifetime_s=3600)
    async with units() as unit:
        await unit.users.delete_key(key.key)
    access.forget()
    assert await access.by_cookie(cookie) is None


async def test_cookies_are_bound_to_secret_and_content(units, access, clock):
    principal = await access.by_token("the administrators token")
    assert principal.role is Role.ADMIN
    cookie = access.cookie(principal, lifetime_s=60)
    assert await access.by_cookie(cookie) == principal
    other = Access(units, clock, secret=b"o" * 32, admin_token="the administrators token")
    assert await other.by_cookie(cookie) is None
    subject, expires, signed = cookie.rsplit(".", 2)
    assert await access.by_cookie(f"{subject}.{int(expires) + 1}.{signed}") is None
    assert access.csrf_token(cookie) != other.csrf_token(cookie)
