"""API calls about single mails: what a person did is answered by a template that staff approved, once.

The templates themselves are in `mail_templates`.
"""

import hashlib
from datetime import datetime
from typing import Literal

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Status
from pydantic import BaseModel, Field, model_validator

from newsletter.api.calls.access import ApiKeyAuth, get_key, too_many_calls
from newsletter.api.calls.fields import LanguageCode, StoredRequestModel
from newsletter.api.calls.pages import Page, PageParams, make_page
from newsletter.api.calls.problems import Problem
from newsletter.api.calls.repeats import HEADER, read_idempotency_key
from newsletter.api.people.key_scope import list_visible_people
from newsletter.api.publishing.mail_templates import Values, find_template, router
from newsletter.common.errors import NotFound
from newsletter.models import ApiKey, ApiScope, TemplateMail
from newsletter.sending.notices.template_mails import (
    NotApprovedTemplate,
    SuppressedAddress,
    TooManyMails,
    request_mail,
)
from newsletter.sending.notices.template_terms import ProtectedTemplate, ProtectedValues
from subscribers.people.lookup import UnknownPerson

MAILING = ApiKeyAuth(ApiScope.MAILS_SEND)
_CODES: dict[type[Exception], str] = {
    NotApprovedTemplate: "template_not_approved",
    ProtectedTemplate: "protected_term",
    SuppressedAddress: "suppressed",
}


class MailToSend(StoredRequestModel):
    """One mail. Name the person by `person` or by `email`."""

    template: str = Field(description="The template's slug.", max_length=50)
    person: int | None = Field(None, description="The id of a person here.", ge=1, lt=2**63)
    email: str | None = Field(None, description="The address. It need not be on a list.", max_length=320)
    language: LanguageCode = Field("", description="Such as es. Without it, the person's own.")
    values: Values = Field(
        {}, description="A value for each field of the template, each one short line.", max_length=50
    )

    @model_validator(mode="after")
    def _name_one(self) -> "MailToSend":
        if (self.person is None) == (self.email is None):
            raise ValueError("Send either person or email")
        return self


class MailAnswer(BaseModel):
    """A mail, without its address and values: they are deleted once it was handed over. Kept for 90 days."""

    id: int
    template: str
    state: Literal["waiting", "sending", "accepted", "failed", "uncertain"] = Field(
        description="accepted: by the provider. uncertain: it may have arrived, and is not sent again."
    )
    reason: str = Field(description="Why it failed or is uncertain.")
    language: str
    asked_at: datetime
    sent_at: datetime | None


@router.post("mails", auth=MAILING, response={202: MailAnswer, 200: MailAnswer}, summary="Send a single mail")
@transaction.atomic
def send_single_mail(request: HttpRequest, data: MailToSend) -> Status[MailAnswer]:
    """Send one mail from an approved template. `Idempotency-Key` is required: with the same one it is never sent twice.

    202 stores the mail, which the worker sends within seconds; 200 is a mail that was stored before.
    """
    key = get_key(request)
    if HEADER not in request.headers:
        raise Problem(
            422,
            "The Idempotency-Key is missing",
            "Send a header “Idempotency-Key” with an id of the act that the mail answers, so that it is sent once.",
            code="idempotency_key_missing",
        )
    name, request_hash = read_idempotency_key(request), hashlib.sha256(request.body).hexdigest()
    earlier = TemplateMail.objects.filter(api_key=key, idempotency_key=name).select_related("template").first()
    if earlier is not None:
        if earlier.request_hash != request_hash:
            raise Problem(
                422,
                "This Idempotency-Key was used for another mail",
                "Nothing was done. Use a new key for each new mail.",
                code="idempotency_key_reused",
            )
        return Status(200, _show(earlier))
    return Status(202, _show(_request(key, data, name=name, request_hash=request_hash)))


@router.get("mails", auth=MAILING, response=Page[MailAnswer], summary="List single mails")
def all_mails(request: HttpRequest, page: PageParams) -> dict[str, object]:
    """Return the mails of this key, the newest first."""
    return make_page(request, _list_own(get_key(request)), _show, page, newest_first=True)


@router.get("mails/{int:mail}", auth=MAILING, response=MailAnswer, summary="Read the state of a single mail")
def read_mail(request: HttpRequest, mail: int) -> MailAnswer:
    """Return whether the provider accepted it. Only the key that asked finds it."""
    row = _list_own(get_key(request)).filter(pk=mail).first() if mail < 2**63 else None
    if row is None:
        raise NotFound("This key sent no mail with the id %(id)s in the last 90 days.", id=mail)
    return _show(row)


def _request(key: ApiKey, data: MailToSend, *, name: str, request_hash: str) -> TemplateMail:
    try:
        return request_mail(
            template=find_template(key, data.template),
            key=key,
            idempotency_key=name,
            request_hash=request_hash,
            email=data.email or _find_address(key, data.person or 0),
            language=data.language,
            values=data.values,
            now=timezone.now(),
        )
    except (NotApprovedTemplate, ProtectedTemplate, SuppressedAddress) as error:
        raise Problem(409, "This mail cannot be sent", str(error), code=_CODES[type(error)]) from error
    except ProtectedValues as error:
        raise Problem(422, "A value is protected", str(error), code="protected_term") from error
    except TooManyMails as error:
        raise too_many_calls(86_400, str(error)) from error


def _find_address(key: ApiKey, person: int) -> str:
    address = list_visible_people(key).filter(pk=person).values_list("email", flat=True).first()
    if address is None:
        raise UnknownPerson("No person has the id %(id)s.", id=person)
    return address


def _list_own(key: ApiKey) -> QuerySet[TemplateMail]:
    return TemplateMail.objects.filter(api_key=key).select_related("template")


def _show(row: TemplateMail) -> MailAnswer:
    return MailAnswer(
        id=row.pk,
        template=row.template.slug,
        state=row.state,  # type: ignore[arg-type]  # a constraint names the states
        reason=str(row.reason),
        language=row.language,
        asked_at=row.asked_at,
        sent_at=row.sent_at,
    )
