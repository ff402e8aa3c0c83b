"""API calls about templates of single mails: read, write and delete them. Staff approve them; the API ends no approval."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status
from pydantic import BaseModel, Field
from wagtail.log_actions import log

from newsletter.api.calls.access import ApiKeyAuth, get_key, lists_of
from newsletter.api.calls.fields import StoredRequestModel
from newsletter.api.calls.pages import Page, PageParams, make_page
from newsletter.api.calls.preconditions import check_unchanged
from newsletter.api.calls.problems import Problem
from newsletter.common.errors import NotFound
from newsletter.common.languages import OFFERED_LANGUAGES
from newsletter.models import ApiKey, ApiScope, MailTemplate, Publication
from newsletter.sending.notices.mail_templates import (
    delete_template,
    make_template,
    remove_text,
    save_fields,
    save_text,
)
from newsletter.sending.notices.template_terms import find_template_problem
from newsletter.sending.notices.template_texts import TEXTS, BadTemplate, is_approved

router = Router(tags=["mails"])
READING = ApiKeyAuth(ApiScope.MAILS_SEND, ApiScope.MAILS_WRITE)
WRITING = ApiKeyAuth(ApiScope.MAILS_WRITE)
Values = dict[str, str]


class TemplateText(StoredRequestModel):
    """The texts of a template in one language. Fields are written in braces, such as {first_name}."""

    subject: str = Field(min_length=1, max_length=200)
    preheader: str = Field("", max_length=200)
    body: str = Field(description="Plain text. An empty line begins a paragraph.", min_length=1, max_length=10_000)
    button_label: str = Field("", max_length=60)
    button_url: str = Field("", description="A whole link. A field can be behind the host.", max_length=2_000)
    reason: str = Field(description="In the footer: why they get it.", min_length=1, max_length=300)


class NewTemplate(StoredRequestModel):
    name: str = Field(description="Its slug is made of it.", min_length=1, max_length=100)
    publication: str = Field(description="The slug of the publication that is the sender.", max_length=80)
    fields: Values = Field({}, description="A sample for each field.", max_length=50)


class TemplateChange(StoredRequestModel):
    """New values of a template. A missing field does not change."""

    publication: str | None = Field(None, description="A publication's slug.", max_length=80)
    fields: Values | None = Field(None, description="They replace the fields.", max_length=50)


class TemplateAnswer(BaseModel):
    slug: str
    name: str
    publication: str
    fields: Values = Field(description="The fields with their sample values.")
    languages: list[str]
    approved: bool
    problem: str = Field(description="Why nothing is sent although it is approved, such as a protected term.")


class WholeTemplate(TemplateAnswer):
    texts: dict[str, TemplateText] = Field(description="By language.")


@router.get("mail-templates", auth=READING, response=Page[TemplateAnswer], summary="List mail templates")
def all_templates(request: HttpRequest, page: PageParams) -> dict[str, object]:
    """Return the templates that this key may use, also those that wait for an approval."""
    rows = list_visible_templates(get_key(request)).prefetch_related("texts")
    return make_page(request, rows, _show_without_texts, page)


@router.post("mail-templates", auth=WRITING, response={201: WholeTemplate}, summary="Create a mail template")
@transaction.atomic
def create_template(request: HttpRequest, data: NewTemplate) -> Status[WholeTemplate]:
    """Create a template without texts. Nothing is sent from it until staff approve it in the desk."""
    key, now = get_key(request), timezone.now()
    publication = _find_publication(key, data.publication)
    row = make_template(name=data.name, publication=publication, by=None, now=now)
    save_fields(template=row, publication=publication, fields=data.fields, by=None, now=now)
    _log(key, row, action="made")
    return Status(201, _show(row))


@router.get("mail-templates/{slug:slug}", auth=READING, response=WholeTemplate, summary="Read a mail template")
def read_template(request: HttpRequest, slug: str) -> WholeTemplate:
    """Return the template with its texts in all languages."""
    return _show(find_template(get_key(request), slug))


@router.patch("mail-templates/{slug:slug}", auth=WRITING, response=WholeTemplate, summary="Change a mail template")
def change_template(request: HttpRequest, slug: str, data: TemplateChange) -> WholeTemplate:
    """Change its sender or its fields. Refused with 409 while it is approved."""
    with _edit(request, slug) as row:
        publication = row.publication
        if data.publication is not None:
            publication = _find_publication(get_key(request), data.publication)
        fields = row.fields if data.fields is None else data.fields
        save_fields(template=row, publication=publication, fields=fields, by=None, now=timezone.now())
    return _show(row)


@router.put(
    "mail-templates/{slug:slug}/texts/{slug:language}",
    auth=WRITING,
    response=WholeTemplate,
    summary="Write the texts of a mail template",
)
def write_text(request: HttpRequest, slug: str, language: str, data: TemplateText) -> WholeTemplate:
    """Write the texts in one language, in the place of those that are there. Refused with 409 while it is approved."""
    with _edit(request, slug, language=language) as row:
        if language not in (row.publication.language, *OFFERED_LANGUAGES):
            languages = ", ".join(dict.fromkeys([row.publication.language, *OFFERED_LANGUAGES]))
            raise BadTemplate(
                "There are no mails in “%(language)s”. There are: %(known)s.", language=language, known=languages
            )
        save_text(template=row, language=language, texts=data.model_dump(), by=None, now=timezone.now())
    return _show(row)


@router.delete(
    "mail-templates/{slug:slug}/texts/{slug:language}",
    auth=WRITING,
    response=WholeTemplate,
    summary="Delete the texts of a mail template",
)
def delete_text(request: HttpRequest, slug: str, language: str) -> WholeTemplate:
    """Delete the texts in one language. Its readers then get those of the sender's language."""
    with _edit(request, slug, language=language) as row:
        if not row.texts.filter(language=language).exists():
            raise NotFound("The template has no texts in “%(language)s”.", language=language)
        remove_text(template=row, language=language, by=None, now=timezone.now())
    return _show(row)


