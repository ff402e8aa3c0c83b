"""What of an issue anybody may see now: without stories that were withdrawn, or may not be shown yet or any more. Reads only."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings

from newsletter.issues.protected_terms.matcher import get_term_matcher
from newsletter.issues.snapshot.consent_rules import ARCHIVE, EMAIL, find_display_restriction, make_consent_record
from newsletter.issues.snapshot.redact import iter_stories, remove_stories
from newsletter.issues.snapshot.related_links import find_related_and_written_links, find_restricted_links
from newsletter.issues.variants.documents import make_document
from newsletter.issues.variants.recipient_groups import RecipientGroup, choose_visible_for_group, find_locations
from newsletter.issues.variants.visibility import Content, choose_visible_in_archive
from newsletter.models import Issue, IssueRevision, Send, Story, Variant
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.merge import fill_defaults
from newsletter.rendering.pipeline import render

MAX_CACHED_MAILS = 128
_EXTERNAL_BLOCK_TYPES = ("lead_story", "stories", "events", "related")
"""Blocks whose words are no staff text: what looks like a merge field there is text like any other."""
Hidden = frozenset[int | str]
"""Ids of stories, and addresses of links that lead to others."""


def find_hidden(content: Content, *, channel: str, at: datetime) -> Hidden:
    """The stories of the content that must not be seen by this channel at this moment.

    On the archive, which anybody anywhere can read, those with regions that they must not reach are among them.
    """
    return find_hidden_for_each([content], channel=channel, at=at)[0]


def find_hidden_for_each(contents: Sequence[Content], *, channel: str, at: datetime) -> list[Hidden]:
    """The same for several contents, in their order, with one look at the stories."""
    told = [{story["id"] for story in iter_stories(content)} for content in contents]
    stories = {story.pk: story for story in Story.objects.filter(pk__in=set().union(*told))}
    unfit = {
        required: find_restricted_links(
            {url for content in contents for url in find_related_and_written_links(content)},
            channel=channel,
            at=at,
            required=required,
        )
        for required in {content["publication"]["consent_required"] for content in contents}
    }
    hidden: list[Hidden] = []
    for ids, content in zip(told, contents, strict=True):
        gone = {pk for pk in ids if pk not in stories or not _may_be_seen(stories[pk], content, channel, at)}
        links = unfit[content["publication"]["consent_required"]].intersection(find_related_and_written_links(content))
        hidden.append(frozenset[int | str](gone) | links)
    return hidden


def _may_be_seen(story: Story, content: Content, channel: str, at: datetime) -> bool:
    if channel == ARCHIVE and story.not_in_regions:
        return False
    required = content["publication"]["consent_required"]
    return not find_display_restriction(make_consent_record(story), channel=channel, at=at, required=required)


def find_hidden_in_variant(variant: Variant, *, at: datetime) -> Hidden:
    """The stories that the mail shows and its online view must not."""
    shown = set(variant.shown_items.filter(kind="story").values_list("row_id", flat=True))
    hidden = find_hidden(variant.revision.content, channel=EMAIL, at=at)
    return frozenset(one for one in hidden if isinstance(one, str) or one in shown)


def make_public_subject(issue: Issue, *, at: datetime) -> str:
    """An issue's subject as anybody may read it now; "" before it is on its way, and where it says a protected term."""
    send = issue.sends.exclude(state=Send.State.CANCELLED).select_related("revision").first()
    if issue.state not in (Issue.State.SENDING, Issue.State.SENT) or send is None or send.revision is None:
        return ""
    content = send.revision.content
    subject: str = remove_stories(content, stories=find_hidden(content, channel=EMAIL, at=at))["subject"]
    watch = get_term_matcher()
    return "" if watch.lost or watch.find(subject) else subject


@lru_cache(maxsize=MAX_CACHED_MAILS)
def render_redacted_variant(variant_id: int, hidden: Hidden) -> RenderedMail:
    """The mail again, without these stories."""
    variant = Variant.objects.select_related("revision").get(pk=variant_id)
    group = variant.groups.order_by("pk").first()
    readers = (
        RecipientGroup(
            place_id=group.place_id,
            giving=group.giving,
            people=0,
            radius_km=group.radius_km,
            frequency=group.frequency,
        )
        if group
        else RecipientGroup(place_id=0, giving="none", people=0)
    )
    content = variant.revision.content
    visible = choose_visible_for_group(content, group=readers, locations=find_locations([readers.place_id]))
    online = f"{settings.NEWSLETTER_SITE_URL}/view/{variant.public_id}"
    return render(make_document(remove_stories(content, stories=hidden), visible=visible, view_online=online))


@lru_cache(maxsize=MAX_CACHED_MAILS)
def render_for_archive(revision_id: int, hidden: Hidden) -> RenderedMail:
    """The issue as the archive shows it: every event, nobody's links, without these stories."""
    content = fill_merge_defaults(remove_stories(IssueRevision.objects.get(pk=revision_id).content, stories=hidden))
    document = make_document(content, visible=choose_visible_in_archive(content), view_online="")
    return render(replace(document, personal=False, reason=""))


def fill_merge_defaults(content: Content) -> Content:
    """The content with the defaults of its merge fields in their place, so that it speaks to nobody in particular."""
    words = {name: _fill(content[name]) for name in ("subject", "preheader")}
    blocks = [block if block["type"] in _EXTERNAL_BLOCK_TYPES else _fill(block) for block in content["blocks"]]
    return {**content, **words, "blocks": blocks}


def _fill(value: Any) -> Any:
    match value:
        case str():
            return fill_defaults(value, block="")
        case dict():
            return {name: _fill(one) for name, one in value.items()}
        case list():
            return [_fill(one) for one in value]
        case _:
            return value
