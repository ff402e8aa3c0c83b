"""The list of subscribers and the page of one. Nobody edits them by a form, because each change of consent needs its record."""

from collections.abc import Iterator
from typing import Any

import django_filters  # type: ignore[import-untyped]
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views.generic import IndexView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.log_actions import LogActionRegistry, log
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.permissions import register_permission_policy

from newsletter.common.errors import BadAddress
from newsletter.common.languages import OFFERED_LANGUAGES, language_label
from newsletter.common.translation import translate
from subscribers.addresses.normalise import normalise
from subscribers.desk.imports.views import REQUIRED_PERMISSION as EXPORT_PERMISSION
from subscribers.desk.labels import list_consent_events, subscription_label
from subscribers.desk.listing import DateTimeColumn, make_breadcrumbs
from subscribers.desk.person_actions import (
    ERASE_PERMISSION,
    LIFT_PERMISSION,
    REVEAL_PERMISSION,
    SUPPRESS_PERMISSION,
    require_permission,
)
from subscribers.exporting.export_requests import CannotExport, record_disclosure
from subscribers.identity import identify
from subscribers.models import Disclosure, MailingList, Subscriber, Subscription, Suppression
from subscribers.unsubscribing.suppression import can_staff_remove

MAX_COUNTED = 10_000


class ViewOnlyPolicy(ModelPermissionPolicy):
    """Allow viewing by permission. No form adds, changes or deletes a person."""

    def user_has_permission(self, user: User | AnonymousUser, action: str) -> bool:
        return action == "view" and bool(super().user_has_permission(user, "view"))

    def user_has_any_permission(self, user: User | AnonymousUser, actions: LogActionRegistry) -> bool:
        return any(self.user_has_permission(user, action) for action in actions)


PEOPLE_POLICY = ViewOnlyPolicy(Subscriber)
register_permission_policy(Subscriber, PEOPLE_POLICY)


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Count to ten thousand and no further: staff search a list of a million people, they do not page through it."""

    @cached_property
    def count(self) -> int:
        people: Any = self.object_list
        return int(people[: MAX_COUNTED + 1].count())

    def get_elided_page_range(self, number: Any = 1, **kwargs: Any) -> Iterator[str | int]:
        """Return the page numbers to show. `number` comes from the URL, so it can be anything."""
        return super().get_elided_page_range(self.get_page(number).number, **kwargs)


class PeopleFilters(WagtailFilterSet):
    language = django_filters.ChoiceFilter(
        label=gettext_lazy("Language"),
        choices=lambda: [(code, language_label(code)) for code in OFFERED_LANGUAGES],
        method="pick",
    )

    class Meta:
        model = Subscriber
        fields = ["giving"]

    def pick(self, people: QuerySet[Subscriber], name: str, code: str) -> QuerySet[Subscriber]:
        """Return the people of this language, in any country's variant of it."""
        return people.filter(Q(language__iexact=code) | Q(language__istartswith=f"{code}-"))


class PeopleList(IndexView):
    page_title = gettext_lazy("Subscribers")
    paginator_class = CappedPaginator
    default_ordering = "-created_at"
    any_permission_required = ["view"]

    @cached_property
    def columns(self) -> list[Column]:
        return [
            TitleColumn(
                "address",
                label=_("Address"),
                accessor=str,
                get_url=lambda person: reverse("subscribers_person", args=[person.pk]),
            ),
            Column("place", label=_("Location")),
            Column("lists", label=_("Lists"), accessor=label_lists),
            Column("giving", label=_("Giving"), accessor="get_giving_display"),
            DateTimeColumn("created_at", label=_("Added"), sort_key="created_at"),
        ]

    def get_base_queryset(self) -> QuerySet[Subscriber]:
        subscriptions = Subscription.objects.select_related("mailing_list").order_by("requested_at")
        return Subscriber.objects.select_related("place").prefetch_related(
            Prefetch("subscriptions", queryset=subscriptions)
        )

    def search_queryset(self, queryset: QuerySet[Subscriber]) -> QuerySet[Subscriber]:
        """Return the person of exactly this address, normalised. Nobody can browse addresses by a part of them."""
        if not self.search_query:
            return queryset
        try:
            return queryset.filter(address_hash=identify(normalise(self.search_query)))
        except BadAddress:
            return queryset.none()


def label_lists(person: Subscriber) -> str:
    return ", ".join(subscription_label(subscription) for subscription in person.subscriptions.all()) or _("No list")


class PeopleViewSet(ModelViewSet):
    """The list alone, without the routes of forms."""

    model = Subscriber
    name = "people"
    icon = "user"
    menu_label = gettext_lazy("Subscribers")
    index_view_class = PeopleList
    filterset_class = PeopleFilters
    search_fields = ["email"]
    search_backend_name = None
    form_fields: list[str] = []
    list_per_page = 50

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
        ]


class PersonPage(WagtailAdminTemplateMixin, TemplateView):
    """Everything held about one person, with the address masked. Each view is logged."""

    template_name = "desk/person.html"
    header_icon = "user"
    http_method_names = ["get", "head", "options"]

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not PEOPLE_POLICY.user_has_permission(request.user, "view"):
            raise PermissionDenied
        self.person = get_object_or_404(Subscriber.objects.select_related("place"), pk=kwargs["pk"])
        log(instance=self.person, action="subscribers.look", user=request.user)
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return str(self.person)

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return make_breadcrumbs((reverse("people:index"), _("Subscribers")), ("", str(self.person)))

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        context: dict[str, object] = super().get_context_data(**kwargs)
        subscriptions = self.person.subscriptions.select_related("mailing_list").order_by("-requested_at")
        can = self.request.user.has_perm
        return {
            **context,
            "person": self.person,
            "address": str(self.person),
            "can_reveal": can(REVEAL_PERMISSION),
            "location": str(self.person.place or ""),
            "language": language_label(self.person.language),
            "topics": list(self.person.topics.all()),
            "subscriptions": [(subscription, subscription_label(subscription)) for subscription in subscriptions],
            "events": list_consent_events(self.person),
            "suppressions": _list_suppressions(self.person),
            "lists": MailingList.objects.all(),
            "can_lift": can(LIFT_PERMISSION),
            "can_suppress": can(SUPPRESS_PERMISSION),
            "can_erase": can(ERASE_PERMISSION),
            "can_download": can(EXPORT_PERMISSION) and can(REVEAL_PERMISSION),
        }


class RevealedPersonPage(PersonPage):
    """The same page with the whole address, by POST only. Each time is recorded and logged."""

    http_method_names = ["get", "head", "options", "post"]

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        require_permission(request, REVEAL_PERMISSION)
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        kind = Disclosure.Kind.REVEAL
        try:
            record_disclosure(by=request.user, kind=kind, people=1, about=self.person.pk, now=timezone.now())
        except CannotExport as error:
            messages.error(request, translate(error))
            return redirect("subscribers_person", self.person.pk)
        log(instance=self.person, action="subscribers.reveal", user=request.user)
        shown = {"address": self.person.email, "can_reveal": False}
        return self.render_to_response({**self.get_context_data(**kwargs), **shown})


def _list_suppressions(person: Subscriber) -> list[tuple[Suppression, bool]]:
    """Return the suppressions, each with True if staff may remove it. Only the person can undo their own request."""
    rows = Suppression.objects.filter(address_hash=bytes(person.address_hash)).select_related("mailing_list")
    return [(row, row.lifted_at is None and can_staff_remove(row)) for row in rows.order_by("-at", "-pk")]
