"""Connections to addresses that people type in: never into our own network, unless the operator allows it.

A name is resolved once, every address it has must be allowed, and the connection goes to the address that was checked:
a name that answers differently the second time gains nothing.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

from tellback.kernel.errors import Invalid, Unavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[..., list[Any]]
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


def open_connection(host: str, port: int, *, timeout: float, resolve: Resolver = socket.getaddrinfo) -> socket.socket:
    """A TCP connection to a host that somebody named. `timeout` is in seconds and stays set on the socket.

    Raises `Invalid` for a name that is none or leads into a private network, `Unavailable` when nobody answers.
    """
    problem = f"{host} does not answer on port {port}."
    for address in allowed_addresses(host, port, resolve=resolve):
        try:
            return socket.create_connection((str(address), port), timeout=timeout)
        except TimeoutError:
            problem = f"{host} does not answer on port {port} within {timeout:.0f} seconds."
        except OSError as error:
            problem = f"{host} does not take connections on port {port}: {error.strerror or error}."
    raise Unavailable(problem)


def allowed_addresses(host: str, port: int, *, resolve: Resolver = socket.getaddrinfo) -> list[Address]:
    """Where a host may be reached, all of it checked. Raises `Invalid`."""
    try:
        name = host if ":" in host else host.encode("idna").decode("ascii")
        answers = resolve(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Invalid(f"There is no host “{host}”. Look at the spelling.") from None
    found = list(dict.fromkeys(ipaddress.ip_address(answer[4][0].partition("%")[0]) for answer in answers))
    if not found or not all(may_reach(address) for address in found):
        raise Invalid(
            f"{host} is in a private network, which is not reached from here. Whoever runs this installation can allow "
            "it with TELLBACK_OUTBOUND_ALLOWED."
        )
    return found


def may_reach(address: Address) -> bool:
    """Whether we may connect there: a public address, or one in a network that the operator allowed."""
    return is_allowed_network(address) or all(_is_public(one) for one in _meanings(address))


def is_allowed_network(address: Address) -> bool:
    """Whether the operator named a network that this address is in."""
    return any(address in network for network in _networks(settings.OUTBOUND_ALLOWED))


def _networks(stated: Iterable[str]) -> Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return (ipaddress.ip_network(one, strict=False) for one in stated)


def _meanings(address: Address) -> list[Address]:
    """An address, and the IPv4 address that is wrapped in it, in whichever way."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    wrapped = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _TRANSLATED:
        wrapped.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    inner: list[Address] = [one for one in wrapped if one is not None]
    return inner if address.ipv4_mapped or address in _TRANSLATED else [address, *inner]


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved
