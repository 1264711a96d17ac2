"""Plays a fleet from the command line: problems told, progress shown, files written at the end."""

import contextlib
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.control import Panel
from simulator.errors import RegistrationError, StateError
from simulator.events import Event
from simulator.flash import Flash
from simulator.fleet import Fleet
from simulator.fleet_file import FleetPlan
from simulator.progress import showing
from simulator.registration import register_fleet
from simulator.replays import Replays
from simulator.replays_api import replay_routes
from simulator.serving import listening
from simulator.terminal import on_signals, say, write_json

MAX_PROBLEM_KINDS = 50
USUAL_CLOSES = (None, 1000, 1001, 1005, 1006)
"""Ends of connections that are not worth a word: in order, or the network's."""

PLAYED, NOT_ACCEPTED, REFUSED = 0, 1, 2
"""Exit codes: played; no charge point was ever accepted; what was asked for cannot be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What is played, and where files go to.

    Attributes:
        speed: how many times faster vehicles live.
        duration_s: how long (None: until it is interrupted).
        register: the API at which stations and tags are created first.
        ledger: where the transactions go; ``-`` is standard output, as for ``report``.
        state: the folder of what charge points keep without power.
        control: the port of the control page.
    """

    plan: FleetPlan
    url: str
    speed: float = 1.0
    duration_s: float | None = None
    register: str | None = None
    token: str | None = None
    ledger: Path | None = None
    report: Path | None = None
    state: Path | None = None
    control: int | None = None
    tls: ssl.SSLContext | None = None


class Problems:
    """Tells each kind of problem once: a thousand charge points have the same ones.

    Args:
        tell: writes a line.
    """

    def __init__(self, tell: Callable[[str], None] = say) -> None:
        self._tell = tell
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        """Take in any event of the fleet."""
        match event.name:
            case "not_connected":
                text = str(event.data["why"])
            case "call_failed":
                text = f"{event.data['action']}: {event.data['error']}"
            case "disconnected" if event.data["code"] not in USUAL_CLOSES:
                code, why = event.data["code"], event.data["reason"]
                text = f"the central system has closed the connection: {code} {why}".rstrip()
            case "registered" if event.data["status"] == "Rejected":
                text = "BootNotification was answered Rejected"
            case _:
                return
        if text not in self._first:
            if len(self._first) >= MAX_PROBLEM_KINDS:
                return
            self._first[text] = event.charge_point
            self._tell(f"problem: {event.charge_point}: {text}")
        self._counts[text] += 1

    def as_json(self) -> list[dict[str, Any]]:
        """Return the kinds with how often they were met, JSON-ready, the most frequent first."""
        return [
            {"what": text, "count": count, "firstChargePoint": self._first[text]}
            for text, count in self._counts.most_common()
        ]


async def play(wanted: Play) -> int:
    """Play a fleet and return the exit code."""
    if wanted.register is not None:
        try:
            created = await register_fleet(wanted.plan, wanted.register, wanted.token)
        except RegistrationError as error:
            say(f"error: {error}")
            return NOT_ACCEPTED
        say(f"registered: {created} new stations and id tags")
    try:
        with contextlib.ExitStack() as stack:
            flash = stack.enter_context(Flash(wanted.state)) if wanted.state is not None else None
            return await _play(wanted, flash)
    except (StateError, ExceptionGroup) as error:
        state_error = _state_error(error)
        if state_error is None:
            raise
        say(f"error: --state: {state_error}")
        return REFUSED


def _state_error(error: BaseException) -> StateError | None:
    """Return the trouble with what is kept, however deep in groups of tasks it was met."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(_state_error, error.exceptions)), None)
    return error if isinstance(error, StateError) else None


async def _play(wanted: Play, flash: Flash | None) -> int:
    problems = Problems()
    fleet = Fleet(
        wanted.plan,
        wanted.url,
        speed=wanted.speed,
        tls=wanted.tls,
        on_event=problems,
        flash=flash,
    )

    def write_ledger() -> None:
        if wanted.ledger is not None:
            write_json(wanted.ledger, fleet.ledger.records())

    def stop() -> None:
        say("stopping: unplugging all vehicles (again to stop at once)")
        fleet.stop()

    on_signals(stop, write_ledger)
    began = fleet.clock.monotonic()

    def played() -> tuple[float, float | None]:
        return fleet.clock.monotonic() - began, wanted.duration_s

    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(showing("fleet", played, lambda: str(fleet.summary)))
        if wanted.control is not None:
            panel = Panel(lambda: fleet.stations, fleet.clock)
            replays = await stack.enter_async_context(Replays(fleet.clock))
            routes = [*panel.routes(), *replay_routes(replays)]
            port = await stack.enter_async_context(listening(routes, "127.0.0.1", wanted.control))
            say(f"control: http://127.0.0.1:{port}/ui")
        await fleet.run(wanted.duration_s)
    write_ledger()
    summary = fleet.summary
    if wanted.report is not None:
        seconds = round(fleet.clock.monotonic() - began, 1)
        facts = {"seconds": seconds} | summary.as_json() | {"problems": problems.as_json()}
        write_json(wanted.report, facts)
    say(f"stopped: {summary}; {summary.energy_text}")
    if summary.accepted == 0:
        say("error: the central system has accepted no charge point")
        return NOT_ACCEPTED
    return PLAYED
