"""DMARC reports: each is kept once, only of our domains; what failed is sorted by what it seems to be; nothing follows."""

import gzip
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from newsletter.content.parsing.aggregate_reports.parse_report import parse_report
from newsletter.content.parsing.aggregate_reports.report import AggregateReport, ReportFile, ReportProblem
from newsletter.content.parsing.aggregate_reports.unpack import MAX_UNPACKED_BYTES
from newsletter.inbound import process_mail
from newsletter.inbound.process_mail import handle_mail
from newsletter.inbound.store import store_mail
from newsletter.models import (
    DmarcRefusal,
    DmarcReport,
    DmarcReportRow,
    InboundMail,
    Publication,
    SenderDomain,
    StaffNotice,
)
from newsletter.sending.deliverability.dmarc_reports import store, summary
from newsletter.sending.deliverability.dmarc_reports.advice import (
    PolicyStep,
    advise_on_policy,
    advise_on_source,
    describe_source,
)
from newsletter.sending.deliverability.dmarc_reports.store import (
    MAX_SPAN,
    RETENTION,
    delete_old_reports,
    store_report,
    store_report_file,
)
from newsletter.sending.deliverability.dmarc_reports.summary import (
    SourceKind,
    list_reported_domains,
    summarise,
)
from newsletter.sending.deliverability.domains import domain_of
from tests.support.aggregate_reports import OTHER, OWN, make_record, make_report, make_report_mail
from tests.support.fixtures import NOW, make_publication

pytestmark = pytest.mark.django_db
DOMAIN = "news.example.org"
_Code = DmarcRefusal.Code


@pytest.fixture(autouse=True)
def publication(settings: Any) -> Publication:
    settings.NEWSLETTER_INBOUND_ADDRESS = "replies@news.example.org"
    return make_publication()


def take(*records: str, now: datetime = NOW, **fields: Any) -> DmarcRefusal.Code | None:
    """Store a report, as one that came by mail."""
    fields.setdefault("report_id", str(DmarcReport.objects.count() + 1))
    return store_report(parse_report(ReportFile(make_report(*records, **fields))), origin="imap", now=now)


def count_refused() -> dict[str, int]:
    return dict(DmarcRefusal.objects.values_list("code", "reports"))


def check_policy(policy: str = "none", *, domain: str = DOMAIN, tag: str = "p", sender: str = DOMAIN) -> None:
    SenderDomain.objects.create(
        domain=sender,
        findings=[],
        provider="smtp",
        policy_domain=domain,
        policy=policy,
        policy_tag=tag if policy else "",
    )


def failing(*records: str) -> tuple[SourceKind, str]:
    """Return the kind of the one server that failed, and what is said about it."""
    assert take(*records) is None
    (found,) = summarise(DOMAIN, days=30, now=NOW).failing
    return found.kind, str(describe_source(found))


# ---- one report ----


@pytest.mark.postgres
def test_a_report_is_kept_with_its_rows() -> None:
    assert take(make_record(mails=3), make_record(source=OTHER, mails=2, dkim="fail", signed_by="")) is None
    report = DmarcReport.objects.get()
    assert (report.reporter, report.domain, report.ends_at, report.origin) == ("google.com", DOMAIN, NOW, "imap")
    assert sorted(report.rows.values_list("source", "mails")) == [(OWN, 3), (OTHER, 2)]
    assert count_refused() == {}


@pytest.mark.postgres
def test_the_same_report_counts_once() -> None:
    assert take(make_record(mails=3), report_id="7") is None
    assert take(make_record(mails=9), report_id="7") is _Code.KNOWN
    assert take(report_id="7", reporter="Yahoo") is None
    assert sum(DmarcReportRow.objects.values_list("mails", flat=True)) == 4
    assert count_refused() == {"known": 1}


@pytest.mark.postgres
def test_the_database_refuses_a_second_copy_and_impossible_counts() -> None:
    take()
    report = DmarcReport.objects.get()
    report.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        report.save()
    for mails in (0, -1, 1_000_000_001):
        with pytest.raises(IntegrityError), transaction.atomic():
            DmarcReportRow.objects.update(mails=mails)


