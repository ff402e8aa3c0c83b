"""The list of subscribers: search, filters and the people of a page. Nobody edits them by a form."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import django_filters  # type: ignore[import-untyped]
from django.contrib.auth.models import AnonymousUser, User
from django.core.paginator import Paginator
from django.db.models import OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.forms.search import SearchForm
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views.generic import IndexView
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets.button import Button, HeaderButton
from wagtail.log_actions import LogActionRegistry, log
from wagtail.models import ModelLogEntry
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.permissions import register_permission_policy

from newsletter.common.languages import OFFERED_LANGUAGES
from newsletter.common.translation import language_label
from subscribers.desk.imports.views import REQUIRED_PERMISSION as MANAGE_PERMISSION
from subscribers.desk.labels import name_or_initials, subscription_label
from subscribers.desk.listing import DateTimeColumn, LimitedSearch
from subscribers.desk.person_actions import REVEAL_PERMISSION
from subscribers.models import Giving, MailingList, Subscriber, Subscription, Topic
from subscribers.people.lookup import MAX_WORDS, explain_unfound, search_people

MAX_COUNTED = 10_000
SEARCH_ACTION = "subscribers.search"
_LOG_AGAIN_AFTER = timedelta(minutes=10)
_SINCE = "since"


_FIRST_SIGN_UP = Subscription.objects.filter(subscriber=OuterRef("pk")).order_by("requested_at")
_FIRST_DATE = Least("created_at", Coalesce(Subquery(_FIRST_SIGN_UP.values("requested_at")[:1]), "created_at"))


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
    mailing_list = django_filters.ModelChoiceFilter(
        label=gettext_lazy("List"), queryset=MailingList.objects.order_by("name"), method="on_list"
    )
    topic = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Topic"), queryset=Topic.objects.order_by("name"), field_name="topics"
    )
    giving = django_filters.ChoiceFilter(label=gettext_lazy("Giving"), choices=Giving.choices)
    language = django_filters.ChoiceFilter(
        label=gettext_lazy("Language"),
        choices=lambda: [(code, language_label(code)) for code in OFFERED_LANGUAGES],
        method="pick",
    )

    class Meta:
        model = Subscriber
        fields = ["giving"]

    def on_list(self, people: QuerySet[Subscriber], name: str, mailing_list: MailingList) -> QuerySet[Subscriber]:
        """Return the people with an open subscription to the list, confirmed or not."""
        open_ones = Subscription.objects.open().filter(mailing_list=mailing_list)
        return people.filter(pk__in=open_ones.values("subscriber"))

    def pick(self, people: QuerySet[Subscriber], name: str, code: str) -> QuerySet[Subscriber]:
        """Return the people of this language, in any country's variant of it."""
        return people.filter(Q(language__iexact=code) | Q(language__istartswith=f"{code}-"))


class PeopleSearchForm(SearchForm):
    """The search box, with a hint of what it searches."""

    def __init__(self, *args: object, can_reveal: bool, **kwargs: object) -> None:
        placeholder = _("Name, town or part of an address") if can_reveal else _("Town or whole address")
        super().__init__(*args, placeholder=placeholder, **kwargs)


class TickColumn(Column):
    """A check box that belongs to the form below the list."""

    def get_value(self, instance: Subscriber) -> SafeString:
        return format_html(
            '<input type="checkbox" name="person" value="{}" form="nl-ticked" aria-label="{}">',
            instance.pk,
            _("Select %(person)s") % {"person": instance},
        )


