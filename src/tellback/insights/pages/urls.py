"""Addresses of the search."""

from django.urls import path

from tellback.insights.pages import views

urlpatterns = [path("admin/search", views.search_page, name="search")]