@pytest.mark.postgres
@pytest.mark.parametrize("domain", ["example.com", "org", "evil-news.example.org", "sub.news.example.org"])
def test_a_report_about_another_domain_is_refused_and_counted(domain: str) -> None:
    assert take(make_record(header_from=domain), domain=domain) is _Code.OTHER_DOMAIN
    assert take(make_record(header_from=domain), domain=domain) is _Code.OTHER_DOMAIN
    assert not DmarcReport.objects.exists()
    assert count_refused() == {"other_domain": 2}


def test_the_domain_of_the_dmarc_record_is_ours_too() -> None:
    assert take(domain="example.org") is _Code.OTHER_DOMAIN
    check_policy(domain="example.org")
    assert take(domain="example.org") is None
    SenderDomain.objects.update(domain="old.example.org")
    assert take(domain="example.org") is _Code.OTHER_DOMAIN, "the record of a domain that no publication uses"


def test_an_international_domain_is_ours_in_its_ascii_form(publication: Publication) -> None:
    publication.from_email = "news@münchen.example"
    publication.save()
    domain = domain_of(publication.from_email)
    assert domain.startswith("xn--")
    assert take(make_record(header_from=domain), domain=domain) is None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ends": NOW + timedelta(days=2)}, _Code.BAD_RANGE),
        ({"days": -1}, _Code.BAD_RANGE),
        ({"days": 365}, _Code.BAD_RANGE),
        ({"ends": NOW - RETENTION - timedelta(days=1)}, _Code.TOO_OLD),
        ({"ends": NOW + timedelta(hours=20)}, None),
        ({"days": MAX_SPAN.days}, None),
        ({"days": 0}, None),
    ],
)
def test_only_a_report_of_some_past_days_is_kept(fields: dict[str, Any], code: DmarcRefusal.Code | None) -> None:
    assert take(**fields) is code
    assert count_refused() == ({code.value: 1} if code else {})


def test_every_problem_of_a_file_has_a_code_to_count() -> None:
    assert store_report_file(b"Hello", now=NOW) is _Code.NOT_A_REPORT
    assert store_report_file(gzip.compress(b" " * (21 << 20)), now=NOW) is _Code.TOO_LARGE
    assert store_report_file(make_report(head="<!DOCTYPE f>"), now=NOW) is _Code.UNSAFE_XML
    assert store_report_file(make_report().replace(b"org_name", b"x"), now=NOW) is _Code.MISSING_FIELD
    assert store_report_file(make_report(make_record(mails="-5")), now=NOW) is _Code.BAD_VALUE
    assert store_report_file(make_report(), now=NOW) is None
    assert DmarcReport.objects.get().origin == "hand"


@pytest.mark.postgres
def test_a_flood_by_mail_is_refused_and_files_by_hand_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_REPORTS_A_DAY", 2)
    assert [take(), take(), take()] == [None, None, _Code.TOO_MANY]
    assert store_report_file(make_report(report_id="by hand"), now=NOW) is None
    assert take(now=NOW + timedelta(days=1, minutes=1)) is None
    monkeypatch.setattr(store, "MAX_ROWS_A_DAY", 1)
    assert take(now=NOW + timedelta(days=1, minutes=2)) is _Code.TOO_MANY


@pytest.mark.postgres
def test_old_reports_and_counts_are_deleted() -> None:
    take(ends=NOW - RETENTION + timedelta(hours=1))
    take()
    take(domain="example.com")
    assert delete_old_reports(now=NOW + timedelta(hours=2)) == 1
    assert DmarcReport.objects.get().ends_at == NOW
    assert count_refused() == {"other_domain": 1}
    assert delete_old_reports(now=NOW + RETENTION + timedelta(days=1)) == 1
    assert count_refused() == {}
    assert not DmarcReportRow.objects.exists()


# ---- mails ----


def read_mail(mail: EmailMessage, *, cut: bool = False) -> InboundMail:
    return handle_mail(store_mail(raw=mail.as_bytes(), origin="imap", cut=cut, now=NOW), now=NOW)


@pytest.mark.postgres
def test_a_report_that_comes_by_mail_is_kept_and_the_mail_forgotten() -> None:
    row = read_mail(make_report_mail(gzip.compress(make_report())))
    assert (row.state, row.kind, row.raw, row.sender) == ("done", "dmarc", None, "")
    assert DmarcReport.objects.get().domain == DOMAIN


