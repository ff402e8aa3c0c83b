"""“Set up”: each step does what it says, can be skipped and taken up again, and Home shows what is left."""

import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from newsletter.content.ingesting.ingest import ingest_due
from newsletter.desk.setup.steps import STEPS, list_states
from newsletter.models import (
    AuditEntry,
    Brand,
    EventNotice,
    Picture,
    Proof,
    Publication,
    SenderDomain,
    SkippedStep,
    Source,
)
from newsletter.organisation.health.content import check_privacy_notice
from newsletter.organisation.health.sending import Connection
from newsletter.rendering.lint.colour_advice import find_colour_problems
from newsletter.sending.deliverability import refresh_domains
from newsletter.sending.deliverability.findings import Finding
from subscribers.models import MailingList, Topic
from tests.support.desk import list_messages, sign_in
from tests.support.dns_server import serve_dns
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import make_approver, make_event, make_issue, make_publication, make_story
from tests.support.mail_server import PASSWORD, USER, serve_mail
from tests.support.page_html import compact_html
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db
BRAND = {
    "name": "Open Door",
    "postal_address": "1 Example Street, Leeds",
    "website": "https://example.org/",
    "privacy_url": "https://example.org/privacy/",
    "colour": "#1f4e5f",
    "accent": "#b3541e",
    "background": "#f4f1ec",
    "font": "Georgia, 'Times New Roman', serif",
    "heading_font": "",
}
PUBLICATION = {
    "name": "The weekly letter",
    "rhythm": "weekly",
    "weekdays": ["thu"],
    "at": "09:00",
    "zone": "Europe/London",
    "language": "en",
    "approval": "approve",
    "from_name": "Open Door",
    "from_email": "news@news.example.org",
    "reply_to": "",
}


@pytest.fixture
def admin() -> Client:
    return sign_in("admin")


@pytest.fixture
def site(settings) -> Iterator[Site]:  # type: ignore[no-untyped-def]
    settings.NEWSLETTER_FETCH_ALLOW = ["127.0.0.1"]
    with serve_site() as made:
        yield made


def put_home(site: Site, head: str = "", css: str = "") -> None:
    links = '<link rel="stylesheet" href="/look.css"><link rel="alternate" type="application/rss+xml" href="/feed.xml">'
    html = f'<title>Open Door</title>{links}{head}<img class="logo" src="/logo.png">'
    site.put("/", html, Content_Type="text/html")
    site.put("/look.css", css, Content_Type="text/css")
    picture = BytesIO()
    Image.new("RGB", (400, 120), "#224466").save(picture, "PNG")
    site.put("/logo.png", picture.getvalue(), Content_Type="image/png")


def put_feed(site: Site, count: int = 7) -> None:
    day = f"{timezone.now() - timedelta(days=1):%a, %d %b %Y %H:%M:%S} +0000"
    items = "".join(
        f"<item><title>Story {n}</title><link>{site.url}/s/{n}/</link><guid>s{n}</guid><pubDate>{day}</pubDate>"
        f"<description>What happened on day {n}, in a sentence.</description></item>"
        for n in range(count)
    )
    feed = f'<rss version="2.0"><channel><title>News of Open Door</title>{items}</channel></rss>'
    site.put("/feed.xml", feed, Content_Type="application/rss+xml")


def state_of(slug: str) -> str:
    return next(one.state for one in list_states() if one.step.slug == slug)


def test_home_leads_through_the_steps_until_nothing_is_left(admin: Client) -> None:
    page = admin.get("/admin/").content.decode()
    assert "Set up your newsletter" in page
    assert "/admin/setup/brand/" in page
    for step in STEPS:
        admin.post(f"/admin/setup/skip/{step.slug}/")
    assert "Set up your newsletter" not in admin.get("/admin/").content.decode()


def test_home_shows_no_set_up_to_who_may_not(admin: Client) -> None:
    assert "Set up your newsletter" not in sign_in("editor").get("/admin/").content.decode()


def test_a_skipped_step_can_be_taken_up_again(admin: Client) -> None:
    response = admin.post("/admin/setup/skip/brand/")
    assert response.headers["Location"] == "/admin/setup/list/"
    assert state_of("brand") == "skipped"
    assert "Skipped" in compact_html(admin.get("/admin/setup/").content.decode())
    home = compact_html(admin.get("/admin/").content.decode())
    assert "0 of 8 steps are done." in home
    to_do = home.split('id="nl-now"')[1].split("</section>")[0]
    assert 'Skipped in the set-up: <a href="/admin/setup/brand/">Your organisation</a>' in to_do
    admin.post("/admin/setup/brand/", BRAND)
    assert state_of("brand") == "done"
    assert not SkippedStep.objects.exists()


