"""Certificates of charge points as facts: what is read out of PEM texts, and what is decided.

Reading them takes a driver (`csms.pki`); nothing here knows cryptography. (Improved security for
OCPP 1.6-J, edition 3; M80, N22-N25.)
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LEAST_RSA_BITS = 2048
MOST_RSA_BITS = 8192
"""What checking the signature of a larger key costs is the stranger's to choose."""
LEAST_CURVE_BITS = 224
LONGEST_CHAIN = 10_000
"""Characters of CertificateSigned.certificateChain after the schema."""

CENTRAL_SYSTEM_ROOT = "CentralSystemRootCertificate"
MANUFACTURER_ROOT = "ManufacturerRootCertificate"
CHARGE_POINT = "ChargePointCertificate"
"""A station's own; OCPP has no name for it where it lists certificates."""

MOST_REQUESTS_AN_HOUR = 10
"""SignCertificate of one station; more are refused."""


class SubjectCheck(StrEnum):
    """What happens to a request whose subject names nobody we know."""

    RELAXED = "relaxed"
    STRICT = "strict"


@dataclass(frozen=True, slots=True, kw_only=True)
class HashData:
    """How OCPP names a certificate (CertificateHashDataType); spelled as its source did."""

    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str

    @property
    def folded(self) -> tuple[str, str, str, str]:
        """What two spellings of the same have in common.

        >>> HashData(hash_algorithm="SHA256", issuer_name_hash="AB", issuer_key_hash="CD",
        ...          serial_number="00Ff").folded
        ('SHA256', 'ab', 'cd', 'ff')
        """
        return (
            self.hash_algorithm.upper(),
            self.issuer_name_hash.lower(),
            self.issuer_key_hash.lower(),
            folded_serial(self.serial_number),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """What a certificate says.

    Attributes:
        common_name: None unless there is exactly one.
        serial_number: Hex, lower case, without leading zeros.
        fingerprint: SHA-256 of its DER.
        is_ca: Whether it may sign others.
        key: Such as ``RSA 2048``.
        public_key: SHA-256 of its public key.
        hash_data: None where its issuer's key is not known.
        organizations: All of its subject.
    """

    subject: str
    issuer: str
    common_name: str | None
    serial_number: str
    not_before: datetime
    not_after: datetime
    fingerprint: bytes
    is_ca: bool
    key: str
    public_key: bytes
    hash_data: HashData | None = None
    organizations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """What a charge point has shown when it connected; TLS has verified chain and time.

    Attributes:
        revoked: By a list of its issuer, or one above it in its chain is.
        mismatch: A sentence about an organization that is not the operator's (A00.FR.404).
    """

    facts: CertificateFacts
    revoked: bool = False
    mismatch: str | None = None


def organization_mismatch(given: Collection[str], expected: str | None) -> str | None:
    """Return what is odd about the organizations of a subject; None: nothing.

    >>> organization_mismatch(["Example Charging Ltd"], "Example Charging") is None
    True
    >>> organization_mismatch([], "Example Charging")
    "organization is '', not 'Example Charging'."
    """
    if expected is None or any(expected in each for each in given):
        return None
    return f"organization is {', '.join(given)[:64]!r}, not {expected!r}."


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """What a certificate signing request says; its own signature is right.

    Attributes:
        pem: In the one spelling that every library reads.
        common_names: All of its subject.
        key_type: RSA or EC.
    """

    pem: str
    common_names: tuple[str, ...]
    organizations: tuple[str, ...]
    key_type: str
    key_bits: int
    public_key: bytes

    @property
    def key(self) -> str:
        """Kind and size of the key, such as ``EC 256``."""
        return f"{self.key_type} {self.key_bits}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the operator knows of a station that asks for a certificate.

    Attributes:
        serial_number: Its certificate names this; else the identity.
        organization: The operator's name; None: any will do.
        check: What to do about a subject that is not as expected.
    """

    identity: str
    serial_number: str | None
    organization: str | None
    check: SubjectCheck

    @property
    def common_name(self) -> str:
        """What its certificate has to name, at the handshake too."""
        return self.serial_number or self.identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is decided about a request; each text is a sentence.

    Attributes:
        refusal: Why it is answered Rejected; None: it is signed.
        mismatch: What is odd about its subject though it is signed.
    """

    refusal: str | None = None
    mismatch: str | None = None


def judge(request: RequestFacts, expected: Expected, others: Collection[str]) -> Judgement:
    """Return what becomes of a request whose key and signature are right (M80).

    The certificate will name what the operator knows, whatever the request asks for; so a subject
    that names nobody is odd, but one that names another station is an attack (A22).

    Args:
        request: As read.
        expected: Of the station that asks.
        others: Those of the request's common names that belong to another station.
    """
    if others:
        return Judgement(refusal="The request names another station.")
    odd = _oddities(request, expected)
    if not odd:
        return Judgement()
    text = " ".join(odd)
    return (
        Judgement(refusal=text)
        if expected.check is SubjectCheck.STRICT
        else Judgement(mismatch=text)
    )


def _oddities(request: RequestFacts, expected: Expected) -> list[str]:
    odd = []
    known = {expected.common_name, expected.identity}
    if len(request.common_names) != 1:
        odd.append(f"The request has {len(request.common_names)} common names.")
    elif request.common_names[0] not in known:
        odd.append(
            f"The request names {request.common_names[0][:64]!r}, "
            f"expected is {expected.common_name!r}."
        )
    mismatch = organization_mismatch(request.organizations, expected.organization)
    if mismatch is not None:
        odd.append(f"The request's {mismatch}")
    return odd


def key_problem(key_type: str, bits: int) -> str | None:
    """Return what is wrong about a public key; None when it may be certified.

    >>> key_problem("RSA", 1024), key_problem("EC", 256)
    ('Its RSA key has 1024 bits; 2048 are the least.', None)
    """
    least = {"RSA": LEAST_RSA_BITS, "EC": LEAST_CURVE_BITS}.get(key_type)
    if least is None:
        return f"Its key is neither RSA nor EC but {key_type}."
    if bits < least:
        return f"Its {key_type} key has {bits} bits; {least} are the least."
    if key_type == "RSA" and bits > MOST_RSA_BITS:
        return f"Its RSA key has {bits} bits; {MOST_RSA_BITS} are the most."
    return None


def folded_serial(text: str) -> str:
    """Return a serial number as it is compared: lower case, without leading zeros.

    >>> folded_serial("00AB"), folded_serial("0")
    ('ab', '0')
    """
    return text.strip().lower().lstrip("0") or "0"


def ends_soon(not_after: datetime, now: datetime, lead: timedelta) -> bool:
    """Return whether a certificate should be renewed."""
    return not_after - now < lead
