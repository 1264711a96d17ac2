"""The command line: ``csms serve | demo | migrate | check | backup | restore | user | site | ca``.

Every expected failure is one sentence on standard error: wrong settings exit with 2, everything
else that keeps a command from its work with 1. There is no traceback for an operator's mistake.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import uvloop

from csms import __version__, checkup, log, memory
from csms.app import (
    COCKPIT,
    DEMO,
    SERVE,
    DatabaseAddress,
    Running,
    database_address,
    prepare,
    running,
)
from csms.backups import left_out, make_backup, restore_backup
from csms.cli_ca import authority_commands
from csms.clock import SystemClock
from csms.demo import play
from csms.errors import CsmsError, DatabaseAway, Refusal, SettingsError
from csms.operations import add_user, first_sign_in, import_site, reset_administrator
from csms.services.access import Role
from csms.settings import Settings, load
from csms.store import migrate as migrations

T = TypeVar("T")

_LONGEST_STOP_S = 20.0

app = typer.Typer(
    name="csms",
    help="An open OCPP 1.6J central system. Settings are environment variables, CSMS_*.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
users = typer.Typer(help="Users of the operator API.", no_args_is_help=True)
sites = typer.Typer(help="Sites.", no_args_is_help=True)
app.add_typer(users, name="user")
app.add_typer(sites, name="site")


@app.callback(invoke_without_command=True)
def options(
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """An open OCPP 1.6J central system. Settings are environment variables, CSMS_*."""
    if version:
        say(f"csms {__version__}")
        raise typer.Exit


@app.command()
def serve() -> None:
    """Run the central system until SIGINT or SIGTERM."""
    with told() as settings, database_address(settings) as database:
        _run(_serve(settings, database))


@app.command()
def demo() -> None:
    """Run the central system with a simulated fleet on three sites; Ctrl-C ends it."""
    with told() as settings, database_address(settings) as database:
        _run(play(settings, DEMO, database, stop_signal))


@app.command()
def migrate(
    to: Annotated[str, typer.Option(help="Revision; `base` empties the database.")] = "head",
) -> None:
    """Bring the database to this version's schema, or back to an older one."""
    if to not in {"head", "base", *migrations.known()}:
        say(
            f"This version of csms has no revision {to}; its newest is {migrations.head()}.",
            error=True,
        )
        raise typer.Exit(1)

    async def work(url: str) -> str | None:
        before = await migrations.current(url)
        if to == "base" or (before is not None and to.isdigit() and to < before):
            await migrations.downgrade(url, to)
        else:
            await migrations.upgrade(url, to)
        return await migrations.current(url)

    with told() as settings, database_address(settings) as database:
        revision = _run(work(database.url))
        say(f"the database is at revision {revision or 'base'}")


@app.command(name="check")
def check_command() -> None:
    """Check settings, certificates, disk, database and ports; exits with 1 if there are errors."""
    with told() as settings:
        findings = checkup.check_machine(settings)
        try:
            with database_address(settings, beside=True) as database:
                findings += _run(checkup.check_database(database, settings))
        except CsmsError as error:
            if all(finding.text != str(error) for finding in findings):  # such as: no data folder
                findings.append(checkup.failed(error, settings))
        findings += _run(checkup.check_ports(settings, SERVE))
        for finding in findings:
            say(str(finding))
        if any(finding.level == "error" for finding in findings):
            raise typer.Exit(1)


@app.command(name="backup")
def backup_command(
    file: Annotated[Path, typer.Argument(help="A new file; it will hold secrets.")],
    *,
    without_message_log: Annotated[
        bool, typer.Option("--without-message-log", help="Leave the OCPP messages out.")
    ] = False,
    keys_passphrase_file: Annotated[
        Path | None,
        typer.Option(help="Take certificates and keys along, sealed with what this file holds."),
    ] = None,
) -> None:
    """Write database and secret into one file; csms may run meanwhile."""
    with told() as settings, database_address(settings, beside=True) as database:
        made = _run(
            make_backup(
                settings,
                database,
                file,
                message_log=not without_message_log,
                passphrase_file=keys_passphrase_file,
            )
        )
        rows = sum(table.rows for table in made.tables)
        say(f"{file}: {rows} rows, {file.stat().st_size} bytes; keep it secret")
        for line in left_out(settings, keys_taken=keys_passphrase_file is not None):
            say(line)


@app.command(name="restore")
def restore_command(
    file: Annotated[Path, typer.Argument(help="A file of `csms backup`.")],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is in the database.")
    ] = False,
    keys_passphrase_file: Annotated[
        Path | None,
        typer.Option(help="Put its certificates and keys back too; what they are sealed with."),
    ] = None,
) -> None:
    """Make database and secret what a backup holds; csms must not run meanwhile."""
    with told() as settings, database_address(settings) as database:
        for line in _run(
            restore_backup(
                settings, database, file, force=force, passphrase_file=keys_passphrase_file
            )
        ):
            say(line)


