"""The boards and tags that a language model may choose from."""

from tellback.boards.models import Board, Tag
from tellback.sdk.engine import NamedThing
from tellback.understanding.taxonomy import offers_boards, offers_tags

MOST = 100


def read_boards() -> list[NamedThing]:
    """Every board, in its place."""
    boards = Board.objects.order_by("position", "name").values_list("id", "name", "description")[:MOST]
    return [NamedThing(str(board_id), name, about) for board_id, name, about in boards]


def read_tags() -> list[NamedThing]:
    """Every tag, by name."""
    return [
        NamedThing(str(tag_id), name) for tag_id, name in Tag.objects.order_by("name").values_list("id", "name")[:MOST]
    ]


offers_boards(read_boards)
offers_tags(read_tags)
