"""The oddities that one charge point has at the moment, and what they make of its frames.

Without any, every method gives back what it got. The order of switching on is the order of
meddling.
"""

import asyncio
import json
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from simulator.events import Event
from simulator.oddities.catalogue import find, settled_parameters
from simulator.oddities.model import Door, Frame, Oddity, Payload, Played, Wire

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator

MAX_ALIASES = 64
Spec = str | Mapping[str, Any]
"""A name, or an object with ``name`` and parameters."""


class Temper:
    """A charge point's oddities.

    Args:
        station: the charge point.
        seed: same seeds play the same.
    """

    def __init__(self, station: "ChargePointSimulator", seed: object) -> None:
        self._station = station
        self._seed = seed
        self._active: dict[str, tuple[Oddity, Played]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._spawn: Callable[[Any, str], asyncio.Task[None] | None] | None = None
        self._aliases: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._active)

    @property
    def names(self) -> list[str]:
        """What is switched on, in that order."""
        return list(self._active)

    def has(self, name: str) -> bool:
        """Whether an oddity is switched on."""
        return name in self._active

    def parameter(self, name: str, parameter: str) -> float:
        """Return a parameter of an oddity that is switched on."""
        return self._active[name][1].parameters[parameter]

    def switch_on(self, spec: Spec) -> None:
        """Switch an oddity on; one that is on already starts anew.

        Raises:
            OddityError: no such name or parameter.
        """
        oddity, given = find(spec)
        self.switch_off(oddity.name)
        chance = random.Random(f"{self._seed} {self._station.identity} {oddity.name}")  # noqa: S311  # a simulation's chance, not a secret
        played = Played(self._station, chance, settled_parameters(oddity, given))
        self._active[oddity.name] = (oddity, played)
        for key, value in oddity.configuration.items():
            self._station.configuration.override(key, value)
        if oddity.bend is not None:
            played.bend = oddity.bend(played)
            for session in self._station.sessions.values():
                session.settle()
                session.connector.bends.append(played.bend)
            self._station.wake_all()
        if oddity.start is not None:
            oddity.start(played)
        self._run(oddity, played)

    def switch_off(self, name: str) -> bool:
        """Switch an oddity off and tell whether it was on."""
        oddity, played = self._active.pop(name, (None, None))
        if oddity is None or played is None:
            return False
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
        if played.bend is not None:
            for session in self._station.sessions.values():
                session.settle()
                session.connector.bends.remove(played.bend)
            self._station.wake_all()
        if oddity.end is not None:
            oddity.end(played)
        return True

    def come_alive(self, spawn: Callable[[Any, str], asyncio.Task[None] | None]) -> None:
        """Start the work of what is on, now that the charge point lives."""
        self._spawn = spawn
        for oddity, played in list(self._active.values()):
            self._run(oddity, played)

    def _run(self, oddity: Oddity, played: Played) -> None:
        if oddity.run is not None and self._spawn is not None:
            task = self._spawn(oddity.run(played), oddity.name)
            if task is not None:
                self._tasks[oddity.name] = task

    def _hooks(self, place: str) -> Iterator[tuple[Any, Played]]:
        for oddity, played in list(self._active.values()):
            hook = getattr(oddity, place)
            if hook is not None:
                yield hook, played

    # Frames

    def outgoing(self, text: str, answered: str | None) -> list[Wire]:
        """Return what is sent in place of ``text``; ``answered`` is the action of a CALLRESULT."""
        if not self._active:
            return [text]
        message = json.loads(text)
        if message[0] == 2:
            frame = Frame(*message[1:4])
            for hook, played in self._hooks("call"):
                hook(played, frame)
            if frame.message_id != message[1]:
                while len(self._aliases) >= MAX_ALIASES:
                    self._aliases.pop(next(iter(self._aliases)))
                self._aliases[frame.message_id] = message[1]
            message = [2, frame.message_id, frame.action, frame.payload]
        elif message[0] == 3 and answered is not None:
            for hook, played in self._hooks("answer"):
                hook(played, answered, message[2])
        written: list[Wire] = [json.dumps(message, separators=(",", ":"))]
        for hook, played in self._hooks("text"):
            written = [
                new
                for old in written
                for new in (hook(played, old) if isinstance(old, str) else [old])
            ]
        return written

    def incoming(self, text: str) -> str:
        """Return an incoming answer under the id that the call had before it was changed."""
        if not self._aliases:
            return text
        try:
            message = json.loads(text)
            original = self._aliases.get(message[1])
        except (ValueError, TypeError, LookupError, RecursionError):
            return text
        if original is None or message[0] not in (3, 4):
            return text
        message[1] = original
        return json.dumps(message)

    def answer_for(self, action: str, payload: Payload) -> Payload | None:
        """Return the answer that an oddity gives in place of the charge point, or None."""
        for hook, played in self._hooks("request"):
            answer: Payload | None = hook(played, action, payload)
            if answer is not None:
                return answer
        return None

    def delay_s(self) -> float:
        """Return how late the next frame is, in seconds."""
        return float(sum(hook(played) for hook, played in self._hooks("delay")))

    def loses(self) -> bool:
        """Return whether the next frame vanishes."""
        return any(bool(hook(played)) for hook, played in self._hooks("loses"))

    # The rest

    def on_event(self, event: Event) -> None:
        """Tell the oddities what happened."""
        for hook, played in self._hooks("event"):
            hook(played, event)

    def shift(self, now: datetime) -> timedelta:
        """Return what the charge point's clock is wrong by."""
        return sum((hook(played, now) for hook, played in self._hooks("clock")), timedelta())

    def open_door(self, door: Door) -> Door:
        """Return ``door`` as the oddities leave it."""
        for hook, played in self._hooks("door"):
            hook(played, door)
        return door
