"""The simulator beside this system, as its operators steer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorAnswer:
    """What the simulator has answered.

    Attributes:
        status: Of HTTP; errors of the caller are answers, too.
        body: JSON; None when there is none.
    """

    status: int
    body: Any


class SimulatorAway(Exception):
    """It cannot be reached, takes too long, or what is there is no simulator."""


class Simulator(Protocol):
    """Passes requests on. Safe for concurrent callers."""

    @property
    def url(self) -> str:
        """Where it is, as the settings say."""
        ...

    async def ask(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> SimulatorAnswer:
        """Pass one request on.

        Args:
            method: Of HTTP.
            path: Segments below the simulator's address, not encoded.
            query: Parameters.
            body: JSON; None sends none.

        Raises:
            SimulatorAway: There is no answer that could be passed back.
        """
        ...

    async def plug(self, identity: str) -> SimulatorAnswer:
        """Have it connect a charge point of this identity to us, with a vehicle plugged in.

        Raises:
            SimulatorAway: As above.
        """
        ...

    async def replay(
        self, identity: str, bundle: bytes, *, speed: float, moves_times: bool
    ) -> SimulatorAnswer:
        """Have it play a bundle of messages against us, as a charge point of this identity.

        Args:
            identity: In place of the recorded one.
            bundle: As the export of the message log gives it.
            speed: How many times faster than it was; 0: without waits.
            moves_times: Whether timestamps are moved so that the first frame is now.

        Raises:
            SimulatorAway: As above.
        """
        ...

    async def close(self) -> None:
        """End what is open."""
        ...
