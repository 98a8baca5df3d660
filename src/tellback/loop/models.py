"""Tables of telling people: subscriptions, changelog, notifications."""

from django.db import models

from tellback.boards.models import Post
from tellback.workspaces.models import Principal, WorkspaceOwned


class SubscriptionReason(models.TextChoices):
    """Why somebody hears about a post."""

    AUTHOR = "author", "Wrote the post"
    VOTE = "vote", "Voted"
    COMMENT = "comment", "Commented"
    FEEDBACK_AUTHOR = "feedback_author", "Gave feedback about this"
    MANUAL = "manual", "Subscribed"


class Subscription(WorkspaceOwned):
    """Who hears about a post and why."""

    id_prefix = "subscription"

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="subscriptions")
    principal = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=20, choices=SubscriptionReason.choices)
    notify_status_changes = models.BooleanField(default=True)
    unsubscribed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "post_subscriptions"
        constraints = [models.UniqueConstraint(fields=["post", "principal"], name="subscription_once")]
        indexes = [models.Index(fields=["workspace", "principal"], name="subscription_principal_idx")]

    def __str__(self) -> str:
        return f"{self.principal_id} on {self.post_id}"


class ChangelogEntry(WorkspaceOwned):
    """What shipped, linked to the posts it answers."""

    id_prefix = "changelog"

    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=220)
    body = models.TextField(blank=True, default="", help_text="Markdown")
    author = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)
    recipients_frozen_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "changelog_entry"
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="changelog_slug_unique")]
        indexes = [models.Index(fields=["workspace", "-published_at"], name="changelog_published_idx")]

    def __str__(self) -> str:
        return self.title


class ChangelogEntryPost(WorkspaceOwned):
    """A post that a changelog entry answers."""

    id_prefix = "changelog_post"

    changelog_entry = models.ForeignKey(ChangelogEntry, on_delete=models.CASCADE, related_name="entry_posts")
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="changelog_entries")

    class Meta:
        db_table = "changelog_entry_posts"
        constraints = [models.UniqueConstraint(fields=["changelog_entry", "post"], name="changelog_post_once")]

    def __str__(self) -> str:
        return f"{self.post_id} in {self.changelog_entry_id}"


class ChangelogRecipient(WorkspaceOwned):
    """Who is told about a published entry and why: frozen when it is published."""

    id_prefix = "changelog_recipient"

    changelog_entry = models.ForeignKey(ChangelogEntry, on_delete=models.CASCADE, related_name="recipients")
    principal = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=20, choices=SubscriptionReason.choices)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "changelog_recipient"
        constraints = [models.UniqueConstraint(fields=["changelog_entry", "principal"], name="changelog_told_once")]

    def __str__(self) -> str:
        return f"{self.principal_id} about {self.changelog_entry_id}"


class Notification(WorkspaceOwned):
    """One thing a person is told inside the product."""

    id_prefix = "notification"

    principal = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="+")
    type = models.CharField(max_length=40)
    key = models.TextField(help_text="What it is about: nobody is told the same thing twice")
    title = models.TextField()
    body = models.TextField(blank=True, default="")
    url = models.TextField(blank=True, default="")
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "in_app_notifications"
        constraints = [models.UniqueConstraint(fields=["principal", "key"], name="notification_once")]
        indexes = [models.Index(fields=["workspace", "principal", "-created_at"], name="notification_time_idx")]

    def __str__(self) -> str:
        return self.title
