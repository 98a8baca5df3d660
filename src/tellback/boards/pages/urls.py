"""Addresses of boards, posts and the roadmap."""

from django.urls import path, re_path

from tellback.boards.pages import signals, views

urlpatterns = [
    path("", views.board, name="boards"),
    path("b/<slug:slug>", views.board, name="board"),
    path("b/<slug:slug>/new", views.new_post, name="new-post"),
    re_path(r"^b/(?P<board_slug>[-\w]+)/[-\w]+-(?P<post_id>[0-9a-f]{32})$", views.post_page, name="post"),
    path("posts/<uuid:post_id>/vote", views.vote, name="vote"),
    path("posts/<uuid:post_id>/comment", views.comment, name="comment"),
    path("roadmap", views.roadmap, name="roadmap"),
    path("admin/roadmap", views.admin_roadmap, name="admin-roadmap"),
    path("admin/posts/<uuid:post_id>", views.admin_post, name="admin-post"),
    path("admin/posts/<uuid:post_id>/move", views.move, name="move-post"),
    path("admin/feedback/insights/<uuid:theme_id>/promote", views.promote, name="promote"),
    path("admin/feedback/signals/<uuid:signal_id>", signals.signal, name="signal"),
    path("admin/feedback/signals/<uuid:signal_id>/move", signals.move, name="move-signal"),
    path("admin/feedback/signals/<uuid:signal_id>/change", signals.change, name="change-signal"),
    path("admin/feedback/signals/<uuid:signal_id>/dismiss", signals.dismiss, name="dismiss-signal"),
    path("admin/feedback/signals/<uuid:signal_id>/confirm", signals.confirm, name="confirm-signal"),
    path("admin/feedback/corrections/<uuid:correction_id>/undo", signals.undo, name="undo-correction"),
]
