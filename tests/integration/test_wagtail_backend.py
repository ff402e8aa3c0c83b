"""The backend of `integrations/wagtail` in a real Wagtail site: pages become drafts, staff approve, and nothing is sent."""

import http.server
import json
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.integration.guides import list_blocks
from tests.integration.organisation import APPROVER
from tests.integration.servers import run_server
from tests.integration.tools import FOLDER, skip_without_package
from tests.integration.wordpress_plugin import Newsletter
from tests.support.desk_browser import IN_CHROMIUM
from tests.support.guide_pictures import GUIDE, make_small
from tests.support.ports import free_port

PACKAGE = Path(__file__).parents[2] / "integrations" / "wagtail"
GUIDE_BLOCKS = {block.language: block for block in list_blocks((PACKAGE / "README.md").read_text(encoding="utf-8"))}
PASSWORD = "a long password for tests"
BODY = "The bridge opened on Monday & children walk to school."
PAGE = """<html><head><title>x</title><style>p{}</style></head><body><h1>A <b>new</b> bridge</h1>
<p>It <strong>opened</strong> &amp; holds. <a href="/how">How</a> <a href="javascript:x()">no</a></p>
<ul><li>One</li><li>Two <em>and</em></li></ul><img src="x.png"><h2>Thanks</h2><p>To all.</p><hr>
<blockquote><p>We walk &lt;again&gt;.</p><cite>Ana</cite></blockquote><script>alert(1)</script><p>After</p></body></html>"""


