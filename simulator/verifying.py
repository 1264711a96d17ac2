"""``python -m simulator verify``: the command."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer

from simulator import options
from simulator.books import Entry, entries_of
from simulator.errors import VerifyError
from simulator.progress import showing
from simulator.sessions_api import SessionsApi
from simulator.terminal import STDOUT, files_or_refuse, loop_factory, refuse, write_json
from simulator.verify import Finding, Verdict
from simulator.verify import verify as compare


def verify(
    ledger: Annotated[Path, typer.Argument(help="Ledger of run, scenario or load (JSON)")],
    api: Annotated[
        str, typer.Option(metavar="URL", help="The central system's API, http://HOST:8080")
    ],
    token: options.Token = None,
    tolerance_wh: Annotated[
        int, typer.Option(min=0, help="How far registers may be apart, Wh")
    ] = 0,
    energies_only: Annotated[
        bool, typer.Option("--energies-only", help="Do not compare registers, which quirks bend")
    ] = False,
    meter_values: Annotated[
        bool, typer.Option("--meter-values", help="Count meter values too, a request a session")
    ] = False,
    report: options.ReportFile = None,
) -> None:
    """Compare a ledger with the sessions of the central system and tell every difference.

    The exit code is 0 without differences, 1 with some, 2 when they cannot be compared.
    """
    files_or_refuse(report=report)
    try:
        entries = entries_of(_decoded(ledger))
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            verdict = runner.run(
                _verify(
                    entries,
                    api,
                    token,
                    tolerance_wh=tolerance_wh,
                    registers=not energies_only,
                    meter_values=meter_values,
                )
            )
    except VerifyError as error:
        raise refuse([str(error)]) from error
    typer.echo(str(verdict), err=report == STDOUT)
    if report is not None:
        write_json(report, verdict.as_json())
    raise typer.Exit(1 if verdict.findings else 0)


def _decoded(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise VerifyError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise VerifyError(f"{path}: no ledger, not JSON: {error}") from error


async def _verify(
    entries: list[Entry],
    url: str,
    token: str | None,
    *,
    tolerance_wh: int,
    registers: bool,
    meter_values: bool,
) -> Verdict:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    counted = 0
    async with aiohttp.ClientSession(headers=headers) as http:
        api = SessionsApi(http, url)
        async with showing(
            "verify",
            lambda: (api.read + counted, len(entries) * (2 if meter_values else 1)),
            lambda: f"{api.read} sessions read",
        ):
            sessions = await api.sessions_of(entries)
            verdict = compare(entries, sessions, tolerance_wh=tolerance_wh, registers=registers)
            missing = {
                one.transaction_id for one in verdict.findings if one.kind == "missing session"
            }
            for entry in entries if meter_values else ():
                number = entry.transaction_id
                if number is None or number in missing:
                    continue
                stored = await api.count_meter_values(number)
                counted += 1
                if stored < entry.meter_values_acknowledged:
                    verdict.findings.append(
                        Finding(
                            kind="meter values missing",
                            charge_point=entry.charge_point,
                            transaction_id=number,
                            what="count",
                            ledger=entry.meter_values_acknowledged,
                            stored=stored,
                        )
                    )
    return verdict
