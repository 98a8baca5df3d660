"""Addresses of the workspace's pages."""

from django.urls import path
from django.views.generic import RedirectView

from tellback.workspaces.pages import loop, views

urlpatterns = [
    path("admin", RedirectView.as_view(url="/admin/feedback/insights")),
    path("admin/", RedirectView.as_view(url="/admin/feedback/insights")),
    path("admin/feedback", RedirectView.as_view(url="/admin/feedback/insights")),
    path("admin/enter/<str:user_id>/<str:token>", views.enter, name="enter"),
    path("admin/settings", views.settings, name="settings"),
    path("admin/settings/name", views.rename, name="settings-name"),
    path("admin/settings/keys", views.create_key, name="settings-keys"),
    path("admin/settings/keys/<uuid:key_id>/revoke", views.end_key, name="settings-key-revoke"),
    path("admin/settings/anonymous", views.anonymous, name="settings-anonymous"),
    path("admin/settings/members", views.invite, name="settings-members"),
    path("admin/settings/members/<uuid:member_id>", views.set_role, name="settings-member"),
    path("admin/settings/loop", loop.settings, name="settings-loop"),
    path("admin/account", views.account, name="account"),
    path("admin/account/name", views.set_name, name="account-name"),
    path("admin/account/password", views.set_password, name="account-password"),
    path("admin/account/sessions", views.sign_out_elsewhere, name="account-sessions"),
    path("admin/workspaces/<uuid:workspace_id>", views.choose, name="choose-workspace"),
]
