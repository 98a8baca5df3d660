"""A workspace in which everything has happened once, for the tests that walk through all pages."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from tellback.boards.models import Board
from tellback.boards.services import ensure_defaults, promote_theme
from tellback.connections.mail.setup import MailSetup
from tellback.effects.models import KeptMail
from tellback.intake.accept import accept_batch
from tellback.intake.mail.setting_up import connect_mail
from tellback.intake.models import ImportRun, RawItem
from tellback.loop.changelog import publish_entry, save_entry
from tellback.themes.models import Theme, ThemeStatus
from tellback.workspaces.models import Principal, Workspace
from tests.test_loop import NOW, TEXTS, submit


@pytest.fixture
def starts(workspace: Workspace, run_jobs: Callable[[], int]) -> list[str]:
    """A workspace in which everything has happened once, and the addresses that only a mail holds."""
    ensure_defaults(workspace=workspace)
    accept_batch(workspace_id=workspace.id, submissions=submit(workspace, TEXTS), now=NOW)
    run_jobs()
    theme = Theme.objects.filter(status=ThemeStatus.ACTIVE).order_by("-signal_count").first()
    assert theme is not None
    actor = Principal.objects.create(workspace=workspace, display_name="Kim", email="kim@example.com")
    board = Board.objects.get()
    post = promote_theme(theme=theme, board=board, title="Rows are lost", body="…", tags=[], actor=actor, now=NOW)
    run_jobs()
    entry = save_entry(
        workspace_id=workspace.id, entry=None, title="Exports are whole", body="See [here](/roadmap).", posts=[post],
        author=actor, now=NOW,
    )  # fmt: skip
    publish_entry(entry=entry, actor=actor, now=NOW)
    set_up = MailSetup(provider="postmark", address="feedback@example.com")
    connect_mail(workspace=workspace, setup=set_up, secrets={"user": "hook", "password": "x" * 32}, actor=actor)
    save_entry(workspace_id=workspace.id, entry=None, title="A draft", body="…", posts=[], author=actor, now=NOW)
    run_jobs()
    mail = KeptMail.objects.exclude(html="").first()
    assert mail is not None
    stop = mail.headers["List-Unsubscribe"].strip("<>")
    receipt = RawItem.objects.order_by("id").first()
    assert receipt is not None
    ImportRun.objects.create(
        workspace=workspace, source=receipt.source, file_name="a.csv", file_digest="0" * 64, state="finished"
    )
    paths = [f"/r/{receipt.receipt_token}", urlsplit(stop).path]
    return ["/", "/admin", "/sign-in/", "/changelog", "/nowhere", *paths]
