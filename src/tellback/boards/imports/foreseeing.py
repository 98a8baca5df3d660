"""What storing rows of boards would do, without storing them."""

from collections.abc import Sequence

from tellback.boards.imports.people import author_of
from tellback.boards.imports.posts import vote_of
from tellback.boards.imports.rows import CommentRow, MoveRow, PersonRow, PostRow, TaggingRow, TagRow, VoteRow
from tellback.boards.imports.votes import find_things
from tellback.boards.models import ImportedThing
from tellback.intake.importing.feedback import SOURCE_TYPE
from tellback.intake.importing.landing import ADDED, KNOWN, UPDATED, Delivery, Draft, Foreseen
from tellback.workspaces.models import ExternalIdentity, Principal

#: How the notes of a run name what such rows bring, where they belong to posts.
BELOW: dict[type, str] = {CommentRow: "comment", VoteRow: "vote", MoveRow: "move", TaggingRow: "tagging"}


def foresee(drafts: Sequence[Draft], delivery: Delivery) -> list[Foreseen]:
    """What storing them would do. They are rows of one kind."""
    if not drafts:
        return []
    kind = type(drafts[0].content)
    if kind is PostRow:
        return _posts([draft.content for draft in drafts], delivery)
    if kind is PersonRow:
        return _people([draft.content for draft in drafts], delivery)
    if kind is TagRow:
        known = find_things(delivery, "tag", [draft.content.key for draft in drafts])
        return [Foreseen(one.content.key, KNOWN if one.content.key in known else ADDED) for one in drafts]
    return _below_posts([draft.content for draft in drafts], BELOW[kind], delivery)


def _posts(rows: Sequence[PostRow], delivery: Delivery) -> list[Foreseen]:
    known = find_things(delivery, "post", [row.key for row in rows])
    votes = find_things(delivery, "vote", [vote_of(row).key for row in rows if row.voter])
    return [
        _post(row, known.get(row.key), is_new_vote=bool(row.voter) and vote_of(row).key not in votes) for row in rows
    ]


def _post(row: PostRow, before: ImportedThing | None, *, is_new_vote: bool) -> Foreseen:
    if before is None:
        result = ADDED
    elif before.digest != row.digest:
        result = UPDATED
    else:
        result = ADDED if is_new_vote else KNOWN
    # Rows of one post with a voter each are several things.
    key = vote_of(row).key if row.voter else row.key
    return Foreseen(key, result, "" if row.voter else row.digest, makes=row.key)


def _below_posts(
    rows: Sequence[CommentRow | VoteRow | MoveRow | TaggingRow], kind: str, delivery: Delivery
) -> list[Foreseen]:
    posts = find_things(delivery, "post", [row.post for row in rows])
    known = find_things(delivery, kind, [row.key for row in rows])
    return [
        Foreseen(row.key, KNOWN if row.key in known else ADDED, needs="" if row.post in posts else row.post)
        for row in rows
    ]


def _people(rows: Sequence[PersonRow], delivery: Delivery) -> list[Foreseen]:
    authors = [author_of(row.person, delivery) for row in rows]
    emails = set(
        Principal.objects.filter(email__in={one.email for one in authors if one.email}).values_list("email", flat=True)
    )
    ids = set(
        ExternalIdentity.objects.filter(
            source_type=SOURCE_TYPE, external_user_id__in={one.external_user_id for one in authors}
        ).values_list("external_user_id", flat=True)
    )
    return [
        Foreseen(
            one.email or one.external_user_id, KNOWN if one.email in emails or one.external_user_id in ids else ADDED
        )
        for one in authors
    ]
