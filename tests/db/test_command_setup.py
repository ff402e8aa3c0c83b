"""`newsletter setup` after its settings: the organisation, the first administrator, the sources and the proof."""

import io
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from wagtail.images.models import Image

from newsletter.common.commands.base import describe_start
from newsletter.common.errors import WrongState
from newsletter.management.commands import setup
from newsletter.management.commands.serve import describe_first_link
from newsletter.management.setup.answer_checks import MAX_ADDRESS_LENGTH, MAX_NAME_LENGTH
from newsletter.management.setup.first_steps import send_proof
from newsletter.management.setup.kept_answers import FILE, KeptAnswers
from newsletter.management.setup.prompt import Prompt
from newsletter.models import AuditEntry, Brand, Proof, Publication, Source, StaffLink, Story
from newsletter.organisation.accounts.first_administrator import add_first_administrator
from newsletter.organisation.accounts.staff import add_staff, role_of
from newsletter.organisation.accounts.staff_links import make_staff_link
from newsletter.organisation.health import sending
from newsletter.organisation.sample_files import write_samples
from newsletter.sending.adapters import current_adapter
from tests.support.dns_server import serve_dns
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import make_approver, make_publication, make_story
from tests.support.mail_server import MailServer, close, say, serve_mail
from tests.support.own_site import serve_own_site
from tests.support.web_site import Site

