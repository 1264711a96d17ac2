"""Who is really there behind a proxy: forwarding headers, from trusted proxies only.

Anybody can send ``X-Forwarded-For``, so from everybody else these headers are as good as absent.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SECURE = frozenset({"https", "wss"})
_MOST_HOPS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The other end of a request.

    Attributes:
        address: Its IP address as text; of the proxy where that one does not say more.
        secure: Whether a proxy says that it came to it over TLS; None: no proxy said anything.
    """

    address: str
    secure: bool | None = None


class TrustedProxies:
    """The proxies whose word counts."""

    def __init__(self, networks: Sequence[_Network] = ()) -> None:
        self._networks = tuple(networks)

    def __contains__(self, address: str) -> bool:
        """Return whether the address is one of a trusted proxy."""
        parsed = _parsed(address) if self._networks else None
        return parsed is not None and self._trusted(parsed)

    def peer(
        self,
        remote: str,
        *,
        forwarded_for: Sequence[str] = (),
        forwarded_proto: Sequence[str] = (),
        forwarded: Sequence[str] = (),
    ) -> Peer:
        """Return who sent a request.

        Each proxy appends what it has seen, so the list is read from its end, past the proxies that
        are trusted; what stands before that was written by the client. Where a request carries both
        kinds of headers and they differ, one of them is the client's own: then neither counts.

        Args:
            remote: Address of the socket's other end.
            forwarded_for: Values of all X-Forwarded-For headers, in order.
            forwarded_proto: Of X-Forwarded-Proto.
            forwarded: Of Forwarded (RFC 7239).
        """
        if remote not in self:
            return Peer(address=remote)
        answers = []
        if forwarded_for or forwarded_proto:
            addresses, protocols = _items(forwarded_for), _items(forwarded_proto)
            answers.append(self._walk(remote, addresses, protocols))
        if forwarded:
            pairs = [_pairs(element) for element in _items(forwarded)]
            addresses = [each.get("for", "") for each in pairs]
            protocols = [each.get("proto", "") for each in pairs]
            answers.append(self._walk(remote, addresses, protocols))
        if not answers or any(answer != answers[0] for answer in answers):
            return Peer(address=remote)
        return answers[0]

    def _walk(self, remote: str, addresses: list[str], protocols: list[str]) -> Peer:
        address, place = remote, len(addresses)
        for place in range(len(addresses) - 1, -1, -1):
            parsed = _parsed(addresses[place])
            if parsed is None:
                break  # "unknown", or a name that hides the address: the proxy is all we know
            address = str(parsed)
            if not self._trusted(parsed):
                break
        protocol = ""
        if protocols:
            # one for each hop, or one that the last proxy has set
            same = len(protocols) == len(addresses)
            protocol = protocols[place] if same else protocols[-1]
        return Peer(address=address, secure=protocol.lower() in _SECURE if protocol else None)

    def _trusted(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)


def _items(values: Sequence[str]) -> list[str]:
    items = [item.strip() for value in values for item in value.split(",")]
    return [item for item in items if item][-_MOST_HOPS:]


def _pairs(element: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in element.split(";"))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _parsed(text: str) -> _Address | None:
    """Return an address; it may carry a port, and brackets round an IPv6 one."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
