"""Puts the screens of people into Wagtail's administration. Only registrations stand here."""

from typing import Any

from django.urls import URLPattern, path
from wagtail import hooks
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import SnippetViewSetGroup

from subscribers.desk.lists import ListViewSet, TopicViewSet
from subscribers.desk.people import PeopleViewSet, PersonPage
from subscribers.desk.segments import SegmentViewSet


class PeopleGroup(SnippetViewSetGroup):
    items = (PeopleViewSet, ListViewSet, TopicViewSet, SegmentViewSet)
    menu_label = "People"
    menu_icon = "group"
    menu_order = 200


register_snippet(PeopleGroup)


def add_urls() -> list[URLPattern]:
    return [path("people/<int:pk>/", PersonPage.as_view(), name="subscribers_person")]


def name_log_actions(actions: Any) -> None:
    actions.register_action("subscribers.look", "Look at a person", "Looked at")


hooks.register("register_admin_urls", add_urls)
hooks.register("register_log_actions", name_log_actions)
