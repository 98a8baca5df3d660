"""Addresses of intake's pages."""

from django.urls import path

from tellback.intake.mail.door import hook
from tellback.intake.pages import files, mail, privacy, views
from tellback.intake.pages.imports import views as imports

urlpatterns = [
    path("hooks/<str:provider>/<str:connection_id>", hook),
    # Mailgun hands on a mail as it was sent where the address ends so.
    path("hooks/<str:provider>/<str:connection_id>/mime", hook),
    path("admin/settings/connections", mail.connections, name="connections"),
    path("admin/settings/connections/new", mail.choose, name="new-connection"),
    path("admin/settings/connections/new/<slug:by>", mail.connect, name="connect-mail"),
    path("admin/settings/connections/<uuid:source_id>", mail.connection, name="connection"),
    path("admin/settings/connections/<uuid:source_id>/look", mail.look_into, name="connection-look"),
    path("admin/settings/connections/<uuid:source_id>/test", mail.trial, name="connection-test"),
    path("admin/settings/connections/<uuid:source_id>/switch", mail.switch, name="connection-switch"),
    path("admin/settings/connections/<uuid:source_id>/remove", mail.remove, name="connection-remove"),
    path("admin/settings/sources", views.sources, name="sources"),
    path("admin/settings/sources/new", views.new_source, name="new-source"),
    path("admin/settings/imports", imports.imports, name="imports"),
    path("admin/settings/imports/<uuid:run_id>", imports.one_import, name="import"),
    path("admin/settings/imports/<uuid:run_id>/undo", imports.undo, name="undo-import"),
    path("admin/settings/imports/<uuid:run_id>/refused", imports.refused_rows, name="refused-rows"),
    path("admin/feedback/files/<uuid:attachment_id>", files.attachment, name="attachment"),
    path("files/<str:signed>", files.signed_file, name="signed-file"),
    path("admin/settings/sources/<uuid:source_id>/retention", privacy.retention, name="source-retention"),
    path("admin/settings/privacy", privacy.privacy, name="settings-privacy"),
    path("admin/settings/privacy/vault", privacy.set_vault, name="privacy-vault"),
    path("admin/settings/privacy/patterns", privacy.new_pattern, name="privacy-patterns"),
    path("admin/settings/privacy/patterns/remove", privacy.end_pattern, name="privacy-pattern-remove"),
    path("admin/feedback/stream/<uuid:item_id>/originals", privacy.originals, name="reveal-originals"),
    path("admin/users/<uuid:person_id>/export", privacy.export, name="export-person"),
    path("admin/users/<uuid:person_id>/erase", privacy.erase, name="erase-person"),
]