@users.command("add")
def user_add(
    name: str,
    role: Annotated[Role, typer.Option(help="What the user may do.")] = Role.OPERATOR,
    *,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Add a user; the password is asked for."""
    password = (
        sys.stdin.readline().rstrip("\n")
        if password_stdin
        else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    with told() as settings, database_address(settings, beside=True) as database:
        _run(add_user(settings, database, name, role, password))
        say(f"user {name} ({role.value}) is there")


@users.command("reset")
def user_reset() -> None:
    """Make a new administrator's sign-in link; the old administrator's token ends."""
    with told() as settings, database_address(settings, beside=True) as database:

        def show(token: str) -> None:
            say(sign_in_link(settings, settings.http_port, token))

        _run(reset_administrator(settings, database, show))


@sites.command("import")
def site_import(
    file: Annotated[Path, typer.Argument(help="JSON: the plain form, or a site of the API.")],
) -> None:
    """Create or replace the sites of a file."""
    with told() as settings, database_address(settings, beside=True) as database:
        for site_id in _run(import_site(settings, database, file)):
            say(f"site {site_id} is there")


async def _serve(settings: Settings, database: DatabaseAddress) -> None:
    stop = stop_signal()
    await prepare(database.url)
    async with running(settings, SERVE, database) as system:
        await _introduce(settings, system)
        await stop.wait()
        say("stopping")


async def _introduce(settings: Settings, system: Running) -> None:
    host = "127.0.0.1" if settings.http_host in (None, "0.0.0.0") else settings.http_host  # noqa: S104
    say(f"csms {__version__}")
    say(f"charge points  ws://{host}:{system.ocpp_port}/ocpp/IDENTITY")
    if system.ocpp_tls_port is not None:
        say(f"               wss://{host}:{system.ocpp_tls_port}/ocpp/IDENTITY")
    if system.files_port is not None:
        say(f"their files    port {system.files_port}, HTTP or HTTPS")
    if system.ftp_port is not None:
        say(f"               port {system.ftp_port}, FTP")
    scheme = "https" if settings.http_tls else "http"
    if (COCKPIT / "index.html").is_file():
        say(f"cockpit        {scheme}://{host}:{system.http_port}/")
    say(f"operator API   {scheme}://{host}:{system.http_port}/api/docs")

    def show(token: str) -> None:
        say(f"sign in        {sign_in_link(settings, system.http_port, token)}")

    await first_sign_in(settings, system, show)


def sign_in_link(settings: Settings, port: int, token: str) -> str:
    """Return the link that signs a browser in."""
    host = "127.0.0.1" if settings.http_host in (None, "0.0.0.0") else settings.http_host  # noqa: S104
    scheme = "https" if settings.http_tls else "http"
    return f"{scheme}://{host}:{port}/sign-in?token={token}"


def stop_signal() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set; a second signal ends the process at once.

    Own handlers, because a process that a shell starts in the background ignores SIGINT otherwise.
    """
    stop = asyncio.Event()

    def give_up() -> None:
        # a database that hangs keeps some task of ours; what is not stored was not acknowledged
        say("stopped before all was done: the database does not answer", error=True)
        os._exit(0)

    def received() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()
        loop.call_later(_LONGEST_STOP_S, give_up)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, received)
    return stop


@contextmanager
def told() -> Iterator[Settings]:
    """Load the settings and tell expected failures in a sentence each."""
    settings = None
    try:
        settings = load()
        log.configure(settings.log_level)
        yield settings
    except SettingsError as error:
        for problem in error.problems:
            say(problem, error=True)
        raise typer.Exit(2) from None
    except CsmsError as error:
        _tell(error, settings)
        raise typer.Exit(1) from None
    except BaseExceptionGroup as group:
        expected, others = group.split(CsmsError)
        if expected is None or others is not None:
            raise
        for each in _flat(expected):
            _tell(each, settings)
        raise typer.Exit(1) from None


def _tell(error: CsmsError, settings: Settings | None) -> None:
    if isinstance(error, DatabaseAway):
        where = "" if settings is None else checkup.whereabouts(settings)
        say(f"The database cannot be reached: {error}{where}", error=True)
    else:
        say(str(error), error=True)
    if isinstance(error, Refusal):
        for field, problem in error.fields.items():
            say(f"  {field}: {problem}", error=True)


def say(line: str, *, error: bool = False) -> None:
    """Print a line."""
    typer.echo(line, err=error)


def _flat(errors: BaseExceptionGroup[CsmsError]) -> Iterator[CsmsError]:
    for error in errors.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _flat(error)
        else:
            yield error


def _allow_many_sockets() -> None:
    """Take as many file descriptors as the machine allows: shells give 1024, a socket takes one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # such as macOS, which allows less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _run(work: Coroutine[Any, Any, T]) -> T:
    _allow_many_sockets()
    memory.bound_pauses()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(memory.looked_after(work, clock=SystemClock()))


app.add_typer(authority_commands(told, say), name="ca")