class WagtailSite:
    """A Wagtail site on disk. Its steps run in a process of its own environment, with the installed package."""

    def __init__(self, folder: Path, *, packages: Path, newsletter: Newsletter, key: str) -> None:
        self._folder, self._packages = folder, packages
        self.newsletter, self.key, self.address = newsletter, key, newsletter.address

    @property
    def command(self) -> list[str]:
        return [str(FOLDER / "bin" / "python"), str(Path(__file__).with_name("wagtail_site.py")), str(self._folder)]

    @property
    def env(self) -> dict[str, str]:
        """Return the environment of the site. Its settings are those of the guide."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self._packages),
            "SITE_SETTINGS": GUIDE_BLOCKS["python"].fill_in(site=self.address),
            "WAGTAIL_NEWSLETTER_API_KEY": self.key,
        }

    def run(self, *steps: tuple[str, dict[str, Any]]) -> list[Any]:
        done = subprocess.run(
            self.command,
            input=json.dumps(steps),
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return list(json.loads(done.stdout.splitlines()[-1]))

    def press(self, button: str, **values: Any) -> dict[str, Any]:
        """Press a button of the tab “Newsletter” of a page."""
        return dict(self.run(("press", {"button": button, "body": BODY, **values}))[0])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.newsletter.organisation.install.query(sql)


@pytest.fixture(scope="module")
def wagtail(tmp_path_factory: pytest.TempPathFactory, newsletter: Newsletter) -> WagtailSite:
    """Return a site with the package, installed by pip from its folder, and the key and the settings of its guide."""
    skip_without_package("wagtail_newsletter")
    packages, folder = tmp_path_factory.mktemp("packages"), tmp_path_factory.mktemp("wagtail")
    pip = [str(FOLDER / "bin" / "pip"), "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(packages), str(PACKAGE)], check=True, timeout=300)
    organisation = newsletter.organisation
    _, *arguments = shlex.split(GUIDE_BLOCKS["sh"].text)
    found = re.search(r"nl_[\w-]{43}", organisation.run(*arguments))
    assert found
    with organisation.file.open("a") as file:
        file.write('\n[[segment]]\nslug = "british"\nname = "In Britain"\nrule = {country = "GB"}\n')
    organisation.run("apply", str(organisation.file))
    site = WagtailSite(folder, packages=packages, newsletter=newsletter, key=found[0])
    site.run(("install", {}))
    return site


def test_audiences_are_lists_and_segments_count_people_on_the_list(wagtail: WagtailSite) -> None:
    (found,) = wagtail.run(("list_audiences", {}))
    people, british = wagtail.rows(
        "SELECT COUNT(*), COUNT(CASE WHEN place.country = 'GB' THEN 1 END) FROM subscribers_subscription AS subscription"
        " JOIN subscribers_subscriber AS person ON person.id = subscription.subscriber_id"
        " LEFT JOIN subscribers_subscriberlocation AS place ON place.id = person.place_id WHERE subscription.ended_at IS NULL"
        " AND (subscription.confirmed_at IS NOT NULL OR subscription.basis <> 'consent_double_opt_in')"
    )[0]
    assert british >= 5
    assert found == {
        "audiences": [["weekly", "The weekly letter", people]],
        "segments": [["weekly/british", "In Britain", british]],
    }


def test_a_saved_page_is_a_draft_that_later_saves_update(wagtail: WagtailSite) -> None:
    saved = wagtail.press("save_campaign", segment="weekly/british")
    assert "has been saved to the newsletter" in saved["messages"], saved["messages"]
    issue = saved["campaign"]
    sql = f"SELECT subject, state, body, segment_id FROM newsletter_issue WHERE id = {issue}"
    subject, state, body, segment = wagtail.rows(sql)[0]
    assert (subject, state, bool(segment)) == ("A new bridge", "draft", True)
    assert "children walk to school" in str(body)
    again = wagtail.press(
        "save_campaign", page=saved["page"], title="The bridge is open", body="New words.", segment="weekly/british"
    )
    assert again["campaign"] == issue
    subject, state, body, _ = wagtail.rows(sql)[0]
    assert (subject, state) == ("The bridge is open", "draft")
    assert ("New words" in str(body), "children walk" in str(body)) == (True, False)
    (found,) = wagtail.run(("read_campaign", {"campaign": issue}))
    assert found["url"] == f"{wagtail.address}/admin/issues/{issue}/overview/"
    assert (found["sent"], found["scheduled"], found["status"]) == (False, False, "Draft")
    other = wagtail.press("save_campaign", page=saved["page"], title="For all", segment="")
    assert "for other recipients" in other["messages"]
    assert wagtail.rows(sql)[0][0] == "The bridge is open"


@pytest.mark.requirement("G5")
def test_no_button_sends_and_each_says_what_happens_now(wagtail: WagtailSite) -> None:
    told = {
        "send_campaign": ("Nothing was sent yet. The issue is waiting for approval", "in_review"),
        "schedule_campaign": ("Nothing was sent yet. The issue is waiting for approval", "in_review"),
        "send_test_email": ("No test email was sent", "draft"),
    }
    counts = "SELECT (SELECT COUNT(*) FROM newsletter_approval), (SELECT COUNT(*) FROM newsletter_send)"
    asked = "SELECT COUNT(*) FROM newsletter_staffnotice WHERE key LIKE 'asked-%'"
    before, ((asked_before,),) = wagtail.rows(counts), wagtail.rows(asked)
    pressed = wagtail.run(*(("press", {"button": button, "title": button, "body": BODY}) for button in told))
    for (text, state), shown in zip(told.values(), pressed, strict=True):
        assert text in shown["messages"]
        link = f'<a href="{wagtail.address}/admin/issues/{shown["campaign"]}/overview/"'
        assert link in shown["messages"] or link in shown["html"]
        sql = f"SELECT state, due_at FROM newsletter_issue WHERE id = {shown['campaign']}"
        found, due = wagtail.rows(sql)[0]
        assert (found, str(due)[:16]) == (state, "2099-01-01 09:00" if shown is pressed[1] else "None")
    assert wagtail.rows(counts) == before
    assert wagtail.rows(asked)[0][0] == asked_before + 2


def test_an_approved_issue_is_scheduled_and_changes_no_more(wagtail: WagtailSite) -> None:
    saved = wagtail.press("schedule_campaign", title="Approved")
    issue, organisation = saved["campaign"], wagtail.newsletter.organisation
    reference = wagtail.rows(f"SELECT number FROM newsletter_issue WHERE id = {issue}")[0][0]
    site = {"NEWSLETTER_SITE_URL": wagtail.address}  # as the served newsletter has it: an approval covers its links
    done = organisation.install.run("approve", f"weekly/{reference}", "--by", APPROVER, **site)
    assert done.returncode == 0, done.stderr
    found, unscheduled = wagtail.run(("read_campaign", {"campaign": issue}), ("unschedule", {"campaign": issue}))
    assert (found["scheduled"], found["sent"], found["status"]) == (True, False, "Approved")
    assert found["report"]["send_time"].startswith("2099-01-01 09:00")
    assert "An approval is withdrawn in the newsletter" in unscheduled
    again = wagtail.press("save_campaign", page=saved["page"], title="Too late")
    assert "cannot change the issue now. Nothing was changed there." in again["messages"]
    assert wagtail.rows(f"SELECT subject, state FROM newsletter_issue WHERE id = {issue}") == [("Approved", "approved")]


def test_a_page_without_recipients_text_or_publication_is_not_saved(wagtail: WagtailSite) -> None:
    before = wagtail.rows("SELECT COUNT(*) FROM newsletter_issue")
    no_recipients, unsaved, no_text, no_publication = wagtail.run(
        ("press", {"button": "save_campaign", "body": BODY, "audience": ""}),
        ("press", {"button": "send_campaign", "body": BODY, "audience": ""}),
        ("press", {"button": "save_campaign", "body": " "}),
        ("press", {"button": "save_campaign", "body": BODY, "audience": "daily"}),
    )
    assert "has no recipients" in no_recipients["messages"]
    assert "There is no draft to send" in unsaved["messages"]
    assert no_text["campaign"] == ""
    assert "No publication of the newsletter is sent to the list" in no_publication["messages"]
    assert wagtail.rows("SELECT COUNT(*) FROM newsletter_issue") == before


def test_a_wrong_key_and_an_unreachable_newsletter_are_reported(wagtail: WagtailSite) -> None:
    address, key = wagtail.address, wagtail.key
    try:
        wagtail.key = "nl_" + "x" * 43
        assert "does not accept the key of this site" in wagtail.press("save_campaign")["messages"]
        wagtail.key, wagtail.address = key, "http://127.0.0.1:9"
        assert "cannot be reached" in wagtail.press("save_campaign")["messages"]
    finally:
        wagtail.address, wagtail.key = address, key


def test_each_refusal_says_what_happened_and_what_to_do(wagtail: WagtailSite) -> None:
    words = {
        301: "set WAGTAIL_NEWSLETTER_ADDRESS to the address after the redirect",
        401: "Ask an administrator of the newsletter for a new key",
        403: "may not do this. Nothing was changed there. What to do.",
        404: "does not have this, or its key may not see it",
        409: "cannot change the issue now",
        412: "Somebody changed the issue",
        413: "too long for one issue",
        422: "cannot use this text. Nothing was changed there. What to do.",
        429: "Wait 7 seconds",
        500: "an error (500). It may have changed something",
        503: "cannot reach its database",
    }
    with run_refusing_server() as address:
        kinds = [*map(str, words), "hang", "page", "none"]
        *told, hung, page, nothing = wagtail.run(
            ("read_refusals", {"addresses": [f"{address}/{kind}" for kind in kinds]})
        )[0]
    for text, status in zip(told, words, strict=True):
        assert words[status] in text, status
    assert "did not answer in time. It may have saved the issue" in hung
    assert "There is no newsletter at the address" in page
    assert "There is no newsletter at the address" in nothing


def test_the_text_of_a_page_becomes_notes_quotes_and_dividers(wagtail: WagtailSite) -> None:
    (blocks,) = wagtail.run(("read_blocks", {"html": PAGE}))
    first = {
        "heading": "A new bridge",
        "text": '<p>It <b>opened</b> &amp; holds. <a href="https://www.example.org/how">How</a> no</p>'
        "<ul><li>One</li><li>Two <i>and</i></li></ul>",
    }
    assert blocks == [
        {"type": "note", "value": first},
        {"type": "note", "value": {"heading": "Thanks", "text": "<p>To all.</p>"}},
        {"type": "divider", "value": {}},
        {"type": "quote", "value": {"text": "We walk <again>.", "who": "Ana"}},
        {"type": "note", "value": {"heading": "", "text": "<p>After</p>"}},
    ]


def test_the_sign_up_form_of_a_template_leads_to_the_list(wagtail: WagtailSite) -> None:
    (form,) = wagtail.run(("render_sign_up", {"source": GUIDE_BLOCKS["html"].text}))
    assert f'action="{wagtail.address}/join/weekly"' in form
    assert wagtail.key not in form


@IN_CHROMIUM[0]
@IN_CHROMIUM[1]
def test_after_the_send_the_panel_shows_its_numbers(wagtail: WagtailSite, browser: Browser, tmp_path: Path) -> None:
    saved = wagtail.press("send_campaign", title="The bridge is open")
    number = wagtail.rows(f"SELECT number FROM newsletter_issue WHERE id = {saved['campaign']}")[0][0]
    install = wagtail.newsletter.organisation.install
    for step in (("approve", f"weekly/{number}", "--by", APPROVER), ("send", f"weekly/{number}", "--now")):
        done = install.run(*step, NEWSLETTER_SITE_URL=wagtail.address)
        assert done.returncode == 0, done.stdout + done.stderr
    port = free_port()
    with run_server([*wagtail.command, str(port)], port=port, log=tmp_path / "wagtail.log", env=wagtail.env):
        page = browser.new_page(viewport={"width": 1280, "height": 700}, locale="en-GB")
        page.goto(f"http://127.0.0.1:{port}/admin/login/")
        page.get_by_label("Username").fill("editor")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"http://127.0.0.1:{port}/admin/pages/{saved['page']}/edit/#tab-newsletter")
        panel = page.locator(".wn-panel")
        ((people,),) = wagtail.rows(f"SELECT recipients FROM newsletter_send WHERE issue_id = {saved['campaign']}")
        assert people >= 5
        expect(panel).to_contain_text(f"Emails sent: {people} (0 bounces)")
        expect(panel).to_contain_text("Status: Sent")
        expect(panel.get_by_role("button")).to_have_count(0)
        if os.environ.get(GUIDE):
            (PACKAGE / "images" / "sent.png").write_bytes(make_small(page.screenshot(animations="disabled")))
        page.close()


class _Refusing(http.server.BaseHTTPRequestHandler):
    """Answers with the status that the address begins with, hangs, or answers as another program would."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = self.path.split("/")[1]
        if kind == "hang":
            threading.Event().wait(3)
            return
        status = int(kind) if kind.isdecimal() else 404 if kind == "none" else 200
        problem = {"code": "not_found" if status == 404 else "any", "detail": "What to do."}
        body = b"<html>A page</html>" if not kind.isdecimal() else json.dumps(problem).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "7")
        if status == 301:
            self.send_header("Location", "https://127.0.0.1:9/")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@contextmanager
def run_refusing_server() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
