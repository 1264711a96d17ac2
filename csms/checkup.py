"""``csms check``: what would keep the central system from its work, found before it starts.

May run beside a csms that runs. Nothing is changed but that a data folder is made.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from csms.app import DatabaseAddress, Defaults, tls_contexts
from csms.clock import SystemClock
from csms.data_folder import data_folder, load_secret, restore_marker, secret_path, serves
from csms.domain.certificates import ends_soon
from csms.errors import CsmsError, DatabaseAway
from csms.kept_secret import missing_secret
from csms.pki.starting import authority_of
from csms.settings import Settings, same_place
from csms.store import inspection, migrate
from csms.store.database import Database

_OLDEST_POSTGRES = 15
_CLOCKS_APART_S = 5.0
_GIGABYTE = 10**9
_LITTLE_DISK = 2 * _GIGABYTE
_AUTHORITY_ENDS = timedelta(days=365)
_NO_DISK = _GIGABYTE // 5
_ANSWER_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the report."""

    level: Literal["ok", "warning", "error"]
    text: str

    def __str__(self) -> str:
        """Return the line."""
        return f"{self.level:<8} {self.text}"


def check_machine(settings: Settings) -> list[Finding]:
    """Look at what needs no database: settings, secret, certificates, disk."""
    try:
        data_folder(settings)
    except CsmsError as error:
        return [_ok("settings"), _error(str(error))]
    return [
        _ok("settings"),
        _secret(settings),
        _certificates(settings),
        *_authority(settings),
        _disk(settings),
    ]


async def check_database(address: DatabaseAddress, settings: Settings) -> list[Finding]:
    """Look at the database, and whether its secret is there.

    Raises:
        StartError, DatabaseAway: The database is not to be had.
    """
    clock, database = SystemClock(), Database(address.url, pool_size=2)
    findings: list[Finding] = []
    try:
        findings += _server(await inspection.inspect(database, clock))
        revision = await migrate.current(address.url)
        findings += await _schema(address.url, revision)
        if revision == migrate.head():
            lost = await missing_secret(settings, address.url)
            if lost is not None:
                findings.append(_error(lost))
            missing = await inspection.missing_partitions(database, clock.now())
            findings.append(
                _warning(f"partitions are missing, `csms serve` makes them: {', '.join(missing)}")
                if missing
                else _ok("partitions for now and next")
            )
            waiting = await inspection.open_quarantine(database)
            findings.append(
                _warning(f"{waiting} refused messages wait in quarantine (/api/quarantine)")
                if waiting
                else _ok("quarantine is empty")
            )
    finally:
        await database.close()
    return findings


async def check_ports(settings: Settings, defaults: Defaults) -> list[Finding]:
    """Look whether the ports are free, or the csms of this data folder holds them already."""
    host = settings.http_host or defaults.host
    listeners = [
        ("charge points", settings.ocpp_host or defaults.host, settings.ocpp_port, "OCPP_PORT"),
        ("the operator API", host, settings.http_port, "HTTP_PORT"),
    ]
    try:
        secure = tls_contexts(settings, SystemClock()) is not None
    except CsmsError:
        secure = False  # told by `check_machine`
    if secure:
        listeners.append(
            ("wss", settings.ocpp_host or defaults.host, settings.ocpp_tls_port, "OCPP_TLS_PORT")
        )
    files_host = settings.files_host or settings.ocpp_host or defaults.host
    if settings.files_port is not None:
        listeners.append(("files over HTTP", files_host, settings.files_port, "FILES_PORT"))
    if settings.ftp_port is not None:
        listeners.append(("files over FTP", files_host, settings.ftp_port, "FTP_PORT"))
    reasons = [
        _said_before(listeners[:at], host, port) or _cannot_listen(host, port)
        for at, (_, host, port, _) in enumerate(listeners)
    ]
    runs = (
        any(reasons)
        and serves(settings.data_dir)
        and await _is_csms(host, settings.http_port, secure=settings.http_tls)
    )
    return [
        _ok(f"port {port or '(any)'} for {what}" + (": a csms runs" if reason else ""))
        if reason is None or runs
        else _error(f"port {port} for {what} cannot be used: {reason} (CSMS_{setting})")
        for (what, _, port, setting), reason in zip(listeners, reasons, strict=True)
    ]


def failed(error: CsmsError, settings: Settings) -> Finding:
    """Return the line for what is not to be had at all."""
    where = whereabouts(settings) if isinstance(error, DatabaseAway) else ""
    return _error(f"database: {error}{where}")