def test_the_sign_up_page_links_to_the_privacy_notice_of_set_up(admin: Client) -> None:
    MailingList.objects.create(name="Weekly", slug="weekly")
    assert 'name="privacy_url"' in compact_html(admin.get("/admin/setup/brand/?plain").content.decode())
    admin.post("/admin/setup/brand/", BRAND)
    assert '<a href="https://example.org/privacy/"' in compact_html(Client().get("/join/weekly").content.decode())


def test_an_unknown_step_is_not_found(admin: Client) -> None:
    assert admin.post("/admin/setup/skip/nothing/").status_code == 404


def test_the_look_of_the_web_site_fills_the_brand(admin: Client, site: Site) -> None:
    put_home(site, css=":root{--brand:#123a6b} body{font-family:Verdana} a{color:#a8481b}")
    page = admin.post("/admin/setup/brand/", {"look": "1", "site": site.url})
    values = page.context["form"].initial
    assert (values["name"], values["colour"], values["accent"]) == ("Open Door", "#123a6b", "#a8481b")
    assert values["font"].startswith("Verdana")
    admin.post("/admin/setup/brand/", {**BRAND, "site_logo": values["site_logo"]})
    brand = Brand.objects.get()
    assert brand.logo is not None
    assert brand.logo.source_url == f"{site.url}/logo.png"
    assert AuditEntry.objects.filter(action="wagtail.create").exists()


def test_a_logo_is_uploaded_and_another_file_is_refused(admin: Client) -> None:
    data = BytesIO()
    Image.new("RGB", (640, 200), "#1f4e5f").save(data, "PNG")
    text = SimpleUploadedFile("logo.png", b"not a picture", content_type="image/png")
    page = admin.post("/admin/setup/brand/", {**BRAND, "logo_file": text}).content.decode()
    assert "The image is not JPEG" in page
    assert 'value="Open Door"' in page
    assert not Brand.objects.exists()
    logo = SimpleUploadedFile("logo.png", data.getvalue(), content_type="image/png")
    admin.post("/admin/setup/brand/", {**BRAND, "logo_file": logo})
    brand = Brand.objects.get()
    assert brand.logo.width == 600
    assert brand.logo.url in admin.get("/admin/setup/brand/").content.decode()


def test_an_uploaded_logo_stays_if_another_field_has_an_error(admin: Client) -> None:
    data = BytesIO()
    Image.new("RGB", (640, 200), "#1f4e5f").save(data, "PNG")
    logo = SimpleUploadedFile("logo.png", data.getvalue(), content_type="image/png")
    page = admin.post("/admin/setup/brand/", {**BRAND, "name": "", "logo_file": logo})
    assert "Choose “logo.png” again" not in page.content.decode()
    kept = page.context["form"]["site_logo"].value()
    admin.post("/admin/setup/brand/", {**BRAND, "site_logo": kept})
    assert Brand.objects.get().logo.width == 600


def test_an_unreadable_colour_of_the_site_is_corrected_before_saving(admin: Client, site: Site) -> None:
    put_home(site, css=":root{--brand:#ffe97a}")
    page = admin.post("/admin/setup/brand/", {"look": "1", "site": site.url})
    values = page.context["form"].initial
    colours = {name: values[name] for name in ("colour", "accent", "background")}
    assert not any(advice.refused for advice in find_colour_problems(**colours))
    assert f"colour #ffe97a is too pale to read. We use {values['colour']} instead." in page.content.decode()


def test_a_sample_email_has_the_look_of_the_form(admin: Client, site: Site) -> None:
    put_home(site, css="a{color:#1f4e5f} b{color:#b3541e}")
    page = admin.post("/admin/setup/brand/", {"look": "1", "site": site.url}).content.decode()
    assert 'src="/admin/setup/brand/sample/"' in page
    logo = page.partition('name="site_logo" value="')[2].partition('"')[0]
    fields = {**BRAND, "name": "", "colour": "#4a1f5f", "font": "Verdana, Geneva, sans-serif", "site_logo": logo}
    answer = admin.post("/admin/setup/brand/sample/", fields)
    sample = answer.content.decode()
    for shown in ("#4a1f5f", "Verdana,Geneva,sans-serif", Picture.objects.get(original=logo).url, "A heading"):
        assert shown in sample
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert not Brand.objects.exists()
    assert "A heading" in admin.get("/admin/setup/brand/sample/").content.decode()


