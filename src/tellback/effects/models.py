"""Tables of what leaves the product, and of what happened in it."""

from django.db import models

from tellback.workspaces.models import WorkspaceOwned


class EffectState(models.TextChoices):
    """Where an effect is on its way out."""

    PENDING = "pending", "Waiting"
    DELIVERING = "delivering", "Being delivered"
    DELIVERED = "delivered", "Delivered"
    SUPPRESSED = "suppressed", "Not sent, on purpose"
    DEAD = "dead", "Given up"


class Effect(WorkspaceOwned):
    """One thing to deliver to the outside, unique by what it is about."""

    id_prefix = "effect"

    kind = models.CharField(max_length=40)
    key = models.TextField(help_text="What it is about; the receiver gets it too, to deduplicate")
    line = models.TextField(
        blank=True, default="", help_text="Effects in one line leave in the order in which they came; none is no line"
    )
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=EffectState.choices, default=EffectState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "effect"
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="effect_key_unique")]
        indexes = [
            models.Index(
                fields=["workspace", "due_at"],
                condition=models.Q(state__in=["pending", "delivering"]),
                name="effect_due_idx",
            ),
            models.Index(
                fields=["workspace", "line", "id"],
                condition=models.Q(state__in=["pending", "delivering"]) & ~models.Q(line=""),
                name="effect_line_idx",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class Event(WorkspaceOwned):
    """Something that happened, recorded by the package it happened in, for jobs of the packages above."""

    id_prefix = "event"

    kind = models.CharField(max_length=60)
    subject_id = models.UUIDField()
    payload = models.JSONField(default=dict)

    class Meta:
        db_table = "event"
        indexes = [models.Index(fields=["workspace", "kind", "-created_at"], name="event_kind_idx")]

    def __str__(self) -> str:
        return self.kind


class KeptMail(WorkspaceOwned):
    """A mail that was kept instead of sent: the development mailbox."""

    id_prefix = "mail"

    effect = models.OneToOneField(Effect, null=True, blank=True, on_delete=models.SET_NULL, related_name="kept_mail")
    to = models.TextField()
    sender = models.TextField()
    subject = models.TextField()
    text = models.TextField()
    html = models.TextField(blank=True)
    headers = models.JSONField(default=dict)

    class Meta:
        db_table = "kept_mail"
        indexes = [models.Index(fields=["workspace", "-created_at"], name="kept_mail_time_idx")]

    def __str__(self) -> str:
        return self.subject
