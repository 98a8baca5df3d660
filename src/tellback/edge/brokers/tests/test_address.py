"""Reading a broker's address."""

import pytest

from tellback.edge.brokers.address import Kind, read_address
from tellback.kernel.errors import Invalid


def test_rabbitmq_is_named_by_its_url() -> None:
    address = read_address(" amqps://user:pa%2Fss@mq.example:5671/feedback ")
    assert (address.kind, address.where) == (Kind.RABBITMQ, "amqps://user:pa%2Fss@mq.example:5671/feedback")


@pytest.mark.parametrize(
    ("url", "hosts", "expected"),
    [
        ("kafka://a:9092,b:9093", "a:9092,b:9093", {"security.protocol": "plaintext"}),
        ("kafka://[::1]:9092/", "[::1]:9092", {"security.protocol": "plaintext"}),
        ("kafkas://a:9092", "a:9092", {"security.protocol": "ssl"}),
        (
            "kafkas://user:p%40ss@a:9092?ssl.ca.location=/etc/ca.pem",
            "a:9092",
            {
                "sasl.username": "user",
                "sasl.password": "p@ss",
                "sasl.mechanism": "SCRAM-SHA-256",
                "security.protocol": "sasl_ssl",
                "ssl.ca.location": "/etc/ca.pem",
            },
        ),
        (
            "kafka://u:p@a:9092?sasl_mechanism=PLAIN&security.protocol=SASL_SSL",
            "a:9092",
            {
                "sasl.username": "u",
                "sasl.password": "p",
                "sasl.mechanism": "PLAIN",
                "security.protocol": "sasl_ssl",
            },
        ),
    ],
)
def test_kafka_is_named_by_its_hosts_and_the_clients_settings(url: str, hosts: str, expected: dict[str, str]) -> None:
    address = read_address(url)
    assert (address.kind, address.where, dict(address.settings)) == (Kind.KAFKA, hosts, expected)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "amqp://",
        "amqp:///vhost",
        "amqp://host:port/",
        "kafka://a",
        "kafka://a:9092,b",
        "kafka://",
        "redis://a:1",
        "a",
    ],
)
def test_what_is_no_address_is_refused_with_what_one_looks_like(url: str) -> None:
    with pytest.raises(Invalid, match="kafka://host:9092"):
        read_address(url)


def test_no_password_shows_in_a_representation() -> None:
    for url in ("amqp://user:secret@host/", "kafka://user:secret@host:9092"):
        assert "secret" not in repr(read_address(url))
