"""Addresses of intake's pages."""

from django.urls import path

from tellback.intake.pages import files, views

urlpatterns = [
    path("admin/settings/sources", views.sources, name="sources"),
    path("admin/settings/sources/new", views.new_source, name="new-source"),
    path("admin/feedback/files/<uuid:attachment_id>", files.attachment, name="attachment"),
    path("files/<str:signed>", files.signed_file, name="signed-file"),
]
