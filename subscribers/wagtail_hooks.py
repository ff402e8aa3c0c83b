"""Puts the screens of people into Wagtail's administration. Only registrations stand here."""

from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, path, re_path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import SnippetViewSetGroup

from subscribers.consent.implied_consent import list_expiring_subscriptions
from subscribers.desk.expiring_consent import ExpiringPage
from subscribers.desk.exports import Export, download_person, run_export_step
from subscribers.desk.held_signups import ACTIONS as HELD_ACTIONS
from subscribers.desk.held_signups import REQUIRED_PERMISSION as MAY_LET_IN
from subscribers.desk.held_signups import HeldSignupsPage
from subscribers.desk.imports.actions import ACTIONS, STEPS, ConfirmUndoPage, download_refused, take_step
from subscribers.desk.imports.views import (
    REQUIRED_PERMISSION,
    ImportProgress,
    Imports,
    ImportStatusPage,
    ImportTerms,
    NewImport,
)
from subscribers.desk.lists import ListViewSet, TopicViewSet
from subscribers.desk.location_choices import list_regions, list_towns
from subscribers.desk.people import PeopleViewSet, PersonPage, RevealedPerson
from subscribers.desk.person_actions import ErasePage, bar, lift
from subscribers.desk.segments.views import WhyInSegment
from subscribers.desk.segments.viewset import SegmentViewSet
from subscribers.models import HeldSignup


class ImportsItem(MenuItem):
    """For those who look after the people."""

    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(REQUIRED_PERMISSION))


class HeldItem(MenuItem):
    """Only while somebody waits."""

    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(MAY_LET_IN)) and HeldSignup.objects.exists()


class ExpiringItem(MenuItem):
    """Only while somebody's implied consent runs out soon."""

    def is_shown(self, request: HttpRequest) -> bool:
        return (
            bool(request.user.has_perm(REQUIRED_PERMISSION))
            and list_expiring_subscriptions(now=timezone.now()).exists()
        )


class PeopleGroup(SnippetViewSetGroup):
    items = (PeopleViewSet, ListViewSet, TopicViewSet, SegmentViewSet)
    menu_label = gettext_lazy("People")
    menu_icon = "group"
    menu_order = 200

    def get_submenu_items(self) -> list[MenuItem]:
        imports = ImportsItem(
            gettext_lazy("Imports and exports"),
            reverse("subscribers_imports"),
            name="imports",
            icon_name="download",
            order=90,
        )
        held = HeldItem(
            gettext_lazy("Sign-ups that wait"), reverse("subscribers_held"), name="held", icon_name="time", order=80
        )
        expiring = ExpiringItem(
            gettext_lazy("Consent that runs out"),
            reverse("subscribers_expiring"),
            name="expiring",
            icon_name="time",
            order=85,
        )
        return [*super().get_submenu_items(), held, expiring, imports]


register_snippet(PeopleGroup)


def add_urls() -> list[URLPattern]:
    return [
        path("people/<int:pk>/", PersonPage.as_view(), name="subscribers_person"),
        path("people/<int:pk>/address/", RevealedPerson.as_view(), name="subscribers_reveal"),
        path("people/<int:pk>/erase/", ErasePage.as_view(), name="subscribers_erase"),
        path("people/<int:pk>/bar/", bar, name="subscribers_bar"),
        path("people/<int:pk>/lift/<int:suppression>/", lift, name="subscribers_lift"),
        path("people/expiring/", ExpiringPage.as_view(), name="subscribers_expiring"),
        path("people/held/", HeldSignupsPage.as_view(), name="subscribers_held"),
        path("segments/<int:pk>/why/", WhyInSegment.as_view(), name="subscribers_why_in_segment"),
        path("segments/regions/", list_regions, name="subscribers_regions"),
        path("segments/towns/", list_towns, name="subscribers_towns"),
        path("people/<int:pk>/data/", download_person, name="subscribers_person_data"),
        path("people/download/", Export.as_view(), name="subscribers_export"),
        re_path(
            r"^people/download/(?P<pk>\d+)/(?P<step>allow|take)/$", run_export_step, name="subscribers_export_step"
        ),
        path("people/imports/", Imports.as_view(), name="subscribers_imports"),
        path("people/imports/new/", NewImport.as_view(), name="subscribers_import_new"),
        path("people/imports/<int:pk>/", ImportStatusPage.as_view(), name="subscribers_import"),
        path("people/imports/<int:pk>/columns/", ImportTerms.as_view(), name="subscribers_import_terms"),
        path("people/imports/<int:pk>/progress/", ImportProgress.as_view(), name="subscribers_import_progress"),
        path("people/imports/<int:pk>/refused/", download_refused, name="subscribers_import_refused"),
        path("people/imports/<int:pk>/undo/sure/", ConfirmUndoPage.as_view(), name="subscribers_import_undo"),
        re_path(
            rf"^people/imports/(?P<pk>\d+)/(?P<step>{'|'.join(STEPS)})/$", take_step, name="subscribers_import_step"
        ),
    ]


def name_log_actions(actions: Any) -> None:
    actions.register_action("subscribers.look", gettext_lazy("Look at a person"), gettext_lazy("Looked at"))
    actions.register_action("subscribers.reveal", gettext_lazy("Show an address"), gettext_lazy("Address shown"))
    actions.register_action(
        "subscribers.lift", gettext_lazy("Allow mail to a person again"), gettext_lazy("Mail allowed again")
    )
    actions.register_action("subscribers.bar", gettext_lazy("Stop mail to a person"), gettext_lazy("Mail stopped"))
    actions.register_action("subscribers.erase", gettext_lazy("Erase a person"), gettext_lazy("Erased"))
    for step, (label, message) in (ACTIONS | HELD_ACTIONS).items():
        actions.register_action(f"subscribers.{step}", label, message)


hooks.register("register_admin_urls", add_urls)
hooks.register("register_log_actions", name_log_actions)
