"""A charge point that proves itself: by a key or a certificate, over ws or wss."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from csms.clock import SystemClock
from csms.pki import ca
from tests.app.station import Station
from tests.ocppj.test_handshake import basic
from tests.pki.authority import ec_key, key_pem


@cache
def _made() -> Path:
    folder = Path(mkdtemp(prefix="csms-ca-"))
    authority = ca.create(folder / "ca", folder / "tls", SystemClock(), ca.CaSettings())
    authority.issue_server(["localhost", "127.0.0.1"])
    return folder


def put_authority(data: Path) -> None:
    """Put an own authority with its server's certificates into a data folder."""
    shutil.copytree(_made(), data, dirs_exist_ok=True)


class Identity:
    """A charge point's own key with requests and certificates of it."""

    def __init__(self, common_name: str, folder: Path, key=None) -> None:
        self.common_name, self.folder = common_name, folder
        self.key = key or ec_key()
        self.chain: str | None = None

    def request(self, common_name: str | None = None, organization: str | None = None) -> str:
        names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name or self.common_name)]
        if organization is not None:
            names.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
        made = builder.sign(self.key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def serial(self) -> str:
        return f"{x509.load_pem_x509_certificate(self.chain.encode()).serial_number:x}"

    def context(self) -> ssl.SSLContext:
        context = trusting()
        if self.chain is not None:
            file = self.folder / f"{id(self)}.pem"
            file.write_bytes(self.chain.encode() + key_pem(self.key))
            context.load_cert_chain(file)
        return context


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=_made() / "ca" / "root.pem")


@asynccontextmanager
async def entered(
    s, identity: str = "A", *, tls: ssl.SSLContext | None = None, password=None, reads=True
):
    """Bring a station up; `tls` by wss, `password` (bytes) by Basic; it reads, or the test does."""
    headers = {} if password is None else basic(identity, password)
    port = s.running.ocpp_port if tls is None else s.running.ocpp_tls_port
    url = f"{'ws' if tls is None else 'wss'}://localhost:{port}/ocpp/{identity}"
    async with connect(
        url, subprotocols=["ocpp1.6"], ssl=tls, additional_headers=headers
    ) as socket:
        station = Station(socket)
        station.socket = socket
        if not reads:
            await socket.send('[2,"first","Heartbeat",{}]')
            await socket.recv()
            yield station
            return
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(station.read(), name="station")
            await station.say("Heartbeat", {})  # registered by now
            yield station
            reader.cancel()


async def status(s, identity: str = "A", **how) -> int:
    """Return what a handshake is answered with; 101 lets the station in."""
    try:
        async with entered(s, identity, **how):
            return 101
    except InvalidStatus as error:
        return error.response.status_code
