"""The publishing hooks for the pages of subscribers: brand, mails of the last month, frequencies, and erasing reports.

The pages behind the personal links of a proof are here too. They change nothing.
"""

import re
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from newsletter.common.archiving import MAX_USES_NAMED, Uses
from newsletter.common.database.one_reading import read_once
from newsletter.content.ingesting.home_location import find_list_country
from newsletter.feedback.merged_people import reassign_mails
from newsletter.feedback.sent_mails import list_missed_mails, list_sent_mails
from newsletter.inbound.store import forget_mails_of
from newsletter.issues.archive.public_view import STARTED_STATES
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.rule_uses import find_limited_blocks
from newsletter.issues.variants.audience_rules import list_audience_segments
from newsletter.issues.variants.mail_budget import estimate_mails_a_month, is_in_segment
from newsletter.issues.visible.choose_visible import ReaderTraits, VisibilityChooser
from newsletter.issues.visible.nearby_events import find_locations
from newsletter.issues.visible.visible_content import ONLY_EVENTS
from newsletter.issues.welcome.joined_people import resume_for_person
from newsletter.models import Brand, Issue, Picture, Publication, Send
from newsletter.rendering.colours import (
    Palette,
    choose_text_colour,
    dark_palette,
    light_palette,
    make_readable,
    mix_colours,
    normalise_colour,
)
from newsletter.sending.notices.system_mail import list_lists_with_sender
from newsletter.sending.notices.template_mails import find_awaiting, forget_mails
from subscribers.models import Frequency, MailingList, Subscriber, Topic
from subscribers.people.publishing_hooks import Branding, MonthlyDigests, MonthlyMailCount, PublishingHooks

MONTH = timedelta(days=31)
_MAX_ISSUES = 40
_NO_REPLY = re.compile(r"(?:no|do-?not)[-_.]?reply", re.I)
_GOOD, _ATTENTION, _BAD = "#2f8f4e", "#c98a00", "#c0392b"


def make_publishing_hooks() -> PublishingHooks:
    """Return the functions of this module under the names by which people's pages know them."""
    return PublishingHooks(
        branding=build_style_context,
        last_month=count_last_month,
        frequencies=list_offered_frequencies,
        digests=count_digests,
        topics=find_counting_topics,
        has_languages=has_further_languages,
        mails_a_month=estimate_mails_a_month,
        list_mails=list_sent_mails,
        list_missed=list_missed_mails,
        find_open_issues=find_open_issues,
        find_limited_blocks=find_limited_blocks,
        home_country=find_list_country,
        lists_with_sender=list_lists_with_sender,
        forget=forget_person,
        find_awaiting=find_awaiting,
        reassign_mails=reassign_mails,
        resume_welcome=resume_for_person,
    )


def find_open_issues(mailing_list: MailingList) -> list[Uses]:
    """Return the issues that would still be sent to the list."""
    issues = Issue.objects.filter(publication__mailing_list=mailing_list, state__in=Issue.UNSENT_STATES)
    count = issues.count()
    return [Uses(model=Issue, count=count, rows=list(issues[:MAX_USES_NAMED]))] if count else []


def build_style_context() -> Branding:
    """Return the look of the organisation's main brand, with readable colours."""
    brand = Brand.objects.select_related("logo", "logo_dark").find_main()
    if brand is None:
        return Branding()
    publication = Publication.objects.filter(brand=brand).order_by("pk").first()
    colour = normalise_colour(brand.colour, fallback="#1f4e5f")
    accent = normalise_colour(brand.accent, fallback="#b3541e")
    background = normalise_colour(brand.background, fallback="#f4f1ec")
    return Branding(
        name=brand.name,
        language=publication.language if publication else "en",
        website=brand.website,
        contact=_find_contact(brand),
        privacy_url=brand.privacy_url,
        logo=_path(brand.logo),
        logo_dark=_path(brand.logo_dark),
        display_font="".join(char for char in brand.font if char.isalnum() or char in " ,'\"-"),
        light=_colours(light_palette(colour=colour, accent=accent, background=background), tint=0.14),
        dark=_colours(dark_palette(colour=colour, accent=accent), tint=0.3),
    )


def _find_contact(brand: Brand) -> str:
    """Return the address for replies of a publication that anybody can sign up for, or "".

    Others may have one that only members know. Nobody reads what comes to an address such as noreply@.
    """
    public = Publication.objects.filter(brand=brand, archived=False, mailing_list__public=True)
    publication = public.order_by("-enabled", "pk").first()
    address = (publication.reply_to or publication.from_email) if publication else ""
    return "" if _NO_REPLY.match(address) else address


