"""Tables of themes. Names of document 3, section 4.3."""

from django.db import models

from tellback.intake.models import RawItem
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
    reach = models.FloatField(
        default=0, db_default=0, help_text="Its people, each weighed by plan and revenue as the workspace says"
    )
    revenue = models.DecimalField(
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="What its people's companies pay a month, each once; empty when nobody's is known",
    )
    summary_cites = models.JSONField(
        default=list, db_default=models.Value([], models.JSONField()), help_text="Ids of the signals that it rests on"
    )
    counted_signals = models.IntegerField(default=0, db_default=0, help_text="Signals when its figures were counted")
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


class ReplayState(models.TextChoices):
    """Where a replay is: its three stages, then a person's decision."""

    READING = "reading", "Reading"
    GROUPING = "grouping", "Grouping"
    WORDING = "wording", "Naming themes"
    READY = "ready", "Ready to look at"
    ADOPTING = "adopting", "Being adopted"
    ADOPTED = "adopted", "Adopted"
    DISCARDED = "discarded", "Discarded"


#: A workspace has one replay at a time that is not over.
UNDER_WAY = (
    ReplayState.READING, ReplayState.GROUPING, ReplayState.WORDING, ReplayState.READY, ReplayState.ADOPTING,
)  # fmt: skip


class Replay(WorkspaceOwned):
    """Signals and themes derived anew into a shadow, with how far that is. When it is over only its figures stay.

    `cursor` is the last item (or, while themes are named, `named` the last theme) that the present stage is done with.
    `space` is what is known of the vectors: {mean, count, pairs, pair_mean, pair_m2}.
    """

    id_prefix = "replay"

    engine = models.CharField(max_length=20)
    model = models.TextField()
    prompt_version = models.CharField(max_length=20)
    embedding_model = models.TextField()
    since = models.DateTimeField(null=True, blank=True, help_text="Items that arrived from then on; all when empty")
    until = models.DateTimeField(help_text="What arrived later is not replayed")
    state = models.CharField(max_length=10, choices=ReplayState.choices, default=ReplayState.READING)
    cursor = models.UUIDField(null=True, blank=True)
    named = models.IntegerField(default=0)
    item_count = models.IntegerField(default=0)
    done_count = models.IntegerField(default=0, help_text="Items that the present stage is done with")
    skipped = models.JSONField(default=list, help_text="Ids of items that could not be read; they stay as they are")
    emptied = models.JSONField(default=list, help_text="Ids of items with signals in which it found none")
    waits = models.TextField(blank=True, default="", help_text="Why the language model does not answer, in words")
    stood_in_count = models.IntegerField(default=0, help_text="Items that the local engine read in its place")
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    space = models.JSONField(null=True, blank=True)
    figures = models.JSONField(default=dict, help_text="What it would change or has changed, in numbers")
    decided_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "replay"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace"], condition=models.Q(state__in=UNDER_WAY), name="replay_one_under_way"
            )
        ]

    def __str__(self) -> str:
        return f"{self.engine} {self.prompt_version}"


class ReplayTheme(WorkspaceOwned):
    """A theme in the shadow: `theme` as it would be, or a new one that has no `theme` before it is adopted."""

    id_prefix = "replay_theme"

    replay = models.ForeignKey(Replay, on_delete=models.CASCADE, related_name="themes")
    number = models.IntegerField()
    theme = models.ForeignKey(Theme, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    title = models.TextField(blank=True, default="", help_text="Its words in the shadow; empty when they stay")
    summary = models.TextField(blank=True, default="")
    signal_count = models.IntegerField(default=0)
    centroid_embedding = EmbeddingField(null=True, blank=True, help_text="Empty for one that nothing may join")

    class Meta:
        db_table = "replay_theme"
        constraints = [models.UniqueConstraint(fields=["replay", "number"], name="replay_theme_number")]

    def __str__(self) -> str:
        return self.title


class ReplaySignal(WorkspaceOwned):
    """A signal in the shadow. `content` holds the columns of `Signal` that are not named here."""

    id_prefix = "replay_signal"

    replay = models.ForeignKey(Replay, on_delete=models.CASCADE, related_name="signals")
    raw_feedback_item = models.ForeignKey(RawItem, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField()
    content = models.JSONField()
    embedding = EmbeddingField()
    embedding_model = models.TextField()
    shadow_theme = models.ForeignKey(
        ReplayTheme, null=True, blank=True, on_delete=models.SET_NULL, related_name="signals"
    )

    class Meta:
        db_table = "replay_signal"
        constraints = [
            models.UniqueConstraint(fields=["replay", "raw_feedback_item", "position"], name="replay_signal_position")
        ]

    def __str__(self) -> str:
        return str(self.content.get("summary", ""))
