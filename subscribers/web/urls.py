"""The public pages of people: leave, choose, confirm, join."""

from django.urls import URLPattern, path

from subscribers.web.confirm import confirm
from subscribers.web.join import join
from subscribers.web.leave import leave, leave_everything
from subscribers.web.preference_page import preferences

urlpatterns: list[URLPattern] = [
    path("u/<str:token>", leave, name="leave"),
    path("u/<str:token>/all", leave_everything, name="leave_everything"),
    path("p/<str:token>", preferences, name="preferences"),
    path("c/<str:token>", confirm, name="confirm"),
    path("join/<slug:slug>", join, name="join"),
]
