"""Tables of what comes in: sources, raw items, idempotency keys, imports. Names of document 3, section 4.3."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tellback.connections.models import Integration
from tellback.workspaces.models import ApiKey, Principal, Workspace, WorkspaceOwned


class DeliveryMode(models.TextChoices):
    """How a source's items reach us."""

    WEBHOOK = "webhook", "Webhook"
    POLL = "poll", "Poll"
    BATCH = "batch", "Import"
    PASSIVE = "passive", "Passive"


class FeedbackSource(WorkspaceOwned):
    """One configured inflow: one Slack channel, one CSV import, the widget."""

    id_prefix = "fb_source"

    source_type = models.CharField(max_length=40)
    delivery_mode = models.CharField(max_length=20, choices=DeliveryMode.choices)
    name = models.TextField()
    integration = models.ForeignKey(Integration, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    enabled = models.BooleanField(default=True)
    config = models.JSONField(default=dict)
    secrets = models.TextField(null=True, blank=True)
    cursor = models.TextField(null=True, blank=True)
    retention_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="How long what was written is kept; null keeps it"
    )
    last_synced_at = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(null=True, blank=True)
    error_count = models.IntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "feedback_sources"
        constraints = [
            models.CheckConstraint(condition=models.Q(error_count__gte=0), name="error_count_non_negative"),
            models.CheckConstraint(
                condition=models.Q(retention_days__isnull=True) | models.Q(retention_days__gte=1),
                name="retention_days_positive",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "source_type"], name="feedback_sources_type_idx"),
            models.Index(fields=["workspace", "enabled"], name="feedback_sources_enabled_idx"),
        ]

    def __str__(self) -> str:
        return self.name


#: The channels of document 1 that say more than which program sent it.
CHANNELS = {
    "in-app": _("In the app"),
    "support": _("Support"),
    "review": _("Review"),
    "community": _("Community"),
}


class ItemState(models.TextChoices):
    """States of a raw item on its way through the pipeline."""

    PENDING_CONTEXT = "pending_context", "Received"
    READY = "ready_for_extraction", "Ready"
    EXTRACTING = "extracting", "Reading"
    INTERPRETING = "interpreting", "Interpreting"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"