class PeopleList(LimitedSearch, IndexView):
    max_search_words = MAX_WORDS
    page_title = gettext_lazy("Subscribers")
    paginator_class = CappedPaginator
    default_ordering = "-created_at"
    any_permission_required = ["view"]
    results_template_name = "desk/people_results.html"
    purpose = gettext_lazy("Subscribers are the people on your lists. They sign up themselves, or you import a file.")

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response: HttpResponse = super().get(request, *args, **kwargs)
        if self.search_query and self.can_reveal and not self.unsearched:
            log_search(request)
        return response

    @cached_property
    def can_reveal(self) -> bool:
        return bool(self.request.user.has_perm(REVEAL_PERMISSION))

    @cached_property
    def can_change(self) -> bool:
        return bool(self.request.user.has_perm(MANAGE_PERMISSION))

    @cached_property
    def columns(self) -> list[Column]:
        return [
            *([TickColumn("tick", label=_("Select"))] if self.can_change else []),
            TitleColumn(
                "name",
                label=_("Name"),
                accessor=lambda person: name_or_initials(person, whole=self.can_reveal) or str(person),
                get_url=lambda person: reverse("subscribers_person", args=[person.pk]),
            ),
            Column("address", label=_("Address"), accessor=str, classname="nl-address"),
            Column("place", label=_("Location")),
            Column("lists", label=_("Lists"), accessor=label_lists),
            Column("giving", label=_("Giving"), accessor="get_giving_display"),
            DateTimeColumn("since", label=_("Since"), accessor=find_first_date, sort_key=_SINCE),
        ]

    @property
    def first_step(self) -> Button | None:
        return next(iter(self.header_buttons), None)

    @cached_property
    def header_buttons(self) -> list[Button]:
        if not self.can_change:
            return []
        buttons = [HeaderButton(_("Add people"), url=reverse("subscribers_import_new"), icon_name="plus")]
        if (self.is_searching or self.is_filtering) and not self.unsearched:
            url = f"{reverse('subscribers_bulk')}?{self.request.GET.urlencode()}"
            buttons.insert(0, HeaderButton(_("Change everybody found"), url=url, icon_name="group"))
        return buttons

    def get_search_form(self) -> PeopleSearchForm:
        data = self.request.GET if self.search_kwarg in self.request.GET else None
        return PeopleSearchForm(data, can_reveal=self.can_reveal)

    def get_base_queryset(self) -> QuerySet[Subscriber]:
        subscriptions = Subscription.objects.select_related("mailing_list").order_by("requested_at")
        return Subscriber.objects.select_related("place").prefetch_related(
            Prefetch("subscriptions", queryset=subscriptions)
        )

    def order_queryset(self, queryset: QuerySet[Subscriber]) -> QuerySet[Subscriber]:
        """Order the people. Their first date is computed only if staff sort by it: no index has it."""
        if (self.ordering or "").removeprefix("-") == _SINCE:
            queryset = queryset.annotate(**{_SINCE: _FIRST_DATE})
        ordered: QuerySet[Subscriber] = super().order_queryset(queryset)
        return ordered

    def search_queryset(self, queryset: QuerySet[Subscriber]) -> QuerySet[Subscriber]:
        if not self.search_query:
            return queryset
        return search_people(queryset, self.search_query, by_part=self.can_reveal, limit=MAX_COUNTED + 1)

    def get_context_data(self, *args: object, **kwargs: object) -> dict[str, object]:
        unfound = "" if self.can_reveal or self.unsearched else explain_unfound(self.search_query or "")
        return {**super().get_context_data(*args, **kwargs), "can_change": self.can_change, "unfound": unfound}


def find_people(request: HttpRequest) -> list[int]:
    """Return the ids of the people that the list shows for this query string, or that are ticked in it.

    There are at most `MAX_COUNTED` + 1.
    """
    ticked = [int(pk) for pk in request.GET.getlist("person") if pk.isascii() and pk.isdecimal() and len(pk) < 19]
    people = Subscriber.objects.order_by("-pk")
    if ticked:
        people = people.filter(pk__in=ticked[:MAX_COUNTED])
    else:
        filters = PeopleFilters(data=request.GET, request=request)
        people = filters.filter_queryset(people) if filters.is_valid() else people.none()
        if typed := request.GET.get("q", "").strip():
            by_part = bool(request.user.has_perm(REVEAL_PERMISSION))
            people = search_people(people, typed, by_part=by_part, limit=MAX_COUNTED + 1)
    return list(people.values_list("pk", flat=True).distinct()[: MAX_COUNTED + 1])


def log_search(request: HttpRequest) -> None:
    """Log that somebody searches names and addresses, once in ten minutes: the list searches at each key."""
    searches = ModelLogEntry.objects.filter(user=request.user, action=SEARCH_ACTION)
    if not searches.filter(timestamp__gt=timezone.now() - _LOG_AGAIN_AFTER).exists():
        log(instance=request.user, action=SEARCH_ACTION, user=request.user)


def find_first_date(person: Subscriber) -> datetime:
    """Return when the person first signed up, if that is known, or when they were added. An import adds people later."""
    return min([person.created_at, *(row.requested_at for row in person.subscriptions.all())])


def label_lists(person: Subscriber) -> str:
    """Return the lists with the state of each. A subscription that ended is left out if the person joined again."""
    rows = list(person.subscriptions.all())
    joined = {row.mailing_list_id for row in rows if row.ended_at is None}
    rows_shown = [row for row in rows if row.ended_at is None or row.mailing_list_id not in joined]
    return ", ".join(dict.fromkeys(map(subscription_label, rows_shown))) or _("No list")


class PeopleViewSet(ModelViewSet):
    """The list alone, without the routes of forms."""

    model = Subscriber
    name = "people"
    icon = "user"
    menu_label = gettext_lazy("All subscribers")
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
