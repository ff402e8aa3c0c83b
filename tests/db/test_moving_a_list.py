"""Follow docs/how-to/move-a-list.md with files of Mailchimp and listmonk: who unsubscribed goes first and stays away."""

import io
from pathlib import Path

import pytest

from subscribers.audience.eligibility import eligible
from subscribers.importing.reading.errors import BadFile
from subscribers.importing.writing.import_people import ConsentTerms, PeopleFile, import_people
from subscribers.importing.writing.report import ImportReport
from subscribers.models import ImportBatch, ImportKind, MailingList, Reason, Subscriber, Suppression, Topic
from tests.support.people import NOW, make_list

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/move-a-list.md"
DESK = ROOT / "templates" / "web" / "desk" / "imports"
MAILCHIMP = "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,TIMEZONE,CC,REGION,LAST_CHANGED"
TAIL = "LEID,EUID,NOTES,TAGS"
LEFT = "UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER"
CLEANED = "CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID"
LISTMONK = "uuid,email,name,attributes,status,created_at,updated_at"


def mailchimp(email: str, *, more: str = "") -> str:
    return (
        f"{email},Ann,Lee,3,2021-03-04 05:06:07,2021-03-04 05:16:07,Europe/London,GB,ENG,2024-01-02 03:04:05,"
        f'{more}1,2,,"""Land rights"",""Volunteers"""\n'
    )


def listmonk(email: str, *, status: str = "enabled", attributes: str = "{}") -> str:
    quoted = attributes.replace('"', '""')
    return f'1f,{email},Ann Lee,"{quoted}",{status},2023-01-02T03:04:05.6Z,2023-01-02T03:04:05.6Z\n'


def bring_in(weekly: MailingList, header: str, *rows: str, name: str = "file.csv", kind: str = "") -> ImportReport:
    return import_people(
        PeopleFile(content=io.BytesIO("".join([header, "\n", *rows]).encode()), name=name),
        mailing_list=weekly,
        terms=ConsentTerms(basis="consent", evidence="Form of the old tool, double opt-in, since 2019", kind=kind),
        by="kim",
        clock=lambda: NOW,
    )


def readers(weekly: MailingList) -> set[str]:
    return set(eligible(mailing_list=weekly, now=NOW).values_list("subscriber__email", flat=True))


def test_a_mailchimp_list_moves_without_the_unsubscribed_and_cleaned() -> None:
    weekly = make_list()
    Topic.objects.create(slug="land", name="Land rights")
    left = ["2024-01-02 03:04:05,Spring,9,NORMAL,,", "2024-01-02 03:04:05,Spring,9,SPAM,,"]
    rows = [mailchimp("left@example.org", more=left[0]), mailchimp("angry@example.org", more=left[1])]
    bring_in(weekly, f"{MAILCHIMP},{LEFT},{TAIL}", *rows, name="unsubscribed_1a2b.csv")
    gone = mailchimp("gone@example.org", more="2024-01-02 03:04:05,Spring,9,")
    bring_in(weekly, f"{MAILCHIMP},{CLEANED},{TAIL}", gone, name="cleaned_1a2b.csv")
    everybody = ["ann@example.org", "ANN@example.org", "left@example.org", "gone@example.org", "broken@"]
    report = bring_in(
        weekly, f"{MAILCHIMP},{TAIL}", *(mailchimp(email) for email in everybody), name="subscribed_1a2b.csv"
    )
    assert readers(weekly) == {"ann@example.org"}
    assert (report.new, report.repeated, report.suppressed, report.refused) == (1, 1, 2, 1)
    reasons = sorted(Suppression.objects.values_list("reason", flat=True))
    assert reasons == sorted([Reason.UNSUBSCRIBE, Reason.COMPLAINT, Reason.HARD])
    ann = Subscriber.objects.get()
    assert (ann.name, str(ann.place), [topic.slug for topic in ann.topics.all()]) == (
        "Ann Lee",
        "England, United Kingdom",
        ["land"],
    )


def test_nonsubscribed_people_of_mailchimp_are_not_imported() -> None:
    weekly = make_list()
    with pytest.raises(BadFile, match="never asked"):
        bring_in(weekly, f"{MAILCHIMP},{TAIL}", mailchimp("ann@example.org"), name="nonsubscribed_1a2b.csv")
    assert not ImportBatch.objects.exists()


def test_a_list_moves_from_listmonk_without_those_who_left_or_are_blocked() -> None:
    weekly, events = make_list(), make_list("events")
    bring_in(weekly, LISTMONK, listmonk("left@example.org"), name="left.csv", kind="left_list")
    bring_in(weekly, LISTMONK, listmonk("blocked@example.org", status="blocklisted"), name="blocked.csv")
    people = [
        listmonk("ann@example.org", attributes='{"city": "Leeds", "country": "GB", "shoe": 7}'),
        listmonk("left@example.org"),
        listmonk("blocked@example.org"),
    ]
    bring_in(weekly, LISTMONK, *people, name="readers.csv")
    bring_in(events, LISTMONK, *people, name="readers.csv")
    assert readers(weekly) == {"ann@example.org"}
    assert readers(events) == {"ann@example.org", "left@example.org"}
    assert str(Subscriber.objects.get(email="ann@example.org").place) == "Leeds, England, United Kingdom"


def test_the_page_calls_the_parts_of_desk_and_command_by_their_names() -> None:
    page = PAGE.read_text(encoding="utf-8")
    desk = "".join((DESK / name).read_text(encoding="utf-8") for name in ("all.html", "new.html", "terms.html"))
    assert f"*{ImportKind.LEFT_LIST.label}*" in page
    assert "--as unsubscribed" in page
    for words in ("Continue", "Add people", "Check the file"):
        assert words in page
        assert words in desk
