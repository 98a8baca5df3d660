"""The address of a broker, as `TELLBACK_BROKER_URL` names it."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, unquote, urlsplit

from tellback.kernel.errors import Invalid

EXAMPLES = "amqp://user:password@host:5672/vhost, amqps://…, or kafka://host:9092,other-host:9092"
#: What Kafka's address says as a user and a password, in the client's own words.
_USER, _PASSWORD = "sasl.username", "sasl.password"


class Kind(StrEnum):
    """The brokers that are spoken to."""

    RABBITMQ = "RabbitMQ"
    KAFKA = "Kafka"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker is. Never in a representation: it holds a password.

    For RabbitMQ `where` is the whole URL. For Kafka it is `host:port,…`, and `settings` are the client's own
    (librdkafka's CONFIGURATION.md), for instance security.protocol.
    """

    kind: Kind
    where: str
    settings: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Address({self.kind})"

    @property
    def hosts(self) -> str:
        """Hosts and ports, without who signs in there."""
        return self.where if self.kind is Kind.KAFKA else urlsplit(self.where).netloc.rpartition("@")[2]


def read_address(url: str) -> Address:
    """The address in a URL. Raises `Invalid` with what it may look like."""
    scheme, separator, rest = url.strip().partition("://")
    if not separator or not rest:
        raise Invalid(f"A broker's address looks like {EXAMPLES}.")
    if scheme in {"amqp", "amqps"}:
        return _read_rabbitmq(url.strip())
    if scheme in {"kafka", "kafkas"}:
        return _read_kafka(scheme, rest)
    raise Invalid(f"“{scheme[:20]}” is not a broker that is known. An address looks like {EXAMPLES}.")


def _read_rabbitmq(url: str) -> Address:
    try:
        parts = urlsplit(url)
        if not parts.hostname or parts.port == 0:
            raise ValueError("no host")
    except ValueError as error:
        raise Invalid(f"A broker's address looks like {EXAMPLES}.") from error
    return Address(Kind.RABBITMQ, url)


def _read_kafka(scheme: str, rest: str) -> Address:
    """Read by hand: a URL of the standard library has one host, Kafka has several."""
    place, _, query = rest.partition("?")
    who, _, hosts = place.rstrip("/").rpartition("@")
    if not all(host.rpartition(":")[0] and host.rpartition(":")[2].isdigit() for host in hosts.split(",")):
        raise Invalid("Kafka's address names hosts and ports: kafka://host:9092,other-host:9092")
    settings = {name.replace("_", "."): value for name, value in parse_qsl(query)}
    if who:
        user, _, password = who.partition(":")
        settings = {_USER: unquote(user), _PASSWORD: unquote(password), **settings}
        settings.setdefault("sasl.mechanism", "SCRAM-SHA-256")
    protocol = f"{'sasl_' if who else ''}{'ssl' if scheme == 'kafkas' else 'plaintext'}"
    settings["security.protocol"] = settings.get("security.protocol", protocol).lower()
    return Address(Kind.KAFKA, hosts, tuple(sorted(settings.items())))
