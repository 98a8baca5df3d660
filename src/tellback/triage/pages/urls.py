"""Addresses of triage's pages."""

from django.urls import path

from tellback.triage.pages import duplicates, views

urlpatterns = [
    path("admin/settings/answers", views.answers, name="settings-answers"),
    path("admin/feedback/duplicates/<uuid:suggestion_id>/confirm", duplicates.confirm, name="duplicate-confirm"),
    path("admin/feedback/duplicates/<uuid:suggestion_id>/dismiss", duplicates.dismiss, name="duplicate-dismiss"),
    path("admin/feedback/duplicates/<uuid:suggestion_id>/undo", duplicates.undo, name="duplicate-undo"),
]
