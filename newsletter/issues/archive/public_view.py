"""Show what anybody may see of an issue now: without stories that were withdrawn or may not be shown, and with events as they
are now. Reads only.
"""

from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef
from pydantic import JsonValue

from newsletter.issues.archive.correction_text import (
    has_story_hidden_since,
    hide_text,
    list_corrected,
    list_corrections,
    may_name_stopped_story,
)
from newsletter.issues.archive.current_events import (
    NO_CHANGES,
    ChangedEvents,
    find_changed_events,
    show_changed_events,
)
from newsletter.issues.archive.hidden_stories import Hidden, find_hidden
from newsletter.issues.archive.shown_corrections import (
    Corrections,
    ShownCorrection,
    make_shown_correction,
    show_corrections,
)
from newsletter.issues.protected_terms.check import has_protected_term
from newsletter.issues.protected_terms.matcher import get_term_matcher
from newsletter.issues.snapshot.consent_rules import EMAIL
from newsletter.issues.snapshot.exposure import POSSIBLY_DELIVERED_STATES, list_sends_to_files
from newsletter.issues.snapshot.records.blocks import (
    Block,
    EventsBlock,
    LeadStoryBlock,
    RelatedBlock,
    StoriesBlock,
    read_block,
)
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.fields import to_json
from newsletter.issues.snapshot.redact import remove_limited_blocks, remove_stories
from newsletter.issues.variants.dates import find_sent_day
from newsletter.issues.variants.documents import make_document
from newsletter.issues.variants.recipient_groups import (
    RecipientGroup,
    choose_visible_for_group,
    make_stored_group,
)
from newsletter.issues.visible.block_choices import choose_visible_in_archive
from newsletter.models import Batch, Issue, IssueRevision, Send, Variant
from newsletter.rendering.blocks import Document, SchemaBlock
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.merge import fill_defaults
from newsletter.rendering.pipeline import render
from newsletter.rendering.schemas import load_schemas

MAX_CACHED_MAILS = 128
STARTED_STATES = (Send.State.SUBMITTING, Send.State.PAUSED, Send.State.SUBMITTED, Send.State.NEEDS_ATTENTION)


def find_hidden_in_variant(variant: Variant, *, at: datetime) -> Hidden:
    """Return the stories that the mail shows and its page on the web must not show."""
    story_ids = set(variant.shown_items.filter(kind="story").values_list("row_id", flat=True))
    hidden = find_hidden(IssueContent.from_json(variant.revision.content), channel=EMAIL, at=at)
    return frozenset(url for url in hidden if isinstance(url, str) or url in story_ids)


def find_changed_in_variant(variant: Variant, *, at: datetime) -> ChangedEvents:
    """Return the events that the mail shows and that take place otherwise now; none for a correction.

    Its note names the event's time and place too, and stays as it was sent.
    """
    if variant.issue.kind == Issue.Kind.CORRECTION:
        return NO_CHANGES
    event_ids = set(variant.shown_items.filter(kind="event").values_list("row_id", flat=True))
    if not event_ids:
        return NO_CHANGES
    (changed,) = find_changed_events([IssueContent.from_json(variant.revision.content)], at=at)
    return frozenset(event for event in changed if event.id in event_ids)


def is_correction_hidden(variant: Variant, *, at: datetime) -> bool:
    """Return True if the mail is a correction whose text must not be shown, because of a story that was withdrawn since."""
    corrected = list_corrected(variant.issue)
    if not corrected:
        return False
    send = variant.issue.sends.filter(revision=variant.revision_id).order_by("made_at").first()
    since = send.made_at if send else variant.revision.made_at
    return has_story_hidden_since(corrected, since=since, at=at)


def find_shown_corrections(issue: Issue, *, hidden: Hidden, channel: str, at: datetime) -> Corrections:
    """Return the sent corrections of the issue's mistakes, and of the mistakes in these, the newest first.

    None is shown while a story of any of the issue's mails is hidden, because a correction may name it, and none with a
    protected term. The same holds for a story of the issue that this one corrects.
    """
    if hidden or may_name_stopped_story(issue):
        return ()
    sends = Send.objects.exclude(pk__in=list_sends_to_files().values("pk")).filter(
        issue__in=list_corrections([issue.pk]),
        issue__state__in=[Issue.State.SENDING, Issue.State.SENT],
        state__in=STARTED_STATES,
    )
    newest_first = sends.select_related("revision").order_by("-issue__made_at", "-issue__pk")
    corrections = (_make_shown_correction(send, channel, at) for send in newest_first)
    return tuple(correction for correction in corrections if correction is not None)


def _make_shown_correction(send: Send, channel: str, at: datetime) -> ShownCorrection | None:
    if send.revision is None:
        return None
    content = remove_limited_blocks(IssueContent.from_json(send.revision.content))
    content = fill_merge_defaults(remove_stories(content, stories=find_hidden(content, channel=channel, at=at)))
    if has_protected_term(content):
        return None
    sent_at = send.dated_at or send.made_at
    return make_shown_correction(content, sent_on=sent_at.astimezone(ZoneInfo(content.publication.zone)).date())


