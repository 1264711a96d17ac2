"""The options that commands share, and the words of their help."""

from pathlib import Path
from typing import Annotated

import typer

Url = Annotated[
    str,
    typer.Option(
        metavar="URL",
        help="OCPP endpoint, ws://HOST:PORT/ocpp or wss://...; the identity is put at its end",
    ),
]
Register = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Create stations and id tags at this API first, http://HOST:8080"
    ),
]
Token = Annotated[
    str | None,
    typer.Option(metavar="TOKEN", help="Bearer token of that API", envvar="CSMS_ADMIN_TOKEN"),
]
Duration = Annotated[
    float | None, typer.Option(min=0.0, metavar="SECONDS", help="Stop after so many seconds")
]
LedgerFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write all transactions here at the end (JSON); -: stdout"),
]
ReportFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write what came of it here (JSON); -: stdout"),
]
State = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Keep here what real charge points keep without power, and come up with it",
    ),
]
Control = Annotated[
    int | None,
    typer.Option(
        min=0, max=65_535, metavar="PORT", help="Serve the control page on this loopback port"
    ),
]
Authority = Annotated[
    Path | None, typer.Option("--ca", metavar="FILE", help="PEM file with the authority to trust")
]
Insecure = Annotated[
    bool, typer.Option("--insecure-tls", help="Check no server certificate (tests only)")
]
Password = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Basic authentication password of all of them")
]
