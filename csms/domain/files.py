"""Files that move between charge points and us: names, how long a way is open, which way to take.

A charge point gets the address of a file with the call that begins a job. The address holds a
token for just this job; what the charge point calls its file is a label and never a path.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

Direction = Literal["upload", "download"]
Scheme = Literal["https", "http", "ftps", "ftp"]

UPLOADS = frozenset({"GetDiagnostics", "GetLog"})
FIRMWARE = frozenset({"UpdateFirmware", "SignedUpdateFirmware"})

TOKEN = re.compile(r"[0-9a-f]{32}")
"""A token as it stands in an address: short, because charge points have small buffers for URLs."""
USER_LENGTH = 12
"""With FTP the token is cut in two: so many characters name the user, the rest is the password."""

_LONGEST_LABEL = 255
_PRINTED = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{1,8}(?:\.[A-Za-z0-9]{1,4})?)$")
_NOT_IN_URL = re.compile(r"[^A-Za-z0-9._-]+")

_OPEN_FOR = timedelta(hours=24)
_MOST_RETRIES = timedelta(days=31)
_LATEST = timedelta(days=365)
# a charge point with retries fails, says so, and tries again (or has a file after all)
_TRIES_AGAIN = frozenset({"UploadFailed", "UploadFailure", "DownloadFailed", "NothingAvailable"})


def label(text: str) -> str:
    r"""Return what a charge point calls a file, fit to be shown: the last part, without controls.

    >>> label("/../../etc/passwd"), label("C:\\logs\\a.zip"), label("a\r\nb"), label("..")
    ('passwd', 'a.zip', 'ab', '')
    """
    last = re.split(r"[/\\]", text)[-1]
    last = _PRINTED.sub("", last).strip()[:_LONGEST_LABEL]
    return "" if last in {".", ".."} else last


def file_name(kind: str, number: int, called: str) -> str:
    """Return the name under which we hand out a file of a charge point.

    >>> file_name("diagnostics", 12, "../x/CP1 2026.tar.gz"), file_name("log", 3, "what?")
    ('diagnostics-12.tar.gz', 'log-3.bin')
    """
    found = _EXTENSION.search(called)
    return f"{kind}-{number}.{found[1].lower() if found else 'bin'}"


def firmware_name(text: str) -> str:
    """Return a name of an image that every charge point can read in an address.

    >>> firmware_name("Wall Box v2.1 (final).bin"), firmware_name("../")
    ('Wall_Box_v2.1_final_.bin', 'firmware.bin')
    """
    name = _NOT_IN_URL.sub("_", label(text)).lstrip("._-")[-64:]
    return name or "firmware.bin"


def is_open(
    direction: Direction,
    state: str | None,
    status: str | None,
    *,
    has_file: bool,
    expires_at: datetime,
    now: datetime,
) -> bool:
    """Return whether the way of a job may still be used.

    Args:
        direction: Of the file, as the charge point sees it.
        state: Of the job; None: its call was refused, there is no job.
        status: Newest report of the job.
        has_file: Whether a whole file has come.
        expires_at: End of the way whatever the job does.
        now: Time.

    >>> end = datetime(2026, 3, 2)
    >>> is_open("upload", "done", "Uploaded", has_file=True, expires_at=end, now=end.replace(day=1))
    False
    """
    if state is None or now >= expires_at:
        return False
    if state == "done":
        return direction == "upload" and not has_file  # one that was announced may come late
    return state != "failed" or status in _TRIES_AGAIN


def open_until(payload: Mapping[str, Any], retrieve_at: datetime | None, now: datetime) -> datetime:
    """Return when the way of a job ends: a day, later where it begins later or is tried again.

    >>> open_until({}, None, datetime(2026, 3, 1))
    datetime.datetime(2026, 3, 2, 0, 0)
    >>> open_until({"retries": 10, "retryInterval": 3600}, None, datetime(2026, 3, 1))
    datetime.datetime(2026, 3, 2, 10, 0)
    """
    start = now if retrieve_at is None else min(max(now, retrieve_at), now + _LATEST)
    retries, interval_s = payload.get("retries"), payload.get("retryInterval")
    again_s = 0
    if isinstance(retries, int) and isinstance(interval_s, int):
        most_s = int(_MOST_RETRIES.total_seconds())
        again_s = min(max(0, retries) * max(0, interval_s), most_s)
    return start + _OPEN_FOR + timedelta(seconds=again_s)


def spoken(value: str | None) -> frozenset[str]:
    """Return the schemes in a SupportedFileTransferProtocols; empty where it says nothing.

    >>> sorted(spoken(" FTP,https ")), spoken(None)
    (['ftp', 'https'], frozenset())
    """
    return frozenset(part.strip().lower() for part in (value or "").split(",") if part.strip())


def chosen(offered: Sequence[Scheme], station: Collection[str]) -> Scheme | None:
    """Return the way to take: the first that the station speaks.

    Where nobody knows, FTPS is the last: few speak it.

    Args:
        offered: What we serve, the best first.
        station: What the station says that it speaks; empty: nobody knows.

    >>> chosen(["https", "ftp"], {"ftp", "http"}), chosen(["https", "ftp"], {"sftp"})
    ('ftp', 'https')
    >>> chosen(["ftps", "ftp"], {"ftp", "ftps"}), chosen(["ftps", "ftp"], ())
    ('ftps', 'ftp')
    """
    fitting = [scheme for scheme in offered if scheme in station]
    common = [scheme for scheme in offered if scheme != "ftps"]
    return next(iter(fitting or common or offered), None)


def has_location(action: str, payload: Mapping[str, Any]) -> bool:
    """Return whether a call says where its file is; also where that cannot be told.

    >>> has_location("GetLog", {"log": {}}), has_location("GetLog", {"log": "what"})
    (False, True)
    """
    inner: object = payload
    if action in _INNER:
        inner = payload.get(_INNER[action], {})
    return not isinstance(inner, Mapping) or _FIELD[action] in inner


def with_location(action: str, payload: Mapping[str, Any], location: str) -> dict[str, Any]:
    """Return the payload with a location, before all else; the order of the rest is kept.

    >>> with_location("GetLog", {"requestId": 1, "log": {"x": 2}}, "ftp://h/")
    {'requestId': 1, 'log': {'remoteLocation': 'ftp://h/', 'x': 2}}
    >>> with_location("GetDiagnostics", {"retries": 1}, "ftp://h/")
    {'location': 'ftp://h/', 'retries': 1}
    """
    field = _FIELD[action]
    if action not in _INNER:
        return {field: location, **payload}
    outer = _INNER[action]
    inner = {field: location, **payload.get(outer, {})}
    if outer in payload:
        return {**payload, outer: inner}
    return {outer: inner, **payload}


def with_stand_ins(action: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a payload as its schema will see it once a file of ours is filled in.

    For checking a call before there is a station that it goes to.

    >>> sorted(with_stand_ins("UpdateFirmware", {"firmwareId": "3"}))
    ['location', 'retrieveDate']
    >>> with_stand_ins("UpdateFirmware", {"location": "ftp://h/"})
    {'location': 'ftp://h/'}
    """
    if action not in UPLOADS | FIRMWARE or has_location(action, payload):
        return payload
    made = {name: value for name, value in payload.items() if name != CHOICE}
    if action in FIRMWARE and action not in _INNER:
        made = {"retrieveDate": _SOME_TIME, **made}
    elif action in _INNER:
        made = {"requestId": 1, **made}
    if action in FIRMWARE and action in _INNER:
        inner = {
            "retrieveDateTime": _SOME_TIME,
            "signingCertificate": "-",
            "signature": "-",
            **made.get(_INNER[action], {}),
        }
        made = {**made, _INNER[action]: inner}
    return with_location(action, made, "http://localhost/file")


CHOICE = "firmwareId"
"""Field of ours that names an image; it is never sent."""

_SOME_TIME = "2026-01-01T00:00:00Z"
_FIELD = {
    "GetDiagnostics": "location",
    "UpdateFirmware": "location",
    "GetLog": "remoteLocation",
    "SignedUpdateFirmware": "location",
}
_INNER = {"GetLog": "log", "SignedUpdateFirmware": "firmware"}
