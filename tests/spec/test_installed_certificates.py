"""Certificates that a station shall trust: installed, listed, deleted (chapter 3.21)."""

from __future__ import annotations

import pytest

from tests.pki.authority import Authority
from tests.spec.playbook import Asks, Sees
from tests.spec.states import booted
from tests.spec.values import Has

octt = pytest.mark.octt
pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

CERTIFICATES = "/api/stations/{id}/certificates"
CENTRAL, MAKER = "CentralSystemRootCertificate", "ManufacturerRootCertificate"


def hashed(algorithm="SHA256", serial="1234abcd"):
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": "a1" * 32,
        "issuerKeyHash": "b2" * 32,
        "serialNumber": serial,
    }


def listed(kind, *hashes):
    found = {"status": "Accepted", "certificateHashData": list(hashes)}
    if not hashes:
        found = {"status": "NotFound"}
    return Asks(
        "GetInstalledCertificateIds",
        {"certificateType": kind},
        found,
        "accepted" if hashes else "rejected",
    )


def shown(kind, *serials):
    return Sees(
        CERTIFICATES,
        [Has(certificateType=kind, serialNumber=serial) for serial in serials],
        lambda answer: [each for each in answer["items"] if each["source"] == "listed"],
    )


async def install(stage, kind, authority):
    request = {"certificateType": kind, "certificate": authority.pem.decode()}
    await stage.perform(
        *booted(),
        listed(kind),
        Asks("InstallCertificate", request, more={"warnings": []}),
    )


@octt("TC_075_1", "3.21", "Install a certificate, ManufacturerRootCertificate")
async def test_install_a_manufacturers_root(stage, root):
    await install(stage, MAKER, root)
    await stage.play(listed(MAKER, hashed()), shown(MAKER, "1234abcd"))


@octt("TC_075_2", "3.21", "Install a certificate, CentralSystemRootCertificate")
async def test_install_our_root(stage, root):
    await install(stage, CENTRAL, root)
    await stage.play(listed(CENTRAL, hashed()), shown(CENTRAL, "1234abcd"))


@octt("TC_076", "3.21", "Delete a specific certificate")
@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
async def test_delete_an_installed_certificate(stage, algorithm):
    """The second root of ours goes; the first stays."""
    first, second = hashed(serial="01"), hashed(algorithm, serial="02")
    request = {"certificateType": CENTRAL, "certificate": Authority().pem.decode()}
    await stage.play(
        booted(),
        Asks("InstallCertificate", request),
        listed(CENTRAL, first, second),
        Asks("DeleteCertificate", {"certificateHashData": second}, more={"warnings": []}),
        shown(CENTRAL, "01"),
        listed(CENTRAL, first),
        shown(CENTRAL, "01"),
    )


# -- variants


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("Accepted", "accepted"), ("Failed", "rejected"), ("NotFound", "rejected")],
)
async def test_delete_a_certificate(stage, answer, outcome):
    await stage.play(
        Asks("DeleteCertificate", {"certificateHashData": hashed()}, {"status": answer}, outcome)
    )
