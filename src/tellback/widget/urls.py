"""Addresses of the widget's code and of what it asks for."""

from django.urls import path

from tellback.widget import views

urlpatterns = [
    path("widget.js", views.loader),
    path("widget/identity", views.identity),
    path("widget/notices", views.notices),
    path("widget/<slug:version>/<slug:name>.js", views.chunk),
]
