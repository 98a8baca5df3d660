"""What rows of boards say: posts, comments, votes, moves, people, tags. Pure."""

import json
from dataclasses import dataclass
from datetime import datetime

from tellback.boards.imports.words import HELD_BACK, normal
from tellback.intake.accept import fingerprint
from tellback.intake.importing.fields import Kind
from tellback.intake.importing.landing import Draft
from tellback.intake.importing.plan import TablePlan
from tellback.intake.importing.reading import Row
from tellback.intake.importing.said import LeftOut, Person, Said, check_row, shown_time
from tellback.intake.importing.values import is_yes, number_of
from tellback.kernel.errors import Invalid

MAX_TITLE, MAX_BODY = 200, 20_000
MAX_VOTES = 100_000_000


@dataclass(frozen=True, slots=True)
class PostRow:
    """A post, and the voter of this row when the file has one row for each."""

    key: str
    digest: str
    title: str
    body: str
    author: Person
    board: str
    status: str
    tags: tuple[str, ...]
    votes: int | None
    created: datetime | None
    response: str
    moved_at: datetime | None
    merged_into: str
    voter: Person
    voted_at: datetime | None


@dataclass(frozen=True, slots=True)
class CommentRow:
    """A comment under a post."""

    key: str
    post: str
    body: str
    author: Person
    created: datetime | None
    is_from_team: bool
    parent: str


@dataclass(frozen=True, slots=True)
class VoteRow:
    """A vote for a post."""

    key: str
    post: str
    voter: Person
    created: datetime | None


@dataclass(frozen=True, slots=True)
class MoveRow:
    """A move of a post to a status."""

    key: str
    post: str
    status: str
    actor: Person
    created: datetime | None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody."""

    person: Person
    company: str
    plan: str


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag by the id that posts name it with."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class TaggingRow:
    """A tag on a post."""

    key: str
    post: str
    tag: str


def key_of(kind: str, *parts: str) -> str:
    """A keyed digest of an id elsewhere; empty for none."""
    said = "\0".join(parts)
    return fingerprint(f"{kind}\0{said}".encode("utf-8", "replace")) if said.strip("\0") else ""


def read_row(row: Row, table: TablePlan) -> Draft:
    """What a row of boards says. Raises `Invalid` with a reason about the row, and `LeftOut`."""
    check_row(row, table)
    return _READERS[table.kind](row.number, Said(row, table))


def _post(number: int, said: Said) -> Draft:
    title, body = " ".join(said.text("title").split()), said.text("text")
    if not title:
        title = " ".join(body.split())[:MAX_TITLE]
    if not title:
        raise Invalid("has no title")
    if len(title) > MAX_TITLE:
        title, body = title[: MAX_TITLE - 1].rstrip() + "…", f"{title}\n\n{body}".strip()
    if len(body) > MAX_BODY:
        raise Invalid(f"has a text of {len(body):,} characters; {MAX_BODY:,} is the most")
    for state in (said("moderation"), said("status")):
        if normal(state) in HELD_BACK:
            raise LeftOut(f"was held back there ({normal(state) if not state.isdigit() else 'deleted'})")
    author, status, tags, votes = said.person(), said("status")[:60], tuple(said.tags()), number_of(said("votes"))
    response = said.text("response")[:MAX_BODY]
    identity = said.identity()
    meaning = [title, body, said("board"), status, tags, votes, response, said("merged_into"), said("date")]
    content = PostRow(
        key=key_of("post", identity) if identity else key_of("title", title, author.email, author.user_id),
        digest=fingerprint(json.dumps(meaning, ensure_ascii=False).encode("utf-8", "replace")),
        title=title,
        body=body,
        author=author,
        board=said("board")[:120],
        status=status,
        tags=tags,
        votes=min(votes, MAX_VOTES) if votes is not None else None,
        created=said.time("date"),
        response=response,
        moved_at=said.time("response_date"),
        merged_into=key_of("post", said("merged_into")),
        voter=said.person("voter_"),
        voted_at=said.time("vote_date"),
    )
    shown = {
        "text": title,
        "author": author.shown,
        "date": shown_time(content.created),
        "status": status,
    }
    return Draft(number, content, {**shown, "votes": said("votes"), "tags": ", ".join(tags), "board": said("board")})


def _post_of(said: Said) -> str:
    key = key_of("post", said("post"))
    if not key:
        raise Invalid("does not say which post it belongs to")
    return key


def _comment(number: int, said: Said) -> Draft:
    body, post, author = said.text("text"), _post_of(said), said.person()
    if not body:
        raise Invalid("has no text")
    if is_yes(said("internal")):
        raise LeftOut("is an internal note, and everybody reads a post's comments")
    key = key_of("comment", said.identity()) or key_of("said", said("post"), body, author.email, said("date"))
    content = CommentRow(
        key=key,
        post=post,
        body=body[:10_000],
        author=author,
        created=said.time("date"),
        is_from_team=is_yes(said("staff")),
        parent=key_of("comment", said("parent")),
    )
    return Draft(
        number,
        content,
        {"text": body[:200], "author": author.shown, "date": shown_time(content.created)},
    )


def _note(number: int, said: Said) -> Draft:  # noqa: ARG001 - the signature of the readers
    raise LeftOut("is an internal note, and everybody reads a post's comments")


def _vote(number: int, said: Said) -> Draft:
    post, voter = _post_of(said), said.person()
    if not voter:
        raise Invalid("does not say who voted")
    key = key_of("vote", said("post"), voter.email or voter.user_id or voter.name)
    vote = VoteRow(key, post, voter, said.time("date"))
    shown = {"author": voter.shown, "date": shown_time(vote.created)}
    return Draft(number, vote, shown)


def _move(number: int, said: Said) -> Draft:
    key = key_of("move", said.identity()) or key_of("moved", said("post"), said("status"), said("date"))
    move = MoveRow(key, _post_of(said), said("status")[:60], said.person(), said.time("date"))
    return Draft(number, move, {"status": move.status, "date": shown_time(move.created)})


def _person(number: int, said: Said) -> Draft:
    person = said.person()
    if not (person.email or person.user_id):
        raise Invalid("has neither an address nor an id")
    content = PersonRow(person, said("company")[:200], said("plan")[:40])
    return Draft(number, content, {"author": person.shown, "company": content.company})


def _tag(number: int, said: Said) -> Draft:
    if not said("id") or not said("name"):
        raise Invalid("has no id or no name")
    return Draft(number, TagRow(key_of("tag", said("id")), said("name")[:60]), {"tags": said("name")})


def _tagging(number: int, said: Said) -> Draft:
    content = TaggingRow(key_of("tagging", said("post"), said("tag")), _post_of(said), key_of("tag", said("tag")))
    return Draft(number, content, {"tags": said("tag")})


_READERS = {
    Kind.POSTS: _post,
    Kind.COMMENTS: _comment,
    Kind.NOTES: _note,
    Kind.VOTES: _vote,
    Kind.MOVES: _move,
    Kind.PEOPLE: _person,
    Kind.TAGS: _tag,
    Kind.TAGGINGS: _tagging,
}
