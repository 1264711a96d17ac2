"""Fills the location into calls that move a file, with a token for just that job."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csms.clock import wire_time
from csms.domain import files
from csms.domain.files import Direction
from csms.errors import Conflict, Invalid
from csms.services.credentials import token_digest
from csms.services.firmware import existing_image, only_fitting
from csms.services.ports.files import FileAddresses, Image, SignatureCheck
from csms.services.ports.store import UnitOfWork
from csms.services.records import Station

_CHOICE = files.CHOICE
_PROTOCOLS = "supportedfiletransferprotocols"
_TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A payload that can be sent, and what looks odd about its location."""

    payload: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


class Locations:
    """Gives calls the address of a file here, unless they have one."""

    def __init__(
        self, addresses: FileAddresses, *, secret: bytes, check: SignatureCheck | None = None
    ) -> None:
        self._addresses = addresses
        self._check = check
        self._secret = secret

    async def fill(
        self,
        unit: UnitOfWork,
        station: Station,
        action: str,
        payload: Mapping[str, Any],
        *,
        call_id: str,
        now: datetime,
    ) -> Filled:
        """Return the payload to send; a location that an operator has given stays as it is.

        Where the location is ours, what else the call needs and does not say is filled in too:
        a request id, the time to fetch at (now), signature and certificate of the image.

        Args:
            unit: The transaction of the call: without the call there is no way.
            station: Whom it goes to.
            action: Of the call.
            payload: As the operator gave it; need not be valid.
            call_id: Of the call.
            now: Time.

        Raises:
            Refusal: `firmware_not_found`, `firmware_missing`, `firmware_ambiguous`,
                `firmware_not_signed`, `files_off` or `invalid_payload`.
        """
        if action not in files.UPLOADS | files.FIRMWARE:
            return Filled(payload=payload)
        chosen = action in files.FIRMWARE and _CHOICE in payload
        if files.has_location(action, payload):
            if chosen:
                wrong = {_CHOICE: "is there beside a location"}
                raise Invalid("invalid_payload", "Give a firmwareId or a location.", wrong)
            return Filled(payload=payload)
        offered = self._addresses.offered()
        if not offered:
            if chosen:
                raise Conflict(
                    "files_off", "No file endpoint is on: set CSMS_FILES_PORT or CSMS_FTP_PORT."
                )
            return Filled(payload=payload)  # the schema says what is missing
        image = None
        if action in files.FIRMWARE:
            image = await self._image(unit, station, payload)
            payload = _described(action, payload, image, now)
        if action in {"GetLog", "SignedUpdateFirmware"} and "requestId" not in payload:
            number = await unit.files.next_request_id(station.key)
            payload = {**payload, "requestId": number}
        said = await _protocols(unit, station)
        scheme = files.chosen(offered, files.spoken(said))
        if scheme is None:
            return Filled(payload=payload)
        token = secrets.token_hex(_TOKEN_BYTES)
        direction: Direction = "upload" if image is None else "download"
        await unit.files.open_way(
            station.key,
            call_id=call_id,
            direction=direction,
            digest=token_digest(self._secret, token),
            image=None if image is None else image.key,
            at=now,
            expires_at=files.open_until(payload, _retrieve_at(action, payload), now),
        )
        name = "" if image is None else image.name
        location = self._addresses.location(scheme, token, name, station.key)
        warnings = () if image is None else self._doubts(action, image)
        if said and scheme not in files.spoken(said):
            warnings += (
                f"The station says that it speaks {said[:100]}; the file endpoint is {scheme}.",
            )
        return Filled(payload=files.with_location(action, payload, location), warnings=warnings)

    def _doubts(self, action: str, image: Image) -> tuple[str, ...]:
        """Return what is wrong with a signature that is about to be sent (N20)."""
        certificate, signature = image.signing_certificate, image.signature
        if action != "SignedUpdateFirmware" or self._check is None:
            return ()
        problem = self._check(certificate or "", signature or "", image.sha256)
        return () if problem is None else (problem,)

    async def _image(self, unit: UnitOfWork, station: Station, payload: Mapping[str, Any]) -> Image:
        """Return the operator's choice, or what alone fits."""
        if _CHOICE not in payload:
            return await only_fitting(unit, station)
        text = str(payload[_CHOICE])
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            wrong = {_CHOICE: "must be the id of a firmware image"}
            raise Invalid("invalid_payload", "This is no firmware image.", wrong)
        return await existing_image(unit, int(text))


def _described(
    action: str, payload: Mapping[str, Any], image: Image, now: datetime
) -> dict[str, Any]:
    payload = {name: value for name, value in payload.items() if name != _CHOICE}
    if action == "UpdateFirmware":
        return {"retrieveDate": wire_time(now), **payload}
    if image.signature is None or image.signing_certificate is None:
        raise Invalid(
            "firmware_not_signed", "The image has no signature, or no signing certificate."
        )
    firmware = {
        "retrieveDateTime": wire_time(now),
        "signingCertificate": image.signing_certificate.replace("\r\n", "\n"),
        "signature": image.signature,
        **payload.get("firmware", {}),
    }
    return {**payload, "firmware": firmware}


def _retrieve_at(action: str, payload: Mapping[str, Any]) -> datetime | None:
    if action == "SignedUpdateFirmware":
        text = payload["firmware"].get("retrieveDateTime")
    else:
        text = payload.get("retrieveDate")
    try:
        at = datetime.fromisoformat(str(text).upper())
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


async def _protocols(unit: UnitOfWork, station: Station) -> str | None:
    """Return what the station's configuration says of the ways that it speaks."""
    for each in await unit.configurations.of(station.key):
        if each.key.lower() == _PROTOCOLS:
            return each.value
    return None
