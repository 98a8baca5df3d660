"""Addresses of the insights and stream pages."""

from django.urls import path

from tellback.themes.pages import arranging, people, quality, replays, stream, views

urlpatterns = [
    path("admin/feedback/insights", views.insights, name="insights"),
    path("admin/feedback/insights/<uuid:theme_id>/archive", views.archive, name="theme-archive"),
    path("admin/feedback/insights/<uuid:theme_id>/arrange", arranging.arrange, name="theme-arrange"),
    path("admin/feedback/insights/<uuid:theme_id>/rename", arranging.rename, name="theme-rename"),
    path("admin/feedback/insights/<uuid:theme_id>/join", arranging.join, name="theme-join"),
    path("admin/feedback/insights/<uuid:theme_id>/split", arranging.split, name="theme-split"),
    path("admin/feedback/proposals", arranging.show_proposals, name="theme-proposals"),
    path("admin/feedback/proposals/look", arranging.look, name="theme-upkeep"),
    path("admin/feedback/proposals/settings", arranging.settings, name="theme-upkeep-settings"),
    path("admin/feedback/proposals/<uuid:change_id>/accept", arranging.accept, name="theme-change-accept"),
    path("admin/feedback/proposals/<uuid:change_id>/decline", arranging.decline, name="theme-change-decline"),
    path("admin/feedback/proposals/<uuid:change_id>/undo", arranging.undo, name="theme-change-undo"),
    path("admin/feedback/stream", stream.stream, name="stream"),
    path("admin/feedback/stream/counts", stream.counts, name="stream-counts"),
    path("admin/feedback/stream/retry", stream.retry, name="stream-retry"),
    path("admin/feedback/stream/<uuid:item_id>", stream.raw_item, name="raw-item"),
    path("admin/settings/quality", quality.quality, name="quality"),
    path("admin/settings/quality/<uuid:signal_id>", quality.check, name="quality-check"),
    path("admin/settings/ai/replay", replays.replay, name="settings-replay"),
    path("admin/settings/ai/replay/adopt", replays.adopt, name="settings-replay-adopt"),
    path("admin/settings/ai/replay/discard", replays.discard, name="settings-replay-discard"),
    path("admin/users", people.people, name="users"),
    path("admin/users/<uuid:person_id>", people.person, name="person"),
    path("admin/users/<uuid:person_id>/merge", people.merge, name="merge-person"),
    path("admin/users/merges/<uuid:merge_id>/undo", people.unmerge, name="unmerge-person"),
]
