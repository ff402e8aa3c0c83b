"""The desk's one search: issues, stories, events, one subscriber by address, and pages of the desk."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.menu import Menu, SubmenuMenuItem, admin_menu
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from newsletter.common.errors import BadAddress
from newsletter.desk.issues.issue_page import overview_url
from newsletter.desk.publications.slot_text import format_slot_short
from newsletter.desk.shell.labels import label_issue_state
from newsletter.desk.shell.search_fields import MAX_LENGTH, filter_by_words
from newsletter.models import EventNotice, Issue, Publication, Source, Story
from subscribers.addresses.normalise import normalise
from subscribers.desk.listing import make_breadcrumbs
from subscribers.identity import identify
from subscribers.models import Subscriber

MAX_HITS = 8
VIEW_PEOPLE = "subscribers.view_subscriber"


@dataclass(frozen=True)
class Hit:
    title: str
    url: str
    detail: str = ""


@dataclass(frozen=True)
class HitGroup:
    """The hits of one kind. ``all_url`` leads to the list with the same search, "" if the hits are all there are."""

    title: str
    hits: list[Hit]
    all_url: str = ""


class SearchPage(WagtailAdminTemplateMixin, TemplateView):
    template_name = "desk/search.html"
    header_icon = "search"
    page_title = gettext_lazy("Search")

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return make_breadcrumbs(("", _("Search")))

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        typed = self.request.GET.get("q", "").strip()[:MAX_LENGTH]
        groups = find_hits(self.request, typed) if typed else []
        return {**super().get_context_data(**kwargs), "typed": typed, "groups": groups}


def find_hits(request: HttpRequest, typed: str) -> list[HitGroup]:
    """Return what the person may see and what matches, by kind. Kinds without a hit are left out."""
    person = request.user
    groups = []
    if _may_see(person, "issue"):
        issues = Issue.objects.select_related("publication", "slot").order_by("-made_at")
        found = filter_by_words(issues, typed, fields=("subject", "preheader", "publication__name", "number"))
        groups.append(_make_group(_("Issues"), found, typed, model="issue", hit=_issue_hit))
    if _may_see(person, "story"):
        stories = filter_by_words(Story.objects.order_by("-seen_at"), typed, fields=("title", "teaser"))
        groups.append(_make_group(_("Stories"), stories, typed, model="story", hit=_row_hit("story")))
    if _may_see(person, "eventnotice"):
        events = filter_by_words(
            EventNotice.objects.order_by("-starts_at"), typed, fields=("title", "place_text", "town")
        )
        groups.append(_make_group(_("Events"), events, typed, model="eventnotice", hit=_row_hit("eventnotice")))
    if person.has_perm(VIEW_PEOPLE):
        groups.append(HitGroup(_("Subscribers"), _find_subscriber(typed)))
    if person.has_perm("newsletter.change_publication"):
        rows = filter_by_words(Publication.objects.all(), typed, fields=("name",))
        groups.append(_make_group(_("Newsletters"), rows, typed, model="publication", hit=_row_hit("publication")))
    if _may_see(person, "source"):
        sources = filter_by_words(Source.objects.all(), typed, fields=("name", "url"))
        groups.append(_make_group(_("Sources"), sources, typed, model="source", hit=_row_hit("source")))
    groups.append(HitGroup(_("Pages of the desk"), list(_find_pages(request, typed))))
    return [group for group in groups if group.hits]


def _may_see(person: Any, model: str) -> bool:
    return bool(person.has_perm(f"newsletter.view_{model}") or person.has_perm(f"newsletter.change_{model}"))


def _make_group(title: str, rows: QuerySet[Any], typed: str, *, model: str, hit: Any) -> HitGroup:
    found = list(rows[: MAX_HITS + 1])
    more = (
        f"{reverse(f'wagtailsnippets_newsletter_{model}:list')}?{urlencode({'q': typed})}"
        if len(found) > MAX_HITS
        else ""
    )
    return HitGroup(title, [hit(row) for row in found[:MAX_HITS]], more)


def _issue_hit(issue: Issue) -> Hit:
    detail = ", ".join(filter(None, [str(issue), label_issue_state(issue).label, format_slot_short(issue)]))
    return Hit(issue.sample_subject or str(issue), overview_url(issue), detail)


def _row_hit(model: str) -> Any:
    return lambda row: Hit(str(row), reverse(f"wagtailsnippets_newsletter_{model}:edit", args=[row.pk]))


def _find_subscriber(typed: str) -> list[Hit]:
    """Return the person of exactly this address. Nobody can browse addresses by a part of them."""
    try:
        person = Subscriber.objects.filter(address_hash=identify(normalise(typed))).first()
    except BadAddress:
        return []
    return [Hit(str(person), reverse("subscribers_person", args=[person.pk]))] if person else []


def _find_pages(request: HttpRequest, typed: str) -> Iterable[Hit]:
    """Yield the menu's pages whose name has each word."""
    words = typed.casefold().split()
    for label, url in _walk_menu(admin_menu, request):
        if all(word in label.casefold() for word in words):
            yield Hit(label, url)


def _walk_menu(menu: Menu, request: HttpRequest) -> Iterable[tuple[str, str]]:
    for item in menu.menu_items_for_request(request):
        if isinstance(item, SubmenuMenuItem):
            yield from _walk_menu(item.menu, request)
        elif item.url:
            yield str(item.label), str(item.url)