def test_a_colour_too_pale_to_save_is_shown_as_mails_correct_it(admin: Client) -> None:
    sample = admin.post("/admin/setup/brand/sample/", {**BRAND, "accent": "#ffffaa"}).content.decode()
    assert "A heading" in sample


def test_a_web_site_that_cannot_be_read_says_why(admin: Client, site: Site) -> None:
    page = admin.post("/admin/setup/brand/", {"look": "1", "site": site.url}).content.decode()
    assert "404" in page
    assert "Fill in by hand" in page


def test_a_web_site_on_the_private_network_is_not_read(admin: Client) -> None:
    page = admin.post("/admin/setup/brand/", {"look": "1", "site": "http://127.0.0.1/"}).content.decode()
    assert "form__error" in page or "w-field__errors" in page
    assert not Brand.objects.exists()


def test_http_is_tried_after_https_if_no_scheme_was_typed(admin: Client, site: Site) -> None:
    put_home(site)
    put_feed(site)
    typed = site.url.removeprefix("http://")
    page = admin.post("/admin/setup/brand/", {"look": "1", "site": typed})
    assert page.context["form"].initial["website"].rstrip("/") == site.url
    found = admin.post("/admin/setup/source/", {"site": typed}).content.decode()
    assert f'name="site" value="{site.url}"' in found
    refused = admin.post("/admin/setup/source/", {"site": f"https://{typed}"})
    assert refused.context["site_form"].errors


def test_the_list_is_made_with_its_sign_up_form(admin: Client) -> None:
    fields = {"name": "The weekly letter", "description": "", "ask_name": "on", "double_opt_in": "on"}
    response = admin.post("/admin/setup/list/", fields)
    row = MailingList.objects.get()
    assert (row.slug, row.ask_name, row.ask_place) == ("the-weekly-letter", True, False)
    assert response.headers["Location"] == "/admin/setup/source/"


@pytest.mark.parametrize("path", ["/admin/setup/list/", "/admin/lists/add/"])
def test_a_list_says_if_there_are_no_topics_to_ask_for(admin: Client, path: str) -> None:
    hint = "You have no topics yet, so nothing is asked."
    assert f'{hint} <a href="/admin/topics/">Go to topics</a>' in admin.get(path).content.decode()
    Topic.objects.create(slug="rivers", name="Rivers")
    assert hint not in admin.get(path).content.decode()


def test_the_day_of_the_month_is_marked_as_required(admin: Client, publication: Publication) -> None:
    star = '<span class="w-required-mark">*</span>'
    assert f"Day of the month{star}" in admin.get("/admin/setup/publication/").content.decode()
    again = admin.post("/admin/setup/publication/", {**PUBLICATION, "from_email": "no address"}).content.decode()
    assert f"Day of the month{star}" in again
    page = admin.get(f"/admin/publications/edit/{publication.pk}/").content.decode()
    label = page.split('id="id_month_day-label">')[1].split("</label>")[0]
    assert label.split() == f"Day of the month{star}".split()


def test_a_source_is_found_from_the_address_and_shows_five_items(admin: Client, site: Site) -> None:
    put_home(site)
    put_feed(site)
    page = admin.post("/admin/setup/source/", {"site": site.url}).content.decode()
    assert page.count("<li>Story ") == 5
    fields = {"add": "1", "kind": "feed", "url": f"{site.url}/feed.xml", "name": "Open Door"}
    response = admin.post("/admin/setup/source/", fields, follow=True)
    assert "is added" in " ".join(list_messages(response))
    source = Source.objects.get()
    assert (source.kind, source.url, source.name) == ("feed", f"{site.url}/feed.xml", "Open Door")


