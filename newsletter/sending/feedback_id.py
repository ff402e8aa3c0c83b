"""The Feedback-ID header, by which Gmail's Postmaster Tools show the share of spam reports by issue and publication.

Source: support.google.com/mail/answer/6254652. The last of the four fields is the sender's, 5 to 15 characters long and
always the same; no value is in two fields, and none is about a person.
"""

import re

from newsletter.issues.snapshot.records.content import IssueContent

HEADER = "Feedback-ID"
MIN_SENDER, MAX_SENDER = 5, 15
_FILLER = "sender"


def make_feedback_id(content: IssueContent) -> str:
    """Return ``issue:publication:kind:sender`` for the mails of an issue."""
    issue, publication = content.issue, content.publication
    sender = make_sender_id(publication.from_email)
    slug = re.sub(r"[^A-Za-z0-9_-]", "-", publication.slug)
    if slug in (issue.kind, sender, issue.public_id):
        slug += "-publication"
    return f"{issue.public_id}:{slug}:{issue.kind}:{sender}"


def make_sender_id(from_email: str) -> str:
    """Return the letters and digits of the sender's domain, such as ``newsexampleorg``, at most 15 and at least 5."""
    letters = re.sub(r"[^a-z0-9]", "", from_email.rpartition("@")[2].lower())[:MAX_SENDER]
    return letters if len(letters) >= MIN_SENDER else f"{letters}{_FILLER}"
