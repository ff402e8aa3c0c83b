"""The page that mails a new link to the person's own address."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from newsletter.common.errors import BadAddress, BadLink
from newsletter.common.networks import single_client_network
from subscribers.addresses.normalise import normalise
from subscribers.consent.throttle import increment_counter
from subscribers.identity import identify, require_own_key
from subscribers.links.signed_links import ExpiredLink, Purpose, read_link
from subscribers.models import Subscriber, Subscription
from subscribers.people.mailed_links import Kind, request_mailed_link
from subscribers.web.form_fields import explain_bad_address
from subscribers.web.links import bad_link_page
from subscribers.web.own_data import link_mailed_page, offer_mailed_link
from subscribers.web.page import client_address_of, kept_for_back, private_page, render_response

MAX_REQUESTS_PER_HOUR = 10


@private_page
def request_fresh_link(request: HttpRequest, token: str) -> HttpResponse:
    """Mail a new preferences link to the person of an expired one, on POST."""
    try:
        target = read_link(token, purpose=Purpose.PREFERENCES, now=timezone.now())
    except ExpiredLink as error:
        target = error.target
    except BadLink:
        return bad_link_page(request)
    return offer_mailed_link(request, target, kind=Kind.PREFERENCES)


@private_page
def my_mail(request: HttpRequest) -> HttpResponse:
    """Take an address from anyone. The answer is the same if we do not know it."""
    if request.method != "POST":
        return render_response("my_mail.html", {"value": "", "error": ""})
    typed = request.POST.get("email", "")
    try:
        address = normalise(typed)
    except BadAddress:
        error = explain_bad_address(typed)
        return kept_for_back(render_response("my_mail.html", {"value": typed, "error": error}, status=400))
    network = single_client_network(client_address_of(request))
    if increment_counter(f"my mail {network}", now=timezone.now()) > MAX_REQUESTS_PER_HOUR:
        error = gettext("Too many requests from your network. Try again in an hour.")
        return kept_for_back(render_response("my_mail.html", {"value": typed, "error": error}, status=429))
    _mail_if_known(address)
    return link_mailed_page(address=typed)


def _mail_if_known(address: str) -> None:
    person = Subscriber.objects.filter(address_hash=identify(address)).first()
    if person is None:
        require_own_key()
    last = (
        Subscription.objects.filter(subscriber=person).select_related("mailing_list").order_by("-requested_at").first()
    )
    if person is not None and last is not None:
        request_mailed_link(
            subscriber=person, mailing_list=last.mailing_list, kind=Kind.PREFERENCES, now=timezone.now()
        )
