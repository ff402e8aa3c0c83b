"""Pages opened by a signed link: find the person and list that it names, and answer bad links.

Having the link is the permission. These pages use no session, cookie or log-in.
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
    """Make a view that one kind of link opens. Other links get the same 404, and too many of them a 429."""

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


@private_page
def changed_link(request: HttpRequest, token: str) -> HttpResponse:
    """Answer a link whose token cannot be found any more as a bad link."""
    return bad_link_page(request)


def bad_link_page(request: HttpRequest) -> HttpResponse:
    """Return the only answer to links that are not ours, with a way to get a new one."""
    many = exceeds_bad_link_limit(client_address_of(request), now=timezone.now())
    text = gettext("This link is not one of ours, or it was cut off. Use the link exactly as it is in the mail.")
    return message_page(gettext("This link does not work"), text, status=429 if many else 404, ask_path=ASK_PATH)


def erased_person_page(*, status: int = 200) -> HttpResponse:
    """Return the answer to links of a person who was erased. They may have signed up again, which the link cannot know."""
    return message_page(
        gettext("You have been erased"),
        gettext("This link no longer leads to you. If you signed up again, get a new link by mail."),
        status=status,
        ask_path=ASK_PATH,
    )


def _too_old(purpose: Purpose, token: str, *, mailing_list: MailingList | None) -> HttpResponse:
    """Answer a valid link that has expired, with a way to get a new one."""
    texts = {
        Purpose.PREFERENCES: gettext(
            "Links to your choices are valid for 90 days, because newsletters get forwarded. We can mail you a new one."
        ),
        Purpose.CONFIRM: gettext("It was valid for seven days. Sign up again to get a new one."),
        Purpose.CONFIRM_ADDRESS: gettext(
            "It was valid for seven days. If you did not confirm your new address in time, your mail still goes to the old one. "
            "Ask for a new link with your old address, then change it again."
        ),
    }
    text = texts.get(
        purpose, gettext("It was valid for an hour. Get a link to your choices by mail and ask for a new one there.")
    )
    context = {
        "title": gettext("This link has expired"),
        "text": text,
        "fresh_path": f"/p/{token}/fresh" if purpose is Purpose.PREFERENCES else "",
        "join_path": join_path(mailing_list) if purpose is Purpose.CONFIRM else "",
        "ask_path": "" if purpose in (Purpose.PREFERENCES, Purpose.CONFIRM) else ASK_PATH,
        "ask_label": "" if purpose is Purpose.CONFIRM_ADDRESS else gettext("Get a link to your choices by mail"),
    }
    return render_response("message.html", context, status=410)


def find_target(target: LinkTarget) -> tuple[Subscriber | None, MailingList | None]:
    """Return the person and the list that a link names, None for each that was erased."""
    person = Subscriber.objects.filter(uuid=target.subscriber_uuid).select_related("place").first()
    if person is None:
        former = FormerIdentity.objects.filter(uuid=target.subscriber_uuid).select_related("subscriber__place").first()
        person = former.subscriber if former else None
    mailing_list = MailingList.objects.filter(public_id=target.public_id).first()
    return person, mailing_list


def join_path(mailing_list: MailingList | None) -> str:
    """Return the path of a list's sign-up page, or "" if it has none."""
    return f"/join/{mailing_list.slug}" if mailing_list and mailing_list.public else ""


def make_related_path(target: LinkTarget, purpose: Purpose) -> str:
    """Return the path of another page of the same person and list. It expires with the link that led here."""
    url = make_link(
        purpose=purpose,
        subscriber_uuid=target.subscriber_uuid,
        public_id=target.public_id,
        now=target.issued,
        mailing=target.mailing,
    )
    return "/" + "/".join(url.rsplit("/", 2)[1:])
