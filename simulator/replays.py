"""Bundles played side by side: begun, watched, stopped; for the control API.

Bounded: so many play at a time, so many ended ones are remembered, so large is a bundle.
"""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self

from simulator.bundle import Bundle
from simulator.clock import Clock, iso
from simulator.errors import ReplayError
from simulator.replay import Replay, ReplayPlan

MAX_PLAYING = 4
MAX_KEPT = 20
MAX_SHOWN = 500
"""Differences that are shown of one replay."""

State = Literal["playing", "done", "stopped", "failed"]


@dataclass(slots=True, kw_only=True, eq=False)
class Playing:
    """One replay, also when it is over."""

    id: str
    bundle: Bundle
    plan: ReplayPlan
    replay: Replay
    began_at: datetime
    state: State = "playing"
    is_stopping: bool = False
    trouble: str | None = field(default=None)

    def shown(self) -> dict[str, Any]:
        """Return it as the API shows it; of the differences the first ``MAX_SHOWN``."""
        report = self.replay.report
        content = report.as_json()
        differences = content.pop("differences")
        if self.trouble is not None:
            content["brokenOff"] = self.trouble
        return {
            "id": self.id,
            "state": self.state,
            "recordedStationId": self.bundle.station_id,
            "beganAt": iso(self.began_at),
            "speed": self.plan.speed,
            "movesTimes": self.plan.shifts_times,
            "isWhole": self.bundle.is_whole,
            "total": self.replay.total,
            **content,
            "differenceCount": len(differences),
            "differences": differences[:MAX_SHOWN],
        }


class Replays:
    """Plays bundles; use it with ``async with``, whose end stops all.

    Args:
        clock: paces them.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._kept: dict[str, Playing] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        """Begin to take bundles."""
        self._tasks = await asyncio.TaskGroup().__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop what plays and wait for its end."""
        tasks, self._tasks = self._tasks, None
        for playing in self._kept.values():
            self._stop(playing)
        if tasks is not None:
            await tasks.__aexit__(kind, error, traceback)

    @property
    def all(self) -> Sequence[Playing]:
        """All that are remembered, the newest first."""
        return list(reversed(self._kept.values()))

    def begin(self, bundle: Bundle, plan: ReplayPlan) -> Playing:
        """Play a bundle beside the others.

        Raises:
            ReplayError: 409 while its charge point is played already, 422 when there is nothing
                to play, 503 for too many at a time.
        """
        if self._tasks is None:
            raise ReplayError(503, "stopping", "the simulator is stopping")
        if not bundle.exchanges:
            detail = "the charge point has sent nothing in this bundle"
            raise ReplayError(422, "nothing_to_play", detail)
        at_work = [one for one in self._kept.values() if one.state == "playing"]
        if len(at_work) >= MAX_PLAYING:
            raise ReplayError(503, "too_many", f"{MAX_PLAYING} bundles are being played")
        replay = Replay(bundle, plan, self._clock)
        if any(one.replay.report.url == replay.report.url for one in at_work):
            detail = f"a bundle is being played as {replay.report.station_id}"
            raise ReplayError(409, "playing", detail)
        playing = Playing(
            id=f"replay-{next(self._numbers)}",
            bundle=bundle,
            plan=plan,
            replay=replay,
            began_at=self._clock.now(),
        )
        self._kept[playing.id] = playing
        over = [one.id for one in self._kept.values() if one.state != "playing"]
        for name in over[: max(0, len(self._kept) - MAX_KEPT)]:
            del self._kept[name]
        self._tasks.create_task(self._play(playing), name=f"replay {playing.id}")
        return playing

    def find(self, name: str) -> Playing | None:
        """Return one by its id."""
        return self._kept.get(name)

    def stop(self, playing: Playing) -> None:
        """Have one end after its present frame."""
        self._stop(playing)

    @staticmethod
    def _stop(playing: Playing) -> None:
        if playing.state == "playing":
            playing.is_stopping = True
            playing.replay.stop()

    @staticmethod
    async def _play(playing: Playing) -> None:
        try:
            report = await playing.replay.run()
        except ExceptionGroup as group:  # of one bundle; the others and the charge points go on
            error = group.exceptions[0]
            playing.state, playing.trouble = "failed", f"{type(error).__name__}: {error}"
            return
        if report.broken_off is None:
            playing.state = "done"
        else:
            playing.state = "stopped" if playing.is_stopping else "failed"
