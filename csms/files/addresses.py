"""Under which addresses charge points reach the file endpoints."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address

from csms.domain.files import USER_LENGTH, Scheme
from csms.domain.ids import ChargePointKey

_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}")
_STANDARD_PORTS = {"http": 80, "https": 443, "ftp": 21, "ftps": 990}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One way in.

    Attributes:
        port: That it listens on.
        public: Address with scheme, without a slash at its end, where one is set.
    """

    scheme: Scheme
    port: int
    public: str | None = None


class Addresses:
    """Implements `csms.services.ports.files.FileAddresses`."""

    def __init__(self, reached_at: Callable[[ChargePointKey], str | None]) -> None:
        """Take what knows the name by which a connected charge point has found us."""
        self._reached_at = reached_at
        self.endpoints: list[Endpoint] = []

    def offered(self) -> Sequence[Scheme]:
        """See the port."""
        return [endpoint.scheme for endpoint in self.endpoints]

    def location(self, scheme: Scheme, token: str, name: str, charge_point: ChargePointKey) -> str:
        """See the port."""
        endpoint = next(each for each in self.endpoints if each.scheme == scheme)
        base = endpoint.public
        if base is None:
            host = host_of(self._reached_at(charge_point) or "") or socket.gethostname()
            port = "" if _STANDARD_PORTS[scheme] == endpoint.port else f":{endpoint.port}"
            base = f"{scheme}://{host}{port}"
        if scheme in {"ftp", "ftps"}:
            user, password = token[:USER_LENGTH], token[USER_LENGTH:]
            return base.replace("://", f"://{user}:{password}@", 1) + f"/{name}"
        return f"{base}/{token}/{name}"


def host_of(header: str) -> str | None:
    """Return the host in a Host header, fit for a URL; None where it holds none.

    It is the charge point's own word, and goes back to nobody else.

    >>> host_of("csms.example.org:9000"), host_of("[2001:db8::1]:9000"), host_of("a@b/c")
    ('csms.example.org', '[2001:db8::1]', None)
    """
    if header.startswith("["):
        text = header[1:].partition("]")[0]
        try:
            return f"[{IPv6Address(text)}]"
        except ValueError:
            return None
    name = header.partition(":")[0]
    return name if _HOST.fullmatch(name) else None
