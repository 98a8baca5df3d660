"""Tables of installed integrations."""

from django.db import models

from tellback.workspaces.models import WorkspaceOwned


class Integration(WorkspaceOwned):
    """One connected account of a vendor. A workspace may connect several of the same type."""

    id_prefix = "integration"

    integration_type = models.CharField(max_length=40)
    name = models.TextField()
    status = models.CharField(max_length=20, default="active")
    config = models.JSONField(default=dict)
    secrets = models.TextField(null=True, blank=True, help_text="Sealed credentials")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "integration"
        indexes = [models.Index(fields=["workspace", "integration_type"], name="integration_type_idx")]

    def __str__(self) -> str:
        return self.name
