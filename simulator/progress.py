"""Progress of a command: a bar on a terminal, else a line now and then."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from simulator.clock import RealClock
from simulator.terminal import say

BAR_S = 0.5
LINE_S = 10.0


@asynccontextmanager
async def showing(
    title: str, done_of: Callable[[], tuple[float, float | None]], words: Callable[[], str]
) -> AsyncIterator[None]:
    """Show progress on standard error while the body runs.

    Args:
        title: stands before the bar.
        done_of: how much is done, and of how much (None: nobody knows).
        words: what else is to be told.

    Cancellation: ends the bar.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            shown = tasks.create_task(_show(title, done_of, words), name="progress")
            try:
                yield
            finally:
                shown.cancel()
    except ExceptionGroup as group:
        # The body's own error, as it was before it fell into the group.
        raise group.exceptions[0] from None


async def _show(
    title: str, done_of: Callable[[], tuple[float, float | None]], words: Callable[[], str]
) -> None:
    clock = RealClock()
    if not sys.stderr.isatty():
        while True:
            await clock.sleep(LINE_S)
            done, total = done_of()
            share = "" if total is None else f"{_percent(done, total):.0f} %, "
            say(f"{title}: {share}{words()}")
    bar = Progress(TextColumn(title), BarColumn(bar_width=60), TimeElapsedColumn())
    task = bar.add_task(title)
    # The words have a line of their own: beside them there is no room for a bar in 80 columns.
    with Live(console=Console(stderr=True), transient=True) as live:
        while True:
            done, total = done_of()
            bar.update(task, completed=done, total=total)
            live.update(Group(bar, Text(words(), overflow="ellipsis", no_wrap=True)))
            await clock.sleep(BAR_S)


def _percent(done: float, total: float) -> float:
    """Return how much is done: what takes longer than thought is as good as done.

    >>> _percent(1, 4), _percent(5, 4), _percent(0, 0)
    (25.0, 100.0, 100.0)
    """
    return min(100.0, 100 * done / total) if total > 0 else 100.0
