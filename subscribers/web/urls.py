"""The public pages of people: unsubscribe, preferences, confirm, sign up and mailed links."""

from django.urls import URLPattern, path, register_converter
from django.urls.converters import StringConverter

from subscribers.links.signed_links import PATHS, Purpose
from subscribers.people.mailed_links import Kind
from subscribers.web.branding import stylesheet
from subscribers.web.confirm_page import confirm
from subscribers.web.join_page import join
from subscribers.web.links import changed_link, linked_page
from subscribers.web.own_data import change_address, confirm_new_address, download, erase, make_request_page
from subscribers.web.preference_page import preferences, reduce_frequency
from subscribers.web.reconfirm_page import stay_page
from subscribers.web.request_link_page import my_mail, request_fresh_link
from subscribers.web.unsubscribe_page import undo, undo_everything, unsubscribe, unsubscribe_from_everything

CHANGED_LINK = "changed_link"
"""The name of the page for every other path that begins as a link with a token does."""


class _AnyText(StringConverter):
    regex = r"[\s\S]*"


register_converter(_AnyText, "any_text")
_ASKED_FOR = (Kind.DOWNLOAD, Kind.ERASE, Kind.CHANGE_ADDRESS)

urlpatterns: list[URLPattern] = [
    path("u/<slug:token>", unsubscribe, name="unsubscribe"),
    path("u/<slug:token>/all", unsubscribe_from_everything, name="unsubscribe_from_everything"),
    path("u/<slug:token>/undo", undo, name="undo_unsubscribe"),
    path("u/<slug:token>/all/undo", undo_everything, name="undo_unsubscribe_from_everything"),
    path("p/<slug:token>", preferences, name="preferences"),
    path("p/<slug:token>/less", reduce_frequency, name="reduce_frequency"),
    path("p/<slug:token>/fresh", request_fresh_link, name="request_fresh_link"),
    *(
        path(f"p/<slug:token>/{kind}", linked_page(Purpose.PREFERENCES)(make_request_page(kind)), name=f"ask_{kind}")
        for kind in _ASKED_FOR
    ),
    path("c/<slug:token>", confirm, name="confirm"),
    path("stay/<slug:token>", stay_page, name="stay"),
    path("my-data/<slug:token>", download, name="download"),
    path("erase-me/<slug:token>", erase, name="erase"),
    path("new-address/<slug:token>", change_address, name="change_address"),
    path("this-address/<slug:token>", confirm_new_address, name="confirm_new_address"),
    path("my-mail", my_mail, name="my_mail"),
    path("join/<slug:slug>", join, name="join"),
    path("look.css", stylesheet, name="stylesheet"),
    *(path(f"{start}/<any_text:token>", changed_link, name=CHANGED_LINK) for start in PATHS.values()),
]
