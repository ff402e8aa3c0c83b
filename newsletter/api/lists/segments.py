"""API calls about segments: saved rules, how many people they select, and a sample. They concern all lists."""

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status

from newsletter.api.calls.access import ApiKeyAuth, get_key, require_all_lists
from newsletter.api.calls.handle_call import repeats
from newsletter.api.calls.pages import Page, PageParams, make_page
from newsletter.api.calls.preconditions import check_unchanged
from newsletter.api.calls.saving import delete_row, save_row
from newsletter.api.lists.schemas import NewSegment, Preview, RuleQuery, SamplePerson, SegmentAnswer, SegmentChange
from newsletter.common.archiving import archive_row, bring_back_row
from newsletter.common.errors import BadRule, InUse, NotFound
from newsletter.issues.snapshot.rule_uses import find_limited_blocks
from newsletter.models import ApiKey, ApiScope
from subscribers.desk.editing.short_name_form import make_slug
from subscribers.models import Segment, Subscriber
from subscribers.segments.compile import clean_rule
from subscribers.segments.count import preview_people
from subscribers.segments.labels import describe_rule

router = Router(tags=["segments"])
READING, WRITING = ApiKeyAuth(ApiScope.LISTS_READ), ApiKeyAuth(ApiScope.LISTS_WRITE)


@router.get("segments", auth=READING, response=Page[SegmentAnswer], summary="List segments")
def all_segments(request: HttpRequest, page: PageParams) -> dict[str, object]:
    _require(get_key(request))
    return make_page(request, Segment.objects.all(), _show, page)


@router.post("segments", auth=WRITING, response={201: SegmentAnswer}, summary="Create a segment")
def create_segment(request: HttpRequest, data: NewSegment) -> Status[SegmentAnswer]:
    """Create a segment. A rule that cannot be used is refused, and the answer names the wrong part."""
    key = get_key(request)
    _require(key)
    rule, slug = clean_rule(data.rule), data.slug or make_slug(data.name, model=Segment)
    values = {**data.model_dump(exclude={"archived"}), "rule": rule, "slug": slug}
    return Status(201, _show(save_row(Segment(), key=key, values=values, now=timezone.now())))


@router.post("segments/preview", auth=READING, response=Preview, summary="Count the people whom a rule selects")
@repeats(reads=True)
def preview_rule(request: HttpRequest, data: RuleQuery) -> Preview:
    """Try a rule before you save it: how many people it selects, whether or not they may be mailed, and a sample."""
    _require(get_key(request))
    return _preview(clean_rule(data.rule))


@router.get("segments/{slug:slug}", auth=READING, response=SegmentAnswer, summary="Read a segment")
def read_segment(request: HttpRequest, slug: str) -> SegmentAnswer:
    _require(get_key(request))
    return _show(_find(slug))


@router.patch("segments/{slug:slug}", auth=WRITING, response=SegmentAnswer, summary="Change a segment")
@transaction.atomic
def change_segment(request: HttpRequest, slug: str, data: SegmentChange) -> SegmentAnswer:
    """Change its name or rule, archive it or bring it back. Refused with 409 if an approved issue is sent to it."""
    key, now, row = get_key(request), timezone.now(), _find(slug, lock=True)
    _require(key)
    check_unchanged(request, _show(row))
    values = data.model_dump(exclude_unset=True)
    archived = values.pop("archived", row.archived)
    if "rule" in values:
        values["rule"] = clean_rule(values["rule"])
    if row.archived and not archived:
        bring_back_row(row)
    if values:
        save_row(row, key=key, values=values, now=now)
    if archived and not row.archived:
        archive_row(row)
    row.refresh_from_db()
    return _show(row)


@router.delete("segments/{slug:slug}", auth=WRITING, response={204: None}, summary="Delete a segment")
@transaction.atomic
def delete_segment(request: HttpRequest, slug: str) -> Status[None]:
    """Delete a segment that no publication is sent to, and that no block is limited to."""
    key, row = get_key(request), _find(slug, lock=True)
    _require(key)
    check_unchanged(request, _show(row))
    if find_limited_blocks("segment", row.slug):
        raise InUse(
            "Nothing was deleted: blocks are only for the segment “%(row)s”. Archive it, or change them first.", row=row
        )
    delete_row(
        row,
        key=key,
        in_use="Nothing was deleted: publications are sent to the segment “%(row)s”. Archive it, or change them in the desk.",
        now=timezone.now(),
    )
    return Status(204, None)


@router.get("segments/{slug:slug}/preview", auth=READING, response=Preview, summary="Count the people of a segment")
def preview_segment(request: HttpRequest, slug: str) -> Preview:
    """Return how many people are in the segment, whether or not they may be mailed, and a sample, within half a second."""
    _require(get_key(request))
    return _preview(_find(slug).rule)


def _require(key: ApiKey) -> None:
    require_all_lists(key, "A segment selects among the people of all lists.")


def _find(slug: str, *, lock: bool = False) -> Segment:
    segments = Segment.objects.select_for_update() if lock else Segment.objects
    row = segments.filter(slug=slug).first()
    if row is None:
        raise NotFound("There is no segment “%(slug)s”.", slug=slug)
    return row


def _preview(rule: object) -> Preview:
    preview = preview_people(rule)
    return Preview(
        people=preview.people, exact=preview.exact, sample=[_show_person(person) for person in preview.examples]
    )


def _show_person(person: Subscriber) -> SamplePerson:
    place = person.place
    return SamplePerson(
        id=person.pk,
        country=place.country if place else "",
        region=place.region if place else "",
        city=place.town if place else "",
        language=person.language,
    )


def _show(row: Segment) -> SegmentAnswer:
    try:
        description = str(describe_rule(row.rule))
    except BadRule:
        description = ""
    rule = row.rule if isinstance(row.rule, dict) else {}
    return SegmentAnswer(slug=row.slug, name=row.name, rule=rule, description=description, archived=row.archived)
