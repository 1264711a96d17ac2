"""The own small certificate authority: a root, an issuing key of each kind, a list of revocations.

All of it is files in one folder (``ca`` in the data folder), the keys readable by their owner
alone: ``root.pem/.key``, ``issuing-ec.pem/.key``, ``issuing-rsa.pem/.key``, ``settings.json`` and
``journal``, a line for everything that was ever issued or revoked. The root's key is needed to
make issuing keys only and may be taken off the machine. What listeners need of it (who signs
clients, what is revoked) is written into the TLS folder and picked up there.

Not here: who may ask (`csms.services.signing`), other people's authorities (`csms.pki.command`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from csms.clock import Clock
from csms.domain.certificates import LONGEST_CHAIN, RequestFacts, folded_serial
from csms.errors import Conflict, Invalid, StartError
from csms.pki import issuing
from csms.pki.folder import CLIENT_CA, CLIENT_CRL
from csms.pki.issuing import REASONS, Signer
from csms.pki.journal import Issue, Journal, written
from csms.pki.pairs import write_pair
from csms.pki.reader import certificate_facts
from csms.pki.revocations import lists_of
from csms.services.ports.certificates import AuthorityAway, Refused, Root, Subject

_log = structlog.get_logger(__name__)

ROOT_DAYS = 20 * 365
ISSUING_DAYS = 10 * 365
CLIENT_DAYS = 365
SERVER_DAYS = 397
ORGANIZATION = "CSMS"

_ISSUING = {"EC": "issuing-ec", "RSA": "issuing-rsa"}
_SERVERS = {"EC": "server-ec", "RSA": "server-rsa"}
_AUTHORITY_BITS = 3072
_SERVER_BITS = 2048  # OCPP-J 6.2.1 wants small ones
_LOOK_EVERY_S = 3600.0
_CRL_RENEWED_AFTER = timedelta(days=issuing.CRL_DAYS / 2)
_SETTINGS = "settings.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaSettings:
    """What was said when the authority was made.

    Attributes:
        organization: O of all certificates, unless the operator's name is set.
        client_days: How long certificates of charge points last.
        pss: Whether RSA keys sign by PSS.
    """

    organization: str = ORGANIZATION
    client_days: int = CLIENT_DAYS
    pss: bool = False


def exists(folder: Path) -> bool:
    """Return whether there is an authority in this folder."""
    return (folder / _SETTINGS).exists()


def create(
    folder: Path, tls_folder: Path, clock: Clock, settings: CaSettings, *, root_kind: str = "RSA"
) -> SmallAuthority:
    """Make an authority and let listeners trust it; returns it.

    Args:
        folder: Of its own; made if need be.
        tls_folder: Where listeners look.
        clock: Time.
        settings: All of them.
        root_kind: RSA, which every charge point can verify, or EC.

    Raises:
        Conflict: There is one already.
        StartError: A folder cannot be written.
    """
    if exists(folder):
        raise Conflict(
            "authority_exists",
            f"{folder} holds a certificate authority already;"
            " `csms ca issue-server` makes the server's certificates.",
        )
    now, organization = clock.now(), settings.organization
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = issuing.new_key(root_kind, _AUTHORITY_BITS)
        subject = issuing.name_of(f"{organization} Root", organization)
        certificate = issuing.root(subject, key, now, ROOT_DAYS)
        root = Signer(name="root", key=key, certificate=certificate, pss=settings.pss)
        _keep(folder, root)
        trusted = [root.certificate]
        for kind, name in _ISSUING.items():
            key = issuing.new_key(kind, _AUTHORITY_BITS)
            subject = issuing.name_of(f"{organization} Issuing {kind}", organization)
            certificate = issuing.issuing(subject, key, root, now, ISSUING_DAYS)
            _keep(folder, Signer(name=name, key=key, certificate=certificate))
            trusted.insert(-1, certificate)
        _trust(tls_folder, trusted)
        values = {
            "organization": organization,
            "clientDays": settings.client_days,
            "pss": settings.pss,
        }
        # comes last and says that all is there: one that was killed before is made anew
        written(folder / _SETTINGS, orjson.dumps(values, option=orjson.OPT_INDENT_2))
        authority = SmallAuthority(folder, tls_folder, clock)
        authority.publish()
    except OSError as error:
        raise StartError(f"{error.filename or folder} cannot be written: {error}.") from error
    return authority


class SmallAuthority:
    """An authority that was made by `create`; see `services.ports.certificates`.

    Concurrency: any number of tasks; another process may use the same folder.
    """

    def __init__(self, folder: Path, tls_folder: Path, clock: Clock) -> None:
        """Load it.

        Raises:
            StartError: A file is missing or damaged.
        """
        self._tls_folder = tls_folder
        self._clock = clock
        self._journal = Journal(folder / "journal")
        self.settings = _settings(folder / _SETTINGS)
        self._root = _certificate(folder / "root.pem")
        self._signers = {
            kind: _signer(folder, name, pss=self.settings.pss) for kind, name in _ISSUING.items()
        }
        self._journal.read()  # a damaged one is told at start, not at the first revocation

    async def sign(self, request: RequestFacts, subject: Subject) -> str | Refused:
        """See the port."""
        try:
            return await asyncio.to_thread(self._sign, request, subject)
        except OSError as error:
            raise AuthorityAway(f"the journal cannot be written: {error.strerror}") from error

    async def revoke(self, serial_number: str, reason: str) -> bool:
        """See the port."""
        try:
            return await asyncio.to_thread(self.take_back, serial_number, reason)
        except OSError as error:
            raise AuthorityAway(f"the journal cannot be written: {error.strerror}") from error

    def roots(self) -> Sequence[Root]:
        """See the port."""
        facts = certificate_facts(self._root, self._root)
        return [Root(pem=_pem(self._root).decode(), facts=facts)]

    async def run(self) -> None:
        """Keep the lists of revocations fresh, for ever."""
        while True:
            try:
                await asyncio.to_thread(self.publish)
            except OSError as error:
                _log.error("the list of revocations cannot be written", reason=str(error))
            await self._clock.sleep(_LOOK_EVERY_S)

    def issue_server(self, names: Sequence[str], days: int = SERVER_DAYS) -> list[Path]:
        """Write the server's certificates of both kinds into the TLS folder; returns the files.

        Args:
            names: Host names and addresses by which charge points reach it, the main one first.
            days: How long they last.

        Raises:
            Invalid: A name cannot stand in a certificate.
            OSError: A file cannot be written.
        """
        now, files = self._clock.now(), []
        self._tls_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for kind, name in _SERVERS.items():
            signer = self._signers[kind]
            key = issuing.new_key(kind, _SERVER_BITS)
            try:
                made = issuing.server(names, self.settings.organization, key, signer, now, days)
            except ValueError as error:
                raise Invalid("invalid_name", f"{', '.join(names)}: {error}.") from error
            self._note(made, signer, "server", " ".join(names))
            chain = _pem(made) + _pem(signer.certificate)
            files += write_pair(self._tls_folder, name, chain=chain, key=issuing.key_pem(key))
        return files

    def issues(self) -> list[Issue]:
        """Return all certificates, the oldest first. Raises StartError if the journal is bad."""
        return list(self._journal.read().values())

    def take_back(self, serial_number: str, reason: str) -> bool:
        """Revoke a certificate; False: it is none of ours.

        Raises:
            Invalid: There is no such reason.
            OSError: A file cannot be written.
        """
        if reason not in REASONS:
            raise Invalid(
                "invalid_request",
                "There is no such reason.",
                {"reason": f"must be one of {', '.join(REASONS)}"},
            )
        serial = folded_serial(serial_number)
        found = self._journal.read().get(serial)
        if found is None:
            return False
        if found.revoked_at is None:
            self._journal.revoked(serial, reason, self._clock.now())
        self.publish(at_once=True)
        return True

    def be_trusted(self) -> None:
        """Let listeners take clients of this authority, beside those they take already."""
        _trust(
            self._tls_folder,
            [*(signer.certificate for signer in self._signers.values()), self._root],
        )
        self.publish()

    def publish(self, *, at_once: bool = False) -> None:
        """Write the lists of revocations for listeners where theirs are old or incomplete.

        Lists of other authorities that stand in the file stay.
        """
        path = self._tls_folder / CLIENT_CRL
        lists = _lists(path)
        issues, now = self.issues(), self._clock.now()
        ours = {signer.certificate.subject: signer for signer in self._signers.values()}
        changed = False
        for subject, signer in ours.items():
            present = lists.get(subject)
            if at_once or present is None or not _is_fresh(present, signer, issues, now):
                lists[subject] = signer.revocations(issues, now)
                changed = True
        if changed:
            text = [each.public_bytes(serialization.Encoding.PEM) for each in lists.values()]
            written(path, b"".join(text))

    def _sign(self, request: RequestFacts, subject: Subject) -> str | Refused:
        public = x509.load_pem_x509_csr(request.pem.encode()).public_key()
        signer = self._signers[request.key_type]
        if not isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            return Refused(reason="Only RSA and EC keys are signed.")
        try:
            name = issuing.name_of(
                subject.common_name, subject.organization or self.settings.organization
            )
        except ValueError as error:  # X.509 allows 64 characters
            return Refused(reason=f"The name cannot stand in a certificate: {error}.")
        made = issuing.client(name, public, signer, self._clock.now(), self.settings.client_days)
        chain = (_pem(made) + _pem(signer.certificate)).decode()
        if len(chain) > LONGEST_CHAIN:
            return Refused(reason="The chain is too long.")
        self._note(made, signer, "client", subject.identity)
        return chain

    def _note(self, made: x509.Certificate, signer: Signer, kind: str, identity: str) -> None:
        self._journal.issued(
            Issue(
                serial=folded_serial(f"{made.serial_number:x}"),
                kind=kind,
                issuer=signer.name,
                subject=made.subject.rfc4514_string(),
                identity=identity,
                issued_at=self._clock.now(),
                not_after=made.not_valid_after_utc,
                fingerprint=made.fingerprint(hashes.SHA256()).hex(),
            )
        )


def _trust(tls_folder: Path, certificates: Sequence[x509.Certificate]) -> None:
    """Add certificates to the roots that listeners verify clients against."""
    tls_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = tls_folder / CLIENT_CA
    before = path.read_bytes() if path.exists() else b""
    missing = [pem for pem in map(_pem, certificates) if pem not in before]
    if missing:
        between = b"" if not before or before.endswith(b"\n") else b"\n"
        written(path, before + between + b"".join(missing))


def _is_fresh(
    present: x509.CertificateRevocationList, signer: Signer, issues: list[Issue], now: datetime
) -> bool:
    revoked = {
        int(issue.serial, 16)
        for issue in issues
        if issue.issuer == signer.name and issue.revoked_at is not None
    }
    return {
        entry.serial_number for entry in present
    } >= revoked and now - present.last_update_utc < _CRL_RENEWED_AFTER


def _lists(path: Path) -> dict[x509.Name, x509.CertificateRevocationList]:
    """Return the lists of a file by issuer; what cannot be read is written anew."""
    try:
        return {each.issuer: each for each in lists_of(path.read_bytes())}
    except (FileNotFoundError, ValueError):
        return {}


def _keep(folder: Path, signer: Signer) -> None:
    written(folder / f"{signer.name}.key", issuing.key_pem(signer.key), secret=True)
    written(folder / f"{signer.name}.pem", _pem(signer.certificate))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _settings(path: Path) -> CaSettings:
    try:
        values = orjson.loads(path.read_bytes())
        return CaSettings(
            organization=str(values["organization"]),
            client_days=int(values["clientDays"]),
            pss=bool(values["pss"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StartError(f"{path} cannot be used: {_why(error)}.") from error


def _certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StartError(f"{path} cannot be used: {_why(error)}.") from error


def _signer(folder: Path, name: str, *, pss: bool) -> Signer:
    path = folder / f"{name}.key"
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise StartError(f"{path} cannot be used: {_why(error)}.") from error
    certificate = _certificate(folder / f"{name}.pem")
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) or (
        key.public_key() != certificate.public_key()
    ):
        raise StartError(f"{path} is not the key of {name}.pem.")
    return Signer(name=name, key=key, certificate=certificate, pss=pss)


def _why(error: Exception) -> str:
    """Return what went wrong, without the file's name, which the sentence has already."""
    return getattr(error, "strerror", None) or str(error)
