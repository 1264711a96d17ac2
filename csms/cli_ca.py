"""``csms ca init | issue-server | sign | revoke | show``: the own small certificate authority.

Works beside a csms that runs: what it makes is picked up within seconds.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from csms.clock import SystemClock
from csms.data_folder import data_folder
from csms.errors import StartError
from csms.pki import ca
from csms.pki.ca import CaSettings, SmallAuthority
from csms.pki.folder import holds_certificates
from csms.pki.reader import PemReader
from csms.pki.starting import ca_folder, tls_folder
from csms.services.ports.certificates import AuthorityAway, Refused, Subject
from csms.settings import Settings


class KeyKind(StrEnum):
    """Of the root."""

    RSA = "rsa"
    EC = "ec"


Told = Callable[[], AbstractContextManager[Settings]]
Say = Callable[[str], None]


def authority_commands(told: Told, say: Say) -> typer.Typer:
    """Return the commands.

    Args:
        told: Loads the settings and tells expected failures in a sentence each.
        say: Prints a line.
    """
    commands = typer.Typer(help="The own certificate authority.", no_args_is_help=True)

    @commands.command()
    def init(
        name: Annotated[
            str, typer.Option(help="Organization that all certificates name.")
        ] = ca.ORGANIZATION,
        root_key: Annotated[
            KeyKind, typer.Option(help="Of the root; every charge point can verify RSA.")
        ] = KeyKind.RSA,
        client_days: Annotated[
            int, typer.Option(min=1, max=3650, help="How long charge points' certificates last.")
        ] = ca.CLIENT_DAYS,
        server: Annotated[
            list[str] | None,
            typer.Option(help="Name or address of this server; several times, main one first."),
        ] = None,
        *,
        pss: Annotated[
            bool,
            typer.Option("--pss", help="RSA signatures by PSS; many charge points refuse them."),
        ] = False,
    ) -> None:
        """Make the authority and let the listeners trust its client certificates."""
        with told() as settings:
            data_folder(settings)
            made = CaSettings(organization=name, client_days=client_days, pss=pss)
            folder = ca_folder(settings)
            authority = ca.create(
                folder, tls_folder(settings), SystemClock(), made, root_kind=root_key.value.upper()
            )
            say(f"certificate authority {name!r} is in {folder}; keep root.key away from others")
            say(f"root certificate for charge points: {folder / 'root.pem'}")
            if server or not holds_certificates(tls_folder(settings)):
                names = server or [socket.gethostname(), "localhost", "127.0.0.1"]
                _issue(authority, names, ca.SERVER_DAYS)
                say(f"server certificates for {', '.join(names)} (`csms ca issue-server`: others)")
            say("a csms that runs uses it within seconds; https for operators after a restart")

    @commands.command()
    def issue_server(
        names: Annotated[
            list[str], typer.Argument(help="Names and addresses of this server, main one first.")
        ],
        days: Annotated[
            int, typer.Option(min=1, max=3650, help="How long they last.")
        ] = ca.SERVER_DAYS,
    ) -> None:
        """Make the server's certificates, RSA and EC, in the TLS folder."""
        with told() as settings:
            for file in _issue(_authority(settings), names, days):
                say(str(file))

    @commands.command()
    def sign(
        file: Annotated[Path, typer.Argument(help="A certificate request, PEM.")],
        name: Annotated[str, typer.Argument(help="The station's serial number, or identity.")],
    ) -> None:
        """Sign a charge point's request by hand and print its chain; csms does it by itself."""
        with told() as settings:
            say(_signed(settings, file, name).rstrip("\n"))

    @commands.command()
    def revoke(
        serial_number: Annotated[str, typer.Argument(help="Hex, as `csms ca show` lists it.")],
        reason: Annotated[str, typer.Option(help="Such as keyCompromise.")] = "unspecified",
    ) -> None:
        """Take a certificate back; listeners refuse it within seconds."""
        with told() as settings:
            try:
                found = _authority(settings).take_back(serial_number, reason)
            except OSError as error:
                raise StartError(
                    f"{error.filename} cannot be written: {error.strerror}."
                ) from error
            if not found:
                raise StartError(f"This authority has issued no certificate {serial_number}.")
            say(f"certificate {serial_number} is revoked ({reason})")

    @commands.command()
    def show() -> None:
        """List what was issued, the oldest first."""
        with told() as settings:
            authority = _authority(settings)
            root = authority.roots()[0].facts
            say(f"root    {root.subject}, {root.key}, until {root.not_after:%Y-%m-%d}")
            for issue in authority.issues():
                end = f"until {issue.not_after:%Y-%m-%d}"
                if issue.revoked_at is not None:
                    end = f"revoked {issue.revoked_at:%Y-%m-%d} ({issue.reason})"
                say(f"{issue.kind:<7} {issue.serial}  {issue.subject}  {issue.identity}  {end}")

    return commands


def _issue(authority: SmallAuthority, names: list[str], days: int) -> list[Path]:
    try:
        return authority.issue_server(names, days)
    except OSError as error:
        raise StartError(f"{error.filename} cannot be written: {error.strerror}.") from error


def _signed(settings: Settings, file: Path, name: str) -> str:
    try:
        request = PemReader().request(file.read_text("ascii", errors="replace"))
    except OSError as error:
        raise StartError(f"{file} cannot be read: {error.strerror}.") from error
    if isinstance(request, Refused):
        raise StartError(f"{file}: {request.reason}")
    subject = Subject(identity=name, common_name=name, organization=settings.cpo_name)
    try:
        chain = asyncio.run(_authority(settings).sign(request, subject))
    except AuthorityAway as error:
        raise StartError(f"It cannot be signed: {error}.") from error
    if isinstance(chain, Refused):
        raise StartError(chain.reason)
    return chain


def _authority(settings: Settings) -> SmallAuthority:
    folder = ca_folder(settings)
    if not ca.exists(folder):
        raise StartError(f"There is no certificate authority in {folder}: `csms ca init` first.")
    return SmallAuthority(folder, tls_folder(settings), SystemClock())
