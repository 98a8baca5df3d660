"""The broker that the options name."""

from tellback.config.options import Options
from tellback.edge.brokers import Broker, open_broker
from tellback.edge.brokers.address import Address, read_address


def named_broker(options: Options) -> Address | None:
    """Where the broker is, or None where the edge stores in the database itself."""
    url = options.broker_url.get_secret_value() if options.broker_url else ""
    return read_address(url) if url else None


def open_configured_broker(options: Options, *, grace: float = 15.0) -> Broker | None:
    """The broker, or None where there is none. Raises `Invalid`, `Unavailable` as `open_broker`."""
    address = named_broker(options)
    return open_broker(address, queue=options.broker_queue, grace=grace) if address else None