def test_a_report_mail_with_a_bad_file_is_counted_and_not_sent_on() -> None:
    row = read_mail(make_report_mail(b"MZ\x90 a virus"))
    assert (row.state, row.kind) == ("done", "dmarc")
    assert count_refused() == {"not_a_report": 1}
    assert not row.forwards.exists()


def test_a_dmarc_report_bomb_is_counted_and_stops_no_other_mail() -> None:
    bomb = gzip.compress(make_report() + b" " * MAX_UNPACKED_BYTES)
    assert len(bomb) < 100_000
    row = read_mail(make_report_mail(bomb))
    assert (row.state, row.kind, row.raw) == ("done", "dmarc", None)
    assert count_refused() == {"too_large": 1}
    assert not DmarcReport.objects.exists()
    assert read_mail(make_report_mail(gzip.compress(make_report()))).state == "done"
    assert DmarcReport.objects.count() == 1


def test_a_mail_that_was_cut_is_too_large() -> None:
    read_mail(make_report_mail(), cut=True)
    assert count_refused() == {"too_large": 1}


def test_a_forged_sender_changes_nothing_but_the_counts() -> None:
    check_policy("none")
    before = list(SenderDomain.objects.values())
    bad = make_report(make_record(source=OTHER, mails=900_000, dkim="fail", disposition="reject", signed_by=""))
    read_mail(make_report_mail(gzip.compress(bad), sender="noreply@google.com.evil.example"))
    assert DmarcReport.objects.get().reporter == "google.com", "as the report says; nobody verifies it"
    assert list(SenderDomain.objects.values()) == before
    assert not StaffNotice.objects.exists()


@pytest.mark.postgres
def test_a_failure_while_it_is_kept_leaves_the_mail_to_be_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(process_mail, "store_report", fail)
    with pytest.raises(RuntimeError, match="no room"):
        read_mail(make_report_mail(gzip.compress(make_report())))
    assert InboundMail.objects.get().state == "waiting"
    monkeypatch.undo()
    assert handle_mail(InboundMail.objects.get(), now=NOW).state == "done"
    assert DmarcReport.objects.count() == 1


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[ReportFile]:
    """The files that are read as reports from now on."""
    files: list[ReportFile] = []

    def read(file: ReportFile) -> AggregateReport | ReportProblem:
        files.append(file)
        return parse_report(file)

    monkeypatch.setattr(process_mail, "parse_report_in_sandbox", read)
    return files


def test_no_file_is_opened_in_a_flood(monkeypatch: pytest.MonkeyPatch, opened: list[ReportFile]) -> None:
    monkeypatch.setattr(store, "MAX_REPORTS_A_DAY", 3)
    bodies = [make_report(), b"forged", make_report(domain="example.com"), b"forged too", make_report(report_id="2")]
    rows = [read_mail(make_report_mail(gzip.compress(body))) for body in bodies]
    assert [(row.state, row.kind) for row in rows] == [("done", "dmarc")] * 5
    assert len(opened) == 3
    assert count_refused() == {"not_a_report": 1, "other_domain": 1, "too_many": 2}
    assert store_report_file(make_report(report_id="by hand"), now=NOW) is None


def test_no_report_is_opened_in_a_mail_that_unsubscribes(
    monkeypatch: pytest.MonkeyPatch, opened: list[ReportFile]
) -> None:
    monkeypatch.setattr(process_mail, "find_unsubscribes", lambda recipients: ["somebody"])
    monkeypatch.setattr(process_mail, "unsubscribe_batch", lambda targets, **options: None)
    assert read_mail(make_report_mail()).kind == "unsubscribe"
    assert opened == []


# ---- who sends ----


@pytest.mark.postgres
def test_mail_that_passed_is_added_up_by_the_domain_that_vouches() -> None:
    take(make_record(mails=3000), make_record(source="192.0.2.11", mails=400, spf="pass", return_path=DOMAIN))
    take(make_record(mails=12, dkim="fail", spf="pass", signed_by="", return_path=f"bounce.{DOMAIN}"), reporter="Yahoo")
    found = summarise(DOMAIN, days=30, now=NOW)
    assert (found.passed, found.failed, found.failing) == (3412, 0, [])
    by_signature, by_path = found.passing
    assert (by_signature.name, by_signature.mails, by_signature.dkim, by_signature.spf) == (DOMAIN, 3400, 3400, 400)
    assert by_signature.servers == {OWN, "192.0.2.11"}
    assert (by_path.name, by_path.mails, by_path.dkim, by_path.spf) == (f"bounce.{DOMAIN}", 12, 0, 12)
    assert by_path.shown_reporters == ["Yahoo"]


