"""Measure every page of the desk, and the public ones, in an installation that has been used for years."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from statistics import quantiles
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from newsletter.bench.audience import make_approved_issue, make_audience, make_draft_issue
from newsletter.bench.errors import NotMeasured
from newsletter.bench.provider import serve_provider
from newsletter.bench.sending import time_send
from newsletter.bench.serving.clients import make_client, sign_in
from newsletter.issues.variants.rehearse import rehearse_send
from newsletter.models import Delivery, DeliveryException, Issue, Story
from subscribers.audience.count_cache import forget_counts
from subscribers.links.signed_links import Purpose, Signer, link_keys
from subscribers.models import Subscriber

ISSUES, STORIES = 200, 10_000
PERCENT_REPORTED = 2
SIGNUP_DAYS = 1_000
_CONCURRENCY = 2
_REPEATS = 3
_SLOWEST_NAMED = 10
_DESK = ("newsletter_", "people:", "subscribers_", "wagtailadmin_home", "wagtailsnippets_")
WITHOUT_A_PAGE = frozenset({302, 404, 405, 410})
"""Statuses of routes that need further input: they lead on, are about another kind of row, only take forms, or are used up."""
_ROWS_OF_ROUTES: dict[str, type[Model]] = {"newsletter_story": Story, "newsletter_": Issue, "subscribers_": Subscriber}


@dataclass(frozen=True)
class PageFigures:
    """Milliseconds on the server for a whole page, the best of three. Home and the slowest pages, by name, have two times.

    The first is with figures that were counted in the last 15 minutes, the second when they are counted for it. Processor time is
    that of this process with kept figures; a database server has its own. ``most_queries`` names the page with most of them.
    A rehearsal of the draft counts everybody; its seconds are by the clock and of processor time.
    """

    people: int
    issues: int
    stories: int
    desk_pages: int
    home_ms: tuple[float, float]
    home_processor_ms: float
    desk_p95_ms: float
    desk_p95_processor_ms: float
    public_p95_ms: float
    slowest: dict[str, tuple[float, float]]
    most_queries: dict[str, int]
    without_a_page: int
    rehearsal_seconds: tuple[float, float]


@dataclass(frozen=True)
class _PageTimes:
    """``times_ms`` are with kept figures and without; processor time and queries are with kept ones."""

    times_ms: tuple[float, float]
    processor_ms: float
    queries: int


def measure_pages(*, people: int) -> PageFigures:
    """Send an issue to everybody, add years of stories and issues, and open each page that needs no further input."""
    issue, draft = make_used_installation(people)
    return open_pages(issue, draft=draft)


def open_pages(issue: Issue, *, draft: Issue) -> PageFigures:
    """Open each page with the sent issue, and the pages of an issue again with the draft."""
    staff, reader = sign_in(), make_client()
    opened, left_out = select_pages(staff, [*find_desk_pages(issue), *find_draft_pages(draft)])
    desk = {name: _time(staff, url) for name, url in opened.items()}
    public = {url: _time(reader, url) for url in list_public_pages(issue)}
    slowest = sorted({**desk, **public}.items(), key=lambda page: max(page[1].times_ms), reverse=True)[:_SLOWEST_NAMED]
    busiest = max(desk, key=lambda name: desk[name].queries)
    return PageFigures(
        people=Subscriber.objects.count(),
        issues=Issue.objects.count(),
        stories=Story.objects.count(),
        desk_pages=len(desk),
        home_ms=desk["wagtailadmin_home"].times_ms,
        home_processor_ms=desk["wagtailadmin_home"].processor_ms,
        desk_p95_ms=_find_p95(page.times_ms[0] for page in desk.values()),
        desk_p95_processor_ms=_find_p95(page.processor_ms for page in desk.values()),
        public_p95_ms=_find_p95(page.times_ms[0] for page in public.values()),
        slowest={name: page.times_ms for name, page in slowest},
        most_queries={busiest: desk[busiest].queries},
        without_a_page=sum(len(names) for names in left_out.values()),
        rehearsal_seconds=_time_rehearsal(draft),
    )


def select_pages(client: Client, routes: Iterable[tuple[str, str]]) -> tuple[dict[str, str], dict[int, list[str]]]:
    """Return the addresses of the routes that are pages, and the names of the others by the status of their answer.

    Raise NotMeasured if a page fails, is forbidden, or if Home is none: then the figures would leave it out.
    """
    pages: dict[str, str] = {}
    left_out: defaultdict[int, list[str]] = defaultdict(list)
    for name, url in routes:
        status = client.get(url).status_code
        if status == 200:
            pages[name] = url
        else:
            left_out[status].append(name)
    failed = [f"{name} ({status})" for status in left_out.keys() - WITHOUT_A_PAGE for name in left_out[status]]
    if "wagtailadmin_home" not in pages:
        failed.insert(0, "wagtailadmin_home")
    if failed:
        raise NotMeasured(
            f"Pages of the desk did not answer with a page: {', '.join(failed)}. The figures would leave them out. Open them in "
            "a browser, correct what is wrong, then measure again."
        )
    return pages, dict(sorted(left_out.items()))


def _time_rehearsal(draft: Issue) -> tuple[float, float]:
    started, before = time.perf_counter(), time.process_time()
    rehearse_send(draft, now=datetime.now(UTC))
    return round(time.perf_counter() - started, 2), round(time.process_time() - before, 2)


def _find_p95(milliseconds: Iterable[float]) -> float:
    return round(quantiles(milliseconds, n=100)[94], 1)


def _time(client: Client, url: str) -> _PageTimes:
    """Open a page with kept figures and without. Raise NotMeasured if it does not answer with a page."""
    with_kept_counts: list[float] = []
    counted: list[float] = []
    processor: list[float] = []
    queries: list[int] = []
    for _ in range(_REPEATS):
        forget_counts()
        for took in (counted, with_kept_counts):
            started, started_processor = time.perf_counter(), time.process_time()
            with _count_queries() as counter:
                answer = client.get(url)
                answer.getvalue()
            took.append((time.perf_counter() - started) * 1000)
            if answer.status_code != 200:
                raise NotMeasured(f"{url} answered with {answer.status_code} and not with a page.")
        processor.append((time.process_time() - started_processor) * 1000)
        queries.append(next(counter))
    return _PageTimes((round(min(with_kept_counts), 1), round(min(counted), 1)), round(min(processor), 1), min(queries))


@contextmanager
def _count_queries() -> Iterator["count[int]"]:
    """Yield a counter whose next number is that of the queries that this block made."""
    counter = count()

    def execute(run: Callable[..., Any], *call: Any) -> Any:
        next(counter)
        return run(*call)

    with connection.execute_wrapper(execute):
        yield counter


def find_desk_pages(issue: Issue) -> Iterator[tuple[str, str]]:
    """Yield the names and addresses of routes without arguments, and of those for one row, with the first such row."""
    for name in dict.fromkeys(_list_names(get_resolver(), "")):
        if not name.startswith(_DESK):
            continue
        for values in ((), (_find_row(name, issue),)):
            try:
                yield name, reverse(name, args=[value for value in values if value is not None])
                break
            except NoReverseMatch:
                continue


def find_draft_pages(draft: Issue) -> Iterator[tuple[str, str]]:
    for name, url in find_desk_pages(draft):
        if f"/{draft.pk}/" in url and (name.startswith("newsletter_issue") or "_issue:" in name):
            yield f"{name} (draft)", url


def _list_names(resolver: URLResolver, namespace: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield f"{namespace}{pattern.name}"
        else:
            yield from _list_names(pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)


def _find_row(name: str, issue: Issue) -> int | None:
    if name.startswith("wagtailsnippets_"):
        app, _, label = name.removeprefix("wagtailsnippets_").partition(":")[0].partition("_")
        model: type[Model] | None = apps.get_model(app, label)
    else:
        model = next((model for start, model in _ROWS_OF_ROUTES.items() if name.startswith(start)), None)
    if model is None or model is Issue:
        return issue.pk if model else None
    return model._default_manager.values_list("pk", flat=True).first()


def list_public_pages(issue: Issue) -> list[str]:
    """Return the addresses of the archive, its feed, the sign-up page, the preferences and the page to unsubscribe."""
    person, weekly, slug = Subscriber.objects.order_by("pk")[0], issue.publication.mailing_list, issue.publication.slug
    signer = Signer(link_keys(), site_url="", issued=datetime.now(UTC))
    links = [
        signer.url(purpose, person.uuid.bytes, bytes.fromhex(weekly.public_id))
        for purpose in (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE)
    ]
    return [
        "/news/",
        f"/news/{slug}/",
        f"/news/{slug}/?q=story",
        f"/news/{slug}/feed.xml",
        f"/join/{weekly.slug}",
        *links,
    ]


def make_used_installation(people: int) -> tuple[Issue, Issue]:
    """Make what years of use leave behind. Return the issue that everybody got, and the draft of the next one."""
    publication = make_audience(people, stories=7, signup_days=SIGNUP_DAYS)
    publication.archive = "public"
    publication.save()
    with serve_provider(latency=0) as endpoint:
        settings.NEWSLETTER_PROVIDER_URL = f"mailgun://bench@news.example.org?endpoint={endpoint}&max_batch=1000"
        issue = make_approved_issue(publication)
        time_send(issue, workers=1, concurrency=_CONCURRENCY)
    issue.refresh_from_db()
    _report_bounces()
    _add_stories()
    draft = make_draft_issue(publication)
    _add_issues(draft)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    return issue, draft


def _report_bounces() -> None:
    """Record a bounce or a complaint of every fiftieth delivery."""
    now = datetime.now(UTC)
    rows = Delivery.objects.order_by("pk").values_list("pk", flat=True)[:: 100 // PERCENT_REPORTED]
    DeliveryException.objects.bulk_create(
        (
            DeliveryException(delivery_id=row, at=now, **{"bounced_at" if position % 10 else "complained_at": now})
            for position, row in enumerate(rows)
        ),
        batch_size=500,
    )


def _add_stories() -> None:
    now = datetime.now(UTC)
    Story.objects.bulk_create(
        [
            Story(
                external_id=f"desk:past{number}",
                url=f"https://example.org/past/{number}/",
                title=f"Story {number} of the past",
                teaser="A sentence about what happened, and another that says what it means.",
                language="en",
                published_at=now - timedelta(hours=4 * number),
                seen_at=now,
            )
            for number in range(STORIES)
        ],
        batch_size=500,
    )


def _add_issues(like: Issue) -> None:
    """Add earlier issues, which were not sent in the end."""
    made = datetime.now(UTC)
    Issue.objects.bulk_create(
        Issue(
            publication=like.publication,
            number=like.number + number,
            public_id=f"past{number}",
            state=Issue.State.CANCELLED,
            made_at=made - timedelta(days=7 * number),
            subject=f"Issue {number} of the past",
            body=like.body,
            reasons=like.reasons,
            assembled=like.assembled,
        )
        for number in range(1, ISSUES)
    )
