"""Addresses of triage's pages."""

from django.urls import path

from tellback.triage.pages import views

urlpatterns = [path("admin/settings/answers", views.answers, name="settings-answers")]
