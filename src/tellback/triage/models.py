"""Tables of triage: what is to be done about each raw item, and how that was decided."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from tellback.intake.models import RawItem
from tellback.workspaces.models import Principal, Workspace, WorkspaceOwned


class FeedbackType(models.TextChoices):
    """Document 1's category and document 2's type, as one axis."""

    BUG = "bug", "Bug"
    FEATURE = "feature", "Feature request"
    PERFORMANCE = "performance", "Performance"
    DOCS = "docs", "Documentation"
    UX = "ux", "User experience"
    BILLING = "billing", "Billing"
    QUESTION = "question", "Question"
    PRAISE = "praise", "Praise"
    OTHER = "other", "Other"


class Priority(models.TextChoices):
    """What triage sets; carries the response time of document 2."""

    URGENT = "urgent", "Urgent"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"


class Severity(models.TextChoices):
    """What the sender says."""

    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"


class FeedbackStatus(models.TextChoices):
    """Where a piece of feedback stands; transitions are in triage.rules."""

    NEW = "new", "New"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    IN_REVIEW = "in_review", "In review"
    PLANNED = "planned", "Planned"
    IN_PROGRESS = "in_progress", "In progress"
    COMPLETED = "completed", "Completed"
    DECLINED = "declined", "Declined"
    DUPLICATE = "duplicate", "Duplicate"


class Feedback(WorkspaceOwned):
    """The triage record of a raw item, one to one."""

    id_prefix = "feedback"

    raw_item = models.OneToOneField(RawItem, on_delete=models.CASCADE, related_name="feedback")
    type = models.CharField(max_length=20, choices=FeedbackType.choices)
    severity = models.CharField(max_length=10, choices=Severity.choices, default=Severity.MEDIUM)
    priority = models.CharField(max_length=20, choices=Priority.choices, default=Priority.MEDIUM)
    priority_is_set = models.BooleanField(
        default=False, db_default=False, help_text="Somebody said it, so that scores leave it alone"
    )
    intent = models.CharField(max_length=20, default="general")
    score = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=20, choices=FeedbackStatus.choices, default=FeedbackStatus.NEW)
    assignee = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    summary = models.CharField(max_length=255)
    source = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="What the sender calls it, else its source type"
    )
    tags = models.JSONField(default=list)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    vote_count = models.PositiveIntegerField(default=0, db_default=0)
    duplicate_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="duplicates"
    )
    github_issue_url = models.CharField(max_length=500, null=True, blank=True)
    public_response = models.TextField(null=True, blank=True)
    response_due_at = models.DateTimeField(null=True, blank=True)
    responded_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "feedback"
        constraints = [
            models.CheckConstraint(condition=models.Q(score__gte=0, score__lte=100), name="feedback_score_range"),
            models.CheckConstraint(
                condition=models.Q(rating__isnull=True) | models.Q(rating__gte=1, rating__lte=5),
                name="feedback_rating_range",
            ),
            models.CheckConstraint(
                condition=models.Q(duplicate_of=None) | ~models.Q(duplicate_of=models.F("id")),
                name="feedback_duplicate_of_another",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "status"], name="feedback_status_idx"),
            models.Index(fields=["workspace", "type"], name="feedback_type_idx"),
            models.Index(fields=["workspace", "status", "priority"], name="feedback_priority_idx"),
            models.Index(fields=["workspace", "-created_at"], name="feedback_created_idx"),
            models.Index(
                fields=["workspace", "response_due_at"],
                condition=models.Q(responded_at=None),
                name="feedback_unanswered_idx",
            ),
        ]

    def __str__(self) -> str:
        return self.summary


class FeedbackVote(WorkspaceOwned):
    """Somebody's "me too" on a piece of feedback: they are counted, and hear what becomes of it."""

    id_prefix = "feedback_vote"

    feedback = models.ForeignKey(Feedback, on_delete=models.CASCADE, related_name="votes")
    principal = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="+")

    class Meta:
        db_table = "feedback_vote"
        constraints = [models.UniqueConstraint(fields=["feedback", "principal"], name="feedback_vote_once")]
        indexes = [models.Index(fields=["workspace", "principal"], name="feedback_vote_principal_idx")]

    def __str__(self) -> str:
        return f"{self.principal_id} for {self.feedback_id}"


class StatusChange(WorkspaceOwned):
    """One transition of a piece of feedback, as it happened. Append-only."""

    id_prefix = "status_change"

    feedback = models.ForeignKey(Feedback, on_delete=models.CASCADE, related_name="status_changes")
    previous = models.CharField(max_length=20, choices=FeedbackStatus.choices, null=True, blank=True)
    status = models.CharField(max_length=20, choices=FeedbackStatus.choices)
    actor = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    note = models.TextField(blank=True, default="", help_text="Public: its author reads it on the receipt")

    class Meta:
        db_table = "feedback_status_change"

    def __str__(self) -> str:
        return f"{self.previous or '–'} → {self.status}"


class RoutingDecision(WorkspaceOwned):
    """Why a piece of feedback got its score and route: the rule, its inputs and the outcome. Append-only."""

    id_prefix = "routing"

    feedback = models.ForeignKey(Feedback, on_delete=models.CASCADE, related_name="routing_decisions")
    rule = models.CharField(max_length=60)
    inputs = models.JSONField(default=dict)
    outcome = models.JSONField(default=dict)

    class Meta:
        db_table = "routing_decision"

    def __str__(self) -> str:
        return self.rule


class FeedbackPrint(WorkspaceOwned):
    """What an item's letters look like, in numbers, to find those that say the same again. Its id is the item's."""

    id_prefix = "feedback_print"

    # Looked up by bands alone: an index by workspace would only tempt the planner.
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    bands = ArrayField(models.IntegerField())

    class Meta:
        db_table = "feedback_print"
        # New prints go straight into the index: each is looked for among the others at once.
        indexes = [GinIndex(fields=["bands"], name="feedback_print_bands_idx", fastupdate=False)]

    def __str__(self) -> str:
        return self.public_id


class Likeness(models.TextChoices):
    """In what two pieces of feedback are alike."""

    SAME_AGAIN = "same_again", "The same again"
    SAME_MEANING = "same_meaning", "Means the same"


class SuggestionState(models.TextChoices):
    """What a person said of a suggestion."""

    SUGGESTED = "suggested", "Suggested"
    CONFIRMED = "confirmed", "Confirmed"
    DISMISSED = "dismissed", "Not the same"


class DuplicateSuggestion(WorkspaceOwned):
    """That a piece of feedback may repeat an earlier one. A person decides; a pair that was told apart stays apart."""

    id_prefix = "duplicate"

    raw_item = models.ForeignKey(RawItem, on_delete=models.CASCADE, related_name="duplicate_suggestions")
    earlier = models.ForeignKey(RawItem, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20, choices=Likeness.choices)
    score = models.FloatField(help_text="0 to 1, of its kind")
    state = models.CharField(max_length=10, choices=SuggestionState.choices, default=SuggestionState.SUGGESTED)
    counted = models.JSONField(default=list, help_text="Ids of people whose voices were counted there when confirmed")
    decided_by = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "feedback_duplicate_suggestion"
        constraints = [
            models.UniqueConstraint(fields=["raw_item", "earlier"], name="feedback_duplicate_pair_once"),
            models.CheckConstraint(
                condition=models.Q(score__gte=0, score__lte=1), name="feedback_duplicate_score_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.raw_item_id} as {self.earlier_id}"
