"""The WordPress plugin in a real WordPress: its form without script, its settings, and “tell the newsletter”."""

import re
import shlex
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest
import requests

from tests.integration.wordpress import WordPress, run_wordpress
from tests.integration.wordpress_plugin import (
    BLOCK,
    FOLDER,
    OPTION,
    PLUGIN,
    Newsletter,
    Visitor,
    configure,
    find_attribute,
    sign_in,
)
from tests.support.processes import wait_until

EMAIL = "visitor@example.org"
SETTINGS = "/wp-admin/options-general.php?page=newsletter-signup"


@pytest.fixture
def newsletter(newsletter_beside_site: Newsletter) -> Newsletter:
    """Return the newsletter that belongs to this WordPress alone."""
    return newsletter_beside_site


@pytest.fixture(autouse=True)
def _usual_settings(site: WordPress, newsletter: Newsletter) -> None:
    configure(site, newsletter)
    newsletter.forget_limits()


def test_a_visitor_signs_up_without_script_and_gets_the_mail(page, site, newsletter):
    visitor = Visitor(page).open()
    assert "Send me The weekly letter by email" in visitor.said()
    visitor.post(email=EMAIL, name="Robin", city="Leeds")
    assert "Check your inbox" in visitor.said()
    assert f"If {EMAIL} is not on the list yet" in visitor.said()
    assert newsletter.people()[-1] == (EMAIL, "Robin", f"API: Web site {page}")
    mail = wait_until(
        lambda: newsletter.organisation.install.provider.mailbox(EMAIL),
        what="the mail that asks to confirm",
    )
    assert f"{newsletter.address}/c/" in mail[0].text
    assert site.do("find_text", text=EMAIL) == []
    assert visitor.cookies == []


def test_mistakes_are_linked_to_their_fields_and_nothing_is_lost(page, newsletter):
    before = newsletter.people()
    visitor = Visitor(page).open().post(email="robin", city="Springfield", name='<b>"Robin"</b>')
    html = visitor.form()
    assert "It looks like name@example.org" in visitor.said()
    email = find_attribute(html, 'input type="email"', "id")
    assert f'<a href="#{email}">' in visitor.html
    assert find_attribute(html, 'input type="email"', "aria-describedby") == f"{email}-error"
    assert f'id="{email}-error"' in html
    assert visitor.fields()["newsletter_signup[name]"] == '<b>"Robin"</b>'
    assert "<b>" not in html
    assert "Which one is yours?" in visitor.said()
    assert find_attribute(html, "form", "method") == "post"
    assert newsletter.people() == before


def test_an_unknown_town_is_asked_about_once(page, newsletter):
    visitor = Visitor(page).open().post(email="far@example.org", city="Xyzzyville")
    assert "We do not know a town called “Xyzzyville”" in visitor.said()
    assert visitor.fields()["newsletter_signup[city]"] == "Xyzzyville"
    visitor.post()
    assert "Check your inbox" in visitor.said()
    assert newsletter.people()[-1][0] == "far@example.org"


def test_a_text_that_is_too_long_is_refused_beside_its_field_and_kept(page, newsletter):
    before = newsletter.people()
    visitor = Visitor(page).open().post(email=EMAIL, name="é" * 5_000)
    assert "Your text has 5,000 characters. The limit is 200." in visitor.said()
    assert visitor.fields()["newsletter_signup[name]"] == "é" * 5_000
    assert "maxlength" not in visitor.form()
    assert newsletter.people() == before


def test_a_likely_slip_can_be_corrected_with_one_button(page, newsletter):
    visitor = Visitor(page).open().post(email="slip@gmial.com")
    assert "Did you mean slip@gmail.com?" in visitor.said()
    visitor.post(corrected="slip@gmail.com", email="slip@gmial.com")
    assert "Check your inbox" in visitor.said()
    assert newsletter.people()[-1][0] == "slip@gmail.com"


