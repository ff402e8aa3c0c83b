"""Advice for staff on each failure to read Google's figures."""

from newsletter.common.messages import Message
from newsletter.google_postmaster.figures import FigureFailure

WHAT_TO_DO: dict[FigureFailure, Message] = {
    FigureFailure.KEY_FILE: Message(
        "Download a new key of the service account from Google Cloud, of the type JSON, and name its file in "
        "NEWSLETTER_POSTMASTER_KEY_FILE."
    ),
    FigureFailure.KEY_REFUSED: Message(
        "The key was deleted or revoked. Create a new one in Google Cloud and put its file in the place of the old one."
    ),
    FigureFailure.PERSON_REFUSED: Message(
        "Give the service account domain-wide delegation, or take NEWSLETTER_POSTMASTER_PERSON out of the settings and add "
        "the service account as a user of the domain in Postmaster Tools."
    ),
    FigureFailure.SCOPE_MISSING: Message(
        "Authorise the key again, for https://www.googleapis.com/auth/postmaster.traffic.readonly."
    ),
    FigureFailure.API_OFF: Message("Turn on the “Gmail Postmaster Tools API” in the key’s project in Google Cloud."),
    FigureFailure.CLOCK: Message("Set this machine’s clock. Google refuses what was signed at another time."),
    FigureFailure.NOT_VERIFIED: Message(
        "Open postmaster.google.com, add the domain that signs your mail, verify it, and add the address of the key as a "
        "user there."
    ),
    FigureFailure.QUOTA: Message("Google had too many requests of this project today. We ask again in six hours."),
    FigureFailure.NO_ANSWER: Message("Check that this machine can reach googleapis.com. We ask again in an hour."),
    FigureFailure.SERVER_ERROR: Message("Google has an error of its own. We ask again in an hour."),
    FigureFailure.UNREADABLE: Message(
        "If this goes on for days, report it to the newsletter’s maintainers: Google may have changed its answers."
    ),
}