def count_last_month(person: Subscriber, mailing_list: MailingList, now: datetime) -> MonthlyMailCount | None:
    """Count the mails of a list in the last 31 days, and those with an event near this person; None if there were none.

    Issues for segments of the list count only if the person is in them now.
    """
    question = f"mails of list {mailing_list.pk} in the month before {now}"
    return read_once(question, lambda: _count_last_month(person, mailing_list, now), person)


def _count_last_month(person: Subscriber, mailing_list: MailingList, now: datetime) -> MonthlyMailCount | None:
    sends = (
        Send.objects.filter(
            state__in=STARTED_STATES,
            issue__kind=Issue.Kind.ISSUE,
            issue__publication__mailing_list=mailing_list,
            started_at__gt=now - MONTH,
            started_at__lte=now,
        )
        .select_related("revision", "issue__publication__segment", "issue__segment")
        .order_by("-started_at")[:_MAX_ISSUES]
    )
    segments = {segment.pk: segment for send in sends for segment in list_audience_segments(send.issue)}
    matching = {pk for pk, segment in segments.items() if is_in_segment(person, segment)}
    place = person.place_id or 0
    reader = ReaderTraits(
        find_locations([place])[place], person.giving, radius_km=person.radius_km or 0, frequency=ONLY_EVENTS
    )
    contents = [
        IssueContent.from_json(send.revision.content)
        for send in sends
        if send.revision and matching.issuperset(segment.pk for segment in list_audience_segments(send.issue))
    ]
    with_events = sum(not VisibilityChooser(content).choose(reader).is_empty for content in contents)
    return MonthlyMailCount(issues=len(contents), with_events=with_events) if contents else None


def list_offered_frequencies(mailing_list: MailingList) -> frozenset[Frequency]:
    """Return the frequencies that a list offers. The monthly digest needs a publication in use that makes one."""
    monthly = Publication.objects.filter(mailing_list=mailing_list, enabled=True, monthly_digest=True).exists()
    return frozenset(Frequency) if monthly else frozenset(Frequency) - {Frequency.MONTHLY}


def count_digests(mailing_list: MailingList) -> MonthlyDigests:
    """Count the monthly digests of a list. Each of its publications in use can make one, for its own segment."""
    in_use = Publication.objects.filter(mailing_list=mailing_list, enabled=True)
    made = list(in_use.values_list("monthly_digest", flat=True))
    return MonthlyDigests(mails=sum(made), has_all=all(made))


def find_counting_topics(lists: Iterable[MailingList]) -> set[int]:
    """Return the ids of the topics by which a publication of these lists chooses stories: its own, or all."""
    publications = Publication.objects.filter(mailing_list__in=list(lists), enabled=True).exclude(
        interests=Publication.Interests.OFF
    )
    counting: set[int] = set()
    for publication in publications.prefetch_related("topics"):
        chosen = {topic.pk for topic in publication.topics.all()}
        counting |= chosen or set(Topic.objects.values_list("pk", flat=True))
    return counting


def has_further_languages(lists: Iterable[MailingList]) -> bool:
    """Return True if a publication of these lists that is in use has further languages."""
    publications = Publication.objects.filter(mailing_list__in=list(lists), enabled=True)
    return any(publications.values_list("languages", flat=True))


def forget_person(hashes: Collection[bytes]) -> None:
    """Delete single mails, and mails that a person sent us. A provider's report has no address once it is applied.

    ``hashes`` are those of all addresses that the person had.
    """
    forget_mails(hashes)
    forget_mails_of(hashes)


def _colours(palette: Palette, *, tint: float) -> dict[str, str]:
    """Return the CSS colours of a palette. `tint` is the share of green, amber or red in the backgrounds of messages."""
    good, todo, bad = (mix_colours(palette.paper, colour, share=tint) for colour in (_GOOD, _ATTENTION, _BAD))
    return {
        "page": palette.page,
        "page-ink": palette.page_ink,
        "page-soft": palette.page_soft,
        "masthead": palette.masthead,
        "card": palette.paper,
        "ink": palette.ink,
        "quiet": make_readable(palette.soft, on=palette.paper),
        "rule": palette.line,
        "line": make_readable(palette.line, on=palette.paper, ratio=3.0),
        "heading": palette.heading,
        "link": palette.link,
        "action": palette.button,
        "on-action": choose_text_colour(palette.button),
        "good": good,
        "on-good": make_readable(palette.ink, on=good),
        "todo": todo,
        "on-todo": make_readable(palette.ink, on=todo),
        "bad": bad,
        "on-bad": make_readable(palette.ink, on=bad),
        "caution": make_readable(_ATTENTION, on=palette.paper, ratio=3.0),
        "alarm": make_readable(_BAD, on=palette.paper),
    }


def _path(picture: Picture | None) -> str:
    return urlsplit(picture.url).path if picture is not None and picture.withdrawn_at is None else ""
