"""Show the state of reading the mailboxes, the inbound mails, and the mails that wait for staff, each with its steps."""

from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.log_actions import log

from newsletter.inbound.forward_replies import forget_reply, retry_forwards
from newsletter.inbound.replies import CAN_READ_REPLIES
from newsletter.inbound.store import RETENTION
from newsletter.models import InboundMail, MailboxReading
from newsletter.providers.registry import name_provider
from subscribers.addresses.normalise import mask
from subscribers.desk.people_page import MAX_ROWS_SHOWN, PeoplePage
from subscribers.links.signed_links import mask_tokens

SHOWN_BYTES = 4_000
LOG_ACTIONS = {
    "reply_sent_again": (gettext_lazy("Forward a reply again"), gettext_lazy("Reply forwarded again")),
    "reply_done": (gettext_lazy("Delete a mail that came in"), gettext_lazy("Mail that came in deleted")),
}
_State = InboundMail.State
WAITING_FOR_STAFF = (_State.HELD, _State.NOT_SENT_ON, _State.UNREADABLE)


class RepliesPage(PeoplePage):
    """GET shows the oldest hundred mails that wait. POST `again` sends a reply on, `done` deletes the mail here."""

    template_name = "desk/replies.html"
    page_title = gettext_lazy("Mail that comes in")
    header_icon = "mail"
    required_permission = CAN_READ_REPLIES

    @classmethod
    def admits(cls, user: User | AnonymousUser) -> bool:
        """Return True if the person may open the page and mail comes in here, or did."""
        return super().admits(user) and (bool(settings.NEWSLETTER_INBOUND) or InboundMail.objects.exists())

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        now = timezone.now()
        return {
            **super().get_context_data(**kwargs),
            "is_on": bool(settings.NEWSLETTER_INBOUND),
            "address": settings.NEWSLETTER_INBOUND_ADDRESS,
            "mailboxes": list_mailboxes(),
            "webhooks": [name_provider(webhook.provider) for webhook in settings.NEWSLETTER_INBOUND.webhooks],
            "waiting": [(mail, mask(mail.sender) if mail.sender else "", show_text(mail)) for mail in list_waiting()],
            "kinds": count_kinds(now=now),
            "days": RETENTION.days,
        }

    @transaction.atomic
    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        step = "again" if "again" in request.POST else "done"
        chosen = request.POST.get(step, "")
        mail = InboundMail.objects.filter(pk=int(chosen) if chosen.isdecimal() else 0).first()
        if mail is not None and step == "again" and retry_forwards(mail):
            log(instance=mail, action="newsletter.reply_sent_again", user=request.user)
            messages.success(request, _("The reply is forwarded within a minute."))
        elif mail is not None and step == "done" and _delete(mail):
            log(instance=mail, action="newsletter.reply_done", user=request.user)
            messages.success(request, _("Deleted here."))
        else:
            messages.error(request, _("Somebody else has already done this. Nothing was changed."))
        return redirect("newsletter_replies")


def list_waiting() -> QuerySet[InboundMail]:
    """Return the mails that wait for staff, the oldest first."""
    waiting = InboundMail.objects.filter(state__in=WAITING_FOR_STAFF).prefetch_related("forwards")
    return waiting.order_by("pk")[:MAX_ROWS_SHOWN]


def list_mailboxes() -> list[MailboxReading]:
    """Return how reading goes for each mailbox of the settings; an unsaved row for one that was never read."""
    labels = [mailbox.label[:300] for mailbox in settings.NEWSLETTER_INBOUND.mailboxes]
    readings = {reading.label: reading for reading in MailboxReading.objects.filter(label__in=labels)}
    return [readings.get(label) or MailboxReading(label=label) for label in labels]


def count_kinds(*, now: datetime) -> list[tuple[str, int]]:
    """Return how many inbound mails of each kind are still stored, the most frequent first."""
    rows = InboundMail.objects.filter(received_at__gt=now - RETENTION).exclude(kind="").order_by()
    counted = rows.values("kind").annotate(mails=Count("pk"))
    return sorted(
        ((str(InboundMail.Kind(row["kind"]).label), row["mails"]) for row in counted), key=lambda pair: -pair[1]
    )


def show_text(mail: InboundMail) -> str:
    """Return the text of a reply; of a mail that cannot be read, how its source begins. Nobody's links work in it."""
    if mail.state != _State.UNREADABLE:
        return mask_tokens(mail.text)
    return mask_tokens(bytes(mail.raw or b"")[:SHOWN_BYTES].decode("utf-8", "replace").replace("\0", ""))


def _delete(mail: InboundMail) -> bool:
    return mail.state in WAITING_FOR_STAFF and forget_reply(mail, from_state=InboundMail.State(mail.state))
