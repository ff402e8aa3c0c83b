"""Make, edit, approve and delete mail templates. An edit ends the approval, because it names the content by its hash.

`by` is None if a key of the API does it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model
from django.utils.text import slugify

from newsletter.common.errors import InUse, NotAllowed, NotReady, WrongState
from newsletter.common.text import clean_line, require_length
from newsletter.issues.approval.approval_rules import requires_other_approver
from newsletter.models import MailTemplate, MailTemplateText, Publication
from newsletter.sending.notices.template_terms import (
    refuse_protected_samples,
    refuse_protected_template,
    refuse_protected_text,
)
from newsletter.sending.notices.template_texts import (
    TEXTS,
    BadTemplate,
    check_fields,
    check_text,
    find_text,
    hash_template,
)


@transaction.atomic
def make_template(*, name: str, publication: Publication, by: User | None, now: datetime) -> MailTemplate:
    """Make an empty template. Raise BadTemplate if one has this name, BadValue if the name is too long."""
    name = require_length(clean_line(name), limit=_max_length(MailTemplate, "name"), name="name")
    slug, longest = slugify(name), _max_length(MailTemplate, "slug")
    if len(slug) > longest and not MailTemplate.objects.filter(name__iexact=name).exists():
        slug = _find_free_slug(slug, longest=longest)
    if not slug or len(slug) > longest or MailTemplate.objects.filter(slug=slug).exists():
        raise BadTemplate("There is a template with this name already, or the name has no letters. Choose another.")
    editors = [by.pk] if by else []
    return MailTemplate.objects.create(slug=slug, name=name, publication=publication, editors=editors, edited_at=now)


def _find_free_slug(slug: str, *, longest: int) -> str:
    """Return the first words of a slug that is too long, with a number if another template has them."""
    words = slug[: longest - len("-99")].rpartition("-")[0] or slug[: longest - len("-99")]
    candidates = (words, *(f"{words}-{number}" for number in range(2, 100)))
    taken = set(MailTemplate.objects.filter(slug__in=candidates).values_list("slug", flat=True))
    return next((candidate for candidate in candidates if candidate not in taken), "")


@transaction.atomic
def save_fields(
    *, template: MailTemplate, publication: Publication, fields: Mapping[str, str], by: User | None, now: datetime
) -> None:
    """Store the sender and the fields. Raise BadTemplate, also if a text uses a field that would be gone."""
    row = _lock(template)
    check_fields(fields)
    for text in row.texts.all():
        check_text(text, fields=fields)
    refuse_protected_samples(fields)
    row.publication, row.fields = publication, dict(fields)
    _note_edit(row, template, by=by, now=now)


@transaction.atomic
def save_text(
    *, template: MailTemplate, language: str, texts: Mapping[str, str], by: User | None, now: datetime
) -> None:
    """Store the texts of one language. Raise BadTemplate, or BadValue for a text that is too long."""
    row = _lock(template)
    text = row.texts.filter(language=language).first() or MailTemplateText(template=row, language=language)
    for name in TEXTS:
        value = texts[name].replace("\r\n", "\n").strip()
        cleaned = value if name == "body" else clean_line(value)
        setattr(text, name, require_length(cleaned, limit=_max_length(MailTemplateText, name), name=name))
    check_text(text, fields=row.fields)
    refuse_protected_text(text)
    text.save()
    _note_edit(row, template, by=by, now=now)


@transaction.atomic
def remove_text(*, template: MailTemplate, language: str, by: User | None, now: datetime) -> None:
    """Delete the texts of one language. Its readers get those of the publication's language."""
    row = _lock(template)
    row.texts.filter(language=language).delete()
    _note_edit(row, template, by=by, now=now)


@transaction.atomic
def approve_template(*, template: MailTemplate, sha256: str, by: User, now: datetime) -> None:
    """Approve the content that the person saw. The rule about authors is that of the publication's issues.

    Raise NotAllowed, NotReady without texts in the publication's language, or WrongState if the content changed since or
    contains a protected term.
    """
    if not by.has_perm("newsletter.approve_issue"):
        raise NotAllowed("%(by)s may not approve. An administrator can give the role “approver”.", by=by)
    row = _lock(template)
    if by.pk in row.editors and requires_other_approver(row.publication):
        raise NotAllowed("You edited this template, so another person must approve it.")
    if find_text(row, row.publication.language) is None:
        raise NotReady("Write the texts in the sender’s language first: they are for everybody without their own.")
    if hash_template(row) != sha256:
        raise WrongState("The template was changed since you opened the page. Look at it again, then approve it.")
    refuse_protected_template(row)
    row.approved_sha256, row.approved_by, row.approved_at, row.editors = sha256, by, now, []
    row.save(update_fields=["approved_sha256", "approved_by", "approved_at", "editors"])
    template.refresh_from_db()


def withdraw_approval(*, template: MailTemplate) -> None:
    """End the approval. Mails that wait are not sent either."""
    MailTemplate.objects.filter(pk=template.pk).update(approved_sha256="", approved_by=None, approved_at=None)
    template.refresh_from_db()


@transaction.atomic
def delete_template(*, template: MailTemplate) -> None:
    """Delete a template with its texts. Raise InUse if the row of a mail names it, which is kept for 90 days."""
    row = _lock(template)
    if row.mails.exists():
        raise InUse(
            "Mails were sent from “%(name)s” in the last 90 days, so it was not deleted. Withdraw its approval, so that "
            "nothing more is sent from it.",
            name=row,
        )
    row.delete()


def _max_length(model: type[Model], field: str) -> int:
    return int(cast(Any, model._meta.get_field(field)).max_length)


def _lock(template: MailTemplate) -> MailTemplate:
    return MailTemplate.objects.select_for_update(of=("self",)).select_related("publication").get(pk=template.pk)


def _note_edit(row: MailTemplate, template: MailTemplate, *, by: User | None, now: datetime) -> None:
    """Save the locked row with its editor, and reload the caller's row."""
    row.editors, row.edited_at = sorted({*row.editors, *([by.pk] if by else [])}), now
    row.save()
    template.refresh_from_db()
