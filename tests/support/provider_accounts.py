"""One account of each of our providers that is called by HTTP. The tests of every provider take their list from here."""

DOMAIN = "news.example.org"
REGION = "eu-west-1"
PROJECT = "8c8bfa06-9d5f-4a3e-a6a5-1a4a4f2f0b7e"
_AFTER_THE_KEY = {
    "mailgun": DOMAIN,
    "postmark": "",
    "sendgrid": "",
    "resend": "",
    "brevo": "",
    "sparkpost": "",
    "ses": REGION,
    "mailjet": "",
    "scaleway": PROJECT,
    "mailersend": DOMAIN,
}
"""What follows the @ of the URL, by scheme."""
_WITH_SECRET = ("ses", "mailjet")
HTTP_PROVIDERS = tuple(_AFTER_THE_KEY)


def make_account_url(scheme: str, *, key: str = "key", secret: str = "secret") -> str:
    """Return a NEWSLETTER_PROVIDER_URL without options. Only some providers use ``secret``."""
    user = f"{key}:{secret}" if scheme in _WITH_SECRET else key
    return f"{scheme}://{user}@{_AFTER_THE_KEY[scheme]}"