@router.delete("mail-templates/{slug:slug}", auth=WRITING, response={204: None}, summary="Delete a mail template")
def delete(request: HttpRequest, slug: str) -> Status[None]:
    """Delete a template. Refused with 409 while it is approved, or if mails were sent from it in the last 90 days."""
    with _edit(request, slug, action="deleted") as row:
        delete_template(template=row)
    return Status(204, None)


def list_visible_templates(key: ApiKey) -> QuerySet[MailTemplate]:
    """Return the templates whose sender's list the key may use."""
    rows, lists = MailTemplate.objects.select_related("publication"), lists_of(key)
    return rows if lists is None else rows.filter(publication__mailing_list__in=lists)


def find_template(key: ApiKey, slug: str, *, lock: bool = False) -> MailTemplate:
    """Return the template with this slug. Raise NotFound, also for one that the key may not use."""
    rows = list_visible_templates(key)
    row = (rows.select_for_update(of=("self",)) if lock else rows).filter(slug=slug).first()
    if row is None:
        slugs = ", ".join(list_visible_templates(key).values_list("slug", flat=True)) or "–"
        raise NotFound("There is no mail template “%(slug)s”. There are: %(known)s.", slug=slug, known=slugs)
    return row


@contextmanager
def _edit(request: HttpRequest, slug: str, *, action: str = "edited", language: str = "") -> Iterator[MailTemplate]:
    """Yield the locked template in a transaction. Raise Problem if it is approved, or not as the caller read it."""
    key = get_key(request)
    with transaction.atomic():
        row = find_template(key, slug, lock=True)
        check_unchanged(request, _show(row))
        if is_approved(row):
            raise Problem(
                409,
                "This template is approved",
                "Nothing was changed. Ask an approver to withdraw the approval in the desk, then call again.",
                code="approved",
            )
        _log(key, row, action=action, **({"language": language} if language else {}))
        yield row


def _find_publication(key: ApiKey, slug: str) -> Publication:
    rows, lists = Publication.objects.order_by("pk"), lists_of(key)
    rows = rows if lists is None else rows.filter(mailing_list__in=lists)
    publication = rows.filter(slug=slug).first()
    if publication is None:
        slugs = ", ".join(rows.values_list("slug", flat=True)) or "–"
        raise NotFound("There is no publication “%(slug)s”. There are: %(known)s.", slug=slug, known=slugs)
    return publication


def _show(row: MailTemplate) -> WholeTemplate:
    texts = {text.language: TemplateText(**{name: getattr(text, name) for name in TEXTS}) for text in row.texts.all()}
    return WholeTemplate(**_show_without_texts(row).model_dump(), texts=texts)


def _show_without_texts(row: MailTemplate) -> TemplateAnswer:
    return TemplateAnswer(
        slug=row.slug,
        name=row.name,
        publication=row.publication.slug,
        fields=row.fields,
        languages=[text.language for text in row.texts.all()],
        approved=is_approved(row),
        problem=str(find_template_problem(row) or ""),
    )


def _log(key: ApiKey, row: MailTemplate, *, action: str, **more: str) -> None:
    data = {"key": key.name, "key_id": key.pk, **more}
    log(instance=row, action=f"newsletter.mail_template_{action}", data=data)
