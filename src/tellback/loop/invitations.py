"""Telling somebody that they are in the team."""

from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from tellback.effects.mail import Mail, send_mail
from tellback.workspaces.models import Principal, Role


def invite(*, member: Principal, actor: Principal, occasion: str, now: datetime) -> None:
    """Mail a new member of the team how to sign in, once for each occasion.

    Unlike what people hear about their feedback it is neither paced nor ended by an unsubscription. Nobody is mailed
    who is not in the team any more.
    """
    if member.role == Role.USER or not member.email:
        return
    subject = _("You are in the team of %s") % member.workspace.name
    context = {
        "member": member,
        "actor": actor,
        "workspace": member.workspace,
        "subject": subject,
        "address": settings.BASE_URL + reverse("account_request_login_code"),
    }
    send_mail(
        workspace_id=member.workspace_id,
        key=f"invited:{occasion}:{member.id}",
        mail=Mail(
            to=member.email,
            subject=subject,
            text=render_to_string("loop/mail/invited.txt", context).strip() + "\n",
            html=render_to_string("loop/mail/invited.html", context),
            headers={"Auto-Submitted": "auto-generated"},
        ),
        due_at=now,
        now=now,
    )
