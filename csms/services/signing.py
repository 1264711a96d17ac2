"""Certificates for charge points: SignCertificate is answered here, CertificateSigned follows.

A request is checked and stored, then answered; only then it is signed and the chain sent, so that
the answer is always out first (whitepaper A02). What the station has not heard is said again while
it is connected, once a minute; what it has refused is not.
"""

from __future__ import annotations

import asyncio
import textwrap
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from csms.aio import Hint
from csms.clock import Clock
from csms.domain.certificates import (
    LONGEST_CHAIN,
    MOST_REQUESTS_AN_HOUR,
    Expected,
    Judgement,
    SubjectCheck,
    judge,
)
from csms.domain.charge_points import ChargePointRecord
from csms.domain.events import StationConnected
from csms.domain.ids import ChargePointKey
from csms.domain.security_events import (
    CERTIFICATE_NOT_SIGNED,
    CERTIFICATE_SUBJECT_ODD,
    SecurityEventFact,
)
from csms.errors import CallFailed, DatabaseAway, Refusal
from csms.services.commands import CommandService
from csms.services.ports.bus import Bus
from csms.services.ports.certificates import (
    AuthorityAway,
    CertificateReader,
    PresentAuthority,
    Refused,
    SigningRequest,
    Subject,
)
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import Station

_log = structlog.get_logger(__name__)

_POLL_S = 20.0
_PAUSE_S = 0.1
_MOST_TRIES = 10
_MOST_AT_ONCE = 50
_ACTOR = "system"
_CHAIN_LIMIT = "certificatesignedmaxchainsize"
_LONGEST_INFO = 255


class Signing:
    """Takes certificate requests of charge points.

    Concurrency: any task may call it.

    Attributes:
        hint: Given when there is something to sign.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        reader: CertificateReader,
        authority: PresentAuthority,
        *,
        organization: str | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            units: The store.
            reader: Of requests and certificates.
            authority: Gives who signs them; without one they are refused.
            organization: The operator's name, which certificates carry; None: the authority's.
        """
        self.units = units
        self.reader = reader
        self.authority = authority
        self.organization = organization
        self.hint = Hint()

    async def requested(self, record: ChargePointRecord, csr: str, at: datetime) -> bool:
        """Keep a SignCertificate.req; returns whether it will be signed (M80).

        Raises:
            DatabaseAway: Nothing was kept: answer nothing.

        Cancellation: it may be kept; the station asks again and the newer one counts.
        """
        if self.authority() is None:
            async with self.units() as unit:
                event = _unserved(record.key, at)
                await unit.security_events.append(event)
            return False
        # what a hostile request costs must not hold up other stations
        read = await asyncio.to_thread(self.reader.request, csr)
        async with self.units() as unit:
            station = await unit.charge_points.get(record.identity, lock=True)
            if station is None or station.key != record.key:
                return False
            asked = await unit.signing_requests.asked_since(station.key, at - timedelta(hours=1))
            if asked >= MOST_REQUESTS_AN_HOUR:
                await self._event(unit, station, CERTIFICATE_NOT_SIGNED, _TOO_MANY, _hour(at), at)
                return False
            if isinstance(read, Refused):
                await self._refuse(unit, station, csr, read.reason, at)
                return False
            expected = self.expected(station)
            others = await unit.certificates.others_named(station.key, read.common_names)
            judgement: Judgement = judge(read, expected, others)
            if judgement.refusal is not None:
                await self._refuse(unit, station, csr, judgement.refusal, at)
                return False
            if judgement.mismatch is not None:
                text = judgement.mismatch
                await self._event(unit, station, CERTIFICATE_SUBJECT_ODD, text, at, at)
            await unit.signing_requests.ask(
                station.key,
                csr=read.pem,
                at=at,
                common_name=expected.common_name,
                key_type=read.key,
            )
        self.hint.give()
        return True

    def expected(self, station: Station) -> Expected:
        """Return what a request of this station should say."""
        return Expected(
            identity=station.identity,
            serial_number=station.serial_number,
            organization=self.organization,
            check=SubjectCheck(station.subject_check),
        )

    async def _refuse(
        self, unit: UnitOfWork, station: Station, csr: str, reason: str, at: datetime
    ) -> None:
        stored = csr.replace("\0", "\N{REPLACEMENT CHARACTER}")
        await unit.signing_requests.ask(station.key, csr=stored, at=at, refused=reason)
        await self._event(unit, station, CERTIFICATE_NOT_SIGNED, reason, at, at)

    @staticmethod
    async def _event(
        unit: UnitOfWork, station: Station, kind: str, text: str, at: datetime, now: datetime
    ) -> None:
        _log.warning("certificate request", station=station.identity, type=kind, reason=text)
        await unit.security_events.append(server_event(station, kind, text, at, now))


