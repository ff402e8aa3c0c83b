"""The public pages of people: leave, choose, confirm, join, and what is done by mailed links."""

from django.urls import URLPattern, path

from subscribers.links.signed_links import Purpose
from subscribers.people.mailed_links import Kind
from subscribers.web.confirm_page import confirm
from subscribers.web.join_page import join
from subscribers.web.links import linked_page
from subscribers.web.my_mail import fresh, my_mail
from subscribers.web.own_data import arrive, download, erase, make_request_page, move
from subscribers.web.preference_page import less, preferences
from subscribers.web.stylesheet_view import stylesheet
from subscribers.web.unsubscribe_page import leave, leave_everything

_ASKED_FOR = (Kind.DOWNLOAD, Kind.ERASE, Kind.MOVE)

urlpatterns: list[URLPattern] = [
    path("u/<str:token>", leave, name="leave"),
    path("u/<str:token>/all", leave_everything, name="leave_everything"),
    path("p/<str:token>", preferences, name="preferences"),
    path("p/<str:token>/less", less, name="less"),
    path("p/<str:token>/fresh", fresh, name="fresh_link"),
    *(
        path(f"p/<str:token>/{kind}", linked_page(Purpose.PREFERENCES)(make_request_page(kind)), name=f"ask_{kind}")
        for kind in _ASKED_FOR
    ),
    path("c/<str:token>", confirm, name="confirm"),
    path("my-data/<str:token>", download, name="download"),
    path("erase-me/<str:token>", erase, name="erase"),
    path("new-address/<str:token>", move, name="move"),
    path("this-address/<str:token>", arrive, name="arrive"),
    path("my-mail", my_mail, name="my_mail"),
    path("join/<slug:slug>", join, name="join"),
    path("look.css", stylesheet, name="look"),
]
