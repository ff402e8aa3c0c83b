"""Protected terms in single mails: none is saved, approved, accepted or sent. A message shows only the mask of a term."""

from collections.abc import Mapping

from newsletter.common.errors import WrongState
from newsletter.common.messages import Message
from newsletter.issues.protected_terms.check import search_mail_parts
from newsletter.issues.protected_terms.matcher import TermMatcher, get_term_matcher
from newsletter.models import MailTemplate, MailTemplateText
from newsletter.providers.base.contract import Mail
from newsletter.sending.notices.template_texts import TEXTS, BadTemplate, BadValues, fill_fields

_BUTTON = "button_url"


class ProtectedTemplate(WrongState):
    """A template contains a protected term, or nothing can be searched for them. Nothing may be sent from it."""


class ProtectedValues(BadValues):
    """The values make a mail that contains a protected term."""


def refuse_protected_text(text: MailTemplateText) -> None:
    """Raise BadTemplate if the texts of one language contain a protected term as they are written."""
    matcher = get_term_matcher()
    _refuse_to_save(matcher, _search_text(matcher, text, None))


def refuse_protected_samples(fields: Mapping[str, str]) -> None:
    """Raise BadTemplate if a sample contains a protected term."""
    matcher = get_term_matcher()
    _refuse_to_save(matcher, matcher.find(*fields.values()))


def refuse_protected_template(template: MailTemplate) -> None:
    """Raise ProtectedTemplate if a stored template contains a protected term, also with its samples filled in."""
    problem = find_template_problem(template)
    if problem:
        raise ProtectedTemplate(problem)


def find_template_problem(template: MailTemplate) -> Message | None:
    """Return why nothing may be sent from a stored template, or None. A term may have been added after its approval."""
    matcher = get_term_matcher()
    if matcher.idle:
        return None
    terms = matcher.find(*template.fields.values())
    for text in template.texts.all():
        terms |= _search_text(matcher, text, None) | _search_text(matcher, text, template.fields)
    return _describe_problem(matcher, terms)


def refuse_protected_values(text: MailTemplateText, values: Mapping[str, str]) -> None:
    """Raise ProtectedValues if the text contains a protected term once these values are filled in."""
    matcher = get_term_matcher()
    if matcher.idle:
        return
    terms = matcher.find(*values.values()) | _search_text(matcher, text, values)
    if terms:
        raise ProtectedValues(
            "With these values the mail contains a protected term (%(mask)s). Nothing was sent. Send a value that "
            "identifies nobody.",
            mask=matcher.mask(min(terms)),
        )


def refuse_protected_mail(mail: Mail) -> None:
    """Raise ProtectedTemplate if the mail as it is about to be sent contains a protected term."""
    matcher = get_term_matcher()
    if matcher.idle:
        return
    terms = search_mail_parts(matcher, texts=[mail.subject, mail.from_name], plain_text=mail.text, html=mail.html)
    problem = _describe_problem(matcher, terms)
    if problem:
        raise ProtectedTemplate(problem)


def _refuse_to_save(matcher: TermMatcher, terms: frozenset[int]) -> None:
    problem = _describe_problem(matcher, terms)
    if problem:
        raise BadTemplate(problem)


def _describe_problem(matcher: TermMatcher, terms: frozenset[int]) -> Message | None:
    if not terms or matcher.unreadable:
        return matcher.explain_unreadable()
    return Message(
        "A protected term (%(mask)s) was found in the template. Remove it, or use a name that identifies nobody. Staff "
        "with the role “data” can see which term it is.",
        mask=matcher.mask(min(terms)),
    )


def _search_text(matcher: TermMatcher, text: MailTemplateText, values: Mapping[str, str] | None) -> frozenset[int]:
    """Search the texts of one language, as they are written or with these values in the place of the fields."""
    parts = {name: getattr(text, name) for name in TEXTS}
    if values is not None:
        parts = {name: fill_fields(written, values) for name, written in parts.items()}
    link = parts.pop(_BUTTON)
    return matcher.find(*parts.values()) | matcher.find_in_addresses(link)
