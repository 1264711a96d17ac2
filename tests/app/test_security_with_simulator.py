"""From nothing to security profile 3, the way of docs/security.md, with the simulator.

It reads the specification for itself: its charge point checks roots, chains and signatures.
"""

from __future__ import annotations

import pytest

from tests.app.bench import system
from tests.app.secure_station import put_authority
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
async def s(database_url, tmp_path):
    put_authority(tmp_path / "data")
    async with system(database_url, tmp_path, ocpp_tls_port=0) as s:
        await s.add("A", serialNumber="SN-A")
        yield s


async def post(s, path, body=None):
    return await s.ask("POST", f"/api/stations/A/{path}", {} if body is None else body)


async def station(s):
    return await s.ask("GET", "/api/stations/A")


async def reaches(s, profile: int) -> None:
    async def so():
        found = await station(s)
        return found["online"] and found["securityProfile"] == profile

    await wait_until(so)


async def epoch(s) -> int:
    return await s.sql.fetchval("SELECT epoch FROM charge_points WHERE identity = 'A'")


async def comes_back(s, before: int) -> None:
    async def so():
        return await epoch(s) > before and (await station(s))["online"]

    await wait_until(so)


async def own(s):
    items = (await s.ask("GET", "/api/stations/A/certificates"))["items"]
    return [each for each in items if each["certificateType"] == "ChargePointCertificate"]


@pytest.mark.parametrize("kind", ["EC", "RSA"])
async def test_from_nothing_to_profile_3(s, kind):
    url = f"wss://localhost:{s.running.ocpp_tls_port}/ocpp"
    simulated = await s.plug_in(
        "A",
        serial_number="SN-A",
        key_kind=kind,
        secure_url=url,
        reconnect_min_s=0.1,
        reconnect_max_s=0.5,
        reboot_s=0.1,
    )
    before = await epoch(s)
    assert (await post(s, "password"))["status"] == "Accepted"
    await comes_back(s, before)  # to log in with the new key
    assert simulated.security.password is not None

    assert (await post(s, "security-profile", {"securityProfile": 1}))["status"] == "Accepted"
    await reaches(s, 1)

    (root,) = (await s.ask("GET", "/api/certificate-authority/roots"))["items"]
    install = {name: root[name] for name in ("certificateType", "certificate")}
    assert (await post(s, "calls/InstallCertificate", install))["status"] == "Accepted"
    kind_of = {"certificateType": root["certificateType"]}
    listed = await post(s, "calls/GetInstalledCertificateIds", kind_of)
    (named,) = listed["response"]["certificateHashData"]
    assert named["issuerKeyHash"] == root["issuerKeyHash"]  # computed on both sides
    assert named["issuerNameHash"] == root["issuerNameHash"]

    raised = await post(s, "security-profile", {"securityProfile": 2})
    assert (raised["status"], raised["warnings"]) == ("Accepted", [])
    await reaches(s, 2)

    cpo = {"key": "CpoName", "value": "Example"}
    assert (await post(s, "calls/ChangeConfiguration", cpo))["status"] == "Accepted"
    ask = {"requestedMessage": "SignChargePointCertificate"}
    assert (await post(s, "calls/ExtendedTriggerMessage", ask))["status"] == "Accepted"
    await wait_until(lambda: own(s))
    raised = await post(s, "security-profile", {"securityProfile": 3})
    assert (raised["status"], raised["warnings"]) == ("Accepted", [])
    await reaches(s, 3)
    held = await wait_until(lambda: _in_use(s))

    # and again: a new certificate, a new connection with it, the old one revoked
    before = await epoch(s)
    await post(s, "calls/ExtendedTriggerMessage", ask)
    await wait_until(lambda: _two(s))
    await post(s, f"certificates/{held['serialNumber']}/revoke", {"reason": "superseded"})
    await comes_back(s, before)

    async def renewed():
        newest = await _in_use(s)
        return newest if newest["serialNumber"] != held["serialNumber"] else None

    assert (await wait_until(renewed))["revokedAt"] is None
    events = (await s.ask("GET", "/api/stations/A/security-events"))["items"]
    assert not {each["type"] for each in events} & {"CertificateRejected", "CertificateNotSigned"}


async def _in_use(s):
    """Return the certificate that the station has come with last."""
    used = [each for each in await own(s) if each["inUseAt"] is not None]
    return max(used, key=lambda each: each["inUseAt"], default=None)


async def _two(s) -> bool:
    return len(await own(s)) == 2