def test_without_script_the_third_sign_up_of_a_visitor_waits_for_staff(page, site, newsletter):
    held = newsletter.held()
    configure(site, newsletter, proxies=1)
    for number in range(3):
        headers = {"X-Forwarded-For": "192.0.2.99, 203.0.113.7"}
        Visitor(page).open().post(email=f"robot{number}@example.org", headers=headers)
    assert newsletter.held() == held + 1
    visitor = Visitor(page).open()
    visitor.post(email="other@example.org", headers={"X-Forwarded-For": "203.0.113.7, 198.51.100.4"})
    assert newsletter.people()[-1][0] == "other@example.org"


def test_without_proxies_a_visitor_cannot_choose_their_address(page, newsletter):
    held = newsletter.held()
    for number in range(3):
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        Visitor(page).open().post(email=f"forger{number}@example.org", headers=headers)
    assert newsletter.held() == held + 1


def test_a_robot_in_the_hidden_field_is_thanked_and_dropped(page, newsletter):
    before = newsletter.people()
    visitor = Visitor(page).open().post(email="trap@example.org", website="https://buy.example")
    assert "Check your inbox" in visitor.said()
    assert newsletter.people() == before


def test_an_old_page_keeps_what_was_typed_and_works_the_second_time(page, newsletter):
    visitor = Visitor(page).open().post(email="old@example.org", nonce="0123456789")
    assert "open for too long" in visitor.said()
    assert visitor.fields()["newsletter_signup[email]"] == "old@example.org"
    assert "Check your inbox" in visitor.post().said()


def test_another_wording_is_shown_before_anybody_agrees(page, newsletter):
    visitor = Visitor(page).open()
    newsletter.organisation.install.query("UPDATE subscribers_mailinglist SET name = 'The monthly letter'")
    try:
        visitor.post(email="wording@example.org")
        assert "Send me The monthly letter by email" in visitor.said()
        assert visitor.fields()["newsletter_signup[email]"] == "wording@example.org"
        assert "wording@example.org" not in str(newsletter.people())
        assert "Check your inbox" in visitor.post().said()
    finally:
        newsletter.organisation.install.query("UPDATE subscribers_mailinglist SET name = 'The weekly letter'")


def test_if_the_newsletter_is_down_the_visitor_keeps_their_text(page, site, newsletter):
    Visitor(page).open()
    site.do("set_option", name=OPTION, value={**site.do("option", name=OPTION), "key": "nl_wrong"})
    visitor = Visitor(page).open().post(email="down@example.org", name="Robin")
    assert "We could not sign you up just now" in visitor.said()
    assert visitor.fields()["newsletter_signup[email]"] == "down@example.org"
    configure(site, newsletter, address="http://127.0.0.1:9")
    fresh = Visitor(page).open()
    assert "cannot be shown at the moment" in fresh.said()
    assert "http://127.0.0.1:9/join/weekly" in fresh.html
    assert "Only you" not in fresh.said()
    assert "did not answer" in sign_in(site).get(page, timeout=60).text


def test_the_shortcode_is_the_same_form(site):
    post = site.publish("By shortcode", '[newsletter_signup list="weekly" title="no"]', post_type="page")
    visitor = Visitor(site.address(post)).open()
    assert "Email address" in visitor.said()
    assert "newsletter-signup-title" not in visitor.html
    both = site.publish("Two forms", BLOCK + "[newsletter_signup]", post_type="page")
    visitor = Visitor(site.address(both)).open()
    ids = re.findall(r'\bid="(newsletter-signup-[^"]*)"', visitor.html)
    assert len(ids) == len(set(ids)) > 8
    assert visitor.post(email="robin").html.count("It looks like name@example.org") == 2  # the summary and the field


@pytest.mark.parametrize("locale", ["es_ES", "es_MX"])
def test_a_spanish_site_speaks_spanish(page, site, locale):
    languages = next(site.root.rglob("wp-content")) / "languages"
    languages.mkdir(exist_ok=True)
    shutil.copy(FOLDER / "languages" / "newsletter-signup-es_ES.mo", languages / f"{locale}.mo")
    site.do("set_option", name="WPLANG", value=locale)
    try:
        visitor = Visitor(page).open()
        assert "Quiero recibir The weekly letter" in visitor.said()
        visitor.post(email="robin")
        assert "Esta no es una dirección" in visitor.said()
        assert "Corrige esto:" in visitor.said()
    finally:
        site.do("set_option", name="WPLANG", value="")