def whereabouts(settings: Settings) -> str:
    """Return where the database was looked for, as the end of a sentence; without the password."""
    if settings.database_url is None:
        return ""
    place = urlsplit(settings.database_url).netloc.rpartition("@")[2]
    return f" ({place or 'localhost'}, by CSMS_DATABASE_URL)"


def _secret(settings: Settings) -> Finding:
    if (
        settings.secret_file is None
        and not secret_path(settings).exists()
        and not restore_marker(settings).exists()
    ):
        return _ok("secret: none yet")
    try:
        load_secret(settings)
    except CsmsError as error:
        return _error(str(error))
    return _ok("secret")


def _certificates(settings: Settings) -> Finding:
    try:
        contexts = tls_contexts(settings, SystemClock())
    except CsmsError as error:
        return _error(str(error))
    if contexts is None:
        return _warning("no certificates: charge points and operators connect without TLS")
    return _ok("certificates")


def _authority(settings: Settings) -> Iterator[Finding]:
    """Look at who signs the certificates of charge points, if anybody does."""
    clock = SystemClock()
    try:
        authority = authority_of(settings, clock)
    except CsmsError as error:
        yield _error(str(error))
        return
    if authority is not None:
        for root in authority.roots():
            facts = root.facts
            text = f"certificate authority {facts.subject}, until {facts.not_after:%Y-%m-%d}"
            soon = ends_soon(facts.not_after, clock.now(), _AUTHORITY_ENDS)
            yield _warning(text) if soon else _ok(text)


def _disk(settings: Settings) -> Finding:
    try:
        free = shutil.disk_usage(settings.data_dir).free
    except OSError as error:
        return _error(f"data folder: {error}")
    if not os.access(settings.data_dir, os.W_OK | os.X_OK):
        return _error(f"data folder: {settings.data_dir} cannot be written by this user")
    text = f"{free / _GIGABYTE:.1f} GB free for {settings.data_dir}"
    if free < _NO_DISK:
        return _error(text)
    return _warning(text) if free < _LITTLE_DISK else _ok(text)


def _server(found: inspection.Inspection) -> Iterator[Finding]:
    text = f"Postgres {found.version}"
    yield (
        _ok(text)
        if found.version >= _OLDEST_POSTGRES
        else _error(f"{text}: this csms needs {_OLDEST_POSTGRES} or newer")
    )
    yield (
        _ok("commits are durable")
        if found.durable
        else _error(
            "the database has fsync, full_page_writes or synchronous_commit off: a power cut loses"
            " what charge points were told is stored"
        )
    )
    apart = abs(found.ahead_s)
    yield (
        _ok("clocks agree")
        if apart <= _CLOCKS_APART_S
        else _warning(
            f"the database's clock is {apart:.0f} s {'ahead of' if found.ahead_s > 0 else 'behind'}"
            " ours"
        )
    )


async def _schema(url: str, revision: str | None) -> list[Finding]:
    if revision is None:
        return [_warning("the database is empty; `csms serve` prepares it")]
    if revision != migrate.head():
        return [
            _warning(
                f"the database is at revision {revision}; `csms serve` brings it to"
                f" {migrate.head()}: back it up first"
            )
        ]
    drift = await migrate.check(url)
    if drift:
        return [_error(f"the database's schema was changed by hand: {each}") for each in drift]
    return [_ok(f"schema at revision {revision}")]


def _said_before(listeners: list[tuple[str, str, int, str]], host: str, port: int) -> str | None:
    for _, other_host, other_port, name in listeners:
        if port and port == other_port and same_place(host, other_host):
            return f"CSMS_{name} is that port too"
    return None


def _cannot_listen(host: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return (error.strerror or str(error)).lower()
    return None


async def _is_csms(host: str, port: int, *, secure: bool) -> bool:
    """Return whether a csms answers there."""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104  it is asked, not listened on
        host = "127.0.0.1"
    tls = None
    if secure:
        tls = ssl.create_default_context()
        tls.check_hostname = False  # it is only asked who it is
        tls.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(_ANSWER_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls)
            writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = await reader.read(65536)
            writer.close()
    except (OSError, TimeoutError):
        return False
    return b"\r\nServer: csms\r\n" in answer


def _ok(text: str) -> Finding:
    return Finding(level="ok", text=text)


def _warning(text: str) -> Finding:
    return Finding(level="warning", text=text)


def _error(text: str) -> Finding:
    return Finding(level="error", text=text)
