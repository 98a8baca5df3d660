"""Tables of themes. Names of document 3, section 4.3."""

from django.db import models

from tellback.platform.vectors import EmbeddingField
from tellback.workspaces.models import Principal, WorkspaceOwned


class ThemeStatus(models.TextChoices):
    """Where a theme is in its life. A candidate has too few signals to be shown yet."""

    CANDIDATE = "candidate", "Forming"
    ACTIVE = "active", "Active"
    MERGED = "merged", "Merged"
    ARCHIVED = "archived", "Archived"


class Theme(WorkspaceOwned):
    """A living cluster of signals. Its id never changes; a merged theme points to its successor."""

    id_prefix = "fb_theme"

    title = models.TextField()
    summary = models.TextField()
    title_is_manual = models.BooleanField(default=False)
    described_at_count = models.IntegerField(default=0, help_text="Signals it had when it was last put into words")
    described_by = models.TextField(
        blank=True, default="", db_default="", help_text="The model that put it into words, if any"
    )
    wants_words = models.BooleanField(
        default=False, db_default=False, help_text="A language model is to put it into words"
    )
    parent_theme = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children")
    board_id = models.UUIDField(null=True, blank=True)
    status = models.CharField(max_length=20, choices=ThemeStatus.choices, default=ThemeStatus.ACTIVE)
    merged_into_theme = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="merged_themes"
    )
    strength = models.FloatField(default=0)
    signal_count = models.IntegerField(default=0)
    unique_author_count = models.IntegerField(default=0)
    needs_review_count = models.IntegerField(default=0)
    centroid_embedding = EmbeddingField(null=True, blank=True)
    centroid_model = models.TextField(null=True, blank=True)
    centroid_updated_at = models.DateTimeField(null=True, blank=True)
    type_distribution = models.JSONField(null=True, blank=True)
    sentiment_distribution = models.JSONField(null=True, blank=True)
    urgency_distribution = models.JSONField(null=True, blank=True)
    source_distribution = models.JSONField(null=True, blank=True)
    is_stale = models.BooleanField(default=True, help_text="Its figures await a refresh")
    promoted_to_post_id = models.UUIDField(null=True, blank=True)
    promoted_at = models.DateTimeField(null=True, blank=True)
    first_signal_at = models.DateTimeField(null=True, blank=True)
    last_signal_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "feedback_themes"
        indexes = [
            models.Index(fields=["workspace", "board_id"], name="feedback_themes_board_idx"),
            models.Index(fields=["workspace", "status", "-strength"], name="feedback_themes_strength_idx"),
            models.Index(fields=["workspace", "-last_signal_at"], name="feedback_themes_last_signal"),
            models.Index(fields=["workspace"], condition=models.Q(is_stale=True), name="feedback_themes_stale_idx"),
            models.Index(fields=["workspace"], condition=models.Q(wants_words=True), name="feedback_themes_words_idx"),
        ]

    def __str__(self) -> str:
        return self.title


class ThemeSpace(WorkspaceOwned):
    """What online assignment knows about a workspace's embeddings: one row per workspace and model."""

    id_prefix = "theme_space"

    embedding_model = models.TextField()
    signal_count = models.IntegerField(default=0)
    mean_embedding = EmbeddingField()
    last_embedding = EmbeddingField(null=True, blank=True)
    pair_count = models.IntegerField(default=0)
    pair_mean = models.FloatField(default=0)
    pair_m2 = models.FloatField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "theme_space"
        constraints = [models.UniqueConstraint(fields=["workspace", "embedding_model"], name="theme_space_unique")]

    def __str__(self) -> str:
        return self.embedding_model


class ChangeKind(models.TextChoices):
    """What can happen to themes as a whole."""

    MERGE = "merge", "Merge"
    SPLIT = "split", "Split"
    GATHER = "gather", "Gather"
    RENAME = "rename", "Rename"
    NEST = "nest", "Put inside"
    ARCHIVE = "archive", "Archive"


class ChangeState(models.TextChoices):
    """Where a change is: proposed by upkeep, or decided by a person (or by a setting)."""

    PROPOSED = "proposed", "Proposed"
    DONE = "done", "Done"
    DECLINED = "declined", "Declined"
    UNDONE = "undone", "Taken back"


class ThemeChange(WorkspaceOwned):
    """One change of themes, proposed or done, with what it takes to take it back.

    `theme` is the one that changes: it is merged into `into_theme`, loses signals to it, is put inside it, gets another
    title or is archived; of a gathering it is the one that gains. `moves` maps the id of each signal that changes its
    theme to the theme it came from.
    """

    id_prefix = "theme_change"

    kind = models.CharField(max_length=10, choices=ChangeKind.choices)
    state = models.CharField(max_length=10, choices=ChangeState.choices)
    theme = models.ForeignKey(Theme, on_delete=models.CASCADE, related_name="changes")
    into_theme = models.ForeignKey(Theme, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    title = models.TextField(blank=True, default="", help_text="The title that a renamed or new theme gets")
    moves = models.JSONField(default=dict)
    before = models.JSONField(default=dict, help_text="What the theme was, for taking it back")
    reason = models.TextField(blank=True, default="")
    proposed_by = models.TextField(blank=True, default="", help_text="The model that proposed it, or empty")
    actor = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "feedback_theme_changes"
        indexes = [
            models.Index(fields=["workspace", "state", "-created_at"], name="feedback_theme_changes_state"),
            models.Index(fields=["theme"], name="feedback_theme_changes_theme"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.theme_id}"
