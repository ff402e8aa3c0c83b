"""The subject test of an issue, for pages: who gets which subject, until when the others wait, and the result. Reads only."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypedDict

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.common.errors import BadRule, NotReady
from newsletter.common.translation import format_percent
from newsletter.desk.publications.slot_text import format_due_short
from newsletter.desk.shell.labels import label_people
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.issues.variants.recipient_groups import make_stored_group
from newsletter.issues.variants.subject_assignment import FIRST, NO_TEST, WAITS
from newsletter.issues.variants.subject_test_rules import MIN_PEOPLE, count_arms, count_people_by_arm
from newsletter.models import Issue, Send, SubjectTest
from newsletter.models.variant_labels import LETTERS
from newsletter.rendering.merge import show_defaults
from newsletter.sending.subject_tests.decide_subject import find_decision_time
from newsletter.sending.subject_tests.measure_subjects import counts_clicks


@dataclass(frozen=True)
class SubjectRow:
    """One subject: its people, and the responses and their share once it is decided. ``chosen``: the others get it."""

    number: int
    letter: str
    subject: str
    preheader: str
    people: int | None
    responses: int | None = None
    share: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class SubjectTestView:
    """``sentences`` say who waits and until when, or which subject was chosen and why. ``measure`` heads the responses.

    ``is_stopped``: the others get nothing until the send is resumed.
    """

    rows: list[SubjectRow]
    sentences: list[str] = field(default_factory=list)
    measure: str = ""
    is_decided: bool = False
    can_choose: bool = False
    is_stopped: bool = False


class SubjectTestContext(TypedDict):
    """The context of desk/parts/subject_test.html. ``can_set_subject_test``: the user may add, change or remove it.

    ``subject_test_people`` are the fewest recipients with whom two subjects can be tested.
    """

    subject_test: SubjectTestView | None
    can_set_subject_test: bool
    subject_test_people: int


def subject_test_context(issue: Issue, *, send: Send | None, user: User | AnonymousUser) -> SubjectTestContext:
    """Return the test of an issue with its numbers as of now, or as of its decision."""
    test = SubjectTest.objects.filter(issue=issue).first()
    is_open = send is None and issue.state in Issue.UNSENT_STATES
    can_have_one = issue.kind == Issue.Kind.ISSUE and issue.completes_id is None
    return {
        "subject_test": _make_view(test, issue=issue, send=send, user=user) if test else None,
        "can_set_subject_test": is_open and can_have_one and user.has_perm("newsletter.change_issue"),
        "subject_test_people": MIN_PEOPLE * 2 * 100 // SubjectTest.MAX_SHARE,
    }


def describe_subject_wait(send: Send) -> str:
    """Return who waits for the decision of a subject test, or "" if nobody does."""
    people = send.batches.filter(waits=True).aggregate(people=Sum("size"))["people"]
    return (
        _("Waiting for the result of the subject test: %(people)s.") % {"people": label_people(people)}
        if people
        else ""
    )


def is_stopped(send: Send) -> bool:
    """Return True if the send continues only after somebody resumes it."""
    return send.state in (Send.State.PAUSED, Send.State.NEEDS_ATTENTION)


def _make_view(test: SubjectTest, *, issue: Issue, send: Send | None, user: User | AnonymousUser) -> SubjectTestView:
    if test.decided_at is not None:
        return SubjectTestView(
            rows=_list_rows(test, issue=issue, people=[result["people"] for result in test.results]),
            sentences=[
                _describe_decision(test),
                _describe_measure(by_clicks=test.measure == SubjectTest.Measure.CLICKS),
            ],
            measure=str(test.get_measure_display()),
            is_decided=True,
        )
    people = _count_people(issue, send=send)
    counted = [people[arm] for arm in range(FIRST, FIRST + test.number_of_subjects)] if people else []
    return SubjectTestView(
        rows=_list_rows(test, issue=issue, people=counted),
        sentences=_describe_waiting(test, issue=issue, send=send, people=people or {}),
        can_choose=send is not None
        and user.has_perm("newsletter.send_issue")
        and send.batches.filter(waits=True).exists()
        and send.state not in (Send.State.CANCELLED, Send.State.SUBMITTED),
        is_stopped=send is not None and is_stopped(send),
    )


def _count_people(issue: Issue, *, send: Send | None) -> dict[int, int]:
    """Return the people by arm: those of the send, or of the current audience; {} if unknown."""
    if send is not None and send.revision is not None:
        rows = send.revision.groups.filter(variant__isnull=False)
        return dict(count_arms(make_stored_group(row) for row in rows))
    try:
        return dict(count_people_by_arm(issue, content=resolve_complete_content(issue)))
    except (NotReady, BadRule):
        return {}


def _list_rows(test: SubjectTest, *, issue: Issue, people: list[int]) -> list[SubjectRow]:
    texts = [(issue.subject, issue.preheader)]
    texts += [(tested["subject"], tested["preheader"] or issue.preheader) for tested in test.subjects]
    rows = []
    for index, (subject, preheader) in enumerate(texts):
        result = test.results[index] if index < len(test.results) else None
        rows.append(
            SubjectRow(
                number=FIRST + index,
                letter=LETTERS[index],
                subject=show_defaults(subject),
                preheader=show_defaults(preheader),
                people=people[index] if index < len(people) else None,
                responses=result["responses"] if result else None,
                share=format_percent(100 * result["responses"] / result["people"])
                if result and result["people"]
                else "",
                chosen=test.winner == FIRST + index,
            )
        )
    return rows


def _describe_waiting(test: SubjectTest, *, issue: Issue, send: Send | None, people: dict[int, int]) -> list[str]:
    """Describe who waits until when, how the winner is chosen, and who is not in the test."""
    waiting = label_people(people.get(WAITS, 0))
    at = find_decision_time(send, test=test) if send else None
    if send is not None and send.state == Send.State.CANCELLED:
        return [_("The send was cancelled before the decision. The people who waited did not get this issue.")]
    if send is not None and at is None:
        sentences = [
            ngettext(
                "Waiting until %(hours)s hour after the last mail with these subjects: %(people)s.",
                "Waiting until %(hours)s hours after the last mail with these subjects: %(people)s.",
                test.wait_hours,
            )
            % {"people": waiting, "hours": test.wait_hours}
        ]
    else:
        moment = at or (issue.due_at + timedelta(hours=test.wait_hours) if issue.due_at else None)
        when = _("until %(moment)s") if at else _("until about %(moment)s")
        until = (
            when % {"moment": format_due_short(moment, zone=issue.publication.zone)}
            if moment
            else ngettext("for %(hours)s hour", "for %(hours)s hours", test.wait_hours) % {"hours": test.wait_hours}
        )
        sentences = [
            _("Waiting %(until)s: %(people)s. Then they get the subject that did better.")
            % {"people": waiting, "until": until}
        ]
    if people.get(NO_TEST):
        sentences.append(
            _("Not in the test: %(people)s. They read another language, or get only events.")
            % {"people": label_people(people[NO_TEST])}
        )
    content = IssueContent.from_json(send.revision.content) if send and send.revision else None
    by_clicks = counts_clicks(content) if content else issue.publication.clicks != "off"
    return [*sentences, _describe_measure(by_clicks=by_clicks)]


def _describe_measure(*, by_clicks: bool) -> str:
    if by_clicks:
        return _(
            "Clicks decide: those on the link that was followed most, so that a person who follows three links counts once. "
            "Somebody who follows it again after an hour, or with another device, counts again. Nobody’s clicks are recorded "
            "by name."
        )
    return _(
        "This publication does not count clicks, so replies on record decide: more is better. If they show no difference, "
        "unsubscribes and complaints decide: fewer is better. Both are rare, so the result will often be “no difference”."
    )


def _describe_decision(test: SubjectTest) -> str:
    letter = LETTERS[(test.winner or FIRST) - 1]
    match test.outcome:
        case SubjectTest.Outcome.BETTER:
            return _(
                "Subject %(letter)s did best, and chance alone rarely makes such a difference. The others got it."
            ) % {"letter": letter}
        case SubjectTest.Outcome.SOME_WORSE:
            return _(
                "Some subjects did worse than others. Among the rest, no difference is clear, so the others got the first of "
                "them, subject %(letter)s."
            ) % {"letter": letter}
        case SubjectTest.Outcome.BY_STAFF:
            return _("Staff chose subject %(letter)s for the others before the time was over.") % {"letter": letter}
        case SubjectTest.Outcome.TOO_FEW:
            return _("Fewer than 500 people got each subject, too few to tell. The others got subject A.")
        case _:
            return _("No difference: chance alone often makes one as large as this. The others got subject A.")
