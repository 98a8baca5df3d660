"""The sample workspace's texts."""

from tellback.cli.demo.dataset import read_items, read_people
from tellback.edge.body import parse_v1


def shingles(text: str) -> set[str]:
    words = text.lower().split()
    return {" ".join(words[i : i + 3]) for i in range(max(len(words) - 2, 1))}


def test_the_sample_has_more_than_300_different_pieces_of_feedback() -> None:
    items = read_items()
    assert len(items) > 300
    assert len({item.text for item in items}) == len(items)
    assert {item.channel for item in items} == {"in-app", "support", "review", "community", "api"}


def test_no_two_texts_are_nearly_the_same() -> None:
    seen = [(item.text, shingles(item.text)) for item in read_items()]
    for index, (text, words) in enumerate(seen):
        for other, others in seen[index + 1 :]:
            assert len(words & others) / len(words | others) < 0.5, (text, other)


def test_everybody_who_speaks_is_known_and_lives_in_a_reserved_domain() -> None:
    people = {person.key: person for person in read_people()}
    assert {item.person for item in read_items()} - {""} <= set(people)
    assert all(person.email.endswith("@example.com") for person in people.values())


def test_every_item_is_valid_for_version_1() -> None:
    import json

    for item in read_items():
        body = {
            "idempotencyKey": str(item.idempotency_key),
            "channel": item.channel,
            "category": item.category,
            "severity": item.severity,
            "content": item.text,
            "timestamp": "2026-01-15T10:00:00Z",
        }
        assert parse_v1(json.dumps(body).encode()).content == item.text