def make_public_subject(issue: Issue, *, at: datetime) -> str:
    """Return an issue's subject as anybody may read it now: "" if it has reached nobody, or has a protected term."""
    send = _find_public_send(issue)
    if send is None or send.revision is None:
        return ""
    content = remove_limited_blocks(IssueContent.from_json(send.revision.content))
    if has_story_hidden_since(list_corrected(issue), since=send.made_at, at=at):
        content = hide_text(content)
    subject = remove_stories(content, stories=find_hidden(content, channel=EMAIL, at=at)).subject
    matcher = get_term_matcher()
    return "" if matcher.unreadable or matcher.find(subject) else subject


def _find_public_send(issue: Issue) -> Send | None:
    """Return the send of an issue that is being sent or was, or a stopped one that may have reached people; else None."""
    sends = issue.sends.select_related("revision")
    if issue.state in (Issue.State.SENDING, Issue.State.SENT):
        return sends.exclude(state=Send.State.CANCELLED).first()
    if issue.state != Issue.State.CANCELLED:
        return None
    reached = Batch.objects.filter(send=OuterRef("pk"), state__in=POSSIBLY_DELIVERED_STATES)
    return sends.filter(Exists(reached)).exclude(pk__in=list_sends_to_files().values("pk")).first()


@lru_cache(maxsize=MAX_CACHED_MAILS)
def render_redacted_variant(
    variant_id: int,
    hidden: Hidden,
    changed: ChangedEvents = NO_CHANGES,
    corrections: Corrections = (),
    text_hidden: bool = False,
) -> RenderedMail:
    """Render the mail again without these stories, with these events as they are now, below these corrections.

    ``text_hidden``: it is a correction, and its text must not be shown.
    """
    variant = Variant.objects.select_related("revision").get(pk=variant_id)
    group = variant.groups.order_by("pk").first()
    readers = make_stored_group(group) if group else RecipientGroup(place_id=0, giving="none", people=0)
    content = show_changed_events(IssueContent.from_json(variant.revision.content), changed=changed)
    content = hide_text(content) if text_hidden else content
    visible = choose_visible_for_group(content, group=readers)
    visible = replace(visible, sent_on=_find_sent_day(content, revision_id=variant.revision_id))
    online = f"{settings.NEWSLETTER_SITE_URL}/view/{variant.public_id}"
    content = show_corrections(remove_stories(content, stories=hidden), corrections=corrections)
    return _render_known(make_document(content, visible=visible, view_online=online))


@lru_cache(maxsize=MAX_CACHED_MAILS)
def render_for_archive(
    revision_id: int, hidden: Hidden, changed: ChangedEvents = NO_CHANGES, corrections: Corrections = ()
) -> RenderedMail:
    """Render the issue as the archive shows it: the blocks for everybody, every event, no personal links."""
    content = show_changed_events(find_public_content(revision_id, hidden), changed=changed)
    content = show_corrections(content, corrections=corrections)
    visible = replace(choose_visible_in_archive(content), sent_on=_find_sent_day(content, revision_id=revision_id))
    document = make_document(content, visible=visible, view_online="")
    return _render_known(replace(document, personal=False, reason=""))


def _render_known(document: Document) -> RenderedMail:
    """Render the document without blocks whose kind is not installed any more: the rest can still be read."""
    blocks = [block for block in document.blocks if not isinstance(block, SchemaBlock) or block.kind in load_schemas()]
    return render(replace(document, blocks=tuple(blocks)))


def find_public_content(revision_id: int, hidden: Hidden) -> IssueContent:
    """Return the content that the archive shows of a revision: the blocks for everybody without these stories."""
    content = remove_limited_blocks(IssueContent.from_json(IssueRevision.objects.get(pk=revision_id).content))
    return fill_merge_defaults(remove_stories(content, stories=hidden))


def _find_sent_day(content: IssueContent, *, revision_id: int) -> date | None:
    """Return the day on which this revision was sent, if that is not the day on which it was due."""
    sends = Send.objects.filter(revision=revision_id, started_at__isnull=False).exclude(state=Send.State.CANCELLED)
    send = sends.select_related("issue").first()
    return find_sent_day(content, at=send.dated_at) if send and send.dated_at else None


def fill_merge_defaults(content: IssueContent) -> IssueContent:
    """Fill the personal fields of the content with their defaults, so that it addresses nobody in particular."""
    return replace(
        content,
        subject=fill_defaults(content.subject, block=""),
        preheader=fill_defaults(content.preheader, block=""),
        blocks=tuple(_fill_block(block) for block in content.blocks),
    )


def _fill_block(block: Block) -> Block:
    """Fill a block with texts by staff. Texts from outside have no personal fields, even if they look like one."""
    external = isinstance(block, LeadStoryBlock | StoriesBlock | EventsBlock | RelatedBlock)
    return block if external else read_block(_fill(to_json(block)))


def _fill(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return fill_defaults(value, block="")
        case dict():
            return {name: _fill(item) for name, item in value.items()}
        case list():
            return [_fill(item) for item in value]
        case _:
            return value
