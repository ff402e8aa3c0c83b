"""Blocks for some readers only: who gets them, who gets no mail, and what staff read if a rule cannot be used."""

import pytest

from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.assembly.reassemble import reassemble_issue
from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.issues.reuse.templates import save_template
from newsletter.issues.snapshot.incomplete_parts import find_incomplete_parts
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.count_recipients import count_final_audience
from newsletter.issues.variants.recipient_groups import find_groups
from newsletter.models import Batch, Delivery, Issue, Publication, ReaderGroup, ShownItem, Variant
from newsletter.sending.freezing.start import start_send
from subscribers.models import Segment, Subscriber, SubscriberAttribute, Topic
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.limited_blocks import add_limited_note, limit_block

pytestmark = pytest.mark.django_db(transaction=True)


def add_reader(publication: Publication, number: int, **fields: object) -> Subscriber:
    return add_subscribers(publication, 1, start=number, **fields)[0]


def approve_and_start(issue: Issue) -> None:
    approve_issue(issue=Issue.objects.get(pk=issue.pk), by=make_approver(), now=NOW)
    start_send(issue=Issue.objects.get(pk=issue.pk), now=NOW)


def find_mail(person: Subscriber) -> Variant:
    return Batch.objects.get(deliveries=Delivery.objects.get(subscriber_id=person.pk)).variant


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The first verdict", days_old=1)
    make_story("The second verdict", days_old=2)
    add_subscribers(publication, 1, giving="none")
    return make_issue(publication)


def make_segment(**changes: object) -> Segment:
    return Segment.objects.create(**{"slug": "volunteers", "name": "Volunteers", "rule": {"language": "es"}, **changes})


@pytest.mark.requirement("N3")
def test_a_block_is_in_the_mails_of_those_who_meet_its_rule(issue: Issue) -> None:
    Topic.objects.create(slug="law", name="Law")
    make_segment()
    readers = {
        "giving": add_reader(issue.publication, 11, giving="monthly"),
        "language": add_reader(issue.publication, 12, language="fr"),
        "topic": add_reader(issue.publication, 13),
        "segment": add_reader(issue.publication, 14, language="es"),
        "attribute": add_reader(issue.publication, 15),
    }
    readers["topic"].topics.add(Topic.objects.get())
    SubscriberAttribute.objects.create(subscriber=readers["attribute"], key="team", value="Gold", folded="gold")
    add_limited_note(issue, "Note on giving", giving="monthly")
    add_limited_note(issue, "Note on language", language="fr")
    add_limited_note(issue, "Note on topic", topic="law")
    add_limited_note(issue, "Note on segment", segment="volunteers")
    add_limited_note(issue, "Note on attribute", attribute="team", attribute_value="gold")
    approve_and_start(issue)
    for rule, person in readers.items():
        mail = find_mail(person)
        assert [kind for kind in readers if f"Note on {kind}" in mail.text] == [rule]
        assert [kind for kind in readers if f"Note on {kind}" in mail.html] == [rule]
    assert "Note on" not in find_mail(Subscriber.objects.get(email="person0@example.com")).text


def test_a_reader_must_meet_every_rule_of_a_block(issue: Issue) -> None:
    both = add_reader(issue.publication, 11, giving="monthly", language="fr")
    one = add_reader(issue.publication, 12, giving="monthly")
    add_limited_note(issue, "For two reasons", giving="monthly", language="fr")
    approve_and_start(issue)
    assert "For two reasons" in find_mail(both).text
    assert "For two reasons" not in find_mail(one).text


def test_blocks_with_the_same_rules_make_two_versions(issue: Issue) -> None:
    add_reader(issue.publication, 11, giving="monthly")
    add_limited_note(issue, "One", giving="monthly")
    add_limited_note(issue, "Two", giving="monthly")
    approve_and_start(issue)
    assert Variant.objects.count() == 2
    assert sorted(ReaderGroup.objects.values_list("rules", flat=True)) == [0, 1]


def test_a_lead_story_for_some_is_in_no_subject_of_the_others(issue: Issue) -> None:
    donor = add_reader(issue.publication, 11, giving="donor")
    limit_block(issue, "lead_story", giving="donor")
    assert "The first verdict" in issue.subject
    approve_and_start(issue)
    other = find_mail(Subscriber.objects.get(email="person0@example.com"))
    assert find_mail(donor).subject == "The first verdict"
    assert other.subject == "The second verdict"
    assert "The first verdict" not in other.html + other.text
    shown = ShownItem.objects.filter(variant=other, kind="story").values_list("row_id", flat=True)
    assert list(shown) == [issue.placements.get(story__title="The second verdict").story_id]


def test_a_reader_for_whom_no_block_is_gets_no_mail_with_the_reason(issue: Issue) -> None:
    add_reader(issue.publication, 11, giving="donor")
    for kind in ("lead_story", "stories"):
        limit_block(issue, kind, giving="donor")
    counted = count_final_audience(issue, content=resolve_content(issue), now=NOW)
    approve_and_start(issue)
    send = issue.sends.get()
    assert send.excluded == counted.excluded == {"no_block_for_them": 1}
    assert (send.candidates, send.recipients) == (2, 1)


