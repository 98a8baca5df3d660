"""Tables of what was understood. Names of document 3, section 4.3.

`board_id` and `theme_id` point to packages above, so they are plain ids here; those packages' migrations add the
database's foreign keys.
"""

from django.db import models

from tellback.intake.models import RawItem
from tellback.platform.vectors import EmbeddingField
from tellback.workspaces.models import Principal, WorkspaceOwned


class SignalType(models.TextChoices):
    """What kind of need a signal is."""

    FEATURE_REQUEST = "feature_request", "Feature request"
    BUG_REPORT = "bug_report", "Bug report"
    USABILITY_ISSUE = "usability_issue", "Usability issue"
    QUESTION = "question", "Question"
    PRAISE = "praise", "Praise"
    COMPLAINT = "complaint", "Complaint"
    CHURN_RISK = "churn_risk", "Churn risk"


class Sentiment(models.TextChoices):
    """How the person feels about it."""

    POSITIVE = "positive", "Positive"
    NEUTRAL = "neutral", "Neutral"
    NEGATIVE = "negative", "Negative"


class Urgency(models.TextChoices):
    """How pressing it is for the person."""

    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"


class SignalState(models.TextChoices):
    """States of a signal on its way into a theme."""

    PENDING = "pending_interpretation", "Waiting"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"


class Signal(WorkspaceOwned):
    """One distinct need found in a raw item, with the words that prove it."""

    id_prefix = "signal"

    raw_feedback_item = models.ForeignKey(RawItem, on_delete=models.CASCADE, related_name="signals")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order within the item")
    signal_type = models.CharField(max_length=30, choices=SignalType.choices)
    summary = models.TextField()
    evidence = models.JSONField(default=list, help_text="Quotes, verbatim: list of strings")
    evidence_spans = models.JSONField(default=list, help_text="[{start, end}] of each quote in content.text")
    implicit_need = models.TextField(null=True, blank=True)
    note = models.TextField(blank=True, default="", db_default="", help_text="Why the reading may be off, in words")
    sentiment = models.CharField(max_length=10, null=True, blank=True, choices=Sentiment.choices)
    urgency = models.CharField(max_length=10, null=True, blank=True, choices=Urgency.choices)
    board_id = models.UUIDField(null=True, blank=True)
    theme_id = models.UUIDField(null=True, blank=True)
    theme_similarity = models.FloatField(null=True, blank=True)
    theme_reason = models.TextField(null=True, blank=True, help_text="Why it is in this theme, in words")
    needs_review = models.BooleanField(default=False)
    extraction_confidence = models.FloatField()
    interpretation_confidence = models.FloatField(null=True, blank=True)
    embedding = EmbeddingField(null=True, blank=True)
    embedding_model = models.TextField(null=True, blank=True)
    embedding_updated_at = models.DateTimeField(null=True, blank=True)
    processing_state = models.CharField(max_length=30, choices=SignalState.choices, default=SignalState.PENDING)
    extraction_model = models.TextField(null=True, blank=True)
    extraction_prompt_version = models.CharField(max_length=20, null=True, blank=True)
    interpretation_model = models.TextField(null=True, blank=True)
    interpretation_prompt_version = models.CharField(max_length=20, null=True, blank=True)
    input_tokens = models.IntegerField(null=True, blank=True)
    output_tokens = models.IntegerField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "feedback_signals"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(extraction_confidence__gte=0, extraction_confidence__lte=1),
                name="extraction_confidence_range",
            ),
            models.UniqueConstraint(fields=["raw_feedback_item", "position"], name="feedback_signals_position"),
        ]
        indexes = [
            models.Index(fields=["workspace", "theme_id"], name="feedback_signals_theme_idx"),
            models.Index(fields=["workspace", "board_id"], name="feedback_signals_board_idx"),
            models.Index(fields=["workspace", "processing_state"], name="feedback_signals_state_idx"),
            models.Index(fields=["workspace", "-created_at"], name="feedback_signals_time_idx"),
        ]

    def __str__(self) -> str:
        return self.summary


class CorrectedField(models.TextChoices):
    """What a person may put right about a signal."""

    THEME = "theme_id", "Theme"
    TYPE = "signal_type", "Type"
    SENTIMENT = "sentiment", "Feeling"
    URGENCY = "urgency", "Urgency"
    BOARD = "board_id", "Board"
    NOT_FEEDBACK = "not_feedback", "Not feedback"


class Correction(WorkspaceOwned):
    """What a person changed about a signal.

    It is about the words, not about the row: signals are made anew when an item is read again, and the correction then
    holds for the one that has most of its words. The embedding of those words lets it hold for the same thing said
    again.
    """

    id_prefix = "correction"

    raw_feedback_item = models.ForeignKey(RawItem, on_delete=models.CASCADE, related_name="corrections")
    signal = models.ForeignKey(Signal, null=True, blank=True, on_delete=models.SET_NULL, related_name="corrections")
    corrected_by_principal = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="+")
    field = models.CharField(max_length=30, choices=CorrectedField.choices)
    previous_value = models.JSONField(null=True, blank=True)
    new_value = models.JSONField()
    reason = models.TextField(null=True, blank=True)
    evidence_spans = models.JSONField(default=list, help_text="[{start, end}] of the words it is about")
    embedding = EmbeddingField(null=True, blank=True)
    embedding_model = models.TextField(null=True, blank=True)
    model = models.TextField(null=True, blank=True, help_text="The model that was wrong")
    prompt_version = models.CharField(max_length=20, null=True, blank=True, help_text="The prompt that was wrong")
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "feedback_signal_corrections"
        indexes = [
            models.Index(fields=["signal"], name="feedback_corrections_signal"),
            models.Index(fields=["raw_feedback_item"], name="feedback_corrections_item"),
            models.Index(
                fields=["workspace", "-created_at"],
                condition=models.Q(undone_at=None),
                name="feedback_corrections_latest",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field} of {self.raw_feedback_item_id}"
