"""Connections to addresses that people type in: never into our own network, unless the operator allows it."""

import socket

from django.conf import settings

from tellback.kernel.errors import Unavailable
from tellback.platform.addresses import Address, Allowed, Resolver, find_addresses


def open_connection(host: str, port: int, *, timeout: float, resolve: Resolver = socket.getaddrinfo) -> socket.socket:
    """A TCP connection to a host that somebody named. `timeout` is in seconds and stays set on the socket.

    Raises `Invalid` for a name that is none or leads into a private network, `Unavailable` when nobody answers.
    """
    problem = f"{host} does not answer on port {port}."
    for address in find_addresses(host, port, allowed=operator_allows(), resolve=resolve):
        try:
            return socket.create_connection((str(address), port), timeout=timeout)
        except TimeoutError:
            problem = f"{host} does not answer on port {port} within {timeout:.0f} seconds."
        except OSError as error:
            problem = f"{host} does not take connections on port {port}: {error.strerror or error}."
    raise Unavailable(problem)


def operator_allows() -> Allowed:
    """What of private networks whoever runs this installation lets people's connections reach."""
    return Allowed.parse(settings.OUTBOUND_ALLOWED)


def is_allowed_network(address: Address) -> bool:
    """Whether the operator named a network that this address is in."""
    return operator_allows().covers(address)
