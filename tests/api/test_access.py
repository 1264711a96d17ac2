"""Who may: bearer keys, cookies, CSRF, roles, users and keys."""

from __future__ import annotations

import asyncio

import pytest

from csms.api.authentication import COOKIE, CSRF_COOKIE, CSRF_HEADER
from tests.api.bench import ADMIN


async def key(bench, role, **more):
    return await bench.post("/api/api-keys", {"name": role, "role": role, **more}, status=201)


async def test_no_or_bad_credentials(bench):
    for token in (None, "", "nonsense", "csms_" + "x" * 32, ADMIN + "x", "\u00e9"):
        bench.token = token
        reply = await bench.ask("GET", "/api/stations")
        assert (reply.status, reply.json["code"]) == (401, "unauthenticated")
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    bench.token = None
    basic = await bench.ask("GET", "/api/stations", headers={"Authorization": f"Basic {ADMIN}"})
    assert basic.status == 401


async def test_open_paths_need_none(bench):
    bench.token = None
    for path in ("/health", "/ready", "/api/docs", "/api/openapi.json", "/sign-in"):
        assert (await bench.ask("GET", path)).status == 200, path


@pytest.mark.parametrize(
    ("role", "read", "write", "administer"),
    [
        ("admin", 200, 201, 200),
        ("operator", 200, 201, 403),
        ("viewer", 200, 403, 403),
        ("driver", 403, 403, 403),
    ],
)
async def test_roles(bench, role, read, write, administer):
    bench.token = (await key(bench, role))["token"]
    assert (await bench.ask("GET", "/api/stations")).status == read
    assert (await bench.ask("POST", "/api/stations", {"name": "n", "maxKw": 1})).status == write
    assert (await bench.ask("GET", "/api/audit")).status == administer


async def test_a_token_is_shown_once_and_ends_with_its_key(bench):
    made = await key(bench, "viewer")
    listed = await bench.get("/api/api-keys")
    assert [item["id"] for item in listed["items"]] == [made["id"]]
    assert made["token"] not in str(listed)
    admin, bench.token = bench.token, made["token"]
    assert (await bench.ask("GET", "/api/stations")).status == 200
    bench.token = admin
    assert (await bench.ask("DELETE", f"/api/api-keys/{made['id']}")).status == 204
    bench.token = made["token"]
    assert (await bench.ask("GET", "/api/stations")).status == 401


async def test_expired_keys_and_keys_of_disabled_users(bench):
    user = await bench.post("/api/users", {"name": "u", "role": "operator"}, status=201)
    theirs = await key(bench, "operator", userId=user["id"])
    old = await key(bench, "viewer", expiresAt="2020-01-01T00:00:00Z")
    for token, status in ((old["token"], 401), (theirs["token"], 200)):
        headers = {"Authorization": f"Bearer {token}"}
        assert (await bench.ask("GET", "/api/stations", headers=headers)).status == status
    await bench.ask("PATCH", f"/api/users/{user['id']}", {"disabled": True})
    headers = {"Authorization": f"Bearer {theirs['token']}"}
    assert (await bench.ask("GET", "/api/stations", headers=headers)).status == 401


async def test_answers_from_memory(bench):
    bench.token = (await key(bench, "viewer"))["token"]
    await bench.get("/api/stations")
    await bench.sql.execute("DELETE FROM api_keys")  # behind the cache's back
    await bench.get("/api/stations")


def cookies(reply):
    found = {}
    for line in reply.headers.getall("Set-Cookie", []):
        name, _, rest = line.partition("=")
        found[name] = (rest.partition(";")[0], rest)
    return found


async def test_the_sign_in_link_sets_a_cookie(bench):
    bench.token = None
    reply = await bench.ask("GET", f"/sign-in?token={ADMIN}")
    assert (reply.status, reply.headers["Location"]) == (303, "/api/docs")
    found = cookies(reply)
    session, line = found[COOKIE]
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    csrf, line = found[CSRF_COOKIE]
    assert "HttpOnly" not in line
    cookie = {"Cookie": f"{COOKIE}={session}"}
    assert (await bench.ask("GET", "/api/stations", headers=cookie)).status == 200
    body = {"name": "n", "maxKw": 1}
    without = await bench.ask("POST", "/api/stations", body, headers=cookie)
    assert (without.status, without.json["code"]) == (403, "csrf_token_required")
    wrong = await bench.ask("POST", "/api/stations", body, headers={**cookie, CSRF_HEADER: "x"})
    assert wrong.status == 403
    right = await bench.ask("POST", "/api/stations", body, headers={**cookie, CSRF_HEADER: csrf})
    assert right.status == 201
    forged = {"Cookie": f"{COOKIE}={session[:-1]}{'0' if session[-1] != '0' else '1'}"}
    assert (await bench.ask("GET", "/api/stations", headers=forged)).status == 401
    for odd in ("", "x", "a.b.c", ".", "\u00e9"):
        reply = await bench.ask("GET", "/api/stations", headers={"Cookie": f"{COOKIE}={odd}"})
        assert reply.status == 401, odd