def test_the_key_is_stored_and_never_shown_again(site, newsletter):
    admin = sign_in(site)
    for _ in range(2):  # saved twice, the second time with an empty key
        page = admin.get(site.url + SETTINGS, timeout=60).text
        assert newsletter.key not in page
        values = {
            "option_page": "newsletter-signup",
            "action": "update",
            "_wpnonce": find_attribute(page, 'input[^>]*name="_wpnonce"', "value"),
            "_wp_http_referer": SETTINGS,
            f"{OPTION}[address]": newsletter.address,
            f"{OPTION}[key]": newsletter.key if _ == 0 else "",
            f"{OPTION}[list]": "weekly",
            f"{OPTION}[source]": "0",
        }
        saved = admin.post(f"{site.url}/wp-admin/options.php", data=values, timeout=60).text
        assert "Connected. The usual sign-up form is that of “The weekly letter”." in saved
        assert newsletter.key not in saved
    assert site.do("option", name=OPTION)["key"] == newsletter.key
    values[f"{OPTION}[address]"] = "http://127.0.0.1:9"
    assert "the old key was removed" in admin.post(f"{site.url}/wp-admin/options.php", data=values, timeout=60).text
    assert site.do("option", name=OPTION)["key"] == ""


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ({"key": "nl_wrong"}, "does not know this key"),
        ({"address": "http://127.0.0.1:9"}, "did not answer"),
        ({"address": "http://news.example.org"}, "begins with http://"),
        ({"key": ""}, "is missing"),
        ({"list": "daily"}, "not open for sign-ups any more"),
    ],
)
def test_check_connection_says_what_is_wrong(site, newsletter, settings, answer):
    configure(site, newsletter, **settings)
    assert answer not in sign_in(site).get(site.url + SETTINGS, timeout=60).text
    assert answer in _check_connection(site)


def test_another_server_at_the_address_is_recognised(site, newsletter):
    configure(site, newsletter, address=site.url)
    assert "not from a newsletter" in _check_connection(site)


def test_without_a_source_of_this_site_a_notification_is_refused(site, newsletter, source):
    newsletter.organisation.install.query("UPDATE newsletter_source SET enabled = FALSE")
    try:
        said = _check_connection(site)
        assert "Connected. The usual sign-up form" in said
        assert "no source at this site’s address" in said
    finally:
        newsletter.organisation.install.query("UPDATE newsletter_source SET enabled = TRUE")
    assert "reads this site as the source “Our site”" in _check_connection(site)


def _check_connection(site: WordPress) -> str:
    """Press “Check connection” and return the page."""
    admin = sign_in(site)
    page = admin.get(site.url + SETTINGS, timeout=60).text
    link = re.search(r'href="([^"]*)">Check connection', page)
    assert link
    return admin.get(unescape(link[1]), timeout=60).text


def test_only_an_administrator_sees_the_settings(site):
    answer = sign_in(site, "author").get(site.url + SETTINGS, timeout=60)
    assert answer.status_code == 403


@pytest.fixture
def source(site: WordPress, newsletter: Newsletter) -> None:
    """The newsletter reads this site."""
    if not newsletter.organisation.install.query("SELECT 1 FROM newsletter_source"):
        newsletter.organisation.add_source("Our site", kind="wordpress", url=site.url)


def test_the_button_notifies_the_newsletter_of_a_post(site, newsletter, source):
    post = site.publish("A new bridge", "<p>The bridge opened on Monday.</p>")
    admin = sign_in(site)
    editor = admin.get(f"{site.url}/wp-admin/post.php?post={post}&action=edit", timeout=60).text
    link = re.search(r'<a class="button" role="button" href="([^"]*)"', editor)
    nonce = re.search(r'data-nonce="([^"]*)"', editor)
    assert link
    assert nonce
    tell = f"{site.url}/wp-json/newsletter-signup/v1/tell"
    said = admin.post(tell, json={"post": post}, headers={"X-WP-Nonce": nonce[1]}, timeout=60).json()
    assert said["ok"], said
    assert "A new bridge" in newsletter.organisation.story_titles()
    without_script = admin.get(unescape(link[1]), timeout=60).text
    assert "The newsletter looked at this site: 0 new, 0 changed." in without_script
    draft = site.do("save", post_title="Not yet", post_content="x", post_status="draft")
    said = admin.post(tell, json={"post": draft}, headers={"X-WP-Nonce": nonce[1]}, timeout=60).json()
    assert "Publish it first" in said["message"]
    site.do("set_option", name="newsletter_signup_told", value={})
    for session in (requests.Session(), sign_in(site, "author")):
        refused = session.post(tell, json={"post": post}, headers={"X-WP-Nonce": nonce[1]}, timeout=60)
        assert refused.status_code in (401, 403)
        session.get(unescape(link[1]), timeout=60)
    assert site.do("option", name="newsletter_signup_told") == []


