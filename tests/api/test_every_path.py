"""Who may do what, on every path there is: nothing is open that the contract does not name."""

from __future__ import annotations

import re

import pytest

from csms.api.authentication import COOKIE
from tests.api.bench import ADMIN

OPEN = {"/health", "/ready"}
OF_ADMINISTRATORS = ("/api/users", "/api/api-keys", "/api/audit", "/api/settings")
NOTHING = {"data": b"[]", "headers": {"Content-Type": "application/json"}}


async def operations(bench):
    """Return method, path and the role that the contract asks for; the path leads nowhere."""
    found = []
    for path, methods in (await bench.get("/api/openapi.json"))["paths"].items():
        for method in methods:
            role = "viewer" if method == "get" else "operator"
            if path.startswith(OF_ADMINISTRATORS):
                role = "admin"
            place = re.sub(r"{\w+}", "999999", path)
            found.append((method.upper(), place, None if path in OPEN else role))
    assert len(found) > 100
    return found


@pytest.mark.slow
async def test_every_operation_wants_its_role(bench):
    wanted = await operations(bench)
    roles = ["driver", "viewer", "operator", "admin"]
    tokens = {None: None}
    for role in roles:
        made = await bench.post("/api/api-keys", {"name": role, "role": role}, status=201)
        tokens[role] = made["token"]
    wrong = []
    for method, path, needed in wanted:
        for role, token in tokens.items():
            bench.token = token
            status = (await bench.ask(method, path, **NOTHING)).status
            if needed is None or (role and roles.index(role) >= roles.index(needed)):
                fits = status not in (401, 403) and status < 500
            else:
                fits = status == (401 if role is None else 403)
            if not fits:
                wrong.append((method, path, role, status))
    assert not wrong


@pytest.mark.slow
async def test_every_write_of_a_browser_wants_its_token(bench):
    wanted = await operations(bench)
    bench.token = None
    signed_in = await bench.ask("GET", f"/sign-in?token={ADMIN}")
    session = next(
        line.partition(";")[0]
        for line in signed_in.headers.getall("Set-Cookie")
        if line.startswith(COOKIE)
    )
    headers = {"Cookie": session, **NOTHING["headers"]}
    for method, path, needed in wanted:
        if method != "GET" and needed is not None:
            reply = await bench.ask(method, path, data=NOTHING["data"], headers=headers)
            assert (reply.status, reply.json["code"]) == (403, "csrf_token_required"), path
