"""Register the pages, menu items and log actions of people with Wagtail."""

from django.contrib.auth.models import AnonymousUser, User
from django.urls import path, re_path
from django.utils import timezone
from django.utils.translation import gettext_lazy
from wagtail.admin.menu import MenuItem
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import SnippetViewSetGroup

from subscribers.consent.implied_consent import list_expiring_subscriptions
from subscribers.desk import bulk_changes, held_signups
from subscribers.desk.editing import archiving
from subscribers.desk.expiring_consent import ExpiringConsentPage
from subscribers.desk.exports import ExportPage, download_person, run_export_step
from subscribers.desk.imports.actions import LOG_ACTIONS, STEPS, ConfirmUndoPage, download_refused, take_step
from subscribers.desk.imports.views import (
    REQUIRED_PERMISSION,
    ImportListPage,
    ImportStatusPage,
    ImportTermsPage,
    NewImportPage,
    show_import_progress,
)
from subscribers.desk.listing import PermittedMenuItem, register_log_actions, register_pages
from subscribers.desk.lists import ListViewSet, TopicViewSet
from subscribers.desk.people import PersonPage, RevealedPersonPage
from subscribers.desk.people_list import PeopleViewSet
from subscribers.desk.person_actions import (
    ErasePage,
    correct_address,
    record_reply,
    remove_person_suppression,
    rename_person,
    suppress_person,
)
from subscribers.desk.person_details import DetailsPage
from subscribers.desk.segments.views import WhyInSegment, list_regions, list_towns
from subscribers.desk.segments.viewset import SegmentViewSet
from subscribers.models import HeldSignup


def _can_manage_people(user: User | AnonymousUser) -> bool:
    return bool(user.has_perm(REQUIRED_PERMISSION))


def _has_signups_to_review(user: User | AnonymousUser) -> bool:
    return bool(user.has_perm(held_signups.REQUIRED_PERMISSION)) and HeldSignup.objects.exists()


def _has_expiring_consent(user: User | AnonymousUser) -> bool:
    return _can_manage_people(user) and list_expiring_subscriptions(now=timezone.now()).exists()


class PeopleGroup(SnippetViewSetGroup):
    items = (PeopleViewSet, ListViewSet, TopicViewSet, SegmentViewSet)
    menu_label = gettext_lazy("Subscribers")
    menu_icon = "group"
    menu_order = 200

    def get_submenu_items(self) -> list[MenuItem]:
        return [
            *super().get_submenu_items(),
            PermittedMenuItem(
                gettext_lazy("Sign-ups to review"),
                "subscribers_held",
                name="held",
                icon_name="time",
                order=80,
                is_permitted=_has_signups_to_review,
            ),
            PermittedMenuItem(
                gettext_lazy("Expiring consent"),
                "subscribers_expiring",
                name="expiring",
                icon_name="time",
                order=85,
                is_permitted=_has_expiring_consent,
            ),
            PermittedMenuItem(
                gettext_lazy("Imports and exports"),
                "subscribers_imports",
                name="imports",
                icon_name="download",
                order=90,
                is_permitted=_can_manage_people,
            ),
        ]


register_snippet(PeopleGroup)


_PERSON_LOG_ACTIONS = {
    "look": (gettext_lazy("View a person"), gettext_lazy("Viewed")),
    "reveal": (gettext_lazy("Show an address"), gettext_lazy("Address shown")),
    "rename": (gettext_lazy("Correct a name"), gettext_lazy("Name corrected")),
    "details": (gettext_lazy("Change a person’s details"), gettext_lazy("Details changed")),
    "correct": (gettext_lazy("Correct an address"), gettext_lazy("Corrected address asked to confirm")),
    "reply": (gettext_lazy("Record a reply of a person"), gettext_lazy("Reply recorded")),
    "lift": (gettext_lazy("Allow emails to a person again"), gettext_lazy("Emails allowed again")),
    "bar": (gettext_lazy("Stop emails to a person"), gettext_lazy("Emails stopped")),
    "erase": (gettext_lazy("Erase a person"), gettext_lazy("Erased")),
}


register_pages(
    path("people/<int:pk>/", PersonPage.as_view(), name="subscribers_person"),
    path("people/<int:pk>/address/", RevealedPersonPage.as_view(), name="subscribers_reveal"),
    path("people/<int:pk>/erase/", ErasePage.as_view(), name="subscribers_erase"),
    path("people/<int:pk>/name/", rename_person, name="subscribers_rename"),
    path("people/<int:pk>/details/", DetailsPage.as_view(), name="subscribers_details"),
    path("people/<int:pk>/corrected/", correct_address, name="subscribers_correct_address"),
    path("people/<int:pk>/reply/", record_reply, name="subscribers_reply"),
    path("people/<int:pk>/suppress/", suppress_person, name="subscribers_suppress"),
    path(
        "people/<int:pk>/remove-suppression/<int:suppression>/",
        remove_person_suppression,
        name="subscribers_remove_suppression",
    ),
    path("people/change/", bulk_changes.BulkChangePage.as_view(), name="subscribers_bulk"),
    path("people/expiring/", ExpiringConsentPage.as_view(), name="subscribers_expiring"),
    path("people/held/", held_signups.HeldSignupsPage.as_view(), name="subscribers_held"),
    path("segments/<int:pk>/why/", WhyInSegment.as_view(), name="subscribers_why_in_segment"),
    path("segments/regions/", list_regions, name="subscribers_regions"),
    path("segments/towns/", list_towns, name="subscribers_towns"),
    path("people/<int:pk>/data/", download_person, name="subscribers_person_data"),
    path("people/download/", ExportPage.as_view(), name="subscribers_export"),
    re_path(r"^people/download/(?P<pk>\d+)/(?P<step>allow|take)/$", run_export_step, name="subscribers_export_step"),
    path("people/imports/", ImportListPage.as_view(), name="subscribers_imports"),
    path("people/imports/new/", NewImportPage.as_view(), name="subscribers_import_new"),
    path("people/imports/<int:pk>/", ImportStatusPage.as_view(), name="subscribers_import"),
    path("people/imports/<int:pk>/columns/", ImportTermsPage.as_view(), name="subscribers_import_terms"),
    path("people/imports/<int:pk>/progress/", show_import_progress, name="subscribers_import_progress"),
    path("people/imports/<int:pk>/refused/", download_refused, name="subscribers_import_refused"),
    path("people/imports/<int:pk>/undo/sure/", ConfirmUndoPage.as_view(), name="subscribers_import_undo"),
    re_path(rf"^people/imports/(?P<pk>\d+)/(?P<step>{'|'.join(STEPS)})/$", take_step, name="subscribers_import_step"),
)
register_log_actions(
    _PERSON_LOG_ACTIONS | LOG_ACTIONS | archiving.LOG_ACTIONS | held_signups.LOG_ACTIONS | bulk_changes.LOG_ACTIONS,
    app="subscribers",
)
