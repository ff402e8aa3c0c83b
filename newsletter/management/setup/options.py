"""The options of `newsletter setup`: one for each question, so that a script can answer them."""

from argparse import ArgumentParser
from dataclasses import dataclass

QUESTIONS = {
    "site_url": "Where this installation is reached, such as https://letter.example.org.",
    "provider_url": "The mail provider, as in NEWSLETTER_PROVIDER_URL; “none” writes mails to files.",
    "administrator": "Email address of the first administrator.",
    "website": "The organisation's website, or “none”.",
    "sender": "The address that the newsletter is sent from.",
    "name": "Name of the organisation.",
    "postal_address": "Its postal address, which the law requires in each mail.",
    "zone": "Time zone of the newsletter, such as Europe/London.",
    "source": "Address of a feed, a calendar or the website with the stories, or “none”.",
}
"""What each option is for, by the name of its answer, in the order of the questions."""


@dataclass(frozen=True)
class SetupOptions:
    """``given`` has the answers of the command line by name. ``yes``: ask nothing."""

    given: dict[str, str]
    database_url: str
    look: bool
    yes: bool


def add_setup_options(parser: ArgumentParser) -> None:
    for name, meaning in QUESTIONS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="ANSWER", help=meaning)
    parser.add_argument(
        "--database-url",
        default="",
        metavar="URL",
        help="PostgreSQL instead of SQLite: postgres://USER:PASSWORD@HOST/NAME.",
    )
    parser.add_argument(
        "--no-look", dest="look", action="store_false", help="Do not take name, logo and colours from the website."
    )
    parser.add_argument("--yes", action="store_true", help="Ask nothing: take the default where no option is given.")


def read_setup_options(values: dict[str, object]) -> SetupOptions:
    """Return the options from what the parser read."""
    given = {name: str(values[name]) for name in QUESTIONS if values.get(name) is not None}
    return SetupOptions(
        given, database_url=str(values["database_url"]), look=bool(values["look"]), yes=bool(values["yes"])
    )
