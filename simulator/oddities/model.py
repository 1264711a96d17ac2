"""What an oddity is: a row of a table, with the places in which it meddles.

A row has a name, says what it does, who was seen doing it and where that is written, and holds
functions for the places it needs. Functions get ``Played``: the charge point, a seeded source of
chance and a memory of their own, so rows are constants and charge points do not disturb each other.
"""

import random
import ssl
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from simulator.connector import Connector
from simulator.events import Event

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator

Family = Literal[
    "framing",
    "handshake",
    "transactions",
    "clock",
    "meter values",
    "smart charging",
    "network fault",
    "hardware fault",
]
Payload = dict[str, Any]
Bend = Callable[[Connector, float], float]
"""What is offered in place of an offer, both in the connector's own unit."""


@dataclass(frozen=True, slots=True)
class Compressed:
    """A text to be sent as a compressed frame although no compression was negotiated."""

    text: str


Wire = str | Compressed


@dataclass(slots=True)
class Frame:
    """An outgoing CALL; whoever meddles changes it in place."""

    message_id: str
    action: str
    payload: Any

    def values(self) -> Iterator[Payload]:
        """Yield every meter value of a MeterValues or StopTransaction."""
        if isinstance(self.payload, dict):
            yield from self.payload.get("meterValue") or self.payload.get("transactionData") or ()

    def sampled(self) -> Iterator[Payload]:
        """Yield every sampled value of a MeterValues or StopTransaction."""
        for value in self.values():
            yield from value["sampledValue"]

    def energies(self) -> Iterator[Payload]:
        """Yield the sampled values of the energy register."""
        for one in self.sampled():
            if one.get("measurand") == "Energy.Active.Import.Register":
                yield one


@dataclass(slots=True)
class Door:
    """How the next connection is opened; header values None take a header away."""

    url: str
    headers: dict[str, str | None]
    tls: ssl.SSLContext | None
    answers_pings: bool = True

    @property
    def asks_for_subprotocol(self) -> bool:
        """Whether the handshake offers ocpp1.6."""
        return self.headers.get("Sec-WebSocket-Protocol", "") is not None


@dataclass(slots=True)
class Played:
    """An oddity at work on one charge point."""

    station: "ChargePointSimulator"
    chance: random.Random
    parameters: Mapping[str, float]
    bend: Bend | None = None
    memory: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """One quirk or fault.

    Attributes:
        parameters: numbers that a user may set, with their defaults.
        configuration: configuration keys that it sets when it is switched on.
        call: changes a CALL before it is written.
        text: replaces a written frame by any number of others.
        request: answers a call of the central system in place of the charge point, or None.
        answer: changes the charge point's answer; gets the action and the payload.
        event: told what happens.
        run: work that goes on while it is switched on.
        start: done when it is switched on ...
        end: ... and off.
        bend: makes what changes the connectors' offers while it is switched on.
        clock: what the charge point's clock is wrong by.
        door: changes the handshake.
        delay: seconds by which a frame is late, either way.
        loses: whether a frame vanishes, either way.
        trait: the charge point's own code asks for it by name.
    """

    name: str
    family: Family
    does: str
    who: str = ""
    source: str = ""
    parameters: Mapping[str, float] = field(default_factory=dict)
    configuration: Mapping[str, str] = field(default_factory=dict)
    call: Callable[[Played, Frame], None] | None = None
    text: Callable[[Played, str], list[Wire]] | None = None
    request: Callable[[Played, str, Payload], Payload | None] | None = None
    answer: Callable[[Played, str, Payload], None] | None = None
    event: Callable[[Played, Event], None] | None = None
    run: Callable[[Played], Coroutine[Any, Any, None]] | None = None
    start: Callable[[Played], None] | None = None
    end: Callable[[Played], None] | None = None
    bend: Callable[["Played"], Bend] | None = None
    clock: Callable[[Played, datetime], timedelta] | None = None
    door: Callable[[Played, Door], None] | None = None
    delay: Callable[[Played], float] | None = None
    loses: Callable[[Played], bool] | None = None
    trait: bool = False

    @property
    def is_fault(self) -> bool:
        """Whether it breaks what works, rather than being how a product is."""
        return self.family.endswith("fault")
