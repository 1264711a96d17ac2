"""Who is let in: from a request to an admission or an HTTP answer (rules H01-H10).

Knows HTTP's words but does no I/O of its own; the checks stand in the order of H06, so that a
stranger learns nothing about a station but that its identity is known.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import unquote, unquote_to_bytes

from websockets.datastructures import Headers

from csms.domain.certificates import ClientCertificate, SubjectCheck
from csms.domain.charge_points import ChargePointRecord
from csms.ocppj.repairs import catalogue as names
from csms.ocppj.repairs.switches import Switches
from csms.services.connections import Connections

SUBPROTOCOL = "ocpp1.6"

_LONGEST_IDENTITY = 255
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BEHIND_IDENTITY = re.compile(
    r"(?:ocpp|json|ws|websocket)?[-_]?(?:v?[0-9]{1,2}(?:\.[0-9])?)?j?", re.IGNORECASE
)
_NOT_WORD = re.compile(r"[^a-z0-9]")
_SPELLINGS = frozenset({"ocpp16", "ocpp16j", "ocpp16json", "ocpp160", "ocppv16", "v16", "16"})
_BETWEEN = re.compile(r"[,;\s]+")
_PADDING = b"\0\r\n"
_ROUND_IDENTITY = " \t\"'<>{}[]"
_MOST_COLONS = 8
_ALL_ON = Switches()
_TLS_PROFILE = 2
_CERTIFICATE_PROFILE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """What a request came over.

    Attributes:
        secure: Over TLS, here or at a trusted proxy.
        certificate: Of the client, if one was presented and verified here.
    """

    secure: bool = False
    certificate: ClientCertificate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A station that may come in.

    Attributes:
        subprotocol: To be sent back, as the station spells it; None when it named none.
        repairs: What had to be overlooked.
        certificate: Of the client, if one was presented.
    """

    record: ChargePointRecord
    subprotocol: str | None
    repairs: tuple[str, ...] = ()
    certificate: ClientCertificate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A handshake that fails; `reason` is for our log, the station gets the status alone."""

    status: HTTPStatus
    reason: str
    identity: str | None = None


def identity_of(path: str) -> str | None:
    """Return the identity that a request's path names, or None when it names none (H01).

    The last segment that is not empty, percent-decoded exactly once. Split before decoding, so
    ``%2F`` never makes a segment.

    >>> identity_of("/ocpp/RDAM%20123?x=1"), identity_of("/a//CP%2F1/"), identity_of("/ocpp/")
    ('RDAM 123', 'CP/1', None)
    """
    segments = [segment for segment in path.partition("?")[0].split("/") if segment]
    if not segments or segments == ["ocpp"]:  # the endpoint itself
        return None
    return _decoded(segments[-1])


def identity_before(path: str) -> str | None:
    """Return the identity when what stands behind it is the protocol's name or a number.

    >>> identity_before("/ocpp/CP1/ocpp1.6/"), identity_before("/ocpp/CP1/CP2")
    ('CP1', None)
    """
    segments = [segment for segment in path.partition("?")[0].split("/") if segment]
    if len(segments) < 2 or not _BEHIND_IDENTITY.fullmatch(segments.pop()):
        return None
    if segments == ["ocpp"]:  # the endpoint itself
        return None
    return _decoded(segments[-1])


def bare_identity(identity: str) -> str:
    """Return an identity without what people type round it, and without a URL's fragment.

    >>> bare_identity("CP1 "), bare_identity('"{CP1}"#x'), bare_identity("CP 1")
    ('CP1', 'CP1', 'CP 1')
    """
    return identity.partition("#")[0].strip(_ROUND_IDENTITY)


def _decoded(raw: str) -> str | None:
    if _BAD_ESCAPE.search(raw):
        return None
    try:
        identity = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return None
    if _CONTROL.search(identity) or len(identity.encode()) > _LONGEST_IDENTITY:
        return None
    return identity


def password_of(authorization: str, identities: Sequence[str]) -> bytes | None:
    """Return the password of a Basic header, or None when it is not one of this station's.

    The password may be any bytes. The user name must be the station's identity (H08); splitting
    there and not at the first colon lets an identity hold colons.
    """
    decoded = _basic(authorization)
    if decoded is None:
        return None
    for identity in identities:
        user = identity.encode() + b":"
        if decoded.startswith(user):
            return decoded[len(user) :]
    return None


def odd_passwords_of(
    authorization: str, identity: str, switches: Switches
) -> list[tuple[bytes, str]]:
    """Return what may be the password beside an odd user name, each with the repair it needs."""
    decoded = _basic(authorization)
    if decoded is None:
        return []
    found = []
    parts = decoded.split(b":", _MOST_COLONS)
    for count in range(1, len(parts)):
        user = b":".join(parts[:count]).decode("utf-8", "replace")
        password = b":".join(parts[count:])
        if unquote(user).strip().casefold() == identity.strip().casefold():
            found.append((password, names.USER_NAME_SPELLING))
            if password.endswith((b"\0", b"\n")):
                found.append((password.rstrip(_PADDING), names.KEY_PADDING))
            if not _is_utf8(password):
                found.append((password.decode("latin-1").encode(), names.KEY_CHARSET))
        elif count == 1:
            found.append((password, names.USER_NAME))
    return [(password, name) for password, name in found if name in switches]


def _is_utf8(password: bytes) -> bool:
    try:
        password.decode()
    except UnicodeDecodeError:
        return False
    return True


def _basic(authorization: str) -> bytes | None:
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None


def subprotocol_of(
    offers: Sequence[str], *, strict: bool, switches: Switches = _ALL_ON
) -> tuple[str | None, tuple[str, ...]] | None:
    """Return the subprotocol to send back and the repairs it needs; None: refuse (H04, H05).

    Args:
        offers: The values of all Sec-WebSocket-Protocol headers.
        strict: Whether the station gets no repairs.
        switches: The repairs that are on.
    """
    offered = [name for value in offers for part in value.split(",") if (name := part.strip())]
    if SUBPROTOCOL in offered:
        return SUBPROTOCOL, ()
    if strict:
        return None
    if not offered and names.MISSING_SUBPROTOCOL in switches:
        return None, (names.MISSING_SUBPROTOCOL,)
    words = [word for value in offers for word in _BETWEEN.split(value) if word]
    for name in (*offered, *words):
        if _NOT_WORD.sub("", name.lower()) in _SPELLINGS and names.SUBPROTOCOL_CASE in switches:
            return name, (names.SUBPROTOCOL_CASE,)
    return None


async def admit(
    path: str,
    headers: Headers,
    connections: Connections,
    transport: Transport,
    switches: Switches = _ALL_ON,
) -> Admission | Refusal:
    """Decide about one request, in the order of H06.

    Args:
        path: As it stands in the request line.
        headers: Of the request.
        connections: Knows the stations.
        transport: What the request came over.
        switches: The repairs that are on.

    Raises:
        DatabaseAway: Nobody can be let in now.
    """
    identity = identity_of(path)
    if identity is None:
        return Refusal(status=HTTPStatus.NOT_FOUND, reason="the path names no station")
    record = await connections.find(identity)
    done: tuple[str, ...] = ()
    before = identity_before(path) if record is None else None
    if before is not None and names.PATH_AFTER_IDENTITY in switches:
        record = await connections.find(before)
        if record is not None and record.strict:
            record = None
        done = (names.PATH_AFTER_IDENTITY,)
        identity = identity if record is None else before
    bare = bare_identity(identity) if record is None else ""
    if bare not in ("", identity) and names.IDENTITY_PADDING in switches:
        record = (await connections.known([bare])).get(bare)
        if record is not None and record.strict:
            record = None
        done = (names.IDENTITY_PADDING,)
        identity = identity if record is None else bare
    if record is None:
        return Refusal(status=HTTPStatus.NOT_FOUND, reason="no such station", identity=identity)
    entry = _entry(record, identity, headers, connections, transport, switches)
    higher = record.pending_security_profile
    if higher is not None and higher > record.security_profile:
        # told of a higher profile it tries that one, and falls back where it fails (A05.FR.08)
        upgraded = replace(record, security_profile=higher)
        with_it = _entry(upgraded, identity, headers, connections, transport, switches)
        has_come = not isinstance(with_it, Refusal)
        connections.reached(record, higher if has_come else None)
        if has_come:
            entry = with_it
    if isinstance(entry, Refusal):
        return entry
    chosen = subprotocol_of(
        headers.get_all("Sec-WebSocket-Protocol"), strict=record.strict, switches=switches
    )
    if chosen is None:
        return Refusal(
            status=HTTPStatus.BAD_REQUEST,
            reason="no acceptable subprotocol",
            identity=identity,
        )
    subprotocol, needed = chosen
    return Admission(
        record=record,
        subprotocol=subprotocol,
        repairs=(*done, *entry, *needed),
        certificate=transport.certificate,
    )


def _entry(
    record: ChargePointRecord,
    identity: str,
    headers: Headers,
    connections: Connections,
    transport: Transport,
    switches: Switches,
) -> Refusal | tuple[str, ...]:
    """Return why a station may not come in by its security profile, or the repairs it needs."""
    refusal = _transport_refused(record, transport)
    if refusal is not None:
        return refusal
    return _credentials(record, identity, headers, connections, switches)


def _transport_refused(record: ChargePointRecord, transport: Transport) -> Refusal | None:
    """Return why the transport does not fit the station's security profile (H09), if so.

    A better transport than the profile demands is welcome.
    """
    if record.security_profile < _TLS_PROFILE:
        return None
    reason = None
    if not transport.secure:
        reason = "the station's security profile demands TLS"
    elif record.security_profile == _CERTIFICATE_PROFILE:
        reason = _certificate_refused(record, transport.certificate)
    if reason is None:
        return None
    return Refusal(status=HTTPStatus.FORBIDDEN, reason=reason, identity=record.identity)


def _certificate_refused(
    record: ChargePointRecord, certificate: ClientCertificate | None
) -> str | None:
    if certificate is None:
        return "the station's security profile demands a client certificate"
    # what the operator has entered is what counts; stations tell their serial themselves
    if certificate.facts.common_name != (record.serial_number or record.identity):
        return "the client certificate is another station's"
    if certificate.revoked:
        return "the client certificate is revoked"
    if certificate.mismatch is not None and record.subject_check == SubjectCheck.STRICT:
        return "the client certificate names another organization"
    return None


def _credentials(
    record: ChargePointRecord,
    identity: str,
    headers: Headers,
    connections: Connections,
    switches: Switches,
) -> Refusal | tuple[str, ...]:
    """Check the password (H07, H08), which profiles 1 and 2 have; return the repairs it needs."""
    if record.security_profile not in (1, _TLS_PROFILE):
        return ()
    given = headers.get_all("Authorization")
    if len(given) == 1:
        password = password_of(given[0], (identity, record.identity))
        if password is not None and connections.check_password(record, password):
            return ()
        if not record.strict:
            for odd, name in odd_passwords_of(given[0], record.identity, switches):
                if connections.check_password(record, odd):
                    return (name,)
    return Refusal(
        status=HTTPStatus.UNAUTHORIZED,
        reason="wrong password" if given else "no password",
        identity=identity,
    )