def test_the_rest_of_a_site_is_offered_after_the_first_source(admin: Client, site: Site) -> None:
    put_home(site, head='<link rel="alternate" type="text/calendar" title="Events" href="/events.ics">')
    put_feed(site)
    day = f"{timezone.now() + timedelta(days=9):%Y%m%d}"
    event = f"BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:{day}\r\nSUMMARY:Open day\r\nEND:VEVENT"
    calendar = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{event}\r\nEND:VCALENDAR\r\n"
    site.put("/events.ics", calendar, Content_Type="text/calendar")
    feed = {"add": "1", "site": site.url, "kind": "feed", "url": f"{site.url}/feed.xml", "name": "Open Door"}
    page = admin.post("/admin/setup/source/", feed)
    assert list_messages(page) == ["“Open Door” is added. Its stories arrive in a moment."]
    assert compact_html(page.content.decode()).count(">Added<") == 1
    assert f'name="url" value="{site.url}/events.ics"' in compact_html(page.content.decode())
    events = {**feed, "kind": "calendar", "url": f"{site.url}/events.ics", "name": "Events"}
    page = admin.post("/admin/setup/source/", events)
    assert list_messages(page) == ["“Events” is added. Its events arrive in a moment."]
    assert compact_html(page.content.decode()).count(">Added<") == 2
    assert ">Continue</a>" in compact_html(page.content.decode())
    admin.post("/admin/setup/source/", events)
    assert Source.objects.count() == 2


def test_a_feed_that_no_page_names_is_found_at_its_usual_address(admin: Client, site: Site) -> None:
    put_feed(site)
    site.put("/", "<title>Open Door</title>", Content_Type="text/html")
    site.put("/feed/", site.pages["/feed.xml"].body, Content_Type="application/rss+xml")
    page = admin.post("/admin/setup/source/", {"site": site.url}).content.decode()
    assert f'value="{site.url}/feed/"' in page


def test_a_site_without_stories_says_so(admin: Client, site: Site) -> None:
    site.put("/", "<title>Open Door</title>", Content_Type="text/html")
    assert (
        "We found no stories or events there" in admin.post("/admin/setup/source/", {"site": site.url}).content.decode()
    )


def test_the_first_story_or_event_of_staff_completes_the_step(admin: Client) -> None:
    page = admin.get("/admin/setup/source/").content.decode()
    assert {"/admin/stories/add/", "/admin/events/add/"} <= set(re.findall(r'<a href="(/admin/[^"]+/add/)"', page))
    assert state_of("source") == "open"
    story, event = make_story("We open on Mondays", source=None), make_event("Open day", source=None)
    Source.objects.all().delete()
    story.delete()
    assert state_of("source") == "done"
    event.delete()
    assert state_of("source") == "open"
    make_story("We open on Mondays", source=None)
    Source.objects.all().delete()
    assert state_of("source") == "done"


def test_the_newsletter_is_made_with_a_plain_schedule(admin: Client) -> None:
    assert "needs an organisation and a list" in admin.get("/admin/setup/publication/").content.decode()
    admin.post("/admin/setup/brand/", BRAND)
    mailing_list = MailingList.objects.create(slug="weekly", name="The weekly letter")
    form = admin.get("/admin/setup/publication/")
    assert "cron" not in form.content.decode().lower()
    assert "nl-browser-zone" in form.content.decode()
    assert "newsletter/browser_zone.js" in form.content.decode()
    admin.post("/admin/setup/publication/", {**PUBLICATION, "mailing_list": mailing_list.pk})
    row = Publication.objects.get()
    assert (row.schedule, row.zone, row.approval, row.slug) == (
        "0 9 * * thu",
        "Europe/London",
        "approve",
        "the-weekly-letter",
    )
    assert "nl-browser-zone" not in admin.get("/admin/setup/publication/").content.decode()


@pytest.mark.parametrize(
    ("fields", "schedule"),
    [
        ({"rhythm": "nth", "nth": "1", "nth_day": "thu"}, "0 9 * * thu#1"),
        ({"rhythm": "nth", "nth": "last", "nth_day": "fri"}, "0 9 * * 5l"),
        ({"rhythm": "nth", "nth": "1,3", "nth_day": "tue"}, "0 9 * * tue#1,tue#3"),
        ({"rhythm": "monthly", "month_day": "15"}, "0 9 15 * *"),
    ],
)
def test_the_newsletter_can_have_another_rhythm(admin: Client, fields: dict[str, str], schedule: str) -> None:
    admin.post("/admin/setup/brand/", BRAND)
    mailing_list = MailingList.objects.create(slug="weekly", name="The weekly letter")
    posted = {**PUBLICATION, "weekdays": [], "mailing_list": mailing_list.pk, **fields}
    admin.post("/admin/setup/publication/", posted)
    assert Publication.objects.get().schedule == schedule
    form = admin.get("/admin/setup/publication/").context["form"]
    assert {name: str(form.initial[name]) for name in fields} == fields
    admin.post("/admin/setup/publication/", {**posted, "name": "Another name", "schedule": schedule})
    assert Publication.objects.get().schedule == schedule