class RawItem(WorkspaceOwned):
    """What arrived, redacted: author, content, context envelope. Its content is immutable (a trigger says no).

    `author`, `content` and `context_envelope` have the shapes of document 3, section 4.1, in camelCase.
    """

    id_prefix = "raw_fb"

    # Each index costs every item that comes in: the two below are the beginnings of others.
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    source = models.ForeignKey(FeedbackSource, on_delete=models.CASCADE, related_name="+", db_index=False)
    source_type = models.CharField(max_length=40)
    external_id = models.TextField()
    dedupe_key = models.TextField()
    external_url = models.TextField(null=True, blank=True)
    source_created_at = models.DateTimeField()
    author = models.JSONField(default=dict)
    content = models.JSONField(default=dict)
    context_envelope = models.JSONField(default=dict)
    # What the sender said about it, as document 1's payload carries it; triage starts from these.
    channel = models.CharField(max_length=20)
    category = models.CharField(max_length=20, default="other")
    severity = models.CharField(max_length=10, default="medium")
    receipt_token = models.CharField(max_length=43, help_text="Unguessable; the author's private link")
    silent = models.BooleanField(default=False, help_text="From an import: nobody is mailed or hooked about it")

    processing_state = models.CharField(max_length=30, choices=ItemState.choices, default=ItemState.PENDING_CONTEXT)
    state_changed_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Until when a job holds it")
    held_by = models.BigIntegerField(null=True, blank=True, help_text="The number of that job")
    attempt_count = models.IntegerField(default=0)
    last_error = models.TextField(null=True, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    principal = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    extraction_input_tokens = models.IntegerField(null=True, blank=True)
    extraction_output_tokens = models.IntegerField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "raw_feedback_items"
        constraints = [
            models.UniqueConstraint(fields=["source", "dedupe_key"], name="raw_feedback_dedupe_idx"),
            models.UniqueConstraint(fields=["receipt_token"], name="raw_feedback_receipt_unique"),
        ]
        indexes = [
            # With the id: what waits is taken in its order, and the newest of very many stand at the end of that.
            models.Index(fields=["workspace", "processing_state", "id"], name="raw_feedback_waiting_idx"),
            models.Index(fields=["workspace", "source_type"], name="raw_feedback_source_type_idx"),
            models.Index(fields=["workspace", "-created_at"], name="raw_feedback_created_idx"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def heard_through(self) -> str:
        """Where it was said, as a person reads it: the channel that a program named, else the source's name."""
        named = CHANNELS.get(self.channel)
        return str(named) if named and self.source_type == "api" else self.source.name


class Attachment(WorkspaceOwned):
    """A file that came with a raw item, made harmless. Its content is where `platform.files` keeps it."""

    id_prefix = "attachment"

    raw_item = models.ForeignKey(RawItem, on_delete=models.CASCADE, related_name="attachments")
    position = models.PositiveSmallIntegerField()
    name = models.TextField(help_text="Safe to show and to save under; private data is taken out")
    media_type = models.CharField(max_length=60)
    size_bytes = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content, hex")
    file_key = models.TextField(unique=True, help_text="Where the content is kept")
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        db_table = "attachment"
        constraints = [models.UniqueConstraint(fields=["raw_item", "position"], name="attachment_position_unique")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        """Whether it was made anew from its pixels, so that it may be shown in a page."""
        return self.media_type in {"image/png", "image/jpeg"}


class IdempotencyKey(WorkspaceOwned):
    """A request that was already accepted: the same key within its window gets the same answer.

    Its id is that of the first item that it stood for.
    """

    id_prefix = "idem"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    scope = models.CharField(max_length=64, help_text="The credential the key was sent with")
    key = models.TextField()
    fingerprint = models.CharField(max_length=64, help_text="Keyed digest of the body, hex")
    raw_item_id = models.UUIDField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "idempotency_key"
        constraints = [models.UniqueConstraint(fields=["workspace", "scope", "key"], name="idempotency_key_unique")]
        indexes = [models.Index(fields=["expires_at"], name="idempotency_key_expiry_idx")]

    def __str__(self) -> str:
        return self.key


class VaultKey(WorkspaceOwned):
    """The key under which a person's originals are sealed, itself sealed under the installation's.

    While it is not yet known whose words an item holds, the item has a key of its own (`principal` is null).
    """

    id_prefix = "vault_key"

    principal = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    wrapped = models.BinaryField(help_text="AES-256-GCM: nonce and data key")

    class Meta:
        db_table = "vault_key"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "principal"],
                condition=models.Q(principal__isnull=False),
                name="vault_key_of_person",
            )
        ]

    def __str__(self) -> str:
        return self.public_id


class VaultValue(WorkspaceOwned):
    """One original that redaction took out, sealed; bound to its workspace, item and token."""

    id_prefix = "vault_value"

    raw_item = models.ForeignKey(RawItem, on_delete=models.CASCADE, related_name="+")
    key = models.ForeignKey(VaultKey, on_delete=models.CASCADE, related_name="values")
    token = models.CharField(max_length=48)
    sealed = models.BinaryField(help_text="AES-256-GCM: nonce and value")

    class Meta:
        db_table = "vault_value"
        constraints = [models.UniqueConstraint(fields=["raw_item", "token"], name="vault_value_token")]

    def __str__(self) -> str:
        return self.token


class Erasure(WorkspaceOwned):
    """That somebody or something was erased: whom or what only as keyed digests, to purge a restored backup by."""

    id_prefix = "erasure"

    kind = models.CharField(max_length=10, choices=[("person", "Person"), ("item", "Item")])
    subjects = models.JSONField(default=list, help_text="Keyed digests of what identified the subject, hex")
    because = models.CharField(max_length=20, help_text="request, withdrawn or replay")
    actor = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    counts = models.JSONField(default=dict, help_text="How many rows of each kind were emptied")

    class Meta:
        db_table = "erasure"
        indexes = [models.Index(fields=["workspace", "-created_at"], name="erasure_time_idx")]

    def __str__(self) -> str:
        return f"{self.kind} {self.created_at:%Y-%m-%d}"

    @property
    def emptied(self) -> list[tuple[str, int]]:
        """Kinds of rows and how many were emptied."""
        return list(self.counts.items())


class MailOutcome(models.TextChoices):
    """What became of a mail that came in."""

    ACCEPTED = "accepted", "New feedback"
    FOLLOW_UP = "follow_up", "Follow-up"
    IGNORED = "ignored", "Ignored"
    UNREADABLE = "unreadable", "Could not be read"
    TOO_LARGE = "too_large", "Too large"


class ReceivedMail(WorkspaceOwned):
    """One mail that was looked at, by digests only: so that it counts once, answers find it, and people see what became
    of their mail. The mail itself is not kept.
    """

    id_prefix = "received_mail"

    source = models.ForeignKey(FeedbackSource, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, help_text="Keyed digest of what names the mail, hex")
    delivery = models.CharField(max_length=64, help_text="Keyed digest of how it came: a delivery's id, or a mailbox's")
    thread = models.CharField(max_length=64, blank=True, default="", help_text="Keyed digest of its Message-ID, hex")
    outcome = models.CharField(max_length=12, choices=MailOutcome.choices)
    reason = models.CharField(max_length=20, blank=True, default="", help_text="Why it was ignored")
    raw_item_id = models.UUIDField(null=True, blank=True, help_text="What it became or was added to")

    class Meta:
        db_table = "received_mail"
        constraints = [
            models.UniqueConstraint(fields=["source", "digest"], name="received_mail_once"),
            models.UniqueConstraint(fields=["source", "delivery"], name="received_mail_delivery_once"),
        ]
        indexes = [
            models.Index(fields=["source", "-created_at"], name="received_mail_time_idx"),
            models.Index(fields=["source", "thread"], condition=~models.Q(thread=""), name="received_mail_thread_idx"),
        ]

    def __str__(self) -> str:
        return self.public_id


class ImportState(models.TextChoices):
    """States of an import."""

    DRAFT = "draft", "Not started"
    CHECKING = "checking", "Being checked"
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    STOPPED = "stopped", "Stopped"
    FAILED = "failed", "Failed"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"


#: States in which a job works on an import, when its file came through the page.
IMPORT_AT_WORK = (ImportState.CHECKING, ImportState.RUNNING, ImportState.UNDOING)


class ImportRun(WorkspaceOwned):
    """One file being imported: what its columns mean, where it stands, and what became of its rows."""

    id_prefix = "import"

    source = models.ForeignKey(FeedbackSource, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    file_name = models.TextField()
    file_digest = models.CharField(max_length=64)
    file_size = models.BigIntegerField(default=0)
    file_parts = models.PositiveIntegerField(default=0, help_text="How many parts of the file are kept; 0 when none")
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.DRAFT)
    plan = models.JSONField(default=dict, help_text="What its tables and columns mean; see importing.plan")
    checked = models.JSONField(null=True, blank=True, help_text="What a rehearsal counted")
    table_index = models.PositiveIntegerField(default=0, help_text="The table that is being read")
    table_row = models.PositiveIntegerField(default=0, help_text="How many of its rows are done")
    done_share = models.FloatField(default=0, help_text="How much of the file is done, 0 to 1")
    rows_read = models.IntegerField(default=0)
    rows_added = models.IntegerField(default=0)
    rows_updated = models.IntegerField(default=0)
    rows_known = models.IntegerField(default=0)
    rows_left_out = models.IntegerField(default=0)
    rows_refused = models.IntegerField(default=0)
    problem = models.TextField(blank=True, default="", help_text="Why it failed, for a person")
    tries = models.PositiveIntegerField(default=0, help_text="Jobs that began since one last got any further")
    undone = models.JSONField(default=dict, help_text="How much was removed of each kind")
    started_by = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "import_run"
        indexes = [models.Index(fields=["workspace", "-created_at"], name="import_run_time_idx")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(done_share__gte=0, done_share__lte=1), name="import_run_share_range"
            )
        ]

    def __str__(self) -> str:
        return self.file_name


