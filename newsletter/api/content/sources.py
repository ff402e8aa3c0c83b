"""API calls about sources: read, add and change them, and have one looked at now. Their keys are written and never shown."""

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status
from wagtail.log_actions import log

from newsletter.api.calls.access import ApiKeyAuth, get_key
from newsletter.api.calls.handle_call import repeats
from newsletter.api.calls.pages import Page, PageParams, make_page
from newsletter.api.calls.preconditions import check_unchanged
from newsletter.api.calls.saving import delete_row, save_row
from newsletter.api.content.schemas import NewSource, ReadingAnswer, SetAsideAnswer, SourceAnswer, SourceChange
from newsletter.api.people.key_scope import find_topics
from newsletter.common.errors import NotFound
from newsletter.common.translation import translate
from newsletter.content.ingesting.apis.source_keys import may_keep_key, seal_key
from newsletter.content.ingesting.settle_source import TypedSource, settle_source
from newsletter.content.ingesting.source_changes import apply_floating_zone, schedule_changed_source
from newsletter.content.ingesting.source_trial import read_source_now
from newsletter.models import ApiScope, Source

router = Router(tags=["sources"])
READING, WRITING = ApiKeyAuth(ApiScope.CONTENT_READ, ApiScope.WEBSITE), ApiKeyAuth(ApiScope.CONTENT_WRITE)
LOOKING = ApiKeyAuth(ApiScope.CONTENT_WRITE, ApiScope.WEBSITE)


@router.get("sources", auth=READING, response=Page[SourceAnswer], summary="List sources")
def all_sources(request: HttpRequest, page: PageParams) -> dict[str, object]:
    """Return the sources with their state. Their own keys are never shown."""
    return make_page(request, Source.objects.prefetch_related("topics"), _show, page)


@router.get("sources/{int:source}", auth=READING, response=SourceAnswer, summary="Read a source")
def read_one_source(request: HttpRequest, source: int) -> SourceAnswer:
    return _show(_find(source))


@router.post("sources", auth=WRITING, response={201: SourceAnswer}, summary="Add a source")
@repeats(in_steps=True)
def add_source(request: HttpRequest, data: NewSource) -> Status[SourceAnswer]:
    """Add a source after reading it once. Without a kind, it is found from the address, as in the desk."""
    typed = settle_source(
        url=data.url, kind=data.kind, key=data.key, enabled=data.enabled, existing=None, now=timezone.now()
    )
    with transaction.atomic():
        return Status(201, _save(request, Source(), data, typed=typed))


@router.patch("sources/{int:source}", auth=WRITING, response=SourceAnswer, summary="Change a source")
def change_source(request: HttpRequest, source: int, data: SourceChange) -> SourceAnswer:
    """Change a source. Another address, kind or key is read once before it is saved; a saved key is never sent elsewhere."""
    row, sent = _find(source), data.model_fields_set
    typed = None
    if sent & {"url", "kind", "key"} or (data.enabled and not row.enabled and "enabled" in sent):
        typed = settle_source(
            url=data.url if "url" in sent else row.url,
            kind=data.kind if sent & {"url", "kind"} else row.kind,
            key=data.key,
            enabled=data.enabled if "enabled" in sent else row.enabled,
            existing=row,
            now=timezone.now(),
        )
    with transaction.atomic():
        row = _find(row.pk, lock=True)
        check_unchanged(request, _show(row))
        return _save(request, row, data, typed=typed)


@router.delete("sources/{int:source}", auth=WRITING, response={204: None}, summary="Delete a source")
@transaction.atomic
def delete_source(request: HttpRequest, source: int) -> Status[None]:
    """Delete a source and its key. Its stories and events stay. 409 while a publication takes stories from it."""
    key, row = get_key(request), _find(source, lock=True)
    check_unchanged(request, _show(row))
    delete_row(
        row,
        key=key,
        in_use="Nothing was deleted: publications take stories from “%(row)s”. Change that in the desk, or turn the source off.",
        now=timezone.now(),
    )
    return Status(204, None)


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
            SetAsideAnswer(entry=translate(entry.entry), reason=translate(entry.reason)) for entry in report.set_aside
        ],
        error=translate(report.error) if report.error else "",
    )


def _save(request: HttpRequest, row: Source, data: SourceChange, *, typed: TypedSource | None) -> SourceAnswer:
    now, is_new = timezone.now(), row.pk is None
    values = data.model_dump(exclude={"url", "kind", "key", "topics"}, exclude_unset=not is_new)
    changed = [name for name, value in values.items() if is_new or value != getattr(row, name)]
    if typed is not None:
        changed += [name for name in ("url", "kind") if getattr(typed, name) != getattr(row, name)]
        values |= {"url": typed.url, "kind": typed.kind}
        # Somebody may have changed the address while this one was tried: then the saved key is not the one of this address.
        if typed.key is not None or not may_keep_key(row, url=typed.url, kind=typed.kind):
            values["sealed_key"] = seal_key(typed.key or "")
            changed.append("key")
    topics = find_topics(data.topics) if "topics" in data.model_fields_set else None
    if topics is not None:
        changed.append("topics")
    schedule_changed_source(row, changed=changed, now=now)
    save_row(row, key=get_key(request), values=values, now=now)
    apply_floating_zone(row, changed=changed, now=now)
    if topics is not None:
        row.topics.set(topics)
    return _show(row)


def _find(pk: int, *, lock: bool = False) -> Source:
    sources = Source.objects.select_for_update() if lock else Source.objects
    row = sources.filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotFound("No source has the id %(id)s.", id=pk)
    return row


def _show(row: Source) -> SourceAnswer:
    return SourceAnswer.model_validate(row, from_attributes=True)
