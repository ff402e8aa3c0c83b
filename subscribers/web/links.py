"""What all pages opened by a signed link share: whom it names, and honest answers to bad links.

Possession of the link is the permission; these pages use no session, no cookie and no log-in.
"""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext

from newsletter.common.errors import BadLink
from subscribers.consent.throttle import exceeds_bad_link_limit
from subscribers.links.signed_links import ExpiredLink, LinkTarget, Purpose, make_link, read_link
from subscribers.models import FormerIdentity, MailingList, Subscriber
from subscribers.web.page import ASK_PATH, client_address_of, message_page, private_page, render_response

Page = Callable[[HttpRequest, LinkTarget], HttpResponse]


def linked_page(purpose: Purpose) -> Callable[[Page], Callable[..., HttpResponseBase]]:
    """A page that one kind of link opens. Other links get one and the same 404; too many of them, 429."""

    def decorate(page: Page) -> Callable[..., HttpResponseBase]:
        @private_page
        @wraps(page)
        def answer(request: HttpRequest, token: str) -> HttpResponse:
            try:
                target = read_link(token, purpose=purpose, now=timezone.now())
            except ExpiredLink as expired:
                return _too_old(purpose, token, mailing_list=find_target(expired.target)[1])
            except BadLink:
                return bad_link_page(request)
            return page(request, target)

        return answer

    return decorate


def bad_link_page(request: HttpRequest) -> HttpResponse:
    """The one answer to every link that is not ours, with a way to get one that is."""
    many = exceeds_bad_link_limit(client_address_of(request), now=timezone.now())
    text = gettext("This link is not one of ours, or was cut short on its way. Use the link as it is in the mail.")
    return message_page(gettext("This link does not work"), text, status=429 if many else 404, ask_path=ASK_PATH)


def _too_old(purpose: Purpose, token: str, *, mailing_list: MailingList | None) -> HttpResponse:
    """A link that was right and is over. Each says how to get a new one; to the preferences it can be mailed at once."""
    texts = {
        Purpose.PREFERENCES: gettext(
            "Links to your choices are good for 90 days, because newsletters get forwarded. "
            "We can mail a fresh one to your address."
        ),
        Purpose.CONFIRM: gettext("It was good for seven days. Sign up again, and we send a new one."),
    }
    text = texts.get(purpose, gettext("It was good for an hour. On your own page you can ask for another."))
    context = {
        "title": gettext("This link is too old"),
        "text": text,
        "fresh_path": f"/p/{token}/fresh" if purpose is Purpose.PREFERENCES else "",
        "join_path": join_path(mailing_list) if purpose is Purpose.CONFIRM else "",
        "ask_path": "" if purpose in texts else ASK_PATH,
    }
    return render_response("message.html", context, status=410)


def find_target(target: LinkTarget) -> tuple[Subscriber | None, MailingList | None]:
    """The person and the list that a link names; None for what has been erased since."""
    person = Subscriber.objects.filter(uuid=target.subscriber_uuid).select_related("place").first()
    if person is None:
        former = FormerIdentity.objects.filter(uuid=target.subscriber_uuid).select_related("subscriber__place").first()
        person = former.subscriber if former else None
    mailing_list = MailingList.objects.filter(public_id=target.list_public_id).first()
    return person, mailing_list


def join_path(mailing_list: MailingList | None) -> str:
    """Where people sign up for a list; empty for one that has no such page."""
    return f"/join/{mailing_list.slug}" if mailing_list and mailing_list.public else ""


def make_related_path(target: LinkTarget, purpose: Purpose) -> str:
    """The path of another page of the same person and list, as old as the link that led here: opening renews nothing."""
    url = make_link(
        purpose=purpose,
        subscriber_uuid=target.subscriber_uuid,
        list_public_id=target.list_public_id,
        now=target.issued,
        mailing=target.mailing,
    )
    return "/" + "/".join(url.rsplit("/", 2)[1:])
