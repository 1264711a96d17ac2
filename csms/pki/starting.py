"""Which certificate authority this system has, by its settings."""

from __future__ import annotations

from pathlib import Path

import structlog

from csms.clock import Clock
from csms.errors import StartError
from csms.pki import ca
from csms.pki.ca import SmallAuthority
from csms.pki.command import CommandAuthority
from csms.settings import Settings

_log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 5.0


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


class Authorities:
    """The authority of this system, also one that is made while it runs.

    Concurrency: any task; one runs `run`.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Look for it.

        Raises:
            StartError: There is one, and it cannot be used.
        """
        self._settings = settings
        self._clock = clock
        self._found = authority_of(settings, clock)
        self._told: str | None = None

    def present(self) -> SmallAuthority | CommandAuthority | None:
        """Return it, if there is one by now."""
        if self._found is None:
            try:
                self._found = authority_of(self._settings, self._clock)
            except StartError as error:
                if self._told != str(error):
                    self._told = str(error)
                    _log.error("the certificate authority cannot be used", reason=str(error))
        return self._found

    async def run(self) -> None:
        """Keep its lists of revocations fresh, for ever."""
        while True:
            found = self.present()
            if isinstance(found, SmallAuthority):
                await found.run()
            await self._clock.sleep(_LOOK_EVERY_S)
