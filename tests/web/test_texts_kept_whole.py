"""No service cuts a name, a reason or a text of a mail: one that is too long is refused with its limit and length."""

from collections.abc import Callable

import lxml.html
import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.urls import reverse

from newsletter.common.errors import BadValue, DomainError
from newsletter.issues.planning.close_issue import close_issue, delete_issue
from newsletter.issues.reuse.templates import rename_saved, save_template
from newsletter.models import ApiKey, EventNotice, Issue, IssueTemplate, LocationAnswer, MailTemplate
from newsletter.sending.notices.mail_templates import make_template, save_text
from newsletter.sending.notices.template_texts import BadTemplate
from subscribers.models import Topic, WebhookEndpoint
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, make_approver, make_issue, make_publication, make_story
from tests.support.located_events import PAGE as EVENT_LOCATIONS
from tests.support.located_events import make_question
from tests.support.mail_templates import TEXTS, make_mail_template
from tests.support.webhooks import make_endpoint

pytestmark = pytest.mark.django_db
SAYS = "Your text has %s characters. The limit is %s. Nothing was changed. Shorten the text."
QA = "\u0958"
"""A letter of Hindi that is two characters as it is stored, so that a form with a limit lets half too many through."""


def describe(answer: HttpResponse, field: str, value: str = "") -> str:
    """Return the texts that describe a field that is marked as wrong, and check that it keeps what was typed."""
    page = lxml.html.fromstring(answer.content.decode())
    form = next(form for form in page.forms if field in form.fields and form.method == "POST")
    assert form.fields[field].removeprefix("\n") == value
    control = form.inputs[field]
    assert control.get("aria-invalid") == "true"
    ids = control.get("aria-describedby").split()
    return " ".join(
        page.get_element_by_id(name).text_content().strip() for name in ids if page.xpath("//*[@id=$i]", i=name)
    )


@pytest.mark.parametrize(
    ("command", "model", "more"),
    [("api_key", ApiKey, ["--scope", "people"]), ("webhook", WebhookEndpoint, ["http://127.0.0.1:9/"])],
)
def test_a_command_refuses_a_name_that_is_too_long(
    settings, command: str, model: type[ApiKey | WebhookEndpoint], more: list[str]
) -> None:
    settings.NEWSLETTER_FETCH_ALLOW = ["127.0.0.1"]
    url, options = ([], more) if command == "api_key" else (more, [])
    with pytest.raises((CommandError, DomainError)) as refused:
        call_command(command, "add", "é" * 121, *url, *options)
    assert str(refused.value) == SAYS % (121, 120)
    assert not model._default_manager.exists()
    call_command(command, "add", "é" * 120, *url, *options)
    assert model._default_manager.get().name == "é" * 120


def test_a_webhook_with_too_long_a_name_is_refused_beside_the_name(settings) -> None:
    settings.NEWSLETTER_FETCH_ALLOW = ["127.0.0.1"]
    endpoint, client = make_endpoint(), sign_in("admin")
    for page in ("/admin/webhooks/", f"/admin/webhooks/{endpoint.pk}/"):
        answer = client.post(page, {"name": QA * 100, "url": endpoint.url})
        assert SAYS % (200, 120) in describe(answer, "name", QA * 100)
    assert WebhookEndpoint.objects.get().name == endpoint.name


def test_an_api_key_with_too_long_a_name_is_refused_beside_the_name() -> None:
    answer = sign_in("admin").post(reverse("newsletter_api_keys"), {"name": QA * 100, "scope": ["read"], "days": 30})
    assert SAYS % (200, 120) in describe(answer, "name", QA * 100)
    assert not ApiKey.objects.exists()


def test_mail_templates_with_long_names_that_begin_alike_are_two() -> None:
    publication = make_publication()
    begin = "Thank you for the gift that you gave at the spring fair"
    first, second = (make_template(name=f"{begin} {end}", publication=publication, by=None, now=NOW) for end in "ab")
    assert first.slug == "thank-you-for-the-gift-that-you-gave-at-the"
    assert second.slug == f"{first.slug}-2"
    with pytest.raises(BadTemplate, match="name already"):
        make_template(name=f"{begin.upper()} a", publication=publication, by=None, now=NOW)


