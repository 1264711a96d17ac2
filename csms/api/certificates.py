"""Certificates, keys and profiles of stations."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from csms.api import pages
from csms.api.fields import In, Out, Page, PageQuery, PreciseTime, Time
from csms.api.routes import Route
from csms.domain.certificates import CHARGE_POINT
from csms.services.access import Principal, Role
from csms.services.ports.certificates import Root, SigningRequest, StationCertificate
from csms.services.records import CallRecord
from csms.services.station_security import StationSecurity


class CertificateOut(Out):
    """A certificate that a station has.

    `certificateType` is as OCPP names it, or `ChargePointCertificate` for the station's own. The
    hash data are as DeleteCertificate takes them. `source` says how we know: `listed` by the
    station, `installed`, `signed` or `shown` when it connected.
    """

    certificate_type: str
    hash_algorithm: str | None
    issuer_name_hash: str | None
    issuer_key_hash: str | None
    serial_number: str
    seen_at: PreciseTime
    subject: str | None
    issuer: str | None
    valid_from: Time | None
    expires_at: Time | None
    source: str
    in_use_at: PreciseTime | None
    revoked_at: PreciseTime | None

    @classmethod
    def of(cls, held: StationCertificate) -> CertificateOut:
        """Return a certificate as the contract spells it."""
        named = held.hash_data
        return cls(
            certificate_type=held.certificate_type,
            hash_algorithm=None if named is None else named.hash_algorithm,
            issuer_name_hash=None if named is None else named.issuer_name_hash,
            issuer_key_hash=None if named is None else named.issuer_key_hash,
            serial_number=held.serial_number,
            seen_at=held.seen_at,
            subject=held.subject,
            issuer=held.issuer,
            valid_from=held.not_before,
            expires_at=held.not_after,
            source=held.source,
            in_use_at=held.in_use_at,
            revoked_at=held.revoked_at,
        )


class SigningRequestOut(Out):
    """A SignCertificate of a station.

    `state`: `refused` (answered Rejected), `requested`, `issued` (CertificateSigned is not answered
    yet), `installed`, `rejected` (by the station: its former certificate stays), `failed` or
    `superseded` (a newer request came).
    """

    request_id: str
    received_at: PreciseTime
    state: str
    common_name: str | None
    key_type: str | None
    serial_number: str | None
    expires_at: Time | None
    detail: str | None
    csr: str
    certificate_chain: str | None


class RevokeIn(In):
    """Why a certificate is taken back, as lists of revocations spell it."""

    reason: Literal[
        "unspecified",
        "keyCompromise",
        "cACompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "certificateHold",
        "privilegeWithdrawn",
        "aACompromise",
    ] = "unspecified"


class ProfileIn(In):
    """A higher security profile."""

    security_profile: Annotated[int, Field(ge=1, le=3)]


class ProfileOut(Out):
    """The security profile of a station, and the one that it was told."""

    security_profile: int
    pending_security_profile: int | None


class SecurityCallOut(Out):
    """What a call about a station's security has led to.

    `outcome` and `status` are those of its ChangeConfiguration; after a `callError` what the
    station has done is unknown, and the old and the new are let in.
    """

    call_id: str
    outcome: str
    status: str | None
    error_code: str | None
    error_description: str | None
    warnings: list[str]

    @classmethod
    def of(cls, call: CallRecord) -> SecurityCallOut:
        """Return a call as the contract spells it, without its payload."""
        return cls(
            call_id=call.id,
            outcome=str(call.outcome),
            status=call.status,
            error_code=call.error_code,
            error_description=call.error_description,
            warnings=list(call.warnings),
        )


class RootOut(Out):
    """A root that charge points have to trust; `certificate` is what InstallCertificate takes."""

    certificate_type: str
    certificate: str
    subject: str
    serial_number: str
    expires_at: Time
    hash_algorithm: str | None
    issuer_name_hash: str | None
    issuer_key_hash: str | None

    @classmethod
    def of(cls, root: Root) -> RootOut:
        """Return a root as the contract spells it."""
        named = root.facts.hash_data
        return cls(
            certificate_type="CentralSystemRootCertificate",
            certificate=root.pem,
            subject=root.facts.subject,
            serial_number=root.facts.serial_number,
            expires_at=root.facts.not_after,
            hash_algorithm=None if named is None else named.hash_algorithm,
            issuer_name_hash=None if named is None else named.issuer_name_hash,
            issuer_key_hash=None if named is None else named.issuer_key_hash,
        )


class Certificates:
    """The operations."""

    def __init__(self, security: StationSecurity) -> None:
        self._security = security

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        one = "/api/stations/{station_id}"
        absent = {404: "There is no such station."}
        called = {
            **absent,
            409: "`station_offline`.",
            502: "`invalid_response`: the answer breaks its schema.",
            504: "`call_timeout` or `connection_lost`: old and new are let in.",
        }

        def route(method: str, path: str, handler: Any, role: Role, **more: Any) -> Route:
            return Route(
                method=method, path=path, handler=handler, role=role, tag="security", **more
            )

        viewer, operator = Role.VIEWER, Role.OPERATOR
        return [
            route("GET", f"{one}/certificates", self.list_certificates, viewer, refusals=absent),
            route(
                "GET", f"{one}/certificate-requests", self.list_requests, viewer, refusals=absent
            ),
            route(
                "POST",
                f"{one}/certificates/{{serial_number}}/revoke",
                self.revoke_certificate,
                operator,
                refusals={
                    404: f"There is no such station, or it has no such {CHARGE_POINT}.",
                    409: "`no_authority`, `foreign_certificate` or `authority_away`.",
                },
            ),
            route(
                "POST",
                f"{one}/password",
                self.rotate_password,
                operator,
                idempotent=True,
                refusals=called,
            ),
            route(
                "POST",
                f"{one}/security-profile",
                self.raise_profile,
                operator,
                idempotent=True,
                refusals={**called, 403: "`refused_locally`: it is not higher."},
            ),
            route(
                "DELETE",
                f"{one}/security-profile",
                self.cancel_upgrade,
                operator,
                refusals={**absent, 409: "`no_upgrade`: none is pending."},
            ),
            route("GET", "/api/certificate-authority/roots", self.list_roots, viewer),
        ]

    async def list_certificates(self, station_id: str, query: PageQuery) -> Page[CertificateOut]:
        """Return which certificates a station has, the one seen last first; all on one page."""
        del query
        found = await self._security.certificates(station_id)
        return Page[CertificateOut](items=[CertificateOut.of(each) for each in found])

    async def list_requests(self, station_id: str, query: PageQuery) -> Page[SigningRequestOut]:
        """Return what a station has asked to be signed, the newest first."""
        before = None if query.cursor is None else int(pages.decode(query.cursor, int)[0])
        found = await self._security.requests(station_id, query.limit, before)
        return Page[SigningRequestOut](
            items=[_request_out(each) for each in found],
            next_cursor=pages.encode(found[-1].key) if len(found) == query.limit else None,
        )

    async def revoke_certificate(
        self, station_id: str, serial_number: str, body: RevokeIn, principal: Principal
    ) -> CertificateOut:
        """Take a station's own certificate back: it is let in with it no more, from now on."""
        held = await self._security.revoke(principal.name, station_id, serial_number, body.reason)
        return CertificateOut.of(held)

    async def rotate_password(self, station_id: str, principal: Principal) -> SecurityCallOut:
        """Make a new random key and tell it to the station; nobody is shown the key."""
        call = await self._security.rotate_password(principal.name, station_id)
        return SecurityCallOut.of(call)

    async def raise_profile(
        self, station_id: str, body: ProfileIn, principal: Principal
    ) -> SecurityCallOut:
        """Tell the station a higher profile; once it has come with it there is no way down.

        What it may lack for that stands in `warnings`.
        """
        call = await self._security.raise_profile(principal.name, station_id, body.security_profile)
        return SecurityCallOut.of(call)

    async def cancel_upgrade(self, station_id: str, principal: Principal) -> ProfileOut:
        """Stop letting the station in on the higher profile that it was told."""
        station = await self._security.cancel_upgrade(principal.name, station_id)
        return ProfileOut(
            security_profile=station.security_profile,
            pending_security_profile=station.pending_security_profile,
        )

    async def list_roots(self, query: PageQuery) -> Page[RootOut]:
        """Return what charge points have to trust; empty while there is no authority."""
        del query
        return Page[RootOut](items=[RootOut.of(root) for root in self._security.roots()])


def _request_out(request: SigningRequest) -> SigningRequestOut:
    return SigningRequestOut(
        request_id=str(request.key),
        received_at=request.received_at,
        state=request.state,
        common_name=request.common_name,
        key_type=request.key_type,
        serial_number=request.serial_number,
        expires_at=request.not_after,
        detail=request.detail,
        csr=request.csr,
        certificate_chain=request.chain,
    )