class CertificateIssuer:
    """Signs what was asked for and sends it.

    Concurrency: one task a node runs `run`; each node cares for its own connections.
    """

    def __init__(
        self, signing: Signing, commands: CommandService, bus: Bus, clock: Clock, *, node: str
    ) -> None:
        self._signing = signing
        self._units = signing.units
        self._commands = commands
        self._clock = clock
        self._node = node
        self._at_work: set[int] = set()
        bus.subscribe(StationConnected, lambda _: signing.hint.give())

    async def run(self) -> None:
        """Sign and send, for ever; a station that is slow holds up no other one.

        Raises:
            DatabaseAway: Once those at work are through.
        """
        away: DatabaseAway | None = None
        async with asyncio.TaskGroup() as tasks:
            while away is None:
                try:
                    async with self._units() as unit:
                        due = await unit.signing_requests.due(self._node, self._clock.now())
                except DatabaseAway as error:
                    away = error  # raised outside of the group, which would wrap it
                    continue
                for request in due:
                    if request.key in self._at_work or len(self._at_work) >= _MOST_AT_ONCE:
                        continue
                    self._at_work.add(request.key)
                    name = f"certificate of {request.identity}"
                    tasks.create_task(self._serve(request), name=name)
                await self._clock.sleep(_PAUSE_S)
                await self._signing.hint.taken(_POLL_S)
        raise away

    async def _serve(self, request: SigningRequest) -> None:
        try:
            async with self._units() as unit:
                await unit.signing_requests.tried(request.key, self._clock.now())
            if request.state == "issued" and request.chain is not None:
                await self._send(request, request.chain)
                return
            signed = await self._sign(request)
            if isinstance(signed, Refused):
                await self._fail(request, signed.reason)
            elif signed is not None:
                await self._send(replace(request, tries=0), signed)
        except DatabaseAway:
            _log.warning("a certificate waits for the database", station=request.identity)
        finally:
            self._at_work.discard(request.key)
            # a hint that came meanwhile has passed this one by, and others may wait for its place
            self._signing.hint.give()

    async def _sign(self, request: SigningRequest) -> str | Refused | None:
        """Return the chain; None when there is none yet, or none any more."""
        reader = self._signing.reader
        read = reader.request(request.csr)
        if isinstance(read, Refused):
            return read
        subject = Subject(
            identity=request.identity,
            common_name=request.common_name or request.identity,
            organization=self._signing.organization,
        )
        try:
            authority = self._signing.authority()
            if authority is None:
                raise AuthorityAway("there is none any more")
            chain = await authority.sign(read, subject)
        except AuthorityAway as error:
            _log.warning("the authority is away", station=request.identity, reason=str(error))
            if request.tries + 1 < _MOST_TRIES:
                return None
            return Refused(reason="The certificate authority could not be reached.")
        if isinstance(chain, Refused):
            return chain
        try:
            facts = reader.certificates(chain)[0]
        except ValueError:
            return Refused(reason="The authority's answer is no certificate.")
        if facts.public_key != read.public_key:
            return Refused(reason="The authority's certificate is of another key.")
        if facts.common_name != subject.common_name:
            return Refused(reason="The authority's certificate has another common name.")
        async with self._units() as unit:
            limit = await chain_limit(unit, request.charge_point)
            if len(chain) > limit:
                text = f"The chain has {len(chain)} characters, the station takes {limit}."
                return Refused(reason=text)
            # meanwhile a newer request may have come: the last one wins
            now = self._clock.now()
            kept = await unit.signing_requests.issued(request.key, chain, facts, now)
        return chain if kept else None

    async def _send(self, request: SigningRequest, chain: str) -> None:
        payload = {"certificateChain": chain}
        try:
            await self._commands.send(_ACTOR, request.identity, "CertificateSigned", payload)
        except CallFailed as error:
            _log.info("a certificate waits", station=request.identity, why=error.code)
            if request.tries + 1 >= _MOST_TRIES:
                await self._fail(request, "The station did not answer CertificateSigned.")
        except Refusal as error:  # deleted or rejected meanwhile
            await self._fail(request, error.detail)

    async def _fail(self, request: SigningRequest, reason: str) -> None:
        """End a request that was accepted and comes to nothing; the operator is told."""
        now = self._clock.now()
        _log.error("no certificate for a station", station=request.identity, reason=reason)
        async with self._units() as unit:
            await unit.signing_requests.end(request.key, "failed", now, reason)
            station = await unit.charge_points.get(request.identity)
            if station is not None:
                event = server_event(station, CERTIFICATE_NOT_SIGNED, reason, now, now)
                await unit.security_events.append(event)


async def chain_limit(unit: UnitOfWork, charge_point: ChargePointKey) -> int:
    """Return how many characters of a chain the station takes, as far as it has said so."""
    for each in await unit.configurations.of(charge_point):
        if each.key.lower() == _CHAIN_LIMIT and each.value is not None:
            text = each.value.strip()
            if text.isascii() and text.isdigit() and 0 < len(text) < 10:
                return min(int(text), LONGEST_CHAIN)
    return LONGEST_CHAIN


def server_event(
    station: Station, kind: str, text: str, at: datetime, now: datetime
) -> SecurityEventFact:
    """Return a security event of ours."""
    return SecurityEventFact(
        charge_point=station.key,
        received_at=now,
        type=kind,
        at=at,
        tech_info=textwrap.shorten(text, _LONGEST_INFO, placeholder=" ..."),
        source="server",
    )


_TOO_MANY = f"More than {MOST_REQUESTS_AN_HOUR} certificate requests came within an hour."


def _unserved(charge_point: ChargePointKey, at: datetime) -> SecurityEventFact:
    return SecurityEventFact(
        charge_point=charge_point,
        received_at=at,
        type=CERTIFICATE_NOT_SIGNED,
        at=at,
        tech_info="There is no certificate authority here: SignCertificate was answered Rejected.",
        source="server",
    )


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
