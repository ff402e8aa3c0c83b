"""The desk's one search: issues, stories, events, appeals, people, staff, publications, sources, and pages of the desk."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.menu import Menu, SubmenuMenuItem, admin_menu

from newsletter.common.staff_pages import StaffTemplatePage
from newsletter.common.text import explain_long_search
from newsletter.common.translation import translate
from newsletter.desk.issues.issue_page import overview_url
from newsletter.desk.publications.slot_text import format_sent_or_due
from newsletter.desk.setup.steps import REQUIRED_PERMISSION as SET_UP_PERMISSION
from newsletter.desk.setup.steps import STEPS
from newsletter.desk.shell.labels import label_issue_state, send_began, written_to_files
from newsletter.desk.shell.panels import find_field_labels
from newsletter.desk.shell.search_fields import filter_by_words
from newsletter.models import Appeal, Brand, EventNotice, Issue, Publication, Source, Story
from subscribers.desk.labels import name_or_initials
from subscribers.desk.people_list import log_search
from subscribers.desk.person_actions import REVEAL_PERMISSION
from subscribers.models import MailingList, Segment, Subscriber, Topic
from subscribers.people.lookup import MAX_WORDS, explain_unfound, search_people

MAX_HITS = 8
VIEW_PEOPLE = "subscribers.view_subscriber"
MODELS = (Publication, Brand, MailingList, Topic, Segment, Issue, Story, EventNotice, Appeal, Source)


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


class SearchPage(StaffTemplatePage):
    template_name = "desk/search.html"
    header_icon = "search"
    page_title = gettext_lazy("Search")

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        typed = self.request.GET.get("q", "").strip()
        unsearched = translate(explain_long_search(typed))
        return {
            **super().get_context_data(**kwargs),
            "typed": typed,
            "groups": find_hits(self.request, typed) if typed and not unsearched else [],
            "unsearched": unsearched,
            "unfound": "" if unsearched else _explain_unfound_people(self.request.user, typed),
        }


def _explain_unfound_people(person: User | AnonymousUser, typed: str) -> str:
    if not person.has_perm(VIEW_PEOPLE):
        return ""
    if explain_long_search(typed, max_words=MAX_WORDS):
        return _("Subscribers were not searched: a search for them has at most %(limit)s words.") % {"limit": MAX_WORDS}
    return "" if person.has_perm(REVEAL_PERMISSION) else explain_unfound(typed)


def find_hits(request: HttpRequest, typed: str) -> list[HitGroup]:
    """Return the matching rows that the person may see, by kind. Kinds without a hit are left out."""
    person = request.user
    groups = []
    if _may_see(person, "issue"):
        issues = (
            Issue.objects.select_related("publication", "slot")
            .annotate(to_files=written_to_files(), sent_at=send_began())
            .order_by("-made_at")
        )
        matching = filter_by_words(issues, typed, fields=("subject", "preheader", "publication__name", "number"))
        groups.append(_make_group(_("Issues"), matching, typed, model="issue", hit=_issue_hit))
    if _may_see(person, "story"):
        stories = filter_by_words(Story.objects.order_by("-seen_at"), typed, fields=("title", "teaser"))
        groups.append(_make_group(_("Stories"), stories, typed, model="story", hit=_row_hit("story")))
    if _may_see(person, "eventnotice"):
        events = filter_by_words(
            EventNotice.objects.order_by("-starts_at"), typed, fields=("title", "place_text", "town")
        )
        groups.append(_make_group(_("Events"), events, typed, model="eventnotice", hit=_row_hit("eventnotice")))
    if _may_see(person, "appeal"):
        appeals = filter_by_words(Appeal.objects.order_by("priority", "pk"), typed, fields=("headline", "text"))
        groups.append(_make_group(_("Appeals"), appeals, typed, model="appeal", hit=_row_hit("appeal")))
    if person.has_perm(VIEW_PEOPLE):
        groups.append(_find_people(request, typed))
    if person.has_perm("auth.change_user"):
        groups.append(HitGroup(_("Staff"), _find_staff(typed)))
    if person.has_perm("newsletter.change_publication"):
        rows = filter_by_words(Publication.objects.all(), typed, fields=("name",))
        groups.append(_make_group(_("Publications"), rows, typed, model="publication", hit=_row_hit("publication")))
    if _may_see(person, "source"):
        sources = filter_by_words(Source.objects.all(), typed, fields=("name", "url"))
        groups.append(_make_group(_("Sources"), sources, typed, model="source", hit=_row_hit("source")))
    groups.append(HitGroup(_("Pages of the desk"), list(_find_pages(request, typed))))
    groups.append(HitGroup(_("Fields"), list(find_fields(person, typed))[:MAX_HITS]))
    return [group for group in groups if group.hits]


def _may_see(person: User | AnonymousUser, model: str) -> bool:
    return bool(person.has_perm(f"newsletter.view_{model}") or person.has_perm(f"newsletter.change_{model}"))


def _make_group(title: str, rows: QuerySet[Any], typed: str, *, model: str, hit: Callable[[Any], Hit]) -> HitGroup:
    first_rows = list(rows[: MAX_HITS + 1])
    more = (
        f"{reverse(f'wagtailsnippets_newsletter_{model}:list')}?{urlencode({'q': typed})}"
        if len(first_rows) > MAX_HITS
        else ""
    )
    return HitGroup(title, [hit(row) for row in first_rows[:MAX_HITS]], more)


def _issue_hit(issue: Issue) -> Hit:
    state = label_issue_state(issue, to_files=getattr(issue, "to_files", False)).label
    detail = ", ".join(filter(None, [str(issue), state, format_sent_or_due(issue)]))
    return Hit(issue.shown_subject or str(issue), overview_url(issue), detail)


def _row_hit(model: str) -> Callable[[Any], Hit]:
    return lambda row: Hit(str(row), reverse(f"wagtailsnippets_newsletter_{model}:edit", args=[row.pk]))


def _find_people(request: HttpRequest, typed: str) -> HitGroup:
    """Return the people that the list of subscribers finds, masked as there. Searching whole addresses is logged."""
    may_reveal = request.user.has_perm(REVEAL_PERMISSION)
    if may_reveal:
        log_search(request)
    people = list(search_people(Subscriber.objects.order_by("-pk"), typed, by_part=may_reveal, limit=MAX_HITS + 1))
    hits = [
        Hit(
            name_or_initials(person, whole=may_reveal) or str(person),
            reverse("subscribers_person", args=[person.pk]),
            str(person),
        )
        for person in people[:MAX_HITS]
    ]
    more = f"{reverse('people:index')}?{urlencode({'q': typed})}" if len(people) > MAX_HITS else ""
    return HitGroup(_("Subscribers"), hits, more)


def _find_staff(typed: str) -> list[Hit]:
    people = filter_by_words(User.objects.order_by("pk"), typed, fields=("first_name", "last_name", "email"))
    return [
        Hit(person.get_full_name() or person.email, reverse("wagtailusers_users:edit", args=[person.pk]), person.email)
        for person in people[:MAX_HITS]
    ]


def _find_pages(request: HttpRequest, typed: str) -> Iterable[Hit]:
    """Yield the pages whose name or explanation has each word: of the menu, of “Set up”, and the own account."""
    words = typed.casefold().split()
    pages = [(label, url, "") for label, url in _walk_menu(admin_menu, request)]
    if request.user.has_perm("auth.add_user"):
        pages.append((_("Invite staff"), reverse("wagtailusers_users:add"), _("A colleague’s invitation and role.")))
    if request.user.has_perm("auth.change_user"):
        lost = _("If a colleague lost the password or second factor, changes role or leaves.")
        pages.append((_("Passwords and roles of staff"), reverse("wagtailusers_users:index"), lost))
    if request.user.has_perm("subscribers.add_importbatch"):
        pages.append((_("Add people"), reverse("subscribers_import_new"), _("Type people, or import a file.")))
    pages.append((_("Your account"), reverse("wagtailadmin_account"), _("Password, second factor, language, notices.")))
    if request.user.has_perm(SET_UP_PERMISSION):
        pages += [(_("Set up: %(step)s") % {"step": step.title}, step.url, str(step.explanation)) for step in STEPS]
    for label, url, explanation in pages:
        if all(word in f"{label} {explanation}".casefold() for word in words):
            yield Hit(label, url, explanation)


def _walk_menu(menu: Menu, request: HttpRequest) -> Iterable[tuple[str, str]]:
    for item in menu.menu_items_for_request(request):
        if isinstance(item, SubmenuMenuItem):
            yield from _walk_menu(item.menu, request)
        elif item.url:
            yield str(item.label), str(item.url)


def find_fields(person: User | AnonymousUser, typed: str) -> Iterator[Hit]:
    """Yield the fields whose label has each word, of the forms that the person may change.

    A hit leads to the row if there is only one, else to the list from which to choose it.
    """
    words = typed.casefold().split()
    for model in MODELS:
        names = model._meta
        if not person.has_perm(f"{names.app_label}.change_{names.model_name}"):
            continue
        for label in dict.fromkeys(map(str, find_field_labels(model).values())):
            if all(word in label.casefold() for word in words):
                yield Hit(label, _find_url(model), str(capfirst(names.verbose_name_plural)))


def _find_url(model: type[Model]) -> str:
    space = f"wagtailsnippets_{model._meta.app_label}_{model._meta.model_name}"
    rows = list(model._default_manager.values_list("pk", flat=True)[:2])
    return reverse(f"{space}:edit", args=rows) if len(rows) == 1 else reverse(f"{space}:list")
