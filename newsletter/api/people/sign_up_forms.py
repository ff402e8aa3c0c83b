"""API calls for a list's sign-up form on another website: what it asks, a challenge, and what a visitor typed.

A key with the scope `website` makes these calls. It reads nobody.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest, QueryDict
from django.utils import timezone, translation
from ninja import Query, Router
from pydantic import BaseModel, Field
from wagtail.log_actions import log

from newsletter.api.calls.access import ApiKeyAuth, get_key, label_caller
from newsletter.api.calls.fields import QueryText
from newsletter.api.calls.pages import Page, PageParams, make_page
from newsletter.api.people.form_schemas import ChallengeAnswer, FilledForm, FormAnswer, FormName, FormResult
from newsletter.api.people.form_texts import describe_acceptance, describe_form, describe_mistakes, make_result
from newsletter.api.people.key_scope import find_list, find_signed_up, list_visible_lists, log_data
from newsletter.models import ApiScope
from subscribers.consent.proof_of_work import Proof, make_challenge
from subscribers.consent.signup_limits import is_flooded
from subscribers.consent_events import make_consent_wording
from subscribers.models import MailingList, Topic
from subscribers.web.join_form import JoinForm, explain_changed_wording, spend_proof, submit_join_form
from subscribers.web.page import language_for

router = Router(tags=["sign-up-forms"])
WEBSITE = ApiKeyAuth(ApiScope.WEBSITE)
_TYPED = ("email", "name", "city", "language", "website", "meant", "hinted")


class FormLanguage(BaseModel):
    language: QueryText = Field(
        "", description="Such as es or pt-BR; without it, the organisation's language.", max_length=16
    )


@router.get("sign-up-forms", auth=WEBSITE, response=Page[FormName], summary="List sign-up forms")
def all_forms(request: HttpRequest, page: PageParams) -> dict[str, object]:
    """Return the lists that people can sign up for and that the key may use."""
    lists = list_visible_lists(get_key(request)).filter(public=True)
    return make_page(request, lists, lambda row: FormName(list=row.slug, name=row.name), page)


@router.get("sign-up-forms/{slug:slug}", auth=WEBSITE, response=FormAnswer, summary="Read a sign-up form")
def read_form(request: HttpRequest, slug: str, only: Annotated[FormLanguage, Query()]) -> FormAnswer:
    """Return what the form of a list asks and says, so that your site shows the same."""
    mailing_list = find_list(get_key(request), slug, public=True)
    with _speak(only.language):
        return describe_form(mailing_list)


@router.get(
    "sign-up-forms/{slug:slug}/challenge", auth=WEBSITE, response=ChallengeAnswer, summary="Get a challenge (ALTCHA)"
)
def read_challenge(request: HttpRequest, slug: str) -> ChallengeAnswer:
    """Return a small sum for the visitor's browser. A sign-up with its solution passes the stricter limits for robots."""
    find_list(get_key(request), slug, public=True)
    now = timezone.now()
    made = make_challenge(now=now, hard=is_flooded(now=now))
    return ChallengeAnswer(
        challenge=made.challenge, salt=made.salt, signature=made.signature, maxnumber=made.max_number
    )


@router.post("sign-up-forms/{slug:slug}", auth=WEBSITE, response=FormResult, summary="Hand over a filled-in form")
def fill_in_form(request: HttpRequest, slug: str, data: FilledForm) -> FormResult:
    """Check what a visitor typed as the newsletter's own page does, and sign them up if nothing is to be corrected.

    A visitor's mistake is no error of the call: the answer is 200 with `accepted` false and what to say.
    """
    key = get_key(request)
    mailing_list, now = find_list(key, slug, public=True), timezone.now()
    with _speak(data.shown_in):
        form = JoinForm(_as_posted(data), mailing_list=mailing_list)
        if not form.is_valid():
            return describe_mistakes(form)
        address = form.cleaned_data["email"]
        if form.cleaned_data["website"]:
            return describe_acceptance(mailing_list, address=address)
        if form.suggestion:
            return describe_mistakes(form)
        hint = _check_wording(data, mailing_list)
        if hint:
            return make_result(hint=hint, form_changed=True)
        hint = spend_proof(data.proof, now=now)
        if hint:
            return make_result(hint=hint)
        source = f"{label_caller(key)} {data.page}".strip()
        _submit(form, data, mailing_list=mailing_list, source=source, now=now)
        log(
            instance=find_signed_up(address) or key, action="newsletter.api_signed_up", data=log_data(key, mailing_list)
        )
        omitted = form.unknown_town if data.hinted_city is None else ""
        return describe_acceptance(mailing_list, address=address, omitted_town=omitted)


def _submit(form: JoinForm, data: FilledForm, *, mailing_list: MailingList, source: str, now: datetime) -> None:
    submit_join_form(
        form,
        mailing_list=mailing_list,
        wording=data.wording,
        source=source,
        client=str(data.visitor),
        proof=Proof.GOOD if data.proof else Proof.NONE,
        now=now,
    )


def _as_posted(data: FilledForm) -> QueryDict:
    """Return the values as the newsletter's own form posts them, with the ids of the topics that there still are."""
    posted = QueryDict(mutable=True)
    for name in _TYPED:
        posted[name] = getattr(data, name)
    posted["hinted_city"] = data.city if data.hinted_city is None else data.hinted_city
    chosen = Topic.objects.filter(slug__in=data.topics).values_list("pk", flat=True)
    posted.setlist("topics", [str(pk) for pk in chosen])
    return posted


def _check_wording(data: FilledForm, mailing_list: MailingList) -> str:
    """Return a hint if the visitor agreed to another wording than today's, because the proof would not be true."""
    if data.wording == make_consent_wording(mailing_list):
        return ""
    return explain_changed_wording()


@contextmanager
def _speak(language: str) -> Iterator[None]:
    with translation.override(language_for(language, accepted="")):
        yield
