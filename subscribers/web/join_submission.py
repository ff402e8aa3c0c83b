"""Process a sign-up form that is filled in well: spend its proof of work, then sign the visitor up."""

from datetime import datetime

from django.utils.translation import get_language, gettext

from subscribers.consent.process_signup import process_signup
from subscribers.consent.proof_of_work import Proof, check_proof, use_proof
from subscribers.consent.signup import SignupRequest
from subscribers.models import MailingList
from subscribers.people.locations import Location, get_location_row
from subscribers.web.join_form import JoinForm


def spend_proof(payload: str, *, now: datetime) -> str:
    """Return a hint if the proof of work does not count, else "". A valid proof is spent; none is no mistake."""
    if not payload:
        return ""
    if check_proof(payload) is Proof.GOOD and use_proof(payload, now=now):
        return ""
    return gettext("This page was used before or was open for too long. Please press the button again.")


def explain_changed_wording() -> str:
    """Return the hint for somebody whose page showed another text beside the button than today's."""
    return gettext("The text beside the button has changed. Please read it and press the button again.")


def submit_join_form(
    form: JoinForm, *, mailing_list: MailingList, wording: str, source: str, client: str, proof: Proof, now: datetime
) -> None:
    """Process the sign-up of a valid form. Nothing tells the person the outcome.

    `client` is the visitor's network address. `wording` is what the person read beside the button.
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
