"""The outbox writes what would have been sent, once, and a page that staff can click through."""

import json
import os
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from html.parser import HTMLParser
from pathlib import Path

import pytest

from newsletter.providers.base.contract import BatchCall, Verdict
from newsletter.providers.base.errors import BadBatch, BadMail
from newsletter.providers.outbox.adapter import Outbox, find_issue_folder, make_safe_name
from newsletter.providers.outbox.index import read_outbox_variants, write_index
from tests.support.provider_fixtures import make_call, make_mail, make_recipient

WHEN = datetime(2027, 3, 4, 9, 0, tzinfo=UTC)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(folder=tmp_path, clock=lambda: WHEN)


def batch(key: str, *numbers: int, variant: str = "en-near-1", **mail: object) -> BatchCall:
    people = [make_recipient(number) for number in numbers]
    return BatchCall(key=key, issue="weekly/12", variant=variant, mail=make_mail(**mail), people=people)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.targets += [value for name, value in attrs if name in ("href", "src") and value]


def test_a_batch_is_accepted_and_leaves_one_line_for_each_person(outbox: Outbox, tmp_path: Path) -> None:
    outcome = outbox.deliver(batch("b1", 1, 2, 3, 4, 5))
    lines = [json.loads(line) for line in (tmp_path / "weekly-12/batches/b1.jsonl").read_text().splitlines()]
    assert (outcome.verdict, outcome.provider_id) == (Verdict.ACCEPTED, "outbox-b1")
    assert [line["delivery"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[1] == {
        "delivery": 2,
        "address": "person2@example.com",
        "variant": "en-near-1",
        "unsubscribe": "https://example.org/u/token-2?list=1&from=mail",
    }


def test_the_first_three_people_of_a_variant_are_written_as_complete_mails(outbox: Outbox, tmp_path: Path) -> None:
    outbox.deliver(batch("b1", 1, 2, 3, 4))
    outbox.deliver(batch("b2", 5, 6))
    folder = tmp_path / "weekly-12/en-near-1"
    assert sorted(path.name for path in folder.glob("*.eml")) == ["001.eml", "002.eml", "003.eml"]
    mail = BytesParser(policy=policy.default).parsebytes((folder / "002.eml").read_bytes())
    assert (mail["To"], mail["Subject"], mail["Date"].datetime) == ("person2@example.com", "Good news for Reader", WHEN)
    assert mail["List-Unsubscribe"] == "<https://example.org/u/token-2?list=1&from=mail>"
    assert "__pv_" not in (folder / "002.html").read_text() + (folder / "002.txt").read_text()


def test_a_batch_too_small_for_three_samples_is_topped_up_by_the_next(outbox: Outbox, tmp_path: Path) -> None:
    outbox.deliver(batch("b1", 1))
    outbox.deliver(batch("b2", 2, 3, 4))
    assert len(list((tmp_path / "weekly-12/en-near-1").glob("*.eml"))) == 3


def test_writing_a_batch_again_changes_nothing(outbox: Outbox, tmp_path: Path) -> None:
    outbox.deliver(batch("b1", 1, 2, 3, 4))
    outbox.deliver(batch("b2", 5, 6, 7))
    before = snapshot(tmp_path)
    outbox.deliver(batch("b2", 5, 6, 7))
    outbox.deliver(batch("b1", 1, 2, 3, 4))
    assert snapshot(tmp_path) == before


def test_the_page_counts_people_by_variant_and_its_links_work(outbox: Outbox, tmp_path: Path) -> None:
    outbox.deliver(batch("b1", 1, 2, 3, 4))
    outbox.deliver(batch("b2", 5, 6))
    outbox.deliver(batch("b3", 7, variant="es-online"))
    page = tmp_path / "weekly-12/index.html"
    outbox_variants = read_outbox_variants(page.parent)
    assert [(one.variant, one.people) for one in outbox_variants] == [("en-near-1", 6), ("es-online", 1)]
    links = Links()
    links.feed(page.read_text())
    assert "script" not in links.tags
    for target in links.targets:
        if target.startswith("#"):
            assert f'id="{target[1:]}"' in page.read_text()
        else:
            assert (page.parent / target).exists(), target
    assert "7 people," in page.read_text()
    assert f"<h1>Outbox: {outbox_variants[0].subject}</h1>" in page.read_text()


@pytest.mark.requirement("X2")
def test_hostile_text_is_escaped_on_the_page(outbox: Outbox, tmp_path: Path) -> None:
    """For the staff's own page."""
    outbox.deliver(batch("b1", 1, variant='"><script>alert(1)</script>', subject="<img src=x onerror=alert(1)>"))
    page = (tmp_path / "weekly-12/index.html").read_text()
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;img src=x" in page


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc", "..", "", "a/b", "a\x00b", "x" * 300, "C:\\x", "ねこ", "batches"]
)
def test_no_name_leads_out_of_the_outbox(outbox: Outbox, tmp_path: Path, name: str) -> None:
    outbox.deliver(BatchCall(name, name, name, make_mail(), [make_recipient(1)]))
    (issue,) = tmp_path.iterdir()
    assert sorted(path.name for path in issue.iterdir() if path.name != "index.html") == sorted(
        [make_safe_name(name), "batches"]
    )


def test_names_that_differ_stay_different_as_files() -> None:
    names = ["a b", "a-b", "a/b", "a_b", "A-b", "weekly/1", "x" * 61, "x" * 62]
    assert len({make_safe_name(name) for name in names}) == len(names)


def test_an_issues_folder_can_be_found_from_its_name(tmp_path: Path) -> None:
    assert find_issue_folder(outbox=tmp_path, issue="weekly/12") == tmp_path / "weekly-12"


def test_an_address_that_cannot_be_sent_to_is_rejected_alone(outbox: Outbox, tmp_path: Path) -> None:
    outcome = outbox.deliver(make_call(make_recipient(1), make_recipient(2, address="no address")))
    assert outcome.verdict is Verdict.ACCEPTED
    assert outcome.people[2][0] is Verdict.REJECTED
    assert len((tmp_path / "weekly-12/batches/batch-1.jsonl").read_text().splitlines()) == 1


def test_a_batch_of_addresses_that_cannot_be_sent_to_writes_nothing(outbox: Outbox, tmp_path: Path) -> None:
    assert outbox.deliver(make_call(make_recipient(2, address="no address"))).verdict is Verdict.REJECTED
    assert list(tmp_path.iterdir()) == []


@pytest.mark.requirement("F10")
def test_a_folder_that_cannot_be_written_means_not_sent_and_stops_the_send(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    outcome = Outbox(folder=tmp_path / "file").deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.NOT_SENT, True)
    assert "Check the folder" in outcome.reason


def test_a_write_that_fails_leaves_no_half_file(
    outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", disk_full)
    outcome = outbox.deliver(make_call())
    assert outcome.verdict is Verdict.NOT_SENT
    assert "No space left on device" in outcome.reason
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_too_many_people_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadBatch, match="outbox takes 2 at once"):
        Outbox(folder=tmp_path, max_batch=2).deliver(make_call())


def test_a_mail_that_no_provider_would_take_is_refused_here_too(outbox: Outbox, tmp_path: Path) -> None:
    with pytest.raises(BadMail):
        outbox.deliver(batch("b1", 1, subject="a\r\nBcc: x@example.com"))
    assert list(tmp_path.iterdir()) == []


def test_a_big_send_refreshes_the_page_only_when_it_is_asked_to(outbox: Outbox, tmp_path: Path) -> None:
    for number in range(60):
        outbox.deliver(batch(f"b{number}", number))
    page = tmp_path / "weekly-12/index.html"
    assert "60 people" not in page.read_text()
    write_index(page.parent)
    assert "60 people" in page.read_text()


def test_sending_again_is_harmless_so_the_outbox_says_it_is_idempotent(outbox: Outbox) -> None:
    outbox.close()
    assert outbox.capabilities.reconcile == "replay"
