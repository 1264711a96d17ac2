"""Both endpoints together, as settings want them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from csms.clock import Clock
from csms.domain.ids import ChargePointKey
from csms.files.addresses import Addresses, Endpoint
from csms.files.folder import Folder
from csms.files.ftp_server import FtpServer
from csms.files.http_server import FilesServer
from csms.proxies import TrustedProxies
from csms.services.files import FileService


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig:
    """Settings of the endpoints.

    Attributes:
        http_port: None: no HTTP.
        http_url: What charge points reach it by; None: the host of their own connection.
        tls: None: plain HTTP.
        ftp_port: None: no FTP.
        ftp_url: As `http_url`.
        ftp_passive_ports: For data connections; empty: any.
        ftp_tls: Returns the context of the day for FTPS; None: no FTPS.
    """

    host: str
    http_port: int | None
    http_url: str | None
    tls: ssl.SSLContext | None
    ftp_port: int | None
    ftp_url: str | None
    ftp_passive_ports: Sequence[int]
    ftp_tls: Callable[[], ssl.SSLContext] | None


class FileEndpoints:
    """Starts and stops what is on."""

    def __init__(
        self,
        config: EndpointConfig,
        service: FileService,
        folder: Folder,
        clock: Clock,
        *,
        proxies: TrustedProxies,
        reached_at: Callable[[ChargePointKey], str | None],
    ) -> None:
        self._config = config
        self.addresses = Addresses(reached_at)
        self.http: FilesServer | None = None
        self.ftp: FtpServer | None = None
        if config.http_port is not None:
            self.http = FilesServer(
                service,
                clock,
                host=config.host,
                port=config.http_port,
                tls=config.tls,
                proxies=proxies,
            )
        if config.ftp_port is not None:
            public = None if config.ftp_url is None else urlsplit(config.ftp_url).hostname
            self.ftp = FtpServer(
                service,
                folder,
                clock,
                host=config.host,
                port=config.ftp_port,
                public=public,
                passive_ports=config.ftp_passive_ports,
                tls=config.ftp_tls,
            )

    async def start(self) -> None:
        """Listen. Raises StartError."""
        config = self._config
        found = []
        if self.http is not None:
            await self.http.start()
            own = "http" if config.tls is None else "https"
            public = None if config.http_url is None else config.http_url.rstrip("/")
            # behind a proxy that ends TLS the public address is https and ours is not
            scheme = own if public is None else urlsplit(public).scheme
            found.append(
                Endpoint(
                    scheme="https" if scheme == "https" else "http",
                    port=self.http.port,
                    public=public,
                )
            )
        if self.ftp is not None:
            await self.ftp.start()
            public = None if config.ftp_url is None else config.ftp_url.rstrip("/")
            if config.ftp_tls is not None:
                secure = None if public is None else public.replace("ftp://", "ftps://", 1)
                found.append(Endpoint(scheme="ftps", port=self.ftp.port, public=secure))
            found.append(Endpoint(scheme="ftp", port=self.ftp.port, public=public))
        self.addresses.endpoints = found

    async def stop(self) -> None:
        """Stop listening and break off what is open."""
        if self.http is not None:
            await self.http.stop()
        if self.ftp is not None:
            await self.ftp.stop()
