"""The simulator as a program of its own, which ends with the demo whatever ends the demo."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from csms.demo import leash

_UNPLUG_S = 14.0
"""The simulator itself waits up to 10 s for its last acknowledgements."""

_STOP_S = 20.0


class FleetProcess:
    """A running simulator.

    Attributes:
        log: What it says.
    """

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log

    @property
    def ended(self) -> int | None:
        """Its exit code, 128 and the number of a signal; None while it runs."""
        return self._process.returncode

    async def stop(self) -> None:
        """Have the cars unplugged and wait for the end; kill what does not end in time."""
        leash_end = self._process.stdin
        if leash_end is None or self._process.returncode is not None:
            self.kill()
            return
        with suppress(ConnectionError, RuntimeError):  # it has ended this moment
            leash_end.write(b".")
            await leash_end.drain()
        try:
            async with asyncio.timeout(_STOP_S):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def kill(self) -> None:
        """End the simulator and its leash at once."""
        code = self._process.returncode
        # a leash that was killed itself has left the simulator behind, in the same group
        if code is None or code < 0:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


@asynccontextmanager
async def simulated(
    fleet: Mapping[str, Any], url: str, folder: Path, control: int | None = None
) -> AsyncIterator[FleetProcess]:
    """Run a fleet against a central system; at the end stop it in order.

    Args:
        fleet: The fleet file's content.
        url: The central system's OCPP endpoint.
        folder: For the fleet file, the ledger and the log.
        control: Port of the loopback on which it can be watched and steered; None: it cannot.
    """
    plan, ledger, log = (
        folder / name for name in ("demo-fleet.json", "demo-ledger.json", "simulator.log")
    )
    plan.write_text(json.dumps(fleet, indent=1) + "\n", encoding="utf-8")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", leash.__file__, str(_UNPLUG_S)),
            *(sys.executable, "-m", "simulator", "run", "--url", url),
            *("--fleet", str(plan), "--ledger", str(ledger)),
            *(() if control is None else ("--control", str(control))),
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,  # the terminal's Ctrl-C is for the demo alone
        )
    running = FleetProcess(process, log)
    try:
        yield running
    except BaseException:
        running.kill()
        await process.wait()
        raise
    await running.stop()
