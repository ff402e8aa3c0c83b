"""The sign-up form of a list. A valid form spends its proof of work and signs the person up."""

from datetime import datetime

from django import forms
from django.http import QueryDict
from django.utils.translation import get_language, gettext, gettext_lazy

from newsletter.common.errors import BadAddress
from newsletter.common.text import clean_line
from newsletter.common.translation import language_choices
from subscribers.addresses.domains import suggest_address
from subscribers.addresses.normalise import normalise
from subscribers.consent.process_signup import process_signup
from subscribers.consent.proof_of_work import Proof, check_proof, use_proof
from subscribers.consent.signup import SignupRequest
from subscribers.models import MailingList, Topic
from subscribers.models.people import MAX_NAME_LENGTH
from subscribers.people.locations import Location, get_location_row
from subscribers.people.relevant_choices import find_asked_topics, is_language_asked
from subscribers.web.form_fields import (
    AmbiguousTown,
    RemainingRowsField,
    TownChoice,
    check_length,
    explain_bad_address,
    explain_unknown_town,
    is_unknown_town,
    read_town,
)


class JoinForm(forms.Form):
    """A form whose fields depend on the list. `website` is a trap that people do not see.

    `town_choices` are the towns that a typed name could mean; the chosen one comes back as `meant`. `suggestion` is the
    address that the person may have meant. It is shown once: `corrected` accepts it, and an address that is posted again as
    `hinted` is kept. An unknown town is asked about once too: posted again as `hinted_city`, it does not stop the sign-up.
    """

    email = forms.CharField(error_messages={"required": gettext_lazy("Please write your email address.")})
    name = forms.CharField(required=False)
    corrected = forms.CharField(max_length=320, required=False)
    hinted = forms.CharField(max_length=320, required=False)
    meant = forms.CharField(max_length=300, required=False)
    hinted_city = forms.CharField(required=False)
    city = forms.CharField(required=False)
    topics = RemainingRowsField(Topic.objects.all(), required=False)
    language = forms.CharField(required=False)
    website = forms.CharField(required=False)

    def __init__(self, data: QueryDict | None = None, *, mailing_list: MailingList) -> None:
        super().__init__(data)
        self.town_choices: tuple[TownChoice, ...] = ()
        self.suggestion = ""
        self.unknown_town = ""
        asks = {
            "name": mailing_list.ask_name,
            "city": mailing_list.ask_place,
            "topics": mailing_list.ask_topics and find_asked_topics([mailing_list]).exists(),
            "language": mailing_list.ask_language and is_language_asked([mailing_list]),
        }
        for field, is_asked in asks.items():
            if not is_asked:
                del self.fields[field]

    def clean_email(self) -> str:
        try:
            return normalise(self.cleaned_data["email"])
        except BadAddress as error:
            raise forms.ValidationError(explain_bad_address(self.cleaned_data["email"])) from error

    def clean_name(self) -> str:
        return check_length(clean_line(self.cleaned_data["name"]), limit=MAX_NAME_LENGTH)

    def clean_language(self) -> str:
        """Return the chosen language, "" for one that is not offered any more: then that of the page counts."""
        code: str = self.cleaned_data["language"]
        return code if code in dict(language_choices("")) else ""

    def clean(self) -> dict[str, object]:
        data = self.cleaned_data
        suggested = suggest_address(data.get("email", ""))
        if suggested and data.get("corrected") == suggested:
            data["email"] = suggested
        elif suggested and data.get("hinted") != data["email"]:
            self.suggestion = suggested
        return data

    def clean_city(self) -> Location:
        text = self.cleaned_data["city"]
        try:
            location = read_town(text, meant=self.cleaned_data.get("meant", ""))
        except AmbiguousTown as several:
            self.town_choices = several.choices
            raise
        self.unknown_town = text if is_unknown_town(text, location) else ""
        if self.unknown_town and self.unknown_town != self.cleaned_data.get("hinted_city"):
            hint = gettext("To sign up without a town, press the button again.")
            raise forms.ValidationError(f"{explain_unknown_town(text)} {hint}")
        return location


def spend_proof(payload: str, *, now: datetime) -> str:
    """Return a hint if the proof of work does not count, else "". A valid proof is spent; none is no mistake."""
    if not payload:
        return ""
    if check_proof(payload) is Proof.GOOD and use_proof(payload, now=now):
        return ""
    return gettext("This page was used before or was open for too long. Please press the button again.")


def explain_changed_wording() -> str:
    """Return the hint for somebody whose page showed another text next to the button than today's."""
    return gettext("The text beside the button has changed. Please read it and press the button again.")


def explain_omitted_town(town: str) -> str:
    """Return what somebody reads after a sign-up by a form that could not ask about their unknown town."""
    return gettext(
        "We do not know a town called “%(town)s”, so we did not keep it. "
        "To name a larger town nearby, use “Choose what you get” in any of our mails."
    ) % {"town": town}


def submit_join_form(
    form: JoinForm, *, mailing_list: MailingList, wording: str, source: str, client: str, proof: Proof, now: datetime
) -> None:
    """Process the sign-up of a valid form. The person does not learn the outcome.

    `client` is the visitor's network address. `wording` is the text next to the button.
    """
    data = form.cleaned_data
    process_signup(
        SignupRequest(
            email=data["email"],
            mailing_list=mailing_list,
            wording=wording,
            source=source,
            name=data.get("name", ""),
            language=data.get("language") or get_language() or "",
            place=get_location_row(data.get("city") or Location()),
            topics=data.get("topics", ()),
        ),
        client=client,
        proof=proof,
        must_confirm=proof is not Proof.GOOD,
        now=now,
    )
