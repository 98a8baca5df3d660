"""Addresses of the changelog, receipts, notifications and the mailbox."""

from django.urls import path

from tellback.loop.pages import receipts, views

urlpatterns = [
    path("changelog", views.changelog, name="changelog"),
    path("changelog/<slug:slug>", views.entry_page, name="changelog-entry"),
    path("r/<str:token>", receipts.receipt, name="receipt"),
    path("unsubscribe/<str:token>", views.unsubscribe, name="unsubscribe"),
    path("admin/changelog", views.admin_changelog, name="admin-changelog"),
    path("admin/changelog/new", views.edit_entry, name="new-entry"),
    path("admin/changelog/<uuid:entry_id>", views.edit_entry, name="edit-entry"),
    path("admin/changelog/<uuid:entry_id>/publish", views.publish, name="publish-entry"),
    path("admin/notifications", views.notifications, name="notifications"),
    path("admin/mailbox", views.mailbox, name="mailbox"),
    path("admin/mailbox/<uuid:mail_id>", views.mailbox, name="kept-mail"),
    path("admin/mailbox/<uuid:mail_id>/html", views.mail_html, name="kept-mail-html"),
]
