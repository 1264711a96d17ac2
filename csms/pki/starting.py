"""Which certificate authority this system has, by its settings."""

from __future__ import annotations

from pathlib import Path

from csms.clock import Clock
from csms.pki import ca
from csms.pki.ca import SmallAuthority
from csms.pki.command import CommandAuthority
from csms.settings import Settings


def ca_folder(settings: Settings) -> Path:
    """Return where the own authority is, or would be."""
    return settings.ca_dir or settings.data_dir / "ca"


def tls_folder(settings: Settings) -> Path:
    """Return where listeners look for certificates."""
    return settings.tls_dir or settings.data_dir / "tls"


def authority_of(settings: Settings, clock: Clock) -> SmallAuthority | CommandAuthority | None:
    """Return the authority; None where none was made and none is set.

    Raises:
        StartError: It cannot be used.
    """
    if settings.ca_command is not None:
        return CommandAuthority(settings.ca_command)
    folder = ca_folder(settings)
    if not ca.exists(folder):
        return None
    return SmallAuthority(folder, tls_folder(settings), clock)