@pytest.mark.postgres
def test_a_source_knows_its_days_and_who_reported() -> None:
    failed = make_record(source=OTHER, mails=4, dkim="fail", signed_by="", disposition="quarantine")
    rejected = make_record(source=OTHER, mails=2, dkim="fail", signed_by="", disposition="reject")
    take(failed, reporter="Yahoo", ends=NOW - timedelta(days=10))
    take(failed, rejected, ends=NOW)
    for number in range(6):
        take(failed, reporter=f"receiver{number}")
    (found,) = summarise(DOMAIN, days=30, now=NOW).failing
    source = found.source
    assert source.days == (datetime(2026, 2, 21, tzinfo=UTC).date(), NOW.date())
    assert (source.mails, source.quarantined, source.rejected, source.delivered) == (34, 32, 2, 0)
    assert len(source.shown_reporters) == 5
    assert source.more_reporters == 3


@pytest.mark.postgres
def test_only_reports_of_the_chosen_days_count() -> None:
    take(make_record(mails=5), ends=NOW - timedelta(days=40))
    take(make_record(mails=7))
    assert summarise(DOMAIN, days=30, now=NOW).passed == 7
    assert summarise(DOMAIN, days=90, now=NOW).passed == 12
    assert list_reported_domains(days=30, now=NOW) == [DOMAIN]


def test_an_unknown_server_is_named_with_what_to_do() -> None:
    kind, says = failing(make_record(), make_record(source=OTHER, mails=1200, dkim="fail", signed_by=""))
    assert kind is SourceKind.UNKNOWN
    assert says == "1,200 from 203.0.113.9 failed: unknown sender."
    assert "add it to SPF and DKIM, or stop it" in advise_on_source(kind)


def test_a_service_is_named_by_the_domains_it_uses() -> None:
    kind, says = failing(
        make_record(source=OTHER, mails=12, dkim="fail", signed_by="esp.example", return_path="bounces.esp.example")
    )
    assert kind is SourceKind.SERVICE
    assert says.endswith("a service that sends as bounces.esp.example, esp.example.")
    assert "set up DKIM for your domain there" in advise_on_source(kind)


@pytest.mark.parametrize("reason", ["forwarded", "mailing_list", "trusted_forwarder"])
@pytest.mark.parametrize("changes", [{"signature": "fail"}, {"signed_by": ""}])
def test_forwarded_mail_is_known_by_the_receivers_reason(changes: dict[str, str], reason: str) -> None:
    passed_there = make_record(source=OTHER)
    failed = make_record(source=OTHER, mails=5, dkim="fail", return_path="alumni.example.edu", reason=reason, **changes)
    kind, _ = failing(passed_there, failed)
    assert kind is SourceKind.FORWARDED
    assert "There is nothing to do" in advise_on_source(kind)


@pytest.mark.parametrize("return_path", ["", "bounces.esp.example"])
@pytest.mark.parametrize("passed_there", [[], [make_record(source=OTHER)]])
@pytest.mark.parametrize("reason", ["", "local_policy"])
def test_a_broken_signature_is_not_called_forwarded(return_path: str, passed_there: list[str], reason: str) -> None:
    broken = make_record(source=OTHER, mails=5, dkim="fail", signature="fail", return_path=return_path, reason=reason)
    kind, says = failing(make_record(), *passed_there, broken)
    assert kind is SourceKind.BROKEN_SIGNATURE
    assert says == "5 from 203.0.113.9 failed: signature broken."
    assert "compare the key there with the one in DNS" in advise_on_source(kind)


@pytest.mark.postgres
def test_forwarded_mail_does_not_hide_other_mail_of_its_server() -> None:
    broken = {"source": OTHER, "dkim": "fail", "signature": "fail"}
    take(make_record(mails=9, reason="forwarded", **broken), make_record(mails=4, **broken))
    found = summarise(DOMAIN, days=30, now=NOW)
    assert [(one.kind, one.source.mails) for one in found.failing] == [
        (SourceKind.FORWARDED, 9),
        (SourceKind.BROKEN_SIGNATURE, 4),
    ]