class ImportItem(WorkspaceOwned):
    """Which import a raw item came with, and what it said then: tells a repetition from a change."""

    id_prefix = "import_item"

    raw_item = models.OneToOneField(RawItem, on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="+", help_text="That added it")
    changed_by = models.ForeignKey(ImportRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    row = models.PositiveIntegerField(help_text="The row that said it last")
    digest = models.CharField(max_length=64, help_text="Keyed digest of what it says, hex")

    class Meta:
        db_table = "import_item"
        indexes = [models.Index(fields=["run"], name="import_item_run_idx")]

    def __str__(self) -> str:
        return f"{self.raw_item_id} from {self.run_id}"


class ImportRevision(WorkspaceOwned):
    """What an item said before an import changed it, redacted as it was stored. Append-only."""

    id_prefix = "import_revision"

    raw_item = models.ForeignKey(RawItem, on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="+", help_text="That changed it")
    before = models.JSONField(help_text="The changed columns of the raw item, and its digest")

    class Meta:
        db_table = "import_revision"

    def __str__(self) -> str:
        return f"{self.raw_item_id} before {self.run_id}"


class ImportRefusal(WorkspaceOwned):
    """A row of an import that did not come in, and why. The row itself stays in its file."""

    id_prefix = "import_refusal"

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="refusals")
    table_index = models.PositiveIntegerField()
    row = models.PositiveIntegerField(help_text="1 is the first after the header")
    reason = models.TextField()
    is_left_out = models.BooleanField(default=False, help_text="On purpose, so that there is nothing to mend")

    class Meta:
        db_table = "import_refusal"
        constraints = [models.UniqueConstraint(fields=["run", "table_index", "row"], name="import_refusal_once")]

    def __str__(self) -> str:
        return f"Row {self.row} {self.reason}"


class ImportMapping(WorkspaceOwned):
    """A mapping that somebody saved, for files with the same headers."""

    id_prefix = "import_mapping"

    name = models.CharField(max_length=100)
    plan = models.JSONField(default=dict, help_text="As of an import")

    class Meta:
        db_table = "import_mapping"
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="import_mapping_name_unique")]

    def __str__(self) -> str:
        return self.name


__all__ = [
    "ApiKey",
    "Attachment",
    "DeliveryMode",
    "Erasure",
    "FeedbackSource",
    "IdempotencyKey",
    "ImportItem",
    "ImportMapping",
    "ImportRefusal",
    "ImportRevision",
    "ImportRun",
    "ImportState",
    "ItemState",
    "MailOutcome",
    "RawItem",
    "ReceivedMail",
    "VaultKey",
    "VaultValue",
]
