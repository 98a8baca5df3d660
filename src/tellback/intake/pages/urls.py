"""Addresses of intake's pages."""

from django.urls import path

from tellback.intake.pages import views

urlpatterns = [
    path("admin/settings/sources", views.sources, name="sources"),
    path("admin/settings/sources/new", views.new_source, name="new-source"),
]
