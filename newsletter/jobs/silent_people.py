"""Ask people who have been silent for long if they still want mail. Nothing is asked until staff turn it on."""

import logging
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.utils import translation
from django.utils.timezone import localtime
from django.utils.translation import gettext

from newsletter.common.languages import best_page_language
from newsletter.issues.quiet_hours import find_people_in_quiet_hours
from newsletter.jobs.confirmation_mails import find_sender
from newsletter.models import MailLimits, Publication
from newsletter.providers.base.contract import Adapter
from newsletter.sending.adapters import current_adapter
from newsletter.sending.limits.installation_hold import is_held
from newsletter.sending.notices.single_mails import claim_each, is_given_up, name_call, settle_queued_mail
from newsletter.sending.notices.system_mail import Sender, SystemMail, send_notice
from subscribers.links.signed_links import Purpose, make_link
from subscribers.models import StayQuestion
from subscribers.people.inactivity import (
    ANSWER_TIME,
    answer_by_replies,
    ask_silent_people,
    close_question,
    forget_unsendable_questions,
    forget_unsent_questions,
    list_due_questions,
    rest_unanswered,
    subtract_months,
)

log = logging.getLogger(__name__)
BATCH_LIMIT = 100
ASKED_FROM_HOUR = 9
"""Nobody is asked earlier in the day, on the clock of the installation: the number of a day is free again at midnight."""


def ask_and_rest(*, now: datetime) -> None:
    """Queue the questions of today, and pause the mail of people who did not answer. If staff turned it off, ask nobody.

    While everything is held, do nothing: after a restore, the answers since the backup are missing.
    """
    if is_held():
        return
    limits = MailLimits.objects.first()
    if limits is None or limits.silent_months is None:
        forget_unsent_questions()
        return
    since = subtract_months(now, limits.silent_months)
    answer_by_replies(since=since, now=now)
    forget_unsendable_questions(now=now)
    is_day = localtime(now).hour >= ASKED_FROM_HOUR
    questions = ask_silent_people(since=since, per_day=limits.questions_per_day, now=now) if is_day else 0
    resting = rest_unanswered(now=now)
    if questions or resting:
        log.info(
            "Silent people: %s are asked whether they still want mail, %s get no newsletters from now on",
            questions,
            resting,
        )


def has_waiting_question(*, now: datetime) -> bool:
    """Return True if a question can be sent, so one waits for the provider."""
    return MailLimits.objects.filter(silent_months__isnull=False).exists() and list_due_questions(now=now).exists()


def send_due_questions(*, now: datetime) -> int:
    """Send the due questions, claiming each row first. Return how many the provider accepted."""
    if not MailLimits.objects.filter(silent_months__isnull=False).exists():
        return 0
    due = _skip_quiet_hours(list_due_questions(now=now), now=now)
    if not due.exists() or is_held():
        return 0
    adapter = current_adapter()
    sent = 0
    for question in claim_each(due, adapter=adapter, limit=BATCH_LIMIT, now=now):
        if sender := find_sender(
            question.mailing_list
        ):  # else its publication went just now, and it is due again later
            sent += _send(question, sender=sender, adapter=adapter, now=now)
    return sent


def _skip_quiet_hours(due: QuerySet[StayQuestion], *, now: datetime) -> QuerySet[StayQuestion]:
    """Leave out the people for whom it is between the quiet hours of a publication of the list: they expect no mail."""
    for publication in Publication.objects.filter(quiet_from__isnull=False, quiet_until__isnull=False):
        quiet = find_people_in_quiet_hours(publication, now=now)
        due = due.exclude(mailing_list=publication.mailing_list_id, subscriber__in=quiet.values("pk"))
    return due


def _send(question: StayQuestion, *, sender: Sender, adapter: Adapter, now: datetime) -> int:
    person, mailing_list = question.subscriber, question.mailing_list
    language = best_page_language([person.language, sender.language]) or "en"
    values = {"organisation": sender.look.name, "days": ANSWER_TIME.days, "list": mailing_list.public_name}

    def link(purpose: Purpose) -> str:
        return make_link(purpose=purpose, subscriber_uuid=person.uuid, public_id=mailing_list.public_id, now=now)

    with translation.override(language):
        outcome = send_notice(
            SystemMail(
                subject=gettext("Do you still want emails from %(organisation)s?") % values,
                paragraphs=[
                    gettext("We send you %(list)s, and have not heard from you for a long time.") % values,
                    gettext(
                        "If you still want our emails, open the first link below and confirm on the page that opens. "
                        "Everything stays as it is."
                    )
                    % values,
                    gettext(
                        "If you do not answer within %(days)s days, we stop sending them. You can start them again at any "
                        "time with the same link."
                    )
                    % values,
                ],
                button=(gettext("Yes, keep sending them"), link(Purpose.STAY)),
                unsubscribe=(gettext("No, unsubscribe me"), link(Purpose.UNSUBSCRIBE)),
                reason=gettext("You get this mail once, because you are subscribed to %(list)s.") % values,
            ),
            adapter=adapter,
            sender=replace(sender, language=language, reply_to=settings.NEWSLETTER_INBOUND_ADDRESS or sender.reply_to),
            to=person.email,
            key=name_call("stay", question),
            now=now,
        )
    accepted = settle_queued_mail(question, outcome, what="A question whether somebody still wants mail")
    if not accepted and is_given_up(question, outcome):
        close_question(question, now=now)
    return accepted
