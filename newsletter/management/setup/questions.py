"""The questions of `newsletter setup` that are asked in the same words each time."""

from functools import partial

from newsletter.management.setup.answer_checks import (
    FILES,
    MAX_ADDRESS_LENGTH,
    MAX_NAME_LENGTH,
    check_email,
    check_line,
    check_new_site_url,
    check_provider_url,
    check_website,
    check_zone,
)
from newsletter.management.setup.prompt import Question
from newsletter.providers.registry import make_provider_label

SITE_URL = Question(
    "site_url",
    "Address of this installation",
    "Where do you and your readers reach this program? Each link in a mail begins with this address. The default is for trying"
    " things out on this machine; a public one begins with https://.",
    check_new_site_url,
)
PROVIDER_URL = Question(
    "provider_url",
    "Mail provider",
    "Which provider delivers your mail? Write it with its key, in one of these ways: mailgun://KEY@DOMAIN, sendgrid://KEY@, "
    "postmark://TOKEN@, resend://KEY@, brevo://KEY@, sparkpost://KEY@, ses://KEY:SECRET@REGION, mailjet://KEY:SECRET@, "
    "scaleway://SECRET_KEY@PROJECT_ID, mailersend://TOKEN@DOMAIN, or for a mail server smtp://USER:PASSWORD@HOST or "
    "smtps://USER:PASSWORD@HOST. With “none”, mails are written to files.",
    check_provider_url,
    lambda url: "none, mails are written to files" if url == FILES else make_provider_label(url),
)
ADMINISTRATOR = Question(
    "administrator",
    "Your email address",
    "Who is the first administrator? The account and the first proof are for this address.",
    check_email,
)
WEBSITE = Question(
    "website",
    "Your website",
    "Where is your website? Its name, logo and colours can be taken for the mails. Write “none” if there is none.",
    check_website,
)
SENDER = Question(
    "sender",
    "Sender",
    "Which address is the newsletter sent from? Your mail provider must know its domain.",
    check_email,
)
NAME = Question(
    "name",
    "Name of your organisation",
    "What is your organisation called? The mails come from it.",
    partial(check_line, max_length=MAX_NAME_LENGTH),
)
POSTAL_ADDRESS = Question(
    "postal_address",
    "Postal address",
    "What is its postal address? The law requires it in each mail.",
    partial(check_line, max_length=MAX_ADDRESS_LENGTH),
)
ZONE = Question("zone", "Time zone", "By which clock is the newsletter sent? It is due on Thursdays at 9.", check_zone)
