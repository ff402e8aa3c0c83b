"""The texts of a list's sign-up form for other programs. They are those of the newsletter's own page."""

from django.utils.translation import get_language, gettext

from newsletter.api.people.form_schemas import FormAnswer, FormChoice, FormError, FormField, FormResult, Suggestion
from newsletter.common.translation import language_choices
from subscribers.addresses.normalise import MAX_LENGTH
from subscribers.consent_events import make_consent_wording
from subscribers.models import MailingList
from subscribers.models.people import MAX_NAME_LENGTH
from subscribers.people.relevant_choices import find_asked_topics
from subscribers.places.search import MAX_TOWN_LENGTH
from subscribers.web.join_form import JoinForm, explain_omitted_town

_TRAP = "website"
_TEXTS = ("email", "name", "city", "topics", "language")


def describe_form(mailing_list: MailingList) -> FormAnswer:
    """Return what the form of this list asks and says, in the current language."""
    form = JoinForm(mailing_list=mailing_list)
    fields = [_describe_field(name, mailing_list) for name in form.fields if name in _TEXTS]
    return FormAnswer(
        list=mailing_list.slug,
        language=get_language() or "en",
        title=mailing_list.name,
        description=mailing_list.description,
        fields=fields,
        trap=FormChoice(value=_TRAP, label=gettext("Leave this empty")),
        wording=make_consent_wording(mailing_list),
        button=gettext("Sign me up"),
    )


def describe_mistakes(form: JoinForm) -> FormResult:
    """Return what the visitor has to correct, or the address that they may have meant."""
    errors = [
        FormError(
            where=name,
            what=str(text),
            choices=[choice.value for choice in form.town_choices] if name == "city" else [],
            choice_labels=[choice.label for choice in form.town_choices] if name == "city" else [],
            choices_label=gettext("Which one is yours?") if name == "city" and form.town_choices else "",
        )
        for name, texts in form.errors.items()
        for text in texts
    ]
    address = form.suggestion if not errors else ""
    suggestion = (
        Suggestion(
            address=address,
            text=gettext("Did you mean %(address)s?") % {"address": address},
            accept=gettext("Yes, correct it"),
            keep=gettext("No, keep mine"),
        )
        if address
        else None
    )
    return make_result(errors=errors, suggestion=suggestion)


def describe_acceptance(mailing_list: MailingList, *, address: str, omitted_town: str = "") -> FormResult:
    """Return what the newsletter's own page says after a sign-up, and that the town is left out if the form could not ask."""
    omitted = [explain_omitted_town(omitted_town)] if omitted_town else []
    if mailing_list.double_opt_in:
        sentence = gettext(
            "If %(address)s is not on the list yet, we are sending it a mail. "
            "Open that mail and confirm to join the list."
        )
        junk = gettext(
            "If it is not there after ten minutes, check your junk mail. You can ask for it once a day, and three times in "
            "all. It may come more than once. If no mail arrives, please write to us."
        )
        return make_result(title=gettext("Check your inbox"), texts=[sentence % {"address": address}, junk, *omitted])
    text = gettext(
        "We will send %(name)s to %(address)s. Sometimes we first ask by mail whether the address is yours."
    ) % {"name": mailing_list.name, "address": address}
    return make_result(title=gettext("Thank you"), texts=[text, *omitted])


def make_result(
    *,
    title: str = "",
    texts: list[str] | None = None,
    hint: str = "",
    errors: list[FormError] | None = None,
    suggestion: Suggestion | None = None,
    form_changed: bool = False,
) -> FormResult:
    """Return an answer: with a title it is accepted, else the form is shown again."""
    return FormResult(
        accepted=bool(title),
        title=title,
        texts=texts or [],
        hint=hint,
        errors=errors or [],
        suggestion=suggestion,
        form_changed=form_changed,
    )


def _describe_field(name: str, mailing_list: MailingList) -> FormField:
    optional = gettext("(optional)")
    match name:
        case "email":
            return _make_field("email", "email", gettext("Email address"), autocomplete="email", max_length=MAX_LENGTH)
        case "name":
            label = gettext("First name")
            return _make_field(
                "name", "text", label, note=optional, autocomplete="given-name", max_length=MAX_NAME_LENGTH
            )
        case "city":
            hint = gettext(
                "Your town, or only your region, so that we can tell you about events near you. "
                "We keep nothing more precise."
            )
            label, kind = gettext("Where you live"), "address-level2"
            return _make_field(
                "city", "text", label, note=optional, hint=hint, autocomplete=kind, max_length=MAX_TOWN_LENGTH
            )
        case "topics":
            language = get_language() or "en"
            topics = [(topic.slug, topic.name_in(language)) for topic in find_asked_topics([mailing_list])]
            choices = sorted(topics, key=lambda choice: choice[1].casefold())
            return _make_field("topics", "many", gettext("What interests you?"), note=optional, choices=choices)
        case _:
            return _make_field("language", "one", gettext("Language"), choices=language_choices(""))


def _make_field(
    name: str,
    kind: str,
    label: str,
    *,
    note: str = "",
    hint: str = "",
    autocomplete: str = "",
    max_length: int | None = None,
    choices: list[tuple[str, str]] | None = None,
) -> FormField:
    return FormField.model_validate(
        {
            "name": name,
            "kind": kind,
            "label": label,
            "note": note,
            "hint": hint,
            "required": name == "email",
            "autocomplete": autocomplete,
            "max_length": max_length,
            "choices": [FormChoice(value=value, label=text) for value, text in choices or ()],
        }
    )