def test_a_mail_template_with_too_long_a_name_is_refused_beside_the_name() -> None:
    publication = make_publication()
    with pytest.raises(BadValue, match="has 101 characters"):
        make_template(name="é" * 101, publication=publication, by=None, now=NOW)
    answer = sign_in("writer").post(reverse("newsletter_mails"), {"name": QA * 60, "publication": publication.pk})
    assert SAYS % (120, 100) in describe(answer, "name", QA * 60)
    assert not MailTemplate.objects.exists()


@pytest.mark.parametrize(
    ("field", "limit"),
    [
        ("subject", 200),
        ("preheader", 200),
        ("body", 10_000),
        ("button_label", 60),
        ("button_url", 2_000),
        ("reason", 300),
    ],
)
def test_a_mail_with_too_long_a_text_is_refused_and_the_last_one_stays(field: str, limit: int) -> None:
    template = make_mail_template(make_publication())
    before = template.texts.values().get(language="en")
    with pytest.raises(BadValue) as refused:
        save_text(template=template, language="en", texts={**TEXTS, field: "é" * (limit + 1)}, by=None, now=NOW)
    assert refused.value.name == field
    assert str(refused.value) == SAYS % (f"{limit + 1:,}", f"{limit:,}")
    assert template.texts.values().get(language="en") == before


def test_a_mail_with_too_long_a_subject_is_refused_beside_the_subject() -> None:
    template = make_mail_template(make_publication())
    page = reverse("newsletter_mail_template", args=[template.pk])
    answer = sign_in("writer").post(page, {"step": "text", **TEXTS, "subject": QA * 150})
    assert SAYS % (300, 200) in describe(answer, "subject", QA * 150)


def make_draft() -> Issue:
    make_story("The clinic opens")
    return make_issue(make_publication())


def save_as(issue: Issue, name: str) -> IssueTemplate:
    return save_template(issue=issue, name=name, by=make_approver(), now=NOW)


def test_saved_content_with_too_long_a_name_is_refused() -> None:
    issue = make_draft()
    with pytest.raises(BadValue, match="has 101 characters"):
        save_as(issue, "é" * 101)
    row = save_as(issue, f" {'é' * 100} ")
    assert row.name == "é" * 100
    with pytest.raises(BadValue, match="has 101 characters"):
        rename_saved(row=row, name="ö" * 101, by=row.made_by)
    assert IssueTemplate.objects.get().name == "é" * 100


def close(issue: Issue, reason: str) -> None:
    close_issue(issue=issue, reason=reason, by=make_approver(), now=NOW)


def delete(issue: Issue, reason: str) -> None:
    delete_issue(issue=issue, reason=reason, by=make_approver())


@pytest.mark.parametrize("end", [close, delete])
def test_an_issue_is_not_ended_for_a_reason_that_is_too_long(end: Callable[[Issue, str], None]) -> None:
    issue = make_draft()
    with pytest.raises(BadValue) as refused:
        end(issue, "é" * 501)
    assert (refused.value.name, str(refused.value)) == ("reason", SAYS % (501, 500))
    assert Issue.objects.get().closed_at is None
    close(issue, f" {'é' * 500} ")
    assert Issue.objects.get().closed_reason == "é" * 500


@pytest.mark.parametrize("typed", ["Leeds " * 40, "Leeds, England" + " " * 5 + "x" * 200])
def test_a_location_of_an_event_that_is_too_long_is_refused(typed: str) -> None:
    with time_machine.travel(NOW):
        event = make_question()
        answer = sign_in("editor").post(EVENT_LOCATIONS, {"event": event.pk, "town": typed}, follow=True)
    assert describe(answer, "town", typed) == SAYS % (len(typed.strip()), 200)
    assert not LocationAnswer.objects.exists()
    assert EventNotice.objects.get().town == ""


def test_a_topic_with_too_long_a_name_in_a_language_is_refused() -> None:
    client, names = sign_in("data"), f"es: {'é' * 121}\nfr: Terre"
    answer = client.post("/admin/topics/add/", {"name": "Land", "slug": "land", "names": names})
    assert "The name for “es” has 121 characters. The limit is 120. Shorten it." in describe(answer, "names", names)
    assert not Topic.objects.exists()
    client.post("/admin/topics/add/", {"name": "Land", "slug": "land", "names": names.replace("éé", "é", 1)})
    assert Topic.objects.get().names == {"es": "é" * 120, "fr": "Terre"}
