"""What the boards take from imported files: posts, votes, comments, moves, tags and the people behind them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tellback.boards.imports.foreseeing import foresee
from tellback.boards.imports.others import (
    store_comments,
    store_moves,
    store_people,
    store_taggings,
    store_tags,
    store_votes,
)
from tellback.boards.imports.posts import store_posts
from tellback.boards.imports.removing import remove_imported
from tellback.boards.imports.rows import (
    CommentRow,
    MoveRow,
    PersonRow,
    PostRow,
    TaggingRow,
    TagRow,
    VoteRow,
    read_row,
)
from tellback.boards.models import Board
from tellback.intake.importing.fields import Kind
from tellback.intake.importing.landing import Delivery, Draft, Foreseen, Result, lands
from tellback.intake.importing.plan import TablePlan
from tellback.intake.importing.reading import Row

STORES = {
    PostRow: store_posts,
    VoteRow: store_votes,
    CommentRow: store_comments,
    MoveRow: store_moves,
    PersonRow: store_people,
    TagRow: store_tags,
    TaggingRow: store_taggings,
}


class BoardsLander:
    """Takes rows of tools with boards."""

    kinds = frozenset(
        {Kind.POSTS, Kind.VOTES, Kind.COMMENTS, Kind.NOTES, Kind.MOVES, Kind.PEOPLE, Kind.TAGS, Kind.TAGGINGS}
    )

    def read(self, row: Row, table: TablePlan, delivery: Delivery) -> Draft:  # noqa: ARG002 - the registry's signature
        """See `rows.read_row`."""
        return read_row(row, table)

    def store(self, drafts: Sequence[Draft], delivery: Delivery) -> list[Result]:
        """Nobody is told of anything that is imported; whoever wrote, voted or commented hears what becomes of it."""
        if not drafts:
            return []
        return STORES[type(drafts[0].content)](drafts, delivery)

    def foresee(self, drafts: Sequence[Draft], delivery: Delivery) -> list[Foreseen]:
        """See `foreseeing.foresee`."""
        return foresee(drafts, delivery)

    def list_places(self) -> list[str]:
        """The boards, the first first."""
        return list(Board.objects.order_by("position", "created_at").values_list("name", flat=True))

    def remove(self, *, run_id: UUID, limit: int, now: datetime) -> Mapping[str, int]:
        """See `removing.remove_imported`."""
        return remove_imported(run_id=run_id, limit=limit, now=now)


lands(BoardsLander())
