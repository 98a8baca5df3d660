"""Where a post belongs: boards, statuses and tags by their names, made when they are not there yet."""

from dataclasses import dataclass, field

from django.db.models import Max
from django.utils.text import slugify

from tellback.boards.imports.words import category_of, normal
from tellback.boards.models import Board, Status, StatusCategory, Tag
from tellback.intake.importing.landing import Delivery
from tellback.kernel.errors import Invalid

MAX_NEW = 50


@dataclass
class Places:
    """The boards, statuses and tags of a workspace, as they are found or made within one batch."""

    delivery: Delivery
    boards: dict[str, Board] = field(default_factory=dict)
    statuses: dict[str, Status] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)

    @classmethod
    def load(cls, delivery: Delivery) -> "Places":
        """What there is."""
        return cls(
            delivery,
            {board.slug: board for board in Board.objects.order_by("position", "created_at")},
            {status.slug: status for status in Status.objects.order_by("position")},
        )

    def board(self, name: str) -> Board:
        """The board of this name, else the import's own, else the first. Raises `Invalid` when there is none."""
        wanted = name or self.delivery.plan.board
        if not wanted:
            first = next(iter(self.boards.values()), None)
            if first is None:
                raise Invalid("There is no board yet. Name one for the posts.")
            return first
        slug = _slug(wanted, 80, "board")
        if slug not in self.boards:
            if len(self.boards) >= MAX_NEW:
                raise Invalid(f"names a board that is not there, and there are {MAX_NEW} already")
            self.boards[slug] = Board.objects.create(
                workspace_id=self.delivery.workspace_id, name=wanted[:120], slug=slug, position=len(self.boards)
            )
        return self.boards[slug]

    def status(self, word: str) -> Status:
        """The status that a word means: the one called so, else the first of its category, else a new one."""
        if not word:
            return next(one for one in self.statuses.values() if one.is_default)
        slug = _slug(word, 60, "status")
        named = next((one for one in self.statuses.values() if normal(one.name) == normal(word)), None)
        found = named or self.statuses.get(slug) or self._of_category(category_of(word))
        if found is None:
            if len(self.statuses) >= MAX_NEW:
                return next(one for one in self.statuses.values() if one.is_default)
            last = Status.objects.aggregate(last=Max("position"))["last"] or 0
            found = self.statuses[slug] = Status.objects.create(
                workspace_id=self.delivery.workspace_id,
                name=word[:60],
                slug=slug,
                category=StatusCategory.OPEN,
                position=last + 1,
            )
        return found

    def _of_category(self, category: StatusCategory | None) -> Status | None:
        return next((one for one in self.statuses.values() if one.category == category), None)

    def tag(self, name: str) -> Tag:
        """The tag of this name."""
        slug = _slug(name, 60, "tag")
        if slug not in self.tags:
            self.tags[slug], _ = Tag.objects.get_or_create(
                workspace_id=self.delivery.workspace_id, slug=slug, defaults={"name": name[:60]}
            )
        return self.tags[slug]


def _slug(name: str, length: int, fallback: str) -> str:
    """A name in an address; names that no slug can hold are told apart by their letters' codes."""
    plain = slugify(name)[:length].strip("-")
    if plain:
        return plain
    spelt = "-".join(f"{ord(letter):x}" for letter in name.strip()[:10])
    return f"{fallback}-{spelt}"[:length]


def post_slug(title: str) -> str:
    """The title in the post's address."""
    return slugify(title)[:200] or "post"
