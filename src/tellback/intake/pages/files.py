"""Attachments as they are served: to people of the team, and to whoever has a signed address."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from tellback.intake.attachments.links import read_address
from tellback.intake.models import Attachment
from tellback.platform.files import get_files
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Role

#: Whatever is in a file, a browser runs none of it: no script, no form, no origin of ours.
_HARMLESS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, max-age=3600",
}


@require_safe
@require_role(Role.CONTRIBUTOR)
def attachment(_request: TenantRequest, attachment_id: UUID) -> HttpResponse:
    """An attachment of this workspace, for its team."""
    return _serve(get_object_or_404(Attachment, pk=attachment_id))


@require_safe
def signed_file(_request: TenantRequest, signed: str) -> HttpResponse:
    """An attachment of whichever workspace the signed address names."""
    workspace_id, attachment_id = read_address(signed)
    with in_workspace(workspace_id):
        return _serve(get_object_or_404(Attachment, pk=attachment_id))


def _serve(found: Attachment) -> HttpResponse:
    """Pictures made by us are shown; everything else is only ever saved."""
    content = get_files().get(found.file_key)
    response = HttpResponse(content, content_type=found.media_type, headers=_HARMLESS)
    response["Content-Disposition"] = content_disposition_header(not found.is_picture, found.name) or "attachment"
    return response
