"""Mails about a subscription: each reader gets their own language, and each sentence is true of the plain text too."""

from datetime import timedelta

import pytest

from newsletter.common.languages import OFFERED_LANGUAGES
from newsletter.jobs.confirmation_mails import send_due_confirmations
from newsletter.jobs.link_mails import send_due_links
from newsletter.jobs.silent_people import send_due_questions
from newsletter.models import MailLimits, Publication
from subscribers.models import Basis, Confirmation, MailedLink, StayQuestion, Subscriber, Subscription
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, add_subscribers, make_publication
from tests.support.provider_mailgun import ReceivedMail

pytestmark = pytest.mark.django_db(transaction=True)
BUTTONS = {
    "en": ("button", "press"),
    "de": ("knopf", "schaltfläche", "drücken"),
    "es": ("botón", "pulsa"),
    "fr": ("bouton", "appuy"),
    "pt": ("botão", "carregue"),
    "ro": ("buton", "apas", "apăs"),
    "uk": ("кнопк", "натис"),
    "ar": ("زر", "ضغط"),
    "hi": ("बटन", "दबा"),
}
"""Words for a button, and for pressing it, in each language. A plain text has links only."""
FURTHER = [language for language in OFFERED_LANGUAGES if language != "en"]


@pytest.fixture
def mailgun(fake_provider: FakeProvider, settings: object) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url  # type: ignore[attr-defined]
    return fake_provider


@pytest.fixture
def people() -> dict[str, Subscriber]:
    """Return a reader of each language."""
    people = dict(zip(OFFERED_LANGUAGES, add_subscribers(make_publication(), len(OFFERED_LANGUAGES)), strict=True))
    for language, person in people.items():
        Subscriber.objects.filter(pk=person.pk).update(language=language)
    return people


def read_lines(mail: ReceivedMail) -> set[str]:
    """Return the lines of a mail, without links and without the organisation's own words."""
    own = {"The weekly letter", "Open Door", "1 Example Street, Leeds"}
    lines = (line.strip() for line in (mail.subject, *mail.text.splitlines()))
    return {line for line in lines if line and "http" not in line and line not in own and any(map(str.isalpha, line))}


def check_languages(people: dict[str, Subscriber], mailgun: FakeProvider) -> None:
    """Assert that each reader got one mail, which has no line of the English one and names its language.

    Its plain text names no button.
    """
    (english,) = mailgun.mailbox(people["en"].email)
    for language, words in BUTTONS.items():
        (mail,) = mailgun.mailbox(people[language].email)
        assert [word for word in words if word in mail.text.lower()] == [], language
    for language in FURTHER:
        (mail,) = mailgun.mailbox(people[language].email)
        assert read_lines(mail) & read_lines(english) == set(), language
        assert f'lang="{language}"' in mail.html
        assert (f'dir="{"rtl" if language == "ar" else "ltr"}"') in mail.html


@pytest.mark.parametrize("kind", MailedLink.Kind)
def test_a_link_that_was_asked_for_comes_in_the_readers_language(
    kind: MailedLink.Kind, people: dict[str, Subscriber], mailgun: FakeProvider
) -> None:
    mailing_list = Publication.objects.get().mailing_list
    for person in people.values():
        new = {"new_email": person.email} if kind == MailedLink.Kind.CONFIRM_ADDRESS else {}
        MailedLink.objects.create(subscriber=person, mailing_list=mailing_list, kind=kind, asked_at=NOW, **new)
    assert send_due_links(now=NOW) == len(people)
    check_languages(people, mailgun)


def test_silent_people_are_asked_in_their_language(people: dict[str, Subscriber], mailgun: FakeProvider) -> None:
    MailLimits.objects.update_or_create(pk=1, defaults={"silent_months": 24})
    mailing_list = Publication.objects.get().mailing_list
    for person in people.values():
        StayQuestion.objects.create(subscriber=person, mailing_list=mailing_list, asked_at=NOW - timedelta(hours=1))
    assert send_due_questions(now=NOW) == len(people)
    check_languages(people, mailgun)


def test_a_confirmation_comes_in_the_readers_language(people: dict[str, Subscriber], mailgun: FakeProvider) -> None:
    mailing_list = Publication.objects.get().mailing_list
    Subscription.objects.update(basis=Basis.DOUBLE_OPT_IN, confirmed_at=None)
    for person in people.values():
        Confirmation.objects.create(subscriber=person, mailing_list=mailing_list, requested_at=NOW)
    assert send_due_confirmations(now=NOW) == len(people)
    check_languages(people, mailgun)
