"""The sign-up page of a public list. It answers the same for a new, a known and a suppressed address."""

from hashlib import sha256

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from newsletter.common.translation import language_choices
from subscribers.consent.proof_of_work import Proof, make_challenge
from subscribers.consent.signup_limits import is_flooded
from subscribers.consent_events import make_consent_wording
from subscribers.models import MailingList
from subscribers.people.relevant_choices import find_asked_topics
from subscribers.web.form_fields import name_topics
from subscribers.web.join_form import JoinForm, explain_changed_wording, spend_proof, submit_join_form
from subscribers.web.page import client_address_of, kept_for_back, message_page, private_page, render_response

MIN_FORM_SECONDS = {"join": 3, "again": 1}
MAX_FORM_SECONDS = 2 * 60 * 60
_STAMP = signing.TimestampSigner(salt="subscribers.join")


@private_page
def join(request: HttpRequest, slug: str) -> HttpResponse:
    mailing_list = MailingList.objects.filter(slug=slug, public=True).first()
    if mailing_list is None:
        text = gettext("There is no newsletter to join here.")
        return message_page(gettext("This page does not exist"), text, status=404)
    wording = make_consent_wording(mailing_list)
    if request.method != "POST":
        return _form_page(request, mailing_list, form=JoinForm(mailing_list=mailing_list), wording=wording)
    form = JoinForm(request.POST, mailing_list=mailing_list)
    if not form.is_valid():
        return _form_page(request, mailing_list, form=form, wording=wording, status=400)
    if not form.cleaned_data["website"]:
        now = timezone.now()
        started, payload = request.POST.get("started", ""), request.POST.get("altcha", "")
        if not started:
            hint = gettext("Almost done. Please check your details and press the button.")
            return _form_page(request, mailing_list, form=form, wording=wording, hint=hint, stamp="again")
        if form.suggestion:
            return _form_page(request, mailing_list, form=form, wording=wording)
        hint = _check_stamp(started, wording=wording) or spend_proof(payload, now=now)
        if hint:
            return _form_page(request, mailing_list, form=form, wording=wording, hint=hint, stamp="again", status=400)
        submit_join_form(
            form,
            mailing_list=mailing_list,
            wording=wording,
            source="sign-up page",
            client=client_address_of(request),
            proof=Proof.GOOD if payload else Proof.NONE,
            now=now,
        )
    return render_response("joined.html", {"mailing_list": mailing_list, "address": form.cleaned_data["email"]})


def _check_stamp(started: str, *, wording: str) -> str:
    """Return a hint if the form was posted too fast or too late for a person, or showed another wording; else ""."""
    page, wording_hash = _read_stamp(started)
    if not page:
        return gettext("This page was open for too long. Please press the button again.")
    if wording_hash != _digest(wording):
        return explain_changed_wording()
    try:
        _STAMP.unsign(started, max_age=MIN_FORM_SECONDS.get(page, 3))
    except signing.SignatureExpired:
        return ""
    return gettext("That was quick. Please check your details and press the button again.")


def _make_stamp(page: str, *, wording: str) -> str:
    """Return a signed time with the wording that the page shows: the proof of consent must be the text that the person read."""
    return _STAMP.sign(f"{page}-{_digest(wording)}")


def _read_stamp(started: str) -> tuple[str, str]:
    """Return the page that a stamp is from and the digest of the wording that it showed; ("", "") if it is too old."""
    try:
        page, _, wording_hash = _STAMP.unsign(started, max_age=MAX_FORM_SECONDS).partition("-")
    except signing.BadSignature:
        return "", ""
    return page, wording_hash


def _digest(wording: str) -> str:
    return sha256(wording.encode()).hexdigest()[:16]


def _form_page(
    request: HttpRequest,
    mailing_list: MailingList,
    *,
    form: JoinForm,
    wording: str,
    hint: str = "",
    stamp: str = "join",
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    chosen = {int(pk) for pk in request.POST.getlist("topics") if pk.isdecimal()}
    started = request.POST.get("started", "")
    topics = find_asked_topics([mailing_list]) if "topics" in form.fields else ()
    typed = form.cleaned_data.get("email", "") if form.is_bound and "email" not in form.errors else ""
    context = {
        "mailing_list": mailing_list,
        "form": form,
        "email": typed or request.POST.get("email", ""),
        "hinted": typed if form.suggestion else request.POST.get("hinted", ""),
        "hinted_city": form.unknown_town or request.POST.get("hinted_city", ""),
        "values": request.POST,
        "topics": name_topics(topics, chosen=chosen),
        "languages": language_choices(""),
        "wording": wording,
        "hint": hint,
        "started": started if _read_stamp(started)[1] == _digest(wording) else _make_stamp(stamp, wording=wording),
        "challenge": make_challenge(now=now, hard=is_flooded(now=now)),
    }
    page = render_response("join.html", context, status=status)
    return kept_for_back(page) if form.is_bound else page
