"""Tables of what was understood. Names of document 3, section 4.3.

`board_id` and `theme_id` point to packages above, so they are plain ids here; those packages' migrations add the
database's foreign keys.
"""

from django.db import models
from django.db.models import Value

from tellback.engines.openai import REASONS
from tellback.intake.models import RawItem
from tellback.platform.vectors import EmbeddingField, HalfEmbeddingField
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
    theme_decision = models.JSONField(
        null=True, blank=True, help_text="What the language model decided: {theme, confidence, reasoning, title, …}"
    )
    tag_ids = models.JSONField(
        default=list, db_default=Value([], models.JSONField()), help_text="Tags that fit it: list of ids"
    )
    needs_review = models.BooleanField(default=False)
    fallback_reason = models.CharField(
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text="Why the local engine stood in for the language model",
    )
    extraction_confidence = models.FloatField()
    interpretation_confidence = models.FloatField(null=True, blank=True)
    embedding = EmbeddingField(null=True, blank=True)
    embedding_model = models.TextField(null=True, blank=True)
    embedding_updated_at = models.DateTimeField(null=True, blank=True)
    processing_state = models.CharField(max_length=30, choices=SignalState.choices, default=SignalState.PENDING)
    engine_reading = models.JSONField(
        null=True,
        blank=True,
        help_text="What the engine said where corrections taught otherwise: {field: [value, confidence]}",
    )
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
            models.Index(
                fields=["workspace", "raw_feedback_item"],
                condition=~models.Q(fallback_reason=""),
                name="feedback_signals_fallback_idx",
            ),
        ]

    def __str__(self) -> str:
        return self.summary

    @property
    def why_read_here(self) -> str:
        """Why this machine read it in place of the language model, in words; empty when nothing stood in."""
        return REASONS.get(self.fallback_reason, "")


class SignalVector(WorkspaceOwned):
    """Where a signal lies, in half precision and by itself, so that the nearest of many are found by an index.

    A trigger of the database keeps it the same as `Signal.embedding`; its id is the signal's. It is a table of its own
    because signals change (their theme does) and each change would put the vector into the index anew.
    """

    id_prefix = "signal_vector"

    raw_feedback_item_id = models.UUIDField()
    embedding_model = models.TextField()
    embedding = HalfEmbeddingField()

    class Meta:
        db_table = "signal_vectors"

    def __str__(self) -> str:
        return f"{self.id} by {self.embedding_model}"


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
    again. Where somebody was asked whether it is right and said yes, new and previous value are the same.
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
    is_check = models.BooleanField(
        default=False, db_default=False, help_text="Asked about at random; the new value may be the previous one"
    )
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


class LearntHead(WorkspaceOwned):
    """What a workspace's corrections taught about one field, for what one engine says of it. Can be made anew."""

    id_prefix = "learnt_head"

    field = models.CharField(max_length=30, choices=CorrectedField.choices)
    engine = models.TextField(help_text="Model and prompt version that it corrects")
    embedding_model = models.TextField()
    judged = models.PositiveIntegerField(help_text="How many judgements of people it was made of")
    weights = models.JSONField(help_text="As `WorkspaceHead.as_json` writes it")
    trained_at = models.DateTimeField()

    class Meta:
        db_table = "learnt_heads"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "field", "engine", "embedding_model"], name="learnt_heads_one")
        ]

    def __str__(self) -> str:
        return f"{self.field} by {self.engine}"


class Guidance(WorkspaceOwned):
    """What a workspace's corrections say in a few sentences, for the prompts of a language model. Can be made anew."""

    id_prefix = "guidance"

    text = models.TextField()
    corrections = models.PositiveIntegerField(help_text="How many corrections it was made of")
    made_at = models.DateTimeField()

    class Meta:
        db_table = "learnt_guidance"
        constraints = [models.UniqueConstraint(fields=["workspace"], name="learnt_guidance_one")]

    def __str__(self) -> str:
        return self.text


class ModelState(WorkspaceOwned):
    """How the language model of a workspace has answered lately: its circuit breaker. One row for each workspace."""

    id_prefix = "model_state"

    failures = models.PositiveIntegerField(default=0, help_text="In a row")
    openings = models.PositiveIntegerField(default=0, help_text="In a row")
    open_until = models.DateTimeField(null=True, blank=True)
    trial_at = models.DateTimeField(null=True, blank=True, help_text="When the one call of a half-open breaker left")
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="")

    class Meta:
        db_table = "language_model_state"
        constraints = [models.UniqueConstraint(fields=["workspace"], name="language_model_state_one")]

    def __str__(self) -> str:
        return str(self.open_until or "closed")


class ModelDay(WorkspaceOwned):
    """What the language model cost a workspace in one day (UTC), and what of its answers was thrown away."""

    id_prefix = "model_day"

    day = models.DateField()
    calls = models.PositiveIntegerField(default=0)
    remembered = models.PositiveIntegerField(default=0, help_text="Answers that needed no call")
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    reserved_tokens = models.PositiveBigIntegerField(default=0, help_text="Held for questions that are under way")
    reserved_at = models.DateTimeField(null=True, blank=True)
    cost = models.DecimalField(max_digits=14, decimal_places=6, default=0, help_text="In the currency of the prices")
    passes = models.JSONField(default=dict, help_text="Tokens of each pass: {name: [input, output]}")
    stood_in = models.JSONField(default=dict, help_text="How often the local engine stood in: {reason: count}")
    rejected = models.JSONField(default=dict, help_text="What failed the checks: {kind: count}")
    exhausted_at = models.DateTimeField(null=True, blank=True, help_text="When the budget first did not suffice")

    class Meta:
        db_table = "language_model_day"
        constraints = [models.UniqueConstraint(fields=["workspace", "day"], name="language_model_day_one")]

    def __str__(self) -> str:
        return str(self.day)

    @property
    def tokens(self) -> int:
        """What was spent."""
        return self.input_tokens + self.output_tokens


class ModelAnswer(WorkspaceOwned):
    """An answer that is remembered for a while, under the hash of all that it depends on. Only a cache."""

    id_prefix = "model_answer"

    key = models.CharField(max_length=64, help_text="SHA-256 of model, prompt, question and schema, hex")
    content = models.TextField()

    class Meta:
        db_table = "language_model_answer"
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="language_model_answer_once")]
        indexes = [models.Index(fields=["workspace", "created_at"], name="language_model_answer_age_idx")]

    def __str__(self) -> str:
        return self.key