def test_a_server_in_our_spf_does_not_forward() -> None:
    kind, _ = failing(
        make_record(spf="pass", return_path=DOMAIN), make_record(mails=2, dkim="fail", reason="forwarded")
    )
    assert kind is SourceKind.OWN


def test_a_server_of_our_own_is_known_by_other_mail_that_passes() -> None:
    kind, says = failing(make_record(mails=50), make_record(mails=2, dkim="fail", signed_by=""))
    assert kind is SourceKind.OWN
    assert says == "2 from 192.0.2.10 failed: other mail of yours from there passes."
    assert "signs with your domain" in advise_on_source(kind)


def test_a_broken_signature_from_a_server_in_our_spf_is_our_own_failure() -> None:
    broken = make_record(mails=2, dkim="fail", signature="fail")
    kind, _ = failing(make_record(spf="pass", return_path=DOMAIN), broken)
    assert kind is SourceKind.OWN


@pytest.mark.postgres
def test_a_flood_of_rows_is_looked_at_in_part_and_counted_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "MAX_GROUPS", 1)
    take(*(make_record(source=f"203.0.113.{number}", mails=number, dkim="fail") for number in (1, 2, 3)))
    found = summarise(DOMAIN, days=30, now=NOW)
    assert (found.failed, [one.source.name for one in found.failing]) == (6, ["203.0.113.3"])


# ---- the policy ----


EVERY_OTHER_DAY = range(1, 28, 2)


def step(
    *records: str, policy: str = "none", tag: str = "p", ages: Iterable[int] = EVERY_OTHER_DAY
) -> tuple[PolicyStep, str]:
    """Return the advice after a report of today with the records, and reports of one mail so many days ago."""
    check_policy(policy, tag=tag)
    for age in ages:
        take(make_record(mails=1), ends=NOW - timedelta(days=age))
    take(*(records or [make_record(mails=1000)]))
    advice = advise_on_policy(DOMAIN, now=NOW)
    return advice.step, str(advice.text)


@pytest.mark.parametrize(("policy", "stricter"), [("none", "quarantine"), ("quarantine", "reject")])
def test_a_stricter_policy_is_safe_if_everything_passes(policy: str, stricter: str) -> None:
    found, text = step(policy=policy)
    assert found is PolicyStep.READY
    assert f"The policy at {DOMAIN} is {policy}." in text
    assert text.endswith(f"In the record _dmarc.{DOMAIN}, set p={stricter} and leave its other parts as they are.")


@pytest.mark.parametrize("tag", ["sp", "np"])
def test_the_advice_names_the_tag_that_decides(tag: str) -> None:
    found, text = step(policy="none", tag=tag)
    assert found is PolicyStep.READY
    assert f"The policy for {DOMAIN} is none, by {tag}= in the record _dmarc.{DOMAIN}." in text
    assert f"set {tag}=quarantine and leave its other parts as they are." in text
    assert "p=" not in text.replace(f"{tag}=", "")


def test_a_test_is_ended_before_a_policy_is_changed() -> None:
    found, text = step(policy="quarantine", tag="t")
    assert found is PolicyStep.READY
    assert f"is marked as a test (t=y). So the policy for {DOMAIN} is quarantine, one step less." in text
    assert text.endswith(f"In the record _dmarc.{DOMAIN}, take out t=y and leave its other parts as they are.")


def test_the_weakest_policy_of_a_record_gets_stricter_first(publication: Publication) -> None:
    other = make_publication(slug="other", name="Other")
    Publication.objects.filter(pk=other.pk).update(from_email="news@example.org")
    check_policy("none", domain="example.org", tag="sp")
    check_policy("reject", domain="example.org", sender="example.org")
    check_policy("none", domain="example.org", sender="unused.example.org")
    assert "by sp= in the record _dmarc.example.org" in advise_on_policy("example.org", now=NOW).text
    SenderDomain.objects.filter(domain=DOMAIN).update(policy="reject")
    assert advise_on_policy("example.org", now=NOW).step is PolicyStep.STRICTEST


