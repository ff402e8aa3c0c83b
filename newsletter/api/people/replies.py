"""API call of mail systems and help desks: a person replied to our mail."""

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Status
from wagtail.log_actions import log

from newsletter.api.calls.access import get_key, label_caller
from newsletter.api.people.key_scope import list_visible_lists, lock_visible_person, log_data
from newsletter.api.people.people_schemas import NewReply, ReplyAnswer
from newsletter.api.people.router import WRITING, router
from newsletter.common.errors import NotFound
from newsletter.models import Issue
from subscribers.models import Reply
from subscribers.people.replies import record_reply


@router.post(
    "people/{int:person}/replies",
    auth=WRITING,
    response={201: ReplyAnswer, 200: ReplyAnswer},
    summary="Record that a person replied",
)
@transaction.atomic
def add_reply(request: HttpRequest, person: int, data: NewReply) -> Status[ReplyAnswer]:
    """Record a reply as a sign of life, and for a subject test of the issue. 200 if it was on record already.

    An issue is answered once, and without an issue a day counts once. Keep the text of the reply in your own system.
    """
    key, now = get_key(request), timezone.now()
    row = lock_visible_person(key, person)
    issues = Issue.objects.filter(publication__mailing_list__in=list_visible_lists(key))
    if data.issue is not None and not (data.issue < 2**63 and issues.filter(pk=data.issue).exists()):
        raise NotFound("There is no issue with the id %(id)s. Nothing was recorded.", id=data.issue)
    recorded = record_reply(
        subscriber=row,
        replied_on=data.replied_on,
        issue=data.issue,
        origin=Reply.Origin.API,
        by=label_caller(key),
        now=now,
    )
    if recorded.new or recorded.ended_rest:
        log(instance=row, action="subscribers.reply", data=log_data(key))
    reply = recorded.reply
    answer = ReplyAnswer(
        replied_on=reply.replied_on, issue=reply.issue, recorded_at=reply.recorded_at, ended_rest=recorded.ended_rest
    )
    return Status(201 if recorded.new else 200, answer)