pytestmark = pytest.mark.django_db(transaction=True)
ANSWERS = {
    "--administrator": "ann@example.org",
    "--name": "Open Door",
    "--postal-address": "1 Example Street, Leeds",
    "--sender": "news@news.example.org",
    "--zone": "Europe/London",
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serve_own_site() as site:
        yield site


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    with serve_mail() as server:
        settings.NEWSLETTER_PROVIDER_URL = f"smtp://127.0.0.1:{server.port}"
        settings.SUBSCRIBERS_ONLY_TO = ["ann@example.org"]
        yield server
        current_adapter().close()


@pytest.fixture(autouse=True)
def _own_dns(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with serve_dns() as server:
        monkeypatch.setattr(sending, "SystemDns", server.make_dns)
        yield


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run the command in an empty folder with these answers on standard input, and return what it says."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run_setup(*typed: str, options: dict[str, str] | None = None, flags: tuple[str, ...] = ()) -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in typed)))
        given = [f"{name}={value}" for name, value in (options or {}).items()]
        call_command("setup", *given, *flags)
        return capsys.readouterr().out

    return run_setup


@pytest.mark.postgres
def test_a_script_sets_up_everything_without_a_question(run: Callable[..., str], site: Site) -> None:
    said = run(options={**ANSWERS, "--website": site.url}, flags=("--yes",))
    brand, publication, source = Brand.objects.get(), Publication.objects.get(), Source.objects.get()
    assert (brand.name, brand.postal_address, brand.website) == ("Open Door", "1 Example Street, Leeds", site.url)
    assert (brand.colour, brand.font.split(",")[0]) != ("#17414f", "Georgia")
    assert brand.logo.source_url == f"{site.url}/logo.png"
    assert (publication.from_email, publication.zone, publication.reply_to) == (
        "news@news.example.org",
        "Europe/London",
        "",
    )
    assert (source.url, source.kind, Story.objects.count()) == (f"{site.url}/feed.xml", "feed", 7)
    assert [(role_of(one), one.has_usable_password()) for one in User.objects.all()] == [("admin", False)]
    assert "Story 0 of the clinic" in said
    assert "Read Open Door: 7 new" in said
    assert "What is left to do." in said
    assert not Path(FILE).exists()


def test_without_a_provider_the_proof_is_in_a_file_that_is_named(run: Callable[..., str], site: Site) -> None:
    said = run(options={**ANSWERS, "--source": site.url}, flags=("--yes",))
    (named,) = (line.split(": ")[-1] for line in said.splitlines() if "it was written to a file" in line)
    assert b"Subject: [Proof]" in Path(named).read_bytes()
    assert Proof.objects.get().state == Proof.State.ACCEPTED


def test_the_proof_goes_by_the_account_of_its_publication(
    db: None, fake_provider: FakeProvider, settings: Any, tmp_path: Path
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "postmark://"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": fake_provider.provider_url}
    make_publication(account="backup")
    make_story("The clinic opens its doors", published_at=timezone.now(), seen_at=timezone.now())
    person = make_approver()
    prompt = Prompt({}, KeptAnswers(tmp_path), asks=False, say=print)
    assert send_proof(prompt, person=person) == f"Proof: sent to {person.email}. Look into your mailbox."
    assert fake_provider.accepted_counts() == {person.email: 1}


def test_a_disk_that_fails_leaves_the_proof_for_later(
    db: None, fake_provider: FakeProvider, settings: Any, tmp_path: Path
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "broken.png").symlink_to("/proc/self/mem")
    image = Image.objects.create(title="Harbour", file="broken.png", width=10, height=10)
    make_story("The clinic opens its doors", published_at=timezone.now(), seen_at=timezone.now(), library_image=image)
    make_publication()
    prompt = Prompt({}, KeptAnswers(tmp_path), asks=False, say=print)
    said = send_proof(prompt, person=make_approver())
    assert said.startswith("Proof: not sent. The server could not read or write a file (Input/output error)")
    assert said.endswith("Then run `newsletter setup` again.")
    assert fake_provider.accepted_counts() == {}


@pytest.mark.postgres
def test_with_a_provider_only_the_administrator_gets_the_proof(
    run: Callable[..., str], site: Site, mail_server: MailServer
) -> None:
    said = run(options={**ANSWERS, "--source": site.url}, flags=("--yes",))
    assert mail_server.recipients() == ["ann@example.org"]
    assert "Proof: sent to ann@example.org." in said
    assert "Only ann@example.org is mailed so far." in said
    assert "DMARC of news.example.org" in said, "what DNS lacks is a report"


def test_set_up_continues_if_the_provider_refuses_the_proof(
    run: Callable[..., str], site: Site, mail_server: MailServer
) -> None:
    mail_server.faults["RCPT"] = say("550 5.1.1 no such user")
    said = run(options={**ANSWERS, "--source": site.url}, flags=("--yes",))
    assert "Proof: not sent to ann@example.org." in said
    assert "Start it: newsletter serve" in said
    mail_server.faults["RCPT"] = say("250 2.1.5 ok")
    assert "Proof: sent to ann@example.org." in run(flags=("--yes",))


def test_set_up_of_the_debian_package_names_its_service(
    run: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "_SYSTEMD", tmp_path)
    assert "Start it: newsletter serve" in run(options=ANSWERS, flags=("--yes",))
    monkeypatch.setattr(sys, "prefix", "/usr/lib/newsletter")
    assert "Start it: newsletter serve" in run(flags=("--yes",))
    monkeypatch.setattr(setup, "_SERVICE_FOLDER", Path.cwd())
    assert "Start it: sudo systemctl enable --now newsletter\n" in run(flags=("--yes",))
    monkeypatch.setattr(setup, "_SYSTEMD", tmp_path / "missing")
    assert "Start it: newsletter serve" in run(flags=("--yes",))


def test_a_proof_with_an_unknown_outcome_is_called_uncertain(
    run: Callable[..., str], site: Site, mail_server: MailServer
) -> None:
    mail_server.faults["END"] = close
    assert "Proof: perhaps sent to ann@example.org." in run(options={**ANSWERS, "--source": site.url}, flags=("--yes",))


def test_a_real_provider_before_production_says_why_no_proof_was_sent(
    run: Callable[..., str], site: Site, mail_server: MailServer, settings: Any
) -> None:
    settings.SUBSCRIBERS_ONLY_TO = []
    said = run(options={**ANSWERS, "--source": site.url}, flags=("--yes",))
    assert "Proof: not sent. " in said
    assert "NEWSLETTER_ONLY_TO=ann@example.org" in said
    assert mail_server.mails == []


def test_without_a_story_the_proof_waits_and_the_rest_is_done(run: Callable[..., str]) -> None:
    said = run(options=ANSWERS, flags=("--yes",))
    assert "Proof: not sent. The first issue cannot be made yet: Nothing new" in said
    assert User.objects.count() == 1


def test_each_question_is_asked_and_a_bad_answer_again(run: Callable[..., str], site: Site) -> None:
    said = run(
        "example .org",
        site.url,
        "y",
        "news",
        "news@news.example.org",
        "",
        "",
        "1 Example Street, Leeds",
        "Europ/London",
        "Europe/London",
        f"{site.url}/look.css",
        "http://127.0.0.1:9/",
        "",
        "nobody",
        "ann@example.org",
    )
    for refused in (
        "“example .org” is not a web address",
        "There is no text",
        "“news” cannot be used",
        "“Europ/London” is not",
    ):
        assert refused in said
    assert "look.css is neither a feed nor a calendar" in said
    assert "Nothing can be gathered from there." in said
    assert "is too pale to read" in said
    assert (Brand.objects.get().name, Source.objects.count()) == ("Open Door", 1)


def test_a_web_site_that_cannot_be_read_may_be_written_again_or_used(run: Callable[..., str], site: Site) -> None:
    gone = "http://127.0.0.1:9/"
    rest = ("news@news.example.org", "Open Door", "1 Example Street, Leeds", "", "none", "ann@example.org")
    said = run(gone, "n", f"{site.url}/s/1/", "n", *rest)
    assert "So neither logo nor colours were taken" in said
    assert Brand.objects.get().logo is None
    Path("organisation.toml").unlink()
    run(gone, "y", *rest)
    assert Brand.objects.get().website == gone


def test_the_web_site_is_not_looked_at_if_nobody_wants_it(run: Callable[..., str], site: Site) -> None:
    site.asked.clear()
    run(options={**ANSWERS, "--website": site.url, "--source": "none"}, flags=("--yes", "--no-look"))
    assert site.asked == []
    assert Brand.objects.get().website == site.url


def test_a_script_may_name_a_web_site_without_a_feed(run: Callable[..., str], site: Site) -> None:
    said = run(options={**ANSWERS, "--website": f"{site.url}/s/1/"}, flags=("--yes",))
    assert "Stories and events: none." in said
    assert not Source.objects.exists()


def test_a_script_may_not_give_another_address_as_a_feed(run: Callable[..., str], site: Site) -> None:
    with pytest.raises(CommandError, match=r"^--source: .* is neither a feed nor a calendar"):
        run(options={**ANSWERS, "--source": f"{site.url}/look.css"}, flags=("--yes",))
    assert not Path("organisation.toml").exists()


def test_several_sources_are_chosen_and_each_gets_a_name_of_its_own(run: Callable[..., str], site: Site) -> None:
    feed = (
        site.pages["/feed.xml"]
        .body.decode()
        .replace("Story ", "Tale ")
        .replace("<guid>s", "<guid>t")
        .replace("/s/", "/t/")
    )
    site.put("/second.xml", feed, Content_Type="application/rss+xml")
    links = "".join(
        f'<link rel="alternate" type="application/rss+xml" title="News" href="/{name}.xml">'
        for name in ("feed", "second")
    )
    site.put("/two/", f"<title>Two</title>{links}", Content_Type="text/html")
    run("none", "1,2", "ann@example.org", options={**ANSWERS, "--source": f"{site.url}/two/"})
    assert sorted(Source.objects.values_list("name", "every_minutes")) == [("News", 30), ("News 2", 30)]
    assert Story.objects.count() == 14


def test_the_end_of_the_input_loses_no_answer(run: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match=r"Your answers are kept\. Go on with: newsletter setup"):
        run("none", "news@news.example.org", "Open Door")
    assert not Path("organisation.toml").exists()
    capsys.readouterr()
    said = run("1 Example Street, Leeds", "", "none", "ann@example.org")
    assert "Name of your organisation: Open Door (kept)" in said
    assert Brand.objects.get().name == "Open Door"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("n" * 101, r"has 101 characters\. There is only room for 100"),
        ("Open Door @ home", r"contains @, < or >"),
        ("Open Door, bigbank.com", r"“bigbank\.com” is not the domain of your sender’s address"),
        ("news.example.org", r"domain of the sender in it, which is not your website's"),
    ],
)
def test_a_name_that_mailboxes_refuse_stops_a_script(run: Callable[..., str], name: str, message: str) -> None:
    with pytest.raises(CommandError, match=rf"^--name: .*{message}"):
        run(options={**ANSWERS, "--name": name}, flags=("--yes",))
    assert not Path("organisation.toml").exists()
    run(options=ANSWERS, flags=("--yes",))
    assert Brand.objects.get().name == "Open Door", "the next run is not stopped by the bad name"


def test_the_lengths_of_answers_are_those_of_the_tables() -> None:
    assert Publication._meta.get_field("from_name").max_length == MAX_NAME_LENGTH
    assert Brand._meta.get_field("postal_address").max_length == MAX_ADDRESS_LENGTH


def test_a_name_that_mailboxes_refuse_is_asked_again(run: Callable[..., str]) -> None:
    KeptAnswers(Path()).keep("name", "n" * 101)
    typed = ("none", "news@news.example.org", "Open Door @ home", "Open Door", "1 Example Street, Leeds", "", "none")
    said = run(*typed, "ann@example.org")
    assert "has 101 characters" in said
    assert "contains @, < or >" in said
    assert (Brand.objects.get().name, Publication.objects.get().from_name) == ("Open Door", "Open Door")


def test_a_name_may_have_the_domain_of_sender_and_website(run: Callable[..., str]) -> None:
    answers = {**ANSWERS, "--name": "Example.org", "--website": "www.example.org", "--source": "none"}
    run(options=answers, flags=("--yes", "--no-look"))
    assert Publication.objects.get().from_name == "Example.org"


@pytest.mark.postgres
def test_a_long_name_of_a_website_is_cut_for_the_sender(run: Callable[..., str], site: Site) -> None:
    site.put("/long/", f"<title>{'n' * 130}</title>", Content_Type="text/html")
    answers = {name: value for name, value in ANSWERS.items() if name != "--name"}
    run(options={**answers, "--website": f"{site.url}/long/", "--source": "none"}, flags=("--yes",))
    assert Publication.objects.get().from_name == "n" * 100


def test_a_name_of_a_website_that_mailboxes_refuse_is_not_proposed(run: Callable[..., str], site: Site) -> None:
    site.put("/at/", "<title>Open Door @ home</title>", Content_Type="text/html")
    answers = {name: value for name, value in ANSWERS.items() if name != "--name"}
    with pytest.raises(CommandError, match=r"^--name is missing"):
        run(options={**answers, "--website": f"{site.url}/at/", "--source": "none"}, flags=("--yes",))


@pytest.mark.postgres
def test_a_second_run_changes_nothing_and_sends_nothing(run: Callable[..., str], site: Site) -> None:
    run(options={**ANSWERS, "--source": site.url}, flags=("--yes",))
    before, link = Path("organisation.toml").read_text(), StaffLink.objects.get()
    said = run("", options={"--name": "Another"})
    assert "Not used, because the file says it: --name." in said
    assert "0 created, 0 updated, 4 unchanged" in said
    assert "A proof for ann@example.org was written to a file on " in said
    assert "Proof: no other one was sent." in said
    assert Path("organisation.toml").read_text() == before
    assert (Proof.objects.count(), User.objects.count()) == (1, 1)
    assert StaffLink.objects.get() == link, "the link of the first run still works"


def test_a_file_that_somebody_wrote_is_applied_and_never_replaced(run: Callable[..., str]) -> None:
    Path("organisation.toml").write_text('[brand]\nname = "Mine"\n')
    assert "Kept: " in run(options={"--administrator": "ann@example.org"}, flags=("--yes",))
    assert Path("organisation.toml").read_text() == '[brand]\nname = "Mine"\n'
    assert Brand.objects.get().name == "Mine"


def test_an_unchanged_sample_of_init_is_replaced(run: Callable[..., str]) -> None:
    write_samples(Path())
    run(options=ANSWERS, flags=("--yes",))
    assert tomllib.loads(Path("organisation.toml").read_text())["brand"]["name"] == "Open Door"
    assert Brand.objects.get().name == "Open Door"


def test_a_folder_that_takes_no_file_keeps_the_answers(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from newsletter.management.commands import setup

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(setup, "write_organisation_file", refuse)
    with pytest.raises(CommandError, match=r"cannot be written: Permission denied\. Your answers are kept"):
        run(options=ANSWERS, flags=("--yes",))
    assert "Open Door" in Path(FILE).read_text()


def test_an_address_without_an_account_is_not_added_to_existing_staff(run: Callable[..., str]) -> None:
    add_staff(email="bea@example.org", role="admin", password="a-calm-harbour-morning")
    said = run(options=ANSWERS, flags=("--yes",))
    assert "none was made for ann@example.org" in said
    assert "Then sign in at http://127.0.0.1:8000/admin/" in said
    assert [one.username for one in User.objects.all()] == ["bea@example.org"]


def test_with_staff_but_no_administrator_no_proof_is_sent(run: Callable[..., str]) -> None:
    add_staff(email="ann@example.org", role="writer", password="a-calm-harbour-morning")
    assert "Proof" not in run(options=ANSWERS, flags=("--yes",))


def test_a_start_names_the_only_addresses_that_are_mailed(settings: Any) -> None:
    assert describe_start().endswith("Not production: no real mail is sent.")
    settings.SUBSCRIBERS_ONLY_TO = ["ann@example.org"]
    assert describe_start().endswith("Not production: only ann@example.org is mailed.")
    settings.NEWSLETTER_PRODUCTION = True
    assert describe_start().endswith("Production.")


def test_serve_prints_the_link_until_the_administrator_has_signed_in() -> None:
    now = timezone.now()
    assert "/accounts/first/" in describe_first_link(now=now)
    person = add_first_administrator(email="ann@example.org")
    first = describe_first_link(now=now)
    assert "choose the password of ann@example.org" in first
    assert describe_first_link(now=now) == first
    StaffLink.objects.update(expires_at=now)
    assert describe_first_link(now=now) != first
    User.objects.filter(pk=person.pk).update(last_login=now)
    assert describe_first_link(now=now) == ""
    with pytest.raises(WrongState):
        add_first_administrator(email="bea@example.org")
    assert AuditEntry.objects.filter(action="newsletter.staff_added").count() == 1


def test_the_first_links_say_until_when_they_work(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/London"
    now = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert "It works until 02 July 2026, 23:30 BST:\n" in describe_first_link(now=now)
    add_first_administrator(email="ann@example.org")
    assert "It works once, until 08 July 2026, 23:30 BST:\n" in describe_first_link(now=now)


def test_an_invitation_is_printed_again_while_it_works_for_a_day() -> None:
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    add_first_administrator(email="ann@example.org")
    first = describe_first_link(now=now)
    assert describe_first_link(now=now + timedelta(days=6)) == first
    later = describe_first_link(now=now + timedelta(days=6, seconds=1))
    assert "until 14 July 2026, 12:00 UTC" in later
    assert StaffLink.objects.filter(withdrawn_at=None).count() == 1, "the earlier link is withdrawn"


def test_a_link_of_one_hour_is_replaced_by_an_invitation() -> None:
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    person = add_first_administrator(email="ann@example.org")
    make_staff_link(person=person, kind=StaffLink.Kind.PASSWORD, by=None, now=now)
    assert "until 08 July 2026, 12:00 UTC" in describe_first_link(now=now)
    assert StaffLink.objects.get(withdrawn_at=None).kind == StaffLink.Kind.INVITATION
