"""The ports of certificates: who reads them, and who signs them.

`CertificateAuthority` is what an outside CA takes the place of: one class with two methods, handed
to `csms.app`. Requests are checked before they get here (key, signature, subject), answers of a
charge point are not its business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csms.domain.certificates import (
    CertificateFacts,
    ClientCertificate,
    HashData,
    RequestFacts,
)
from csms.domain.charge_points import ChargePointRecord
from csms.domain.ids import ChargePointKey, Identity
from csms.errors import CsmsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a certificate is for.

    Attributes:
        common_name: What it must name: the serial number, or the identity where none is set.
        organization: The operator's name; None: the authority's own choice.
    """

    identity: str
    common_name: str
    organization: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The authority will not sign, and will not if it is asked again; `reason` is a sentence."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A root of the authority, for operators to install in charge points."""

    pem: str
    facts: CertificateFacts


class AuthorityAway(CsmsError):
    """The authority cannot be reached now; it is asked again later."""


class CertificateAuthority(Protocol):
    """Signs the certificates of charge points and takes them back.

    Concurrency: any number of tasks.
    """

    async def sign(self, request: RequestFacts, subject: Subject) -> str | Refused:
        """Return the chain as PEM, the station's certificate first, or why there is none.

        Requested extensions are ignored: the certificate is for a TLS client and nothing else.

        Raises:
            AuthorityAway: Ask again later.
        """
        ...

    async def revoke(self, serial_number: str, reason: str) -> bool:
        """Take a certificate back; False: it is none of this authority's.

        It is refused at handshakes as soon as the list of revoked ones is loaded.

        Args:
            serial_number: Hex.
            reason: A CRL reason such as ``keyCompromise``.

        Raises:
            AuthorityAway: Nothing was done.
        """
        ...

    def roots(self) -> Sequence[Root]:
        """Return what charge points have to trust."""
        ...


PresentAuthority = Callable[[], CertificateAuthority | None]
"""Gives the authority, once there is one: it may be made while the system runs."""


class CertificateReader(Protocol):
    """Reads PEM texts; pure, and bounded in what a hostile text costs."""

    def request(self, text: str) -> RequestFacts | Refused:
        """Return what a CSR says, in any spelling of PEM, or what is wrong with it (M80)."""
        ...

    def certificates(self, text: str) -> list[CertificateFacts]:
        """Return what the certificates of a PEM text say, in order.

        A certificate whose issuer follows it, or that has signed itself, has hash data.

        Raises:
            ValueError: There is none, or one cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StationCertificate:
    """A certificate that a station has.

    Attributes:
        source: How we know: ``listed``, ``installed``, ``signed`` (CertificateSigned) or ``shown``.
        in_use_at: When the station last connected with it.
    """

    certificate_type: str
    serial_number: str
    hash_data: HashData | None
    subject: str | None
    issuer: str | None
    not_before: datetime | None
    not_after: datetime | None
    source: str
    seen_at: datetime
    in_use_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningRequest:
    """A SignCertificate.req and what became of it.

    Attributes:
        state: refused (answered Rejected), requested, issued (chain is to be sent), installed,
            rejected (by the station), failed, superseded (a newer one came).
        detail: Why it was refused or has failed.
    """

    key: int
    charge_point: ChargePointKey
    identity: Identity
    received_at: datetime
    state: str
    csr: str
    common_name: str | None = None
    key_type: str | None = None
    chain: str | None = None
    serial_number: str | None = None
    not_after: datetime | None = None
    detail: str | None = None
    tries: int = 0
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingCertificate:
    """The newest certificate of a connected profile-3 station, which ends soon."""

    charge_point: ChargePointKey
    identity: Identity
    serial_number: str
    not_after: datetime


class StationCertificates(Protocol):
    """Certificates of stations, in one transaction."""

    async def of(self, charge_point: ChargePointKey) -> list[StationCertificate]:
        """Return what a station has, the newest first."""
        ...

    async def listed(
        self,
        charge_point: ChargePointKey,
        certificate_type: str,
        found: Sequence[HashData],
        at: datetime,
    ) -> None:
        """Keep a GetInstalledCertificateIds.conf: these and no others of this type."""
        ...

    async def added(
        self,
        charge_point: ChargePointKey,
        certificate_type: str,
        facts: CertificateFacts,
        source: str,
        at: datetime,
    ) -> None:
        """Note that a station has taken a certificate."""
        ...

    async def removed(self, charge_point: ChargePointKey, hash_data: HashData) -> None:
        """Note that a station has it no more."""
        ...

    async def revoked(self, serial_number: str, at: datetime) -> None:
        """Note that one was revoked, wherever it is."""
        ...

    async def held_by(
        self, charge_point: ChargePointKey, serial_number: str
    ) -> StationCertificate | None:
        """Return a station's own certificate of this serial number."""
        ...

    async def others_named(self, charge_point: ChargePointKey, names: Sequence[str]) -> list[str]:
        """Return those names that are another station's identity or serial number."""
        ...

    async def ending(self, node: str, until: datetime, now: datetime) -> list[EndingCertificate]:
        """Return whose newest certificate ends before `until`, not asked within a day.

        Only of accepted profile-3 stations connected to this node that have no request under way.
        """
        ...

    async def renewal_tried(self, charge_point: ChargePointKey, at: datetime) -> None:
        """Note that a station is about to be asked to renew its certificate."""
        ...


class SigningRequests(Protocol):
    """Requests of stations for certificates, in one transaction."""

    async def ask(
        self,
        charge_point: ChargePointKey,
        *,
        csr: str,
        at: datetime,
        common_name: str | None = None,
        key_type: str | None = None,
        refused: str | None = None,
    ) -> int:
        """Keep a request, refused or to be signed; those before it that wait are superseded."""
        ...

    async def asked_since(self, charge_point: ChargePointKey, since: datetime) -> int:
        """Return how many requests came after that time, those refused included."""
        ...

    async def page(
        self, charge_point: ChargePointKey, limit: int, *, before: int | None = None
    ) -> list[SigningRequest]:
        """Return one page, the newest first."""
        ...

    async def due(self, node: str, now: datetime) -> list[SigningRequest]:
        """Return what has to be signed or sent: of stations connected to this node, a few."""
        ...

    async def tried(self, request: int, at: datetime) -> None:
        """Note that a request is about to be signed or sent."""
        ...

    async def issued(self, request: int, chain: str, facts: CertificateFacts, at: datetime) -> bool:
        """Keep the chain, which is sent now; False when a newer request has come meanwhile."""
        ...

    async def end(self, request: int, state: str, at: datetime, detail: str | None = None) -> None:
        """End a request: failed."""
        ...

    async def answered(
        self, charge_point: ChargePointKey, chain: str, *, accepted: bool, at: datetime
    ) -> bool:
        """End the request whose chain a station has taken or refused; False: it was none's."""
        ...


class CertificateStore(Protocol):
    """What the edge notes; each method is a transaction."""

    async def shown(
        self, notes: Sequence[tuple[ChargePointRecord, ClientCertificate, datetime]]
    ) -> None:
        """Keep which certificates stations have connected with. Raises DatabaseAway."""
        ...
