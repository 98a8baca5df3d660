"""Tables of the search: an entry for each thing that can be found, and what waits to be indexed anew.

Triggers of the database see to both (migration 0001): what changes its words loses its entry at once, so that it is
never found by words that it no longer has, and is noted as stale; a job makes the entry anew.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from tellback.workspaces.models import Workspace, WorkspaceOwned


class Kind(models.TextChoices):
    """What can be found."""

    FEEDBACK = "feedback", "Feedback"
    SIGNAL = "signal", "Need"
    THEME = "theme", "Theme"
    POST = "post", "Post"


class SearchEntry(WorkspaceOwned):
    """A thing that can be found, by its words. Its id is that of the thing. The words themselves are not here."""

    id_prefix = "search_entry"

    # Looked up by words alone: an index by workspace would only tempt the planner.
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    raw_item_id = models.UUIDField(null=True, blank=True, help_text="The item that feedback is, or a signal is of")
    at = models.DateTimeField(help_text="When it was said")
    language = models.CharField(max_length=20, help_text="How its words are stemmed: see languages")
    facets = ArrayField(models.TextField(), help_text="What it can be narrowed to: name:value")
    words = SearchVectorField()

    class Meta:
        db_table = "search_entry"
        indexes = [
            # Needs have an index of their own: most searches are not about them, and they are the most.
            GinIndex(fields=["words"], condition=~models.Q(kind=Kind.SIGNAL), name="search_entry_words_idx"),
            GinIndex(fields=["words"], condition=models.Q(kind=Kind.SIGNAL), name="search_entry_needs_idx"),
            models.Index(fields=["workspace", "language"], name="search_entry_language_idx"),
            models.Index(fields=["raw_item_id"], name="search_entry_item_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class StaleKind(models.TextChoices):
    """What is indexed at once: an item with its signals, a theme, a post."""

    ITEM = "item", "Item"
    THEME = "theme", "Theme"
    POST = "post", "Post"


class SearchStale(WorkspaceOwned):
    """That something changed and is to be indexed anew. Only ever added by the database, and taken away by the job."""

    id_prefix = "search_stale"

    kind = models.CharField(max_length=10, choices=StaleKind.choices)
    thing_id = models.UUIDField()

    class Meta:
        db_table = "search_stale"

    def __str__(self) -> str:
        return f"{self.kind} {self.thing_id}"
