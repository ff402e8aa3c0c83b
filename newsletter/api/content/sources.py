"""API calls about sources: read them, and have one looked at now. A source is added in the desk, which shows what it gives."""

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from wagtail.log_actions import log

from newsletter.api.calls.access import ApiKeyAuth, get_key
from newsletter.api.calls.handle_call import repeats
from newsletter.api.calls.pages import Page, PageParams, make_page
from newsletter.api.content.schemas import ReadingAnswer, SetAsideAnswer, SourceAnswer
from newsletter.common.errors import NotFound
from newsletter.common.translation import translate
from newsletter.content.ingesting.try_source import read_source_now
from newsletter.models import ApiScope, Source

router = Router(tags=["sources"])
READING = ApiKeyAuth(ApiScope.CONTENT_READ, ApiScope.WEBSITE)
LOOKING = ApiKeyAuth(ApiScope.CONTENT_WRITE, ApiScope.WEBSITE)


@router.get("sources", auth=READING, response=Page[SourceAnswer], summary="List sources")
def all_sources(request: HttpRequest, page: PageParams) -> dict[str, object]:
    """Return the sources with their state. Their own keys are never shown."""
    return make_page(request, Source.objects.prefetch_related("topics"), _show, page)


@router.get("sources/{int:source}", auth=READING, response=SourceAnswer, summary="Read a source")
def read_one_source(request: HttpRequest, source: int) -> SourceAnswer:
    return _show(_find(source))


@router.post("sources/{int:source}/look", auth=LOOKING, response=ReadingAnswer, summary="Look at a source now")
@repeats(in_steps=True)
def look(request: HttpRequest, source: int) -> ReadingAnswer:
    """Read a source at once, such as after you published a story. A source that cannot be read keeps what it gave."""
    key, row = get_key(request), _find(source)
    report = read_source_now(source=row, now=timezone.now())
    log(instance=row, action="newsletter.read_source", data={"key": key.name, "key_id": key.pk})
    return ReadingAnswer(
        new=report.new,
        updated=report.updated,
        unchanged=report.unchanged,
        cancelled=report.cancelled,
        set_aside=[
            SetAsideAnswer(entry=translate(one.entry), reason=translate(one.reason)) for one in report.set_aside
        ],
        error=translate(report.error) if report.error else "",
    )


def _find(pk: int) -> Source:
    row = Source.objects.filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotFound("No source has the id %(id)s.", id=pk)
    return row


def _show(row: Source) -> SourceAnswer:
    return SourceAnswer(
        id=row.pk,
        name=row.name,
        kind=row.kind,
        url=row.url,
        enabled=row.enabled,
        every_minutes=row.every_minutes,
        language=row.language,
        region=row.region,
        topics=sorted(topic.slug for topic in row.topics.all()),
        looked_at=row.looked_at,
        last_success_at=row.last_success_at,
        failures=row.failures,
        error=translate(row.error) if row.error else "",
    )
