"""Tables of themes. Names of document 3, section 4.3."""

from django.db import models

from tellback.platform.vectors import EmbeddingField
from tellback.workspaces.models import WorkspaceOwned


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