@pytest.mark.postgres
def test_the_database_refuses_a_policy_without_its_tag() -> None:
    for fields in ({"policy": "none"}, {"policy_tag": "p"}, {"policy": "none", "policy_tag": "x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SenderDomain.objects.create(domain=DOMAIN, **fields)


def test_no_policy_is_stricter_than_reject() -> None:
    assert step(policy="reject")[0] is PolicyStep.STRICTEST


def test_forwarded_mail_does_not_delay_the_advice() -> None:
    forwarded = make_record(source=OTHER, mails=300, dkim="fail", signature="fail", reason="forwarded")
    assert step(make_record(mails=1000), forwarded)[0] is PolicyStep.READY


def test_broken_signatures_must_be_looked_at_first() -> None:
    broken = make_record(source=OTHER, mails=300, dkim="fail", signature="fail", return_path="bounces.esp.example")
    found, text = step(make_record(mails=1000), broken)
    assert found is PolicyStep.ASK_ABOUT_SERVERS
    assert "broken signature below first" in text


@pytest.mark.parametrize(
    ("mails", "ages"),
    [
        (1000, [29]),
        (1000, [60]),
        (1000, range(20)),
        (1000, [7, 14]),
        (1000, [*range(6), *range(14, 28)]),
        (1000, range(28, 60)),
        (80, EVERY_OTHER_DAY),
    ],
)
def test_a_stricter_policy_waits_for_enough_reports(mails: int, ages: Iterable[int]) -> None:
    found, text = step(make_record(mails=mails), ages=ages)
    assert found is PolicyStep.TOO_EARLY
    assert "some in each of the last four weeks" in text


def test_reports_of_a_weekly_newsletter_are_enough() -> None:
    assert step(make_record(mails=1000), ages=[1, 8, 15, 22])[0] is PolicyStep.READY


@pytest.mark.postgres
def test_one_long_report_does_not_cover_four_weeks() -> None:
    take(make_record(mails=1000), days=MAX_SPAN.days)
    assert step(ages=[])[0] is PolicyStep.TOO_EARLY


@pytest.mark.parametrize(("failed", "expected"), [(6, PolicyStep.REPAIR_OWN), (5, PolicyStep.READY)])
def test_our_own_mail_must_pass_first(failed: int, expected: PolicyStep) -> None:
    found, _ = step(make_record(mails=1000), make_record(mails=failed, dkim="fail", signed_by=""))
    assert found is expected


@pytest.mark.parametrize("signed_by", ["", "esp.example"])
def test_unknown_senders_and_services_must_be_looked_at_first(signed_by: str) -> None:
    found, text = step(make_record(mails=1000), make_record(source=OTHER, dkim="fail", signed_by=signed_by))
    assert found is PolicyStep.ASK_ABOUT_SERVERS
    assert "set p=quarantine" in text


def test_without_a_check_of_dns_there_is_no_advice() -> None:
    take()
    assert advise_on_policy(DOMAIN, now=NOW).step is PolicyStep.NOT_CHECKED
    check_policy("")
    assert advise_on_policy(DOMAIN, now=NOW).step is PolicyStep.NOT_CHECKED


# ---- the command ----


def test_the_command_adds_files_and_names_those_it_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime.now(UTC)
    good, other = tmp_path / "a.xml.gz", tmp_path / "b.xml"
    good.write_bytes(gzip.compress(make_report(ends=now)))
    other.write_bytes(b"Hello")
    call_command("provider", "dmarc", str(good))
    assert "Added 1 of 1 reports." in capsys.readouterr().out
    with pytest.raises(CommandError, match="2 of 2 files were not added"):
        call_command("provider", "dmarc", str(good), str(other))
    said = capsys.readouterr().out
    assert f"{good}: Came before." in said
    assert f"{other}: No report, or damaged." in said
    with pytest.raises(CommandError):
        call_command("provider", "dmarc", "--json", str(other))
    assert '"added": 0' in capsys.readouterr().out
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("provider", "dmarc", str(tmp_path / "missing.xml"))


def test_a_file_that_cannot_be_read_hides_no_earlier_refusal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "b.xml"
    other.write_bytes(b"Hello")
    missing = str(tmp_path / "missing.xml")
    with pytest.raises(CommandError, match="except those named above"):
        call_command("provider", "dmarc", str(other), missing)
    assert f"{other}: No report, or damaged." in capsys.readouterr().out
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("provider", "dmarc", "--json", str(other), missing)
    assert json.loads(capsys.readouterr().out) == {"added": 0, "refused": {str(other): "not_a_report"}}