def test_everybody_shares_one_number_without_limited_blocks(issue: Issue) -> None:
    groups = find_groups(issue, content=resolve_content(issue), now=NOW)
    assert {group.rules for group in groups} == {0}


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({"segment": "gone"}, "the segment “gone” that may see it was deleted"),
        ({"topic": "gone"}, "the topic “gone” of the people who may see it was deleted"),
        ({"attribute": "team"}, "the value of the extra field “team” is empty"),
        ({"attribute_value": "Gold"}, "no extra field is chosen for the value “Gold”"),
        ({"attribute": "team", "attribute_value": "Gold"}, "nobody has an extra field “team”"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named_and_shows_nobody_the_block(
    issue: Issue, rules: dict[str, str], sentence: str
) -> None:
    add_limited_note(issue, "Only for some", **rules)
    (part,) = find_incomplete_parts(issue)
    assert sentence in part.message
    assert all(block.type != "note" for block in resolve_content(issue).blocks)


def test_a_segment_that_changes_or_goes_withdraws_the_approval(issue: Issue) -> None:
    segment = make_segment()
    add_limited_note(issue, "For volunteers", segment="volunteers")
    before = hash_content(resolve_content(issue))
    segment.rule = {"language": "fr"}
    segment.save()
    assert hash_content(resolve_content(issue)) != before
    segment.delete()
    assert find_incomplete_parts(issue)


def test_a_story_for_some_above_is_shown_to_the_others_below(issue: Issue) -> None:
    donor = add_reader(issue.publication, 11, giving="donor")
    lead = next(block for block in issue.body.get_prep_value() if block["type"] == "lead_story")
    body = [{"type": "lead_story", "value": {**lead["value"], "show_to": {"giving": "donor"}}}]
    issue.body = issue.body.stream_block.to_python([*body, *issue.body.get_prep_value()])
    issue.save()
    approve_and_start(issue)
    for person in (donor, Subscriber.objects.get(email="person0@example.com")):
        assert find_mail(person).text.count("The first verdict\n---") == 1


def test_topics_move_no_story_out_of_a_block_for_some(issue: Issue) -> None:
    Publication.objects.update(interests="first")
    issue = Issue.objects.get()
    topic = Topic.objects.create(slug="law", name="Law")
    story = issue.placements.get(story__title="The second verdict").story
    story.topics.add(topic)
    limit_block(issue, "stories", giving="donor")
    reader = add_reader(issue.publication, 11)
    reader.topics.add(topic)
    donor = add_reader(issue.publication, 12, giving="donor")
    donor.topics.add(topic)
    approve_and_start(issue)
    assert "The second verdict" not in find_mail(reader).text
    assert find_mail(donor).subject == "The first verdict"


def test_topics_leave_out_no_story_of_a_block_for_some(issue: Issue) -> None:
    Publication.objects.update(interests="only")
    law, art = (Topic.objects.create(slug=slug, name=slug.title()) for slug in ("law", "art"))
    issue.placements.get(story__title="The first verdict").story.topics.add(law)
    donor = add_reader(issue.publication, 11, giving="donor")
    other = add_reader(issue.publication, 12)
    for reader in (donor, other):
        reader.topics.add(art)
    lead = next(block for block in issue.body.get_prep_value() if block["type"] == "lead_story")
    limited = {"type": "lead_story", "value": {**lead["value"], "show_to": {"giving": "donor"}}}
    issue.body = issue.body.stream_block.to_python([limited, *issue.body.get_prep_value()])
    issue.save()
    approve_and_start(issue)
    assert find_mail(donor).text.count("The first verdict\n---") == 1
    assert "The first verdict" not in find_mail(other).text
    reasons = explain_issue(Issue.objects.get(), person=donor, now=NOW).reasons
    (reason,) = [one for one in reasons if (one.kind, one.title) == ("story", "The first verdict")]
    assert (reason.shown, reason.why) == (True, "It is in a block that is for them.")


def test_explain_says_for_whom_a_block_is(issue: Issue) -> None:
    make_segment()
    donor = add_reader(issue.publication, 11, giving="donor")
    add_limited_note(issue, "For volunteers", segment="volunteers")
    limit_block(issue, "stories", giving="donor")
    reasons = explain_issue(issue, person=donor, now=NOW).reasons
    blocks = [(reason.title, reason.shown, str(reason.why)) for reason in reasons if reason.kind == "block"]
    assert blocks == [
        ("For volunteers", False, "It is only for people who match: in the segment “Volunteers”."),
        ("The second verdict", True, "It is only for people who match: has given."),
    ]


def test_rules_stay_when_an_issue_is_assembled_again(issue: Issue) -> None:
    limit_block(issue, "lead_story", giving="donor")
    make_story("The newest verdict", days_old=0.1)
    reassemble_issue(issue=issue, by=make_approver(), now=NOW)
    lead = next(block for block in Issue.objects.get().body if block.block_type == "lead_story")
    assert lead.value["show_to"]["giving"] == "donor"


def test_a_template_and_its_issues_keep_the_rules(issue: Issue) -> None:
    by = make_approver()
    limit_block(issue, "lead_story", giving="donor")
    template = save_template(issue=issue, name="For donors", by=by, now=NOW)
    make_story("The newest verdict", days_old=0.1)
    copy = create_issue(publication=issue.publication, beginning=Beginning.TEMPLATE, original=template, by=by, now=NOW)
    (lead,) = (block for block in copy.body if block.block_type == "lead_story")
    assert lead.value["show_to"]["giving"] == "donor"
