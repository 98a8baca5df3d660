"""`tellback consume`: the process that stores what the edge handed to a broker."""

import logging

from tellback.cli.environment import ready
from tellback.kernel.errors import Invalid
from tellback.platform.endings import run


def consume() -> None:
    """Store what the edge handed to the broker that TELLBACK_BROKER_URL names. Run as many as you like.

    What cannot be stored is set aside: see [bold]tellback jobs list --failed[/]. On SIGTERM or Ctrl-C it takes no more
    and finishes what it holds; the broker gives the rest to another one.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with ready() as options:
        from tellback.config.brokers import open_configured_broker
        from tellback.edge.consumer import Consumer

        broker = open_configured_broker(options, grace=options.worker_grace)
        if broker is None:
            raise Invalid("There is no broker to consume from. Set TELLBACK_BROKER_URL, or leave this process out.")
        run(Consumer(broker=broker, grace=options.worker_grace).run())
