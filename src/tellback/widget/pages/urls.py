"""Addresses of the widget's pages."""

from django.urls import path

from tellback.widget.pages import demo, views

urlpatterns = [
    path("admin/settings/widget", views.settings, name="settings-widget"),
    path("admin/settings/widget/preview", views.preview, name="settings-widget-preview"),
    path("admin/settings/widget/keys", views.create_key, name="settings-widget-keys"),
    path("admin/settings/widget/keys/<uuid:key_id>/sites", views.save_origins, name="settings-widget-sites"),
    path("admin/settings/widget/signing-keys", views.create_signing_key, name="settings-signing-keys"),
    path(
        "admin/settings/widget/signing-keys/<uuid:key_id>/revoke",
        views.end_signing_key,
        name="settings-signing-key-revoke",
    ),
    path("demo/widget", demo.site, name="demo-widget"),
]
