"""Storing posts, each once, with the votes of their rows."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from tellback.boards.imports.people import People, resolve_people
from tellback.boards.imports.places import Places, post_slug
from tellback.boards.imports.rows import PostRow, VoteRow, key_of
from tellback.boards.imports.votes import add_votes, find_things, recount, things
from tellback.boards.models import ImportedThing, Post, PostStatusChange, PostTag
from tellback.intake.importing.landing import (
    ADDED,
    KNOWN,
    UPDATED,
    Delivery,
    Draft,
    Result,
    RowOutcome,
    other_words_under_one_id,
)
from tellback.intake.policy import Policy, get_policy
from tellback.kernel.errors import Invalid
from tellback.kernel.ids import new_id
from tellback.platform.bulk import update_rows

#: What of a post a changed row changes, and what undoing it brings back.
CHANGED = ("title", "body", "board_id", "status_id", "official_response")


def store_posts(drafts: Sequence[Draft], delivery: Delivery) -> list[Result]:
    """New posts are made, changed ones changed, and rows of one post with a voter each are folded into one post.

    Posts, and what they hold of private data, are redacted like everything else that comes in.
    """
    rows: list[tuple[Draft, PostRow]] = [(draft, draft.content) for draft in drafts]
    known = find_things(delivery, "post", [row.key for _, row in rows])
    people = resolve_people([one for _, row in rows for one in (row.author, row.voter)], delivery)
    writer = _Writer(delivery, Places.load(delivery), people, get_policy(delivery.workspace_id), known)
    results = [writer.take(draft, row) for draft, row in rows]
    writer.save()
    votes = [vote_of(row) for _, row in rows if row.voter]
    fresh = add_votes(votes, people, {key: thing.thing_id for key, thing in writer.things.items()}, delivery)
    recount({thing.thing_id for thing in writer.things.values()}, delivery)
    return [
        ADDED if row.voter and vote_of(row).key in fresh and result == KNOWN else result
        for (_, row), result in zip(rows, results, strict=True)
    ]


def vote_of(row: PostRow) -> VoteRow:
    """The vote that a row with a voter holds beside its post."""
    voter = row.voter
    return VoteRow(key_of("voted", row.key, voter.email or voter.user_id or voter.name), row.key, voter, row.voted_at)


class _Writer:
    """Collects what one batch stores."""

    def __init__(
        self,
        delivery: Delivery,
        places: Places,
        people: People,
        policy: Policy,
        known: Mapping[str, ImportedThing],
    ) -> None:
        self._delivery, self._places, self._people, self._policy = delivery, places, people, policy
        self.things: dict[str, ImportedThing] = dict(known)
        ids = [thing.thing_id for thing in known.values()]
        self._posts = {post.id: post for post in Post.objects.select_for_update().filter(id__in=ids).order_by("id")}
        self._made: list[tuple[Post, PostRow, ImportedThing]] = []
        self._changed: dict[UUID, tuple[Post, PostRow, ImportedThing]] = {}

    def take(self, draft: Draft, row: PostRow) -> Result:
        """One row: a new post, a changed one, or one that is there."""
        thing = self.things.get(row.key)
        try:
            if thing is None:
                self._make(draft, row)
                return ADDED
            if thing.digest == row.digest or thing.thing_id not in self._posts:
                return KNOWN
            if thing.said_by == self._delivery.run_id:
                return Result(RowOutcome.REFUSED, other_words_under_one_id(thing.row))
            self._change(draft, row, thing)
            return UPDATED
        except Invalid as refused:
            return Result(RowOutcome.REFUSED, refused.detail)

    def _make(self, draft: Draft, row: PostRow) -> None:
        delivery = self._delivery
        created = row.created or delivery.now
        post = Post(
            id=new_id(),
            workspace_id=delivery.workspace_id,
            author=self._people.get(row.author),
            created_at=min(created, delivery.now),
            status_changed_at=row.moved_at,
            **self._said(row),
        )
        post.slug = post_slug(post.title)
        thing = ImportedThing(
            workspace_id=delivery.workspace_id,
            source_id=delivery.source_id,
            run_id=delivery.run_id,
            kind="post",
            key=row.key,
            thing_id=post.id,
            digest=row.digest,
            row=draft.number,
            said_by=delivery.run_id,
            stated_votes=row.votes,
        )
        self._made.append((post, row, thing))
        self._posts[post.id], self.things[row.key] = post, thing

    def _said(self, row: PostRow) -> dict[str, Any]:
        redactor = self._policy.redactor()
        return {
            "title": redactor.redact(row.title)[:200],
            "body": redactor.redact(row.body),
            "official_response": redactor.redact(row.response),
            "board_id": self._places.board(row.board).id,
            "status_id": self._places.status(row.status).id,
        }

    def _change(self, draft: Draft, row: PostRow, thing: ImportedThing) -> None:
        post = self._posts[thing.thing_id]
        before = {name: str(getattr(post, name)) for name in CHANGED}
        thing.before = {**before, "digest": thing.digest, "stated_votes": thing.stated_votes}
        for name, value in self._said(row).items():
            setattr(post, name, value)
        post.embedding_model, post.updated_at = None, self._delivery.now
        thing.digest, thing.row, thing.said_by = row.digest, draft.number, self._delivery.run_id
        thing.stated_votes = row.votes
        self._changed[post.id] = (post, row, thing)

    def save(self) -> None:
        """Store them, with their tags and the move into their status."""
        Post.objects.bulk_create([post for post, _, _ in self._made])
        ImportedThing.objects.bulk_create([thing for _, _, thing in self._made])
        changed = list(self._changed.values())
        update_rows(
            [post for post, _, _ in changed],
            ["title", "body", "board", "status", "official_response", "embedding_model", "updated_at"],
        )
        update_rows([thing for _, _, thing in changed], ["before", "digest", "row", "said_by", "stated_votes"])
        self._save_moves()
        self._save_tags([*self._made, *changed])
        self._merge([*self._made, *changed])

    def _save_moves(self) -> None:
        PostStatusChange.objects.bulk_create(
            PostStatusChange(
                workspace_id=post.workspace_id,
                post=post,
                status_id=post.status_id,
                note=post.official_response,
                created_at=row.moved_at,
            )
            for post, row, _ in self._made
            if row.moved_at
        )

    def _save_tags(self, saved: Sequence[tuple[Post, PostRow, ImportedThing]]) -> None:
        PostTag.objects.bulk_create(
            [
                PostTag(workspace_id=post.workspace_id, post=post, tag=self._places.tag(name))
                for post, row, _ in saved
                for name in row.tags
            ],
            ignore_conflicts=True,
        )

    def _merge(self, saved: Sequence[tuple[Post, PostRow, ImportedThing]]) -> None:
        """Tie posts that were merged there to what they were merged into, when that is here."""
        merged = [(post, row.merged_into) for post, row, _ in saved if row.merged_into]
        targets = things(find_things(self._delivery, "post", [key for _, key in merged]))
        for post, key in merged:
            if key in targets and targets[key] != post.id:
                Post.objects.filter(id=post.id).update(canonical_post_id=targets[key])
