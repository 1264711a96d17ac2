"""The port of the OCPP edge for those who tell people where charge points have to connect."""

from __future__ import annotations

from typing import Protocol


class Entrance(Protocol):
    """Where charge points come in."""

    @property
    def port(self) -> int:
        """The port of plain ws."""
        ...

    @property
    def tls_port(self) -> int | None:
        """The port of wss, if there is one."""
        ...