def test_published_and_withdrawn_posts_are_notified_if_switched_on(site, newsletter, source):
    site.publish("Quietly published", "<p>Nobody is told.</p>")
    assert "Quietly published" not in newsletter.organisation.story_titles()
    configure(site, newsletter, tell=True)
    post = site.publish("The well works", "<p>The well was repaired last week.</p>")
    wait_until(lambda: "The well works" in newsletter.organisation.story_titles(), what="the story")
    site.do("trash", ID=post)
    withdrawn = "SELECT COUNT(*) FROM newsletter_story WHERE title = 'The well works' AND gone_at IS NOT NULL"
    wait_until(lambda: newsletter.organisation.install.query(withdrawn) == [(1,)], what="its withdrawal")
    assert site.do("option", name="newsletter_signup_told")["at"]


def test_the_challenge_is_handed_on_without_the_key(site, newsletter):
    url = f"{site.url}/wp-json/newsletter-signup/v1/challenge"
    answer = requests.get(url, params={"list": "weekly"}, timeout=60)
    assert set(answer.json()) == {"algorithm", "challenge", "salt", "signature", "maxnumber"}
    assert "no-store" in answer.headers["Cache-Control"]
    assert newsletter.key not in answer.text
    assert requests.get(url, params={"list": "daily"}, timeout=60).status_code == 503


def test_an_uploaded_plugin_works_and_deleting_it_leaves_nothing(build, mariadb, newsletter, tmp_path):
    database = f"wp_upload_{build.name}"
    package = make_package(tmp_path)
    with run_wordpress(tmp_path / "wordpress", build=build, socket=mariadb, database=database) as site:
        site.do("permalinks", structure="/%postname%/")
        answer = upload_plugin(site, package)
        assert "Plugin installed successfully" in answer
        site.do("activate", plugin=PLUGIN)
        configure(site, newsletter)
        visitor = Visitor(site.address(site.publish("Join", BLOCK, post_type="page"))).open()
        assert "Send me The weekly letter by email" in visitor.said()
        assert site.do("find_text", text="newsletter_signup")
        assert site.do("uninstall", plugin=PLUGIN) is True
        assert site.do("find_text", text="newsletter_signup") == []
        assert site.do("find_text", text=newsletter.key) == []
        assert FOLDER.exists()


def make_package(folder: Path) -> Path:
    """Return the zip that the command of the guide makes."""
    if not shutil.which("zip"):
        pytest.skip("zip is not installed.")
    found = re.search(r"`(zip [^`]+)`", (FOLDER.parent / "README.md").read_text(encoding="utf-8"))
    assert found
    shutil.copytree(FOLDER, folder / FOLDER.name)
    subprocess.run(shlex.split(found[1]), cwd=folder, check=True, capture_output=True, timeout=60)
    (made,) = folder.glob("*.zip")
    return made


def upload_plugin(site: WordPress, package: Path) -> str:
    """Upload the plugin as an administrator does, and return the text of the answer."""
    admin = sign_in(site)
    page = admin.get(f"{site.url}/wp-admin/plugin-install.php?tab=upload", timeout=60).text
    values = {
        "_wpnonce": find_attribute(page, 'input[^>]*name="_wpnonce"', "value"),
        "install-plugin-submit": "Install",
    }
    with package.open("rb") as file:
        url = f"{site.url}/wp-admin/update.php?action=upload-plugin"
        answer = admin.post(url, data=values, files={"pluginzip": (package.name, file)}, timeout=120)
    return re.sub(r"<[^>]+>", " ", answer.text)
