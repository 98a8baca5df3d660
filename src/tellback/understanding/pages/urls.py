"""Addresses of understanding's pages."""

from django.urls import path

from tellback.understanding.pages import views

urlpatterns = [
    path("admin/settings/ai", views.settings, name="settings-ai"),
    path("admin/settings/ai/again", views.again, name="settings-ai-again"),
]
