"""The settings of `docs/design/api.md`, read from the environment once at start.

The only file that reads the environment. A wrong value is never ignored: all problems are
reported together. What the contract names but this version does not yet do is refused, not ignored.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from csms.errors import SettingsError

_PREFIX = "CSMS_"
_LATER = {
    "CSMS_BUS_URL": "a bus between nodes",
}
_Port = Annotated[int, Field(ge=0, le=65535)]
_Network = IPv4Network | IPv6Network


def _names(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(name for part in value.split(",") if (name := part.strip().lower()))


def _ports(value: object) -> object:
    if not isinstance(value, str):
        return value
    first, dash, last = (part.strip() for part in value.partition("-"))
    last = last if dash else first
    numbers = [int(text) for text in (first, last) if text.isascii() and text.isdigit()]
    if len(numbers) != 2 or not all(1 <= number <= 65535 for number in numbers):
        raise ValueError("must be two ports such as 50000-50100")
    if numbers[0] > numbers[1]:
        raise ValueError("the first port is higher than the last")
    return tuple(range(numbers[0], numbers[1] + 1))


def _file_url(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"must be an address such as {schemes[0]}://files.example.org")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not hold credentials: each job gets its own")
        return value

    return AfterValidator(check)


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    networks = []
    for text in value.split(","):
        try:
            networks.append(ip_network(text.strip(), strict=False))
        except ValueError:
            raise ValueError(f"{text.strip()!r} is no address and no CIDR") from None
    return tuple(networks)


def _broker(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path.strip("/"):
        raise ValueError("must be an address such as mqtt://user:password@broker:1883")
    _ = parts.port  # ValueError where it is none
    return value


class Settings(BaseModel):
    """All settings; each is the environment variable ``CSMS_`` + its name in capitals.

    Attributes:
        ocpp_port: 0 takes a free port, as do `ocpp_tls_port` and `http_port`.
        tls_dir: Folder of the certificates; None: ``tls`` in the data folder.
        ca_dir: Folder of the own certificate authority; None: ``ca`` in the data folder.
        ca_command: A program that signs in its place; None: the own one, if it was made.
        cpo_name: The operator's name, as certificates of charge points carry it.
        certificate_renewal_days: How long before its end a station's certificate is renewed.
        http_tls: Whether the operator API speaks https.
        trusted_proxies: Whose forwarding headers count; addresses or CIDRs, separated by commas.
        ping_interval_s: Of pings to stations; 0: none.
        database_url: ``postgresql://user:password@host:port/name``, with all that libpq knows
            behind it (``?sslmode=require``); None starts the embedded one.
        secret_file: None keeps the secret in the data folder.
        admin_token: At least 16 characters; None makes one at the first start.
        accept_unknown_stations: None takes the command's default (`serve`: off, `demo`: on).
        quiet: Whether new stations get no unasked call; None as above (`serve`: on, `demo`: off).
        files_host: Where the file endpoints for charge points listen; None: as charge points do.
        files_port: Of HTTP(S) for files; None: off.
        files_url: What charge points reach it by; None: the host of their own connection.
        files_tls: Whether it speaks https; None: where the TLS folder holds certificates.
        files_max_mb: Largest file that is taken, 10^6 bytes; `files_keep_mb` alike: all of them.
        files_keep_days: How long files of charge points are kept.
        ftp_port: Of FTP for files; None: off.
        ftp_url: As `files_url`.
        ftp_passive_ports: ``first-last``; empty: any free port.
        message_log_days: How many days of OCPP messages are kept.
        connector_history_days: How many days of changes of connectors are kept.
        repairs_off: Names of repairs that no station gets, see ``docs/repairs.md``.
        repairs_on: Names of repairs that are done though they are off by default.
        message_log_max_mb: And how much of them; None: 2000 in the embedded database, else 10000.
        driver_page: What drivers may do at pages of connectors of which nothing is said: off, idTag
            or open; None as `quiet` (`serve`: off, `demo`: open).
        mqtt_url: ``mqtt://user:password@host:port`` (or ``mqtts://``): the broker where site meters
            tell their power; None: none.
        public_url: What drivers reach this system by, for QR codes; None: as each request did.
        simulator_url: The simulator's control address; None: there is none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ocpp_host: str | None = None
    ocpp_port: _Port = 9000
    ocpp_tls_port: _Port = 9443
    tls_dir: Path | None = None
    ca_dir: Path | None = None
    ca_command: Path | None = None
    cpo_name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    certificate_renewal_days: Annotated[int, Field(ge=1, le=365)] = 30
    http_host: str | None = None
    http_port: _Port = 8080
    http_tls: bool = False
    trusted_proxies: Annotated[tuple[_Network, ...], BeforeValidator(_networks)] = ()
    database_url: str | None = None
    data_dir: Path = Path(".csms")
    secret_file: Path | None = None
    admin_token: Annotated[str, Field(min_length=16, max_length=256)] | None = None
    accept_unknown_stations: bool | None = None
    quiet: bool | None = None
    price_per_kwh: Annotated[Decimal, Field(ge=0, le=1000, allow_inf_nan=False)] = Decimal("0.30")
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    call_timeout_s: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = 30.0
    ping_interval_s: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 30.0
    ping_timeout_s: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = 30.0
    heartbeat_interval_s: Annotated[int, Field(ge=1, le=86400)] = 300
    files_host: str | None = None
    files_port: _Port | None = None
    files_url: Annotated[str, _file_url("https", "http")] | None = None
    files_tls: bool | None = None
    files_max_mb: Annotated[int, Field(ge=1, le=100_000)] = 500
    files_keep_mb: Annotated[int, Field(ge=1, le=100_000_000)] = 10_000
    files_keep_days: Annotated[int, Field(ge=1, le=36500)] = 90
    ftp_port: _Port | None = None
    ftp_url: Annotated[str, _file_url("ftp")] | None = None
    ftp_passive_ports: Annotated[tuple[int, ...], BeforeValidator(_ports)] = ()
    message_log_days: Annotated[int, Field(ge=1, le=3650)] = 30
    connector_history_days: Annotated[int, Field(ge=1, le=36500)] = 400
    message_log_max_mb: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    repairs_off: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    repairs_on: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    driver_page: Literal["off", "idTag", "open"] | None = None
    mqtt_url: Annotated[str, AfterValidator(_broker)] | None = None
    public_url: Annotated[str, _file_url("https", "http")] | None = None
    simulator_url: Annotated[str, _file_url("http", "https")] | None = None
    log_level: Annotated[str, Field(pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    @field_validator("files_url", "files_tls", "ftp_url", "ftp_passive_ports")
    @classmethod
    def _is_on(cls, value: object, info: ValidationInfo) -> object:
        port = "files_port" if str(info.field_name).startswith("files") else "ftp_port"
        if port in info.data and info.data[port] is None:
            raise ValueError(f"means nothing without {_PREFIX}{port.upper()}, which turns it on")
        return value

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("postgresql", "postgres"):
            raise ValueError("is not an address of the form postgresql://user:password@host/name")
        if not parts.path.strip("/"):
            raise ValueError("names no database: postgresql://user:password@host/name")
        for place in parts.netloc.rpartition("@")[2].split(","):
            port = re.fullmatch(r"(?:\[[^]]*]|[^:]*)(?::(\d*))?", place)
            if port is None or not 0 < int(port[1] or 5432) <= 65535:
                raise ValueError(f"{place!r} is no host, nor host:port with a port up to 65535")
        return "postgresql" + value[value.index("://") :]


def usual_values() -> dict[str, object]:
    """Return what holds of each setting where the environment says nothing: field -> value."""
    return {name: field.default for name, field in Settings.model_fields.items()}


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environment` (the process's own when None).

    Raises:
        SettingsError: With one line for each wrong, unknown or not yet supported setting.
    """
    given = {
        name.upper(): value
        for name, value in (os.environ if environment is None else environment).items()
        if name.upper().startswith(_PREFIX) and value != ""
    }
    names = {_PREFIX + name.upper(): name for name in Settings.model_fields}
    problems = []
    values: dict[str, Any] = {}
    for variable, value in sorted(given.items()):
        if variable in names:
            values[names[variable]] = value
        elif variable in _LATER:
            problems.append(f"{variable}: this version has no {_LATER[variable]} yet; unset it")
        else:
            close = difflib.get_close_matches(variable, names, n=1, cutoff=0.8)
            problems.append(
                f"{variable}: there is no such setting"
                + (f"; did you mean {close[0]}?" if close else "")
            )
    try:
        settings = Settings(**values)
    except ValidationError as error:
        problems.extend(
            f"{_PREFIX}{str(line['loc'][0]).upper()}: {_sentence(line['msg'])}"
            for line in error.errors()
        )
        raise SettingsError(sorted(problems)) from None
    problems += _ports_said_twice(settings)
    if problems:
        raise SettingsError(sorted(problems))
    return settings


def same_place(one: str | None, other: str | None) -> bool:
    """Return whether two listeners of one port would meet on these hosts (None: the default)."""
    everywhere = {None, "", "0.0.0.0", "::"}  # noqa: S104  compared, not listened on
    return one == other or one in everywhere or other in everywhere


def _ports_said_twice(settings: Settings) -> list[str]:
    files_host = settings.files_host or settings.ocpp_host
    listeners = [
        ("OCPP_PORT", settings.ocpp_host, settings.ocpp_port),
        ("HTTP_PORT", settings.http_host, settings.http_port),
        ("FILES_PORT", files_host, settings.files_port),
        ("FTP_PORT", files_host, settings.ftp_port),
    ]
    if "ocpp_tls_port" in settings.model_fields_set:  # else it may never listen
        listeners.append(("OCPP_TLS_PORT", settings.ocpp_host, settings.ocpp_tls_port))
    return [
        f"{_PREFIX}{name}: {_PREFIX}{other} is {port} too; each needs a port of its own"
        for at, (name, host, port) in enumerate(listeners)
        for other, other_host, other_port in listeners[:at]
        if port and port == other_port and same_place(host, other_host)
    ]


def _sentence(message: str) -> str:
    return (
        message.removeprefix("Value error, ")[:1].lower()
        + message.removeprefix("Value error, ")[1:]
    )
