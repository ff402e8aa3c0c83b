"""“Set up”: each step does what it says, can be skipped and taken up again, and Home shows what is left."""

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from newsletter.content.ingesting.ingest import ingest_due
from newsletter.desk.setup.steps import STEPS, list_states
from newsletter.models import AuditEntry, Brand, Proof, Publication, SenderDomain, SkippedStep, Source
from newsletter.organisation.health.connection import Connection
from newsletter.rendering.lint.colour_advice import find_colour_problems
from subscribers.models import MailingList
from tests.support.desk import said, sign_in
from tests.support.fixtures import make_publication
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db
BRAND = {
    "name": "Open Door",
    "postal_address": "1 Example Street, Leeds",
    "website": "https://example.org/",
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
    assert "Skipped" in admin.get("/admin/setup/").content.decode()
    admin.post("/admin/setup/brand/", BRAND)
    assert state_of("brand") == "done"
    assert not SkippedStep.objects.exists()


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


def test_an_unreadable_colour_of_the_site_is_corrected_before_saving(admin: Client, site: Site) -> None:
    put_home(site, css=":root{--brand:#ffe97a}")
    page = admin.post("/admin/setup/brand/", {"look": "1", "site": site.url})
    values = page.context["form"].initial
    colours = {name: values[name] for name in ("colour", "accent", "background")}
    assert not any(advice.refused for advice in find_colour_problems(**colours))
    assert "We darkened a colour" in page.content.decode()


def test_a_web_site_that_cannot_be_read_says_why(admin: Client, site: Site) -> None:
    page = admin.post("/admin/setup/brand/", {"look": "1", "site": site.url}).content.decode()
    assert "404" in page
    assert "Fill in by hand" in page


def test_a_web_site_on_the_private_network_is_not_read(admin: Client) -> None:
    page = admin.post("/admin/setup/brand/", {"look": "1", "site": "http://127.0.0.1/"}).content.decode()
    assert "form__error" in page or "w-field__errors" in page
    assert not Brand.objects.exists()


def test_the_list_is_made_with_its_sign_up_form(admin: Client) -> None:
    fields = {"name": "The weekly letter", "description": "", "ask_name": "on", "double_opt_in": "on"}
    response = admin.post("/admin/setup/list/", fields)
    row = MailingList.objects.get()
    assert (row.slug, row.ask_name, row.ask_place) == ("the-weekly-letter", True, False)
    assert response.headers["Location"] == "/admin/setup/source/"


def test_a_source_is_found_from_the_address_and_shows_five_items(admin: Client, site: Site) -> None:
    put_home(site)
    put_feed(site)
    page = admin.post("/admin/setup/source/", {"site": site.url}).content.decode()
    assert page.count("<li>Story ") == 5
    fields = {"add": "1", "kind": "feed", "url": f"{site.url}/feed.xml", "name": "Open Door"}
    response = admin.post("/admin/setup/source/", fields, follow=True)
    assert "is added" in " ".join(said(response))
    source = Source.objects.get()
    assert (source.kind, source.url, source.name) == ("feed", f"{site.url}/feed.xml", "Open Door")


def test_a_feed_that_no_page_names_is_found_at_its_usual_address(admin: Client, site: Site) -> None:
    put_feed(site)
    site.put("/", "<title>Open Door</title>", Content_Type="text/html")
    site.put("/feed/", site.pages["/feed.xml"].body, Content_Type="application/rss+xml")
    page = admin.post("/admin/setup/source/", {"site": site.url}).content.decode()
    assert f'value="{site.url}/feed/"' in page


def test_a_site_without_stories_says_so(admin: Client, site: Site) -> None:
    site.put("/", "<title>Open Door</title>", Content_Type="text/html")
    assert "We found no feed" in admin.post("/admin/setup/source/", {"site": site.url}).content.decode()


def test_the_newsletter_is_made_with_a_plain_schedule(admin: Client) -> None:
    assert "needs an organisation and a list" in admin.get("/admin/setup/publication/").content.decode()
    admin.post("/admin/setup/brand/", BRAND)
    mailing_list = MailingList.objects.create(slug="weekly", name="The weekly letter")
    form = admin.get("/admin/setup/publication/")
    assert "cron" not in form.content.decode().lower()
    admin.post("/admin/setup/publication/", {**PUBLICATION, "mailing_list": mailing_list.pk})
    row = Publication.objects.get()
    assert (row.schedule, row.zone, row.approval, row.slug) == (
        "0 9 * * thu",
        "Europe/London",
        "approve",
        "the-weekly-letter",
    )


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
    ],
)
def test_the_provider_step_shows_the_setting_to_write(admin, monkeypatch, given, setting) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("newsletter.desk.setup.provider_step.try_connection", lambda url, now: _untested())
    response = admin.post("/admin/setup/provider/", given)
    assert f"NEWSLETTER_PROVIDER_URL={setting}" in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]


def _untested():  # type: ignore[no-untyped-def]
    return Connection("untested")


def test_a_setting_that_the_program_would_refuse_is_not_shown(admin: Client) -> None:
    page = admin.post("/admin/setup/provider/", {"provider": "mailgun", "key": "a-key"}).content.decode()
    assert "NEWSLETTER_PROVIDER_URL=" not in page


def test_the_connection_to_the_provider_is_tested(admin: Client, settings, fake_provider) -> None:  # type: ignore[no-untyped-def]
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    assert said(admin.post("/admin/setup/provider/", {"test": "1"})) == ["The provider accepts the key."]
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


def test_a_proof_of_the_first_issue_is_sent_to_oneself(admin: Client, site: Site) -> None:
    make_publication()
    assert "nothing to put into an issue" in admin.get("/admin/setup/proof/").content.decode()
    put_feed(site)
    Source.objects.create(name="News", kind="feed", url=f"{site.url}/feed.xml")
    ingest_due(now=timezone.now())
    response = admin.post("/admin/setup/proof/", follow=True)
    assert said(response) == ["The proof was sent to admin@example.org."]
    assert Proof.objects.get().person.email == "admin@example.org"