def test_the_newsletter_step_says_who_may_approve(admin: Client) -> None:
    make_publication()
    alone = admin.get("/admin/setup/publication/").content.decode()
    assert "Once you invite a second approver, somebody other than the author must approve." in alone
    assert "Once you invite a second approver" in admin.get("/admin/setup/people/").content.decode()
    sign_in("approver")
    both = admin.get("/admin/setup/publication/").content.decode()
    assert "Somebody other than the author must approve. 2 people can approve." in both
    Publication.objects.update(another_approves=False)
    assert (
        "An author who may approve can approve their own issue."
        in admin.get("/admin/setup/publication/").content.decode()
    )


def test_an_invitation_from_set_up_leads_back_to_it(admin: Client) -> None:
    make_publication()
    assert "/admin/users/new/?setup" in admin.get("/admin/setup/people/").content.decode()
    given = {"email": "bea@example.org", "role": "approver", "language": "en-gb"}
    page = admin.post("/admin/users/new/?setup", given, follow=True).content.decode()
    assert '<a class="button" href="/admin/setup/people/">Continue setting up</a>' in page
    assert 'data-w-clipboard-value-param="http' in page
    given["email"] = "cy@example.org"
    assert "Continue setting up" not in admin.post("/admin/users/new/", given, follow=True).content.decode()


def test_the_people_step_shows_the_sign_up_page(admin: Client) -> None:
    make_publication()
    page = admin.get("/admin/setup/people/").content.decode()
    assert "/join/weekly" in page
    assert "/admin/users/new/" in page


@pytest.mark.parametrize(
    ("given", "setting"),
    [
        ({"provider": "postmark", "key": "a-key"}, "postmark://a-key@"),
        ({"provider": "resend", "key": "re_1/2"}, "resend://re_1%2F2@"),
        ({"provider": "mailjet", "key": "pub-1", "secret": "priv/2"}, "mailjet://pub-1:priv%2F2@"),
        (
            {"provider": "scaleway", "key": "k-1", "domain": "8c8bfa06-9d5f-4a3e-a6a5-1a4a4f2f0b7e"},
            "scaleway://k-1@8c8bfa06-9d5f-4a3e-a6a5-1a4a4f2f0b7e",
        ),
        (
            {"provider": "mailersend", "key": "mlsn.1", "domain": "news.example.org"},
            "mailersend://mlsn.1@news.example.org",
        ),
        (
            {"provider": "smtp", "key": "us@example.org", "secret": "p:w@d", "domain": "mail.example.org"},
            "smtp://us%40example.org:p%3Aw%40d@mail.example.org",
        ),
        ({"provider": "smtp", "domain": "127.0.0.1:25", "webhook_key": "unused"}, "smtp://127.0.0.1:25"),
        (
            {"provider": "smtps", "key": "us-3r", "secret": "pw-5", "domain": "[::1]:465"},
            "smtps://us-3r:pw-5@[::1]:465",
        ),
    ],
)
def test_the_provider_step_shows_the_setting_to_write(admin, monkeypatch, given, setting) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("newsletter.desk.setup.provider_step.try_connection", lambda url, now: _untested())
    response = admin.post("/admin/setup/provider/", given)
    page = response.content.decode()
    assert f"NEWSLETTER_PROVIDER_URL={setting}\nNEWSLETTER_PRODUCTION=true</code>" in page
    letter = unquote(page.split("body=")[1].split('"')[0])
    if given.get("key"):
        assert setting not in letter
        assert given["key"] not in letter
        assert "://API-KEY" in letter
    assert "no-store" in response.headers["Cache-Control"]


def _untested():  # type: ignore[no-untyped-def]
    return Connection("untested")


def test_staff_without_a_key_get_a_text_to_pass_on(admin: Client) -> None:
    page = admin.get("/admin/setup/provider/").content.decode()
    assert "NEWSLETTER_PROVIDER_URL=postmark://API-KEY@" in page
    assert "NEWSLETTER_PRODUCTION=true" in page
    assert 'href="mailto:?subject=' in page
    assert "skip this step and go on" in page


