"""Tables of the public side: boards, posts, votes, comments, tags and statuses."""

from django.db import models

from tellback.intake.models import FeedbackSource, ImportRun
from tellback.platform.vectors import EmbeddingField
from tellback.themes.models import Theme
from tellback.workspaces.models import Principal, WorkspaceOwned


class Board(WorkspaceOwned):
    """A product area that people post to."""

    id_prefix = "board"

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=80)
    description = models.TextField(blank=True, default="")
    is_public = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "board"
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="board_slug_unique")]

    def __str__(self) -> str:
        return self.name


class StatusCategory(models.TextChoices):
    """What a status means, whatever a workspace calls it."""

    OPEN = "open", "Open"
    UNDER_REVIEW = "under_review", "Under review"
    PLANNED = "planned", "Planned"
    IN_PROGRESS = "in_progress", "In progress"
    COMPLETE = "complete", "Complete"
    CLOSED = "closed", "Closed"


class Status(WorkspaceOwned):
    """A column of the roadmap, named by the workspace."""

    id_prefix = "status"

    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=60)
    category = models.CharField(max_length=20, choices=StatusCategory.choices)
    position = models.PositiveIntegerField(default=0)
    on_roadmap = models.BooleanField(default=False)
    is_default = models.BooleanField(default=False)

    class Meta:
        db_table = "status"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "slug"], name="status_slug_unique"),
            models.UniqueConstraint(
                fields=["workspace"], condition=models.Q(is_default=True), name="status_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Tag(WorkspaceOwned):
    """A label that people put on posts."""

    id_prefix = "tag"

    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=60)

    class Meta:
        db_table = "tag"
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="tag_slug_unique")]

    def __str__(self) -> str:
        return self.name


class Post(WorkspaceOwned):
    """One thing people can vote for; may have been promoted from a theme."""

    id_prefix = "post"

    board = models.ForeignKey(Board, on_delete=models.PROTECT, related_name="posts")
    status = models.ForeignKey(Status, on_delete=models.PROTECT, related_name="posts")
    author = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=220)
    body = models.TextField(blank=True, default="")
    official_response = models.TextField(blank=True, default="")
    vote_count = models.PositiveIntegerField(default=0)
    carried_votes = models.PositiveIntegerField(default=0, help_text="Votes from elsewhere whose voters are not known")
    comment_count = models.PositiveIntegerField(default=0)
    canonical_post = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    promoted_from_theme = models.ForeignKey(Theme, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    embedding = EmbeddingField(null=True, blank=True)
    embedding_model = models.TextField(null=True, blank=True)
    position = models.FloatField(default=0, help_text="Order within its roadmap column")
    status_changed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "post"
        indexes = [
            models.Index(fields=["workspace", "board", "-vote_count"], name="post_top_idx"),
            models.Index(fields=["workspace", "status", "position"], name="post_roadmap_idx"),
            models.Index(fields=["workspace", "-created_at"], name="post_new_idx"),
        ]

    def __str__(self) -> str:
        return self.title


class PostTag(WorkspaceOwned):
    """A tag on a post."""

    id_prefix = "post_tag"

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="post_tags")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="post_tags")

    class Meta:
        db_table = "post_tag"
        constraints = [models.UniqueConstraint(fields=["post", "tag"], name="post_tag_unique")]

    def __str__(self) -> str:
        return f"{self.tag_id} on {self.post_id}"


class Vote(WorkspaceOwned):
    """One person's vote for a post."""

    id_prefix = "vote"

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="votes")
    principal = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="+")

    class Meta:
        db_table = "vote"
        constraints = [models.UniqueConstraint(fields=["post", "principal"], name="vote_once")]

    def __str__(self) -> str:
        return f"{self.principal_id} for {self.post_id}"


class Comment(WorkspaceOwned):
    """What somebody said under a post."""

    id_prefix = "comment"

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="comments")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="replies")
    author = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    body = models.TextField()
    is_from_team = models.BooleanField(default=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "comment"
        indexes = [models.Index(fields=["post", "created_at"], name="comment_post_idx")]

    def __str__(self) -> str:
        return self.body[:60]


#: What an import can bring to the boards.
IMPORTED_KINDS = ("post", "vote", "comment", "move", "tag", "tagging")


class ImportedThing(WorkspaceOwned):
    """A post, vote or comment that an import brought: what it was called there, and what it said."""

    id_prefix = "imported"

    source = models.ForeignKey(FeedbackSource, on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="+", help_text="That added it")
    kind = models.CharField(max_length=10, choices=[(one, one) for one in IMPORTED_KINDS])
    key = models.CharField(max_length=64, help_text="Keyed digest of its id there, hex")
    thing_id = models.UUIDField(help_text="The post, vote, comment, move or tag of a post")
    digest = models.CharField(max_length=64, help_text="Keyed digest of what it said, hex")
    row = models.PositiveIntegerField(default=0, help_text="The row that said it last")
    said_by = models.UUIDField(null=True, blank=True, help_text="The run that said it last")
    before = models.JSONField(null=True, blank=True, help_text="What a post said before `said_by` changed it")
    stated_votes = models.PositiveIntegerField(null=True, blank=True, help_text="The votes that a post had there")

    class Meta:
        db_table = "imported_thing"
        constraints = [models.UniqueConstraint(fields=["source", "kind", "key"], name="imported_thing_once")]
        indexes = [
            models.Index(fields=["run", "kind"], name="imported_thing_run_idx"),
            models.Index(fields=["thing_id"], name="imported_thing_thing_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.thing_id}"


class PostStatusChange(WorkspaceOwned):
    """One move of a post between statuses, as it happened. Append-only."""

    id_prefix = "post_status_change"

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="status_changes")
    previous = models.ForeignKey(Status, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    status = models.ForeignKey(Status, on_delete=models.PROTECT, related_name="+")
    actor = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    note = models.TextField(blank=True, default="")

    class Meta:
        db_table = "post_status_change"

    def __str__(self) -> str:
        return f"{self.post_id} → {self.status_id}"