async def test_who_signs_out_leaves_a_cookie_that_opens_nothing(bench):
    bench.token = None
    origin = {"Origin": bench.url}
    reply = await bench.ask("GET", f"/sign-in?token={ADMIN}")
    first = {"Cookie": f"{COOKIE}={cookies(reply)[COOKIE][0]}"}
    assert (await bench.ask("GET", "/api/me", headers=first)).status == 200
    foreign = await bench.ask("POST", "/sign-out", headers={**first, "Origin": "http://evil"})
    assert foreign.status == 403
    assert (await bench.ask("GET", "/api/me", headers=first)).status == 200
    assert (await bench.ask("POST", "/sign-out", headers={**first, **origin})).status == 303
    assert (await bench.ask("GET", "/api/me", headers=first)).status == 401
    for odd in ("x", "a.b", ""):
        odd_cookie = {"Cookie": f"{COOKIE}={odd}"}
        assert (
            await bench.ask("POST", "/sign-out", headers={**odd_cookie, **origin})
        ).status == 303


async def test_who_is_signed_in(bench):
    me = await bench.get("/api/me")
    assert me == {
        "name": "administrator",
        "role": "admin",
        "csrfToken": None,
        "version": "1.2.3",
    }
    bench.token = None
    assert (await bench.ask("GET", "/api/me")).status == 401
    found = cookies(await bench.ask("GET", f"/sign-in?token={ADMIN}"))
    cookie = {"Cookie": f"{COOKIE}={found[COOKIE][0]}"}
    me = (await bench.ask("GET", "/api/me", headers=cookie)).json
    assert me["csrfToken"] == found[CSRF_COOKIE][0]


async def test_name_and_password(bench):
    made = await bench.post(
        "/api/users",
        {"name": "ann", "role": "operator", "password": "correct horse"},
        status=201,
    )
    stored = await bench.sql.fetchval("SELECT password_hash FROM users")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    bench.token = None

    async def sign_in(name, password, **headers):
        return await bench.ask(
            "POST", "/sign-in", data={"name": name, "password": password}, headers=headers
        )

    assert (await sign_in("ann", "wrong")).status == 401
    assert (await sign_in("bob", "correct horse")).status == 401
    foreign = await sign_in("ann", "correct horse", Origin="https://evil.example")
    assert foreign.status == 403
    reply = await sign_in("ann", "correct horse")
    assert reply.status == 303
    cookie = {"Cookie": f"{COOKIE}={cookies(reply)[COOKIE][0]}"}
    assert (await bench.ask("GET", "/api/stations", headers=cookie)).status == 200
    bench.token = ADMIN
    await bench.ask("PATCH", f"/api/users/{made['id']}", {"password": "another horse"})
    bench.token = None
    assert (await bench.ask("GET", "/api/stations", headers=cookie)).status == 401


async def test_failed_attempts_are_bounded(bench):
    bench.token = None
    statuses = [(await bench.ask("GET", f"/sign-in?token=wrong{n}")).status for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2


async def test_failed_attempts_at_once_are_not_more(bench):
    bench.token = None
    tries = [bench.ask("GET", f"/sign-in?token=csms_{n}") for n in range(40)]
    statuses = [reply.status for reply in await asyncio.gather(*tries)]
    assert (statuses.count(401), statuses.count(429)) == (10, 30)


async def test_who_signs_in_well_does_not_count(bench):
    bench.token = None
    statuses = {(await bench.ask("GET", f"/sign-in?token={ADMIN}")).status for _ in range(15)}
    assert statuses == {303}


async def test_users(bench):
    user = await bench.post("/api/users", {"name": "u", "role": "viewer"}, status=201)
    assert user["hasPassword"] is False
    assert (await bench.ask("POST", "/api/users", {"name": "u", "role": "admin"})).status == 409
    for wrong in ({"role": "king"}, {"password": "short"}, {"name": ""}, {"odd": 1}):
        body = {"name": "v", "role": "viewer", **wrong}
        assert (await bench.ask("POST", "/api/users", body)).status == 422, wrong
    one = f"/api/users/{user['id']}"
    changed = await bench.ask("PATCH", one, {"role": "operator"})
    assert changed.json["role"] == "operator"
    assert (await bench.get(one)) == changed.json
    assert (await bench.ask("PATCH", one, {"role": None})).status == 422
    assert (await bench.get("/api/users"))["items"] == [changed.json]
    assert (await bench.ask("DELETE", one)).status == 204
    for missing in (one, "/api/users/x", "/api/users/0", "/api/users/" + "9" * 30):
        assert (await bench.ask("GET", missing)).status == 404


async def test_the_audit_trail(bench):
    await bench.post("/api/id-tags", {"idTag": "A"}, status=201)
    await bench.ask("DELETE", "/api/id-tags/A")
    first, second = (await bench.get("/api/audit"))["items"]
    assert (first["action"], first["objectType"], first["objectId"]) == ("delete", "id_tag", "A")
    assert second["action"] == "create"
    assert second["actor"] == "administrator"