def test_home_no_longer_asks_for_the_provider_once_its_lines_are_shown(admin, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("newsletter.desk.setup.provider_step.try_connection", lambda url, now: _untested())
    assert "Connecting a provider needs the person who runs the server." in (
        admin.get("/admin/setup/provider/").content.decode()
    )
    admin.post("/admin/setup/provider/", {"provider": "postmark", "key": "a-key"})
    assert state_of("provider") == "skipped"
    assert "Waiting for the person who runs the server" in admin.get("/admin/setup/").content.decode()


def test_home_asks_for_the_privacy_notice_until_there_is_one(admin: Client) -> None:
    admin.post("/admin/setup/brand/", {**BRAND, "privacy_url": ""})
    task = "Add the address of your privacy notice: Open Door"
    assert task in admin.get("/admin/").content.decode()
    assert task not in sign_in("writer").get("/admin/").content.decode()
    assert [finding.level for finding in check_privacy_notice()] == ["warning"]
    admin.post("/admin/setup/brand/", BRAND)
    assert task not in admin.get("/admin/").content.decode()
    assert not list(check_privacy_notice())


@pytest.mark.parametrize("text", ["Privacy notice", "Aviso de privacidad", "Datenschutz"])
def test_the_privacy_notice_is_found_on_the_web_site(admin: Client, site: Site, text: str) -> None:
    put_home(site, head=f'<a href="/about/">About</a><a href="/p/"><b>{text}</b></a>')
    page = admin.post("/admin/setup/brand/", {"site": site.url, "look": "1"}).content.decode()
    assert f'value="{site.url}/p/"' in page


def test_a_setting_that_the_program_would_refuse_is_not_shown(admin: Client) -> None:
    page = admin.post("/admin/setup/provider/", {"provider": "mailgun", "key": "a-key"}).content.decode()
    assert "a-key@" not in page


@pytest.mark.parametrize(
    "given",
    [{"provider": "postmark"}, {"provider": "smtp"}, {"provider": "smtp", "key": "u", "domain": "mail.example.org"}],
)
def test_a_provider_without_its_account_is_not_tried(admin: Client, given: dict[str, str]) -> None:
    page = admin.post("/admin/setup/provider/", given).content.decode()
    assert "w-field__error" in page or "nl-unsure--wrong" in page
    assert 'id="nl-setting"' not in page


@pytest.mark.parametrize(
    ("provider", "errors"),
    [
        ("postmark", {"key": "Postmark needs its API key. Copy it from its pages."}),
        (
            "mailgun",
            {
                "key": "Mailgun needs its API key. Copy it from its pages.",
                "domain": "Mailgun needs your sending domain here.",
            },
        ),
        (
            "ses",
            {
                "key": "Amazon SES needs its API key. Copy it from its pages.",
                "secret": "Amazon SES needs its secret key too.",
                "domain": "Amazon SES needs the region of your account here.",
            },
        ),
        ("smtp", {"domain": "SMTP (STARTTLS, port 587) needs the name of the mail server here."}),
    ],
)
def test_the_provider_form_names_each_empty_field_it_needs(
    admin: Client, provider: str, errors: dict[str, str]
) -> None:
    form = admin.post("/admin/setup/provider/", {"provider": provider}).context["form"]
    assert {name: " ".join(texts) for name, texts in form.errors.items()} == errors


def test_the_sign_in_at_a_mail_server_is_tested(admin: Client, settings) -> None:  # type: ignore[no-untyped-def]
    with serve_mail() as server:
        settings.NEWSLETTER_PROVIDER_URL = f"smtp://{USER}:{PASSWORD}@127.0.0.1:{server.port}"
        assert list_messages(admin.post("/admin/setup/provider/", {"test": "1"})) == ["The provider accepts the key."]
        settings.NEWSLETTER_PROVIDER_URL = f"smtp://{USER}:wrong@127.0.0.1:{server.port}"
        (refused,) = list_messages(admin.post("/admin/setup/provider/", {"test": "1"}))
    assert "did not accept our user and password" in refused
    assert server.mails == []


def test_the_provider_step_says_what_a_mail_server_cannot_do(admin: Client, settings) -> None:  # type: ignore[no-untyped-def]
    assert "What this provider cannot do" not in admin.get("/admin/setup/provider/").content.decode()
    settings.NEWSLETTER_PROVIDER_URL = "smtp://mail.example.org"
    page = admin.get("/admin/setup/provider/").content.decode()
    for text in ("reports nothing here", "at most once", "stays uncertain", "must sign the mail (DKIM)"):
        assert text in page
    assert "Set up reports" not in page


def test_the_connection_to_the_provider_is_tested(admin: Client, settings, fake_provider) -> None:  # type: ignore[no-untyped-def]
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    assert list_messages(admin.post("/admin/setup/provider/", {"test": "1"})) == ["The provider accepts the key."]
    assert state_of("provider") == "done"


def test_without_a_provider_the_step_is_open(admin: Client) -> None:
    assert "No provider is set yet" in admin.get("/admin/setup/provider/").content.decode()
    assert state_of("provider") == "open"


def test_the_domain_step_says_what_to_put_into_dns(admin: Client, settings) -> None:  # type: ignore[no-untyped-def]
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org"
    make_publication()
    page = admin.get("/admin/setup/domain/").content.decode()
    for text in ("v=spf1 include:mailgun.org ~all", "_dmarc.news.example.org", "v=DMARC1; p=none"):
        assert text in page
    SenderDomain.objects.create(domain="news.example.org", findings=[], provider="mailgun", looked_at=timezone.now())
    assert state_of("domain") == "done"


def test_the_domain_step_names_the_mail_server_in_the_spf_record(admin: Client, settings) -> None:  # type: ignore[no-untyped-def]
    settings.NEWSLETTER_PROVIDER_URL = "smtps://user:password@mail.example.org"
    make_publication()
    assert "v=spf1 a:mail.example.org ~all" in admin.get("/admin/setup/domain/").content.decode()


def test_the_domain_step_shows_the_account_that_sends(admin: Client, settings) -> None:  # type: ignore[no-untyped-def]
    settings.NEWSLETTER_PROVIDER_URL = "postmark://key-0123456789@"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": "mailgun://other-0123456789@news.example.org"}
    publication = make_publication(account="backup")
    error = Finding("SPF", "error", "The record of Mailgun is missing.", "Add it.", code="spf.missing")
    row = SenderDomain.objects.create(domain="news.example.org", provider="postmark", looked_at=timezone.now())
    assert state_of("domain") == "open"
    row.further = {"backup": {"provider": "mailgun (news.example.org)", "findings": [error.to_row()]}}
    row.save()
    page = admin.get("/admin/setup/domain/").content.decode()
    assert "v=spf1 include:mailgun.org ~all" in page
    assert "The record of Mailgun is missing." in page
    assert page.count("What DNS says about") == 1
    assert state_of("domain") == "open"
    row.further["backup"]["findings"] = []
    row.findings = [error.to_row()]
    row.save()
    assert state_of("domain") == "done"
    Publication.objects.filter(pk=publication.pk).update(second_account="default")
    assert state_of("domain") == "open"
    assert admin.get("/admin/setup/domain/").content.decode().count("What DNS says about") == 2


def test_the_domain_step_opens_while_mail_goes_to_files(admin: Client, settings) -> None:  # type: ignore[no-untyped-def]
    settings.NEWSLETTER_PROVIDER_URL = "outbox://"
    make_publication()
    page = admin.get("/admin/setup/domain/").content.decode()
    assert "_dmarc.news.example.org" in page
    assert "Your provider shows this value" in page


def test_the_domain_step_names_a_server_that_is_not_the_providers(admin: Client, settings) -> None:  # type: ignore[no-untyped-def]
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org?endpoint=http://127.0.0.1:8025"
    make_publication()
    page = admin.get("/admin/setup/domain/").content.decode()
    assert "Mail goes to http://127.0.0.1:8025" in page
    assert "once a provider is set" not in page


def test_the_domain_step_shows_findings_with_records_to_copy(admin: Client, settings, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org"
    make_publication()
    with serve_dns({"_dmarc.news.example.org": ["v=DMARC1; p=none; ri=60"]}) as server:
        monkeypatch.setattr(refresh_domains, "SystemDns", server.make_dns)
        page = admin.post("/admin/setup/domain/", follow=True).content.decode()
    for text in (
        "No SPF record says who may send for the domain.",
        "<dd><code>v=spf1 include:mailgun.org ~all</code></dd>",
        "has obsolete tags: ri. Receivers that follow RFC 9989 ignore them",
        "Advice",
        "<dd><code>_dmarc.news.example.org</code></dd>",
    ):
        assert text in page
    assert state_of("domain") == "open"


def test_the_brand_step_says_what_a_web_address_looks_like(admin: Client) -> None:
    page = admin.post("/admin/setup/brand/", {"site": "nonsense here", "look": ""}).content.decode()
    assert "This is not a web address. Write one such as www.example.org" in page


def test_a_proof_of_the_first_issue_is_sent_to_oneself(admin: Client, site: Site) -> None:
    make_publication()
    page = compact_html(admin.get("/admin/setup/proof/").content.decode())
    assert "nothing to put into an issue" in page
    assert 'href="/admin/stories/add/"' in page
    put_feed(site)
    Source.objects.create(name="News", kind="feed", url=f"{site.url}/feed.xml")
    ingest_due(now=timezone.now())
    assert "no events, because your sources brought none" in compact_html(
        admin.get("/admin/setup/proof/").content.decode()
    )
    make_event("Open day", online=True)
    assert "none of yours is in the next 30 days" in compact_html(admin.get("/admin/setup/proof/").content.decode())
    EventNotice.objects.update(starts_at=timezone.now() + timedelta(days=3))
    assert "The proof shows those online" in compact_html(admin.get("/admin/setup/proof/").content.decode())
    assert "You are ready" not in compact_html(admin.get("/admin/setup/proof/").content.decode())
    response = admin.post("/admin/setup/proof/", follow=True)
    assert response.redirect_chain == [("/admin/setup/proof/", 302)]
    proof = Proof.objects.get()
    assert proof.person.email == "admin@example.org"
    page = compact_html(response.content.decode())
    for text in (
        "You are ready",
        "Your proof is ready. No provider was connected, so it was not mailed.",
        "Mail provider",
    ):
        assert text in page
    link = re.search(r'href="([^"]+)" target="_blank">Look at the proof', page)
    assert link
    assert "The weekly letter" in compact_html(admin.get(link[1]).content.decode())
    for address in (f"/admin/issues/{proof.issue_id}/overview/", "/admin/users/new/?setup", "/admin/"):
        assert f'href="{address}"' in page
    make_approver()
    assert "Invite an approver" not in compact_html(admin.get("/admin/setup/proof/").content.decode())


def test_the_proof_says_whether_it_left_by_its_own_account(
    admin: Client, fake_provider: FakeProvider, settings: Any
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "postmark://"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": fake_provider.provider_url}
    archived = make_publication()
    Publication.objects.update(enabled=False, archived=True)
    used = Publication.objects.get()
    used.pk, used.slug, used.name, used.account = None, "used", "The winter letter", "backup"
    used.archived, used.enabled = False, True
    used.save(force_insert=True)
    make_story("The clinic opens its doors", published_at=timezone.now(), seen_at=timezone.now())
    page = admin.post("/admin/setup/proof/", follow=True).content.decode()
    assert fake_provider.accepted_counts() == {"admin@example.org": 1}
    assert "The proof of The winter letter No. 1 was sent to admin@example.org" in page
    assert not archived.issues.exists()


def test_set_up_says_how_the_last_proof_left_after_a_change_of_provider(
    admin: Client, fake_provider: FakeProvider, settings: Any
) -> None:
    make_publication()
    make_story("The clinic opens its doors", published_at=timezone.now(), seen_at=timezone.now())
    admin.post("/admin/setup/proof/")
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    assert "so it was not mailed" in admin.get("/admin/setup/proof/").content.decode()
    admin.post("/admin/setup/proof/")
    settings.NEWSLETTER_PROVIDER_URL = "outbox://"
    assert "was sent to admin@example.org" in admin.get("/admin/setup/proof/").content.decode()


def test_the_first_proof_skips_issues_of_archived_publications(
    admin: Client, fake_provider: FakeProvider, settings: Any
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    make_story("The first verdict")
    archived = make_publication(slug="old", name="The old letter")
    make_issue(archived)
    Publication.objects.update(enabled=False, archived=True)
    make_publication(slug="used", name="The winter letter")
    make_story("The clinic opens its doors", published_at=timezone.now(), seen_at=timezone.now())
    assert "The old letter" not in admin.get("/admin/setup/proof/").content.decode()
    page = admin.post("/admin/setup/proof/", follow=True).content.decode()
    assert "The proof of The winter letter No. 1 was sent to admin@example.org" in page


def test_set_up_ignores_archived_content() -> None:
    publication = make_publication()
    MailingList.objects.update(name="The old list", public=False, archived=True)
    Publication.objects.update(enabled=False, archived=True)
    states = {one.step.slug: one.state for one in list_states()}
    assert states["list"] != "done"
    assert states["publication"] != "done"
    client = sign_in("admin")
    assert "The old list" not in client.get("/admin/setup/list/").content.decode()
    MailingList.objects.create(slug="new", name="The new list")
    page = client.get("/admin/setup/publication/").content.decode()
    assert "The new list" in page
    assert "The old list" not in page
    assert publication.name not in page
