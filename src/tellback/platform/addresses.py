"""Addresses that people typed: what of them may be called, and what whoever runs the machine has allowed. No Django.

A name is resolved once and all of its addresses are checked; whoever connects goes to the very address that was
checked, so a name that changes its mind in between (DNS rebinding) gains nothing.
Source: OWASP Server-Side Request Forgery Prevention Cheat Sheet.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tellback.kernel.errors import Invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[..., list[Any]]

#: IPv6 blocks that carry an IPv4 address in their last 32 bits (RFC 6052, RFC 8215).
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
PORTS = {"http": 80, "https": 443}


class ForbiddenAddress(Invalid):
    """The address is inside our own network, and nobody who runs this machine has allowed it."""

    code, title = "forbidden-address", "This address may not be called"


@dataclass(frozen=True, slots=True)
class Allowed:
    """What of the private network may be called, as whoever runs the machine named it."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> "Allowed":
        """From entries such as `ollama`, `llm.internal:8080`, `[::1]:8080`, `10.0.0.0/8`. Raises `Invalid`."""
        hosts, networks = set[tuple[str, int | None]](), list[Network]()
        for entry in filter(None, (one.strip() for one in entries)):
            try:
                if "/" in entry:
                    networks.append(ipaddress.ip_network(entry, strict=False))
                    continue
                parts = urlsplit(f"//{entry}")
                hosts.add((_plain_host(parts.hostname or ""), parts.port))
            except ValueError as error:
                raise Invalid(f"“{entry}” names no host, host:port or network.") from error
            if not parts.hostname or parts.path or parts.username is not None:
                raise Invalid(f"“{entry}” names no host, host:port or network.")
        return cls(frozenset(hosts), tuple(networks))

    def with_url(self, url: str) -> "Allowed":
        """These, and the host and port of this address."""
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme)
        return Allowed(self.hosts | {(_plain_host(parts.hostname or ""), port)}, self.networks)

    def names(self, host: str, port: int) -> bool:
        """Whether this host was named, with this port or without one."""
        plain = _plain_host(host)
        return (plain, port) in self.hosts or (plain, None) in self.hosts

    def covers(self, address: Address) -> bool:
        """Whether this address lies in a named network."""
        return any(address.version == network.version and address in network for network in self.networks)


def _plain_host(host: str) -> str:
    return host.casefold().strip("[]").rstrip(".")


def is_public(address: Address) -> bool:
    """Whether an address is out on the internet, also when it wraps another (mapped, NAT64, 6to4, Teredo)."""
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = _wrapped(address)
        if wrapped:
            return all(is_public(inner) for inner in wrapped)
    return address.is_global and not address.is_multicast and not address.is_reserved


def _wrapped(address: ipaddress.IPv6Address) -> list[Address]:
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if any(address in network for network in _NAT64) or int(address) >> 32 == 0:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    if address.sixtofour:
        return [address.sixtofour]
    return list(address.teredo or ())


def check_url(url: str) -> str:
    """An address as it may be kept: http or https, with a host, without user name and fragment. Raises `Invalid`."""
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in PORTS and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise Invalid("Give a full address that begins with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        raise Invalid("The address must not carry a user name. Give the key in its own field.")
    if parts.query or parts.fragment:
        raise Invalid("The address must end with its path, without ? and #.")
    return url.strip().rstrip("/")


def find_addresses(host: str, port: int, *, allowed: Allowed, resolve: Resolver | None = None) -> list[Address]:
    """Where a host may be reached, all of it checked. Raises `Invalid` for no such host, and `ForbiddenAddress`."""
    try:
        name = host if ":" in host else host.encode("idna").decode("ascii")
        answers = (resolve or socket.getaddrinfo)(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Invalid(f"There is no host “{host}”. Look at the spelling.") from None
    found = list(dict.fromkeys(ipaddress.ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers))
    may_all = allowed.names(host, port) or all(is_public(one) or allowed.covers(one) for one in found)
    if not found or not may_all:
        raise ForbiddenAddress(
            f"{host} is in a private network, which is not reached from here. Whoever runs this installation can allow "
            "it with TELLBACK_OUTBOUND_ALLOWED."
        )
    return found
