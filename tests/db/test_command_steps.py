"""The steps by hand, as programs and people use them: ingest, assemble, approve, send, preview, status, doctor."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from django.core.management import CommandError, call_command

from newsletter.management.commands.send import NEEDS_ATTENTION
from newsletter.models import EventNotice, Installation, Issue, Send, Source, Story
from newsletter.sending.freezing.start import start_send
from tests.support.fixtures import LONDON, add_subscribers, make_approver, make_event, make_publication, make_story
from tests.support.provider_faults import Fault, answer
from tests.support.web_site import serve_site

FEED = """<rss version="2.0"><channel><title>Notes</title><item><title>The first verdict</title><link>{}/a</link>
<description>What happened.</description></item></channel></rss>"""
NO_CANARY = {"use": "off", "decision": "", "waiting": False, "mails": []}
pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def run_json(*arguments: str) -> dict:
    return json.loads(run(*arguments, "--json"))


@pytest.fixture
def weekly(fake_provider, settings):
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"
    publication = make_publication()
    now = datetime.now(UTC)
    make_story("The first verdict", published_at=now - timedelta(hours=2), seen_at=now - timedelta(hours=1))
    make_event("Vigil", where=LONDON, starts_at=now + timedelta(days=14), seen_at=now - timedelta(hours=1))
    add_subscribers(publication, 12, where=LONDON)
    make_approver()
    return publication


def test_the_whole_week_by_hand(weekly, fake_provider, tmp_path):
    assembled = run_json("assemble", "weekly")
    assert assembled["state"] == "assembled"
    assert assembled["issue"]["number"] == 1
    assert run_json("assemble", "weekly")["issue"] == assembled["issue"]
    preview = run_json("preview", "weekly/latest", "--out", str(tmp_path / "look"))
    assert len(preview["variants"]) == 1
    approved = run_json("approve", "weekly/1", "--by", "Approver@Example.org")
    assert approved["state"] == "approved"
    assert "will be sent at" in run("send", "weekly/1")
    handed_over = run_json("send", "weekly/1")
    assert (handed_over["state"], handed_over["send"]) == ("approved", None)
    assert handed_over["due"]
    status = run_json("send", "weekly/1", "--now")
    assert status["state"] == "sent"
    assert status["deliveries"]["accepted"] == 12
    more = {"held_reason": "", "compared": [], "canary": NO_CANARY, "moves": []}
    assert run_json("status", "weekly/1") == {**status, **more}
    with pytest.raises(CommandError, match="is Sent, so it cannot be handed over"):
        run("send", "weekly/1")
    assert set(fake_provider.accepted_counts().values()) == {1}


@pytest.mark.parametrize(
    ("reason", "shown"),
    [("It was due at nine.", "It was due at nine."), ("a wrong date", "a wrong date."), ("", "no reason given.")],
)
def test_a_held_issue_says_why_it_is_held(weekly, reason: str, shown: str) -> None:
    run("assemble", "weekly")
    run("approve", "weekly/1", "--by", "approver@example.org")
    Issue.objects.update(held=True, held_reason=reason)
    assert f"\non hold: {shown}\n" in run("status", "weekly/1")
    assert run_json("status", "weekly/1")["held_reason"] == reason
    with pytest.raises(CommandError, match=rf"is on hold: {shown[:-1]}\. To send it anyway, add --release\."):
        run("send", "weekly/1", "--now")


def test_preview_writes_html_text_and_a_complete_mail(weekly, tmp_path):
    run("assemble", "weekly")
    (variant,) = run_json("preview", "weekly/latest", "--out", str(tmp_path))["variants"]
    key = variant["key"]
    html = (tmp_path / f"{key}.html").read_text()
    mail = message_from_bytes((tmp_path / f"{key}.eml").read_bytes(), policy=default)
    assert len(html.encode()) < 100_000
    assert "__pv_" not in html + (tmp_path / f"{key}.txt").read_text()
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail["List-Unsubscribe"].startswith("<http")
    assert run("preview", "weekly/latest", "--variant", key, "--out", str(tmp_path)).startswith(key)
    with pytest.raises(CommandError, match="has no variant"):
        run("preview", "weekly/latest", "--variant", "nothing")


def test_status_without_an_issue_lists_publications_slots_and_issues(weekly):
    run("assemble", "weekly")
    overview = run_json("status")
    assert [publication["slug"] for publication in overview["publications"]] == ["weekly"]
    assert overview["publications"][0]["schedule"].startswith("Every Thursday 09:00")
    assert [slot["state"] for slot in overview["slots"]] == ["assembled"]
    assert overview["issues"][0]["issue"] == "weekly/1"
    assert "weekly/1" in run("status")


def test_a_skipped_slot_says_so(weekly):
    Story.objects.all().delete()
    EventNotice.objects.all().delete()
    skipped = run_json("assemble", "weekly")
    assert (skipped["state"], skipped["issue"]) == ("skipped", None)
    assert skipped["reason"].startswith("Nothing new")


def test_the_receipt_as_csv_has_one_line_a_person_and_no_address(weekly, tmp_path):
    run("assemble", "weekly")
    run("approve", "weekly/1", "--by", "approver@example.org")
    with pytest.raises(CommandError, match="not been sent"):
        run("status", "weekly/1", "--csv", str(tmp_path / "receipt.csv"))
    run("send", "weekly/1", "--now")
    run("status", "weekly/1", "--csv", str(tmp_path / "receipt.csv"))
    text = (tmp_path / "receipt.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["state"] for row in rows] == ["accepted"] * 12
    assert "@" not in text
    with pytest.raises(CommandError, match="needs an ISSUE"):
        run("status", "--csv", str(tmp_path / "receipt.csv"))


def test_files_of_preview_and_status_are_private(weekly, tmp_path):
    run("assemble", "weekly")
    (variant,) = run_json("preview", "weekly/latest", "--out", str(tmp_path))["variants"]
    for end in ("html", "txt", "eml"):
        (tmp_path / f"{variant['key']}.{end}").chmod(0o644)
    run("preview", "weekly/latest", "--out", str(tmp_path))
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir() if file.suffix != ".journal"} == {0o600}
    with pytest.raises(CommandError, match=r"/proc/none/x cannot be written to: .* Choose another --out"):
        run("preview", "weekly/latest", "--out", "/proc/none/x")
    run("approve", "weekly/1", "--by", "approver@example.org")
    run("send", "weekly/1", "--now")
    receipt = tmp_path / "receipt.csv"
    receipt.touch(mode=0o644)
    run("status", "weekly/1", "--csv", str(receipt))
    assert receipt.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CommandError, match=r"cannot be written: .* Choose another --csv"):
        run("status", "weekly/1", "--csv", "/proc/none/x.csv")


def test_a_send_that_needs_attention_ends_with_its_own_exit_status(weekly, fake_provider):
    run("assemble", "weekly")
    run("approve", "weekly/1", "--by", "approver@example.org")
    fake_provider.fault_next(Fault("reset_after_accepting"))
    with pytest.raises(SystemExit) as ended:
        run("send", "weekly/1", "--now")
    assert ended.value.code == NEEDS_ATTENTION


def test_status_says_why_a_send_is_paused(weekly, fake_provider):
    run("assemble", "weekly")
    run("approve", "weekly/1", "--by", "approver@example.org")
    fake_provider.fault_next(answer(401))
    with pytest.raises(SystemExit):
        run("send", "weekly/1", "--now")
    said = run("status", "weekly/1")
    assert "send paused, provider mailgun (news.example.org)" in said
    assert "reason: Mailgun did not accept our key (answer 401)." in said


def test_status_says_why_a_send_makes_no_progress(weekly):
    run("assemble", "weekly")
    run("approve", "weekly/1", "--by", "approver@example.org")
    begun = datetime.now(UTC) - timedelta(minutes=5)
    send = start_send(issue=Issue.objects.get(), now=begun, at_once=True)
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTING, started_at=begun)
    assert "Nothing was sent in the last minute. Ask your administrator" in run("status", "weekly/1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("assemble", "weakly"), "There is no publication “weakly”. There are: weekly"),
        (("assemble", "weekly", "--due", "Thursday"), "not a date and time"),
        (("status", "weekly/9"), "There is no issue “weekly/9”"),
        (("status", "nonsense"), "Name one by its id"),
        (("approve", "weekly/1", "--by", "nobody@example.org"), "Nobody on the staff"),
        (("ingest", "--source", "Nothing"), "There is no source “Nothing”"),
        (("send", "weekly/1", "--now"), "is not approved"),
        (("doctor", "--release"), "needs --after-restore"),
    ],
)
def test_an_error_is_one_line(weekly, arguments, words):
    run("assemble", "weekly")
    with pytest.raises(CommandError, match=words) as refused:
        run(*arguments)
    assert "\n" not in str(refused.value)


def test_a_released_issue_whose_time_is_over_is_sent_within_a_minute(weekly):
    due = (datetime.now(UTC) - timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M")
    run("assemble", "weekly", "--due", due)
    run("approve", "weekly/1", "--by", "approver@example.org")
    said = run("send", "weekly/1", "--release")
    assert "It is sent within a minute if" in said
    assert "will be sent at" not in said


def test_ingest_says_of_each_source_what_was_new_and_what_failed():
    Source.objects.create(name="Gone", kind="feed", url="http://127.0.0.1:9/feed.xml")
    with serve_site() as site:
        Source.objects.create(
            name="Here",
            kind="feed",
            url=site.put("/feed.xml", FEED.format(site.url), Content_Type="application/rss+xml"),
        )
        gone, here = run_json("ingest")["sources"]
        assert set(gone) >= {"id", "name", "kind", "new", "updated", "unchanged", "set_aside", "error"}
        assert gone["error"]
        assert (here["new"], here["error"]) == (1, "")
        assert "Gone: " in run("ingest")


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_ingest_fails_if_no_source_could_be_read(form):
    Source.objects.create(name="Gone", kind="feed", url="http://127.0.0.1:9/feed.xml")
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"Could not read “Gone”: .*Correct it") as refused:
        call_command("ingest", *form, stdout=out)
    assert refused.value.returncode == 1
    assert "Gone" in out.getvalue()
    Source.objects.create(name="Lost", kind="feed", url="http://127.0.0.1:9/lost.xml")
    with pytest.raises(CommandError, match="None of the 2 sources could be read"):
        run("ingest", *form)


@pytest.mark.requirement("R2")
def test_after_a_restore_everything_is_held_until_a_person_releases_it(weekly):
    run("assemble", "weekly")
    run("approve", "weekly/1", "--by", "approver@example.org")
    issue = Issue.objects.get()
    start_send(issue=issue, now=datetime.now(UTC))
    doubt = run_json("doctor", "--after-restore")
    assert (doubt["held"], doubt["batches"], doubt["people"]) == (True, 2, 12)
    assert set(issue.sends.get().batches.values_list("state", flat=True)) == {"uncertain"}
    assert "All sending is on hold" in run("doctor", "--after-restore")
    run("doctor", "--after-restore", "--release")
    assert not Installation.objects.get().held
