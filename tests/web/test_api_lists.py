"""The API's calls about lists, topics and segments."""

import pytest

from newsletter.models import AuditEntry, Issue, Publication
from subscribers.models import MailingList, Segment, Topic
from tests.support.api import call, create_key, problem
from tests.support.fixtures import add_subscribers, make_issue, make_story
from tests.support.limited_blocks import add_limited_note
from tests.support.people import make_list, make_member

pytestmark = pytest.mark.django_db
ALL = "lists:read lists:write"


def test_a_list_is_created_changed_archived_and_brought_back() -> None:
    key = create_key(ALL)
    made = call("post", "lists", {"name": "Supporters"}, key=key)
    assert (made.status_code, made.json()["slug"], made.json()["double_opt_in"]) == (201, "supporters", True)
    assert call("patch", "lists/supporters", {"name": "Friends"}, key=key).json()["name"] == "Friends"
    archived = call("patch", "lists/supporters", {"archived": True}, key=key).json()
    assert (archived["archived"], archived["public"]) == (True, False)
    problem(call("patch", "lists/supporters", {"public": True}, key=key), 422)
    back = call("patch", "lists/supporters", {"archived": False, "public": True}, key=key).json()
    assert (back["archived"], back["public"]) == (False, True)
    actions = AuditEntry.objects.filter(action__in=["wagtail.create", "wagtail.edit"])
    assert {entry.data["key"] for entry in actions} == {f"the {ALL} key"}
    problem(call("post", "lists", {"name": "Again", "slug": "supporters"}, key=key), 422)


def test_a_list_that_a_publication_uses_is_not_archived(publication: Publication) -> None:
    slug = publication.mailing_list.slug
    answer = call("patch", f"lists/{slug}", {"archived": True, "name": "New name"}, key=create_key(ALL))
    assert "is used by" in problem(answer, 409)
    assert answer.json()["code"] == "in_use"
    assert MailingList.objects.get(slug=slug).name != "New name"


def test_a_key_of_some_lists_sees_and_changes_only_those() -> None:
    weekly, _board = make_list("weekly"), make_list("board")
    key = create_key(ALL, lists=[weekly])
    assert [row["slug"] for row in call("get", "lists", key=key).json()["items"]] == ["weekly"]
    problem(call("patch", "lists/board", {"name": "x"}, key=key), 404)
    problem(call("get", "lists/board/count", key=key), 404)
    problem(call("post", "lists", {"name": "Mine"}, key=key), 403)
    for path in ("segments", "segments/any", "segments/any/preview"):
        assert "all lists" in problem(call("get", path, key=key), 403)


def test_a_topic_in_use_is_not_deleted() -> None:
    key, person = create_key(ALL), make_member(make_list("weekly"))
    call("post", "topics", {"name": "Events"}, key=key)
    person.topics.set(Topic.objects.all())
    assert "use the topic" in problem(call("delete", "topics/events", key=key), 409)
    person.topics.clear()
    assert call("delete", "topics/events", key=key).status_code == 204
    assert not Topic.objects.exists()
    answer = call("post", "topics", {"name": "Land", "names": {"xx": "Tierra"}}, key=key)
    assert answer.json()["errors"][0]["where"] == "names"


def test_a_topic_or_segment_of_a_blocks_rule_is_not_deleted(publication: Publication) -> None:
    make_story("The first verdict", days_old=1)
    issue, key = make_issue(publication), create_key(ALL)
    call("post", "topics", {"name": "Land"}, key=key)
    call("post", "segments", {"name": "Volunteers", "rule": {"giving": "monthly"}}, key=key)
    add_limited_note(issue, "A word to some", segment="volunteers", topic="land")
    assert "blocks use the topic" in problem(call("delete", "topics/land", key=key), 409)
    assert "blocks are only for the segment" in problem(call("delete", "segments/volunteers", key=key), 409)
    issue.body = issue.body.stream_block.to_python(issue.body.get_prep_value()[1:])
    issue.save()
    assert call("delete", "topics/land", key=key).status_code == 204
    assert call("delete", "segments/volunteers", key=key).status_code == 204


def test_a_segment_counts_its_people_without_naming_them() -> None:
    weekly, key = make_list("weekly"), create_key(ALL)
    for number in range(6):
        make_member(weekly, f"person{number}@example.org", name="Ada", giving="monthly")
    call("post", "segments", {"name": "Monthly", "rule": {"giving": "monthly"}}, key=key)
    preview = call("get", "segments/monthly/preview", key=key)
    assert (preview.json()["people"], len(preview.json()["sample"])) == (6, 6)
    assert "Ada" not in preview.content.decode()
    assert "example.org" not in preview.content.decode()
    for number in range(4):
        make_member(weekly, f"few{number}@example.org", name="Ada", giving="donor")
    few = call("post", "segments/preview", {"rule": {"giving": "donor"}}, key=key).json()
    assert (few["people"], few["sample"]) == (4, [])


def test_a_bad_rule_is_refused_and_named() -> None:
    key = create_key(ALL)
    answer = call("post", "segments", {"name": "Bad", "rule": {"topic": "nothing"}}, key=key)
    assert "nothing" in problem(answer, 422)
    assert answer.json()["code"] == "invalid_rule"
    assert not Segment.objects.exists()


def test_a_rule_is_stored_with_the_usual_form_of_each_language_code() -> None:
    key = create_key(ALL)
    rule = {"all": [{"language": " pt_br"}, {"none": [{"language": "spa"}, {"giving": "donor"}]}]}
    usual = {"all": [{"language": "pt-BR"}, {"none": [{"language": "es"}, {"giving": "donor"}]}]}
    made = call("post", "segments", {"name": "Readers", "rule": rule}, key=key)
    assert (made.status_code, made.json()["rule"]) == (201, usual)
    changed = call("patch", "segments/readers", {"rule": {"language": "EN-gb"}}, key=key)
    assert changed.json()["rule"] == {"language": "en-GB"}
    refused = call("patch", "segments/readers", {"rule": {"any": [{"language": "klingon"}]}}, key=key)
    assert "rule.any[1].language: “klingon” is not a language code. Write one such as en, es" in problem(refused, 422)
    assert Segment.objects.get().rule == {"language": "en-GB"}
    problem(call("post", "segments/preview", {"rule": {"language": "klingon"}}, key=key), 422)


@pytest.mark.requirement("G5")
def test_the_api_changes_nothing_that_staff_approved(publication: Publication) -> None:
    """A segment of an approved issue decides who gets it, so only staff can change it after the approval."""
    key = create_key(ALL)
    segment = Segment.objects.create(slug="donors", name="Donors", rule={"list": publication.mailing_list.slug})
    publication.segment = segment
    publication.save()
    make_story("The clinic opens")
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    answer = call("patch", "segments/donors", {"rule": {"giving": "monthly"}}, key=key)
    assert issue.reference in problem(answer, 409)
    assert answer.json()["code"] == "in_approved_issue"
    segment.refresh_from_db()
    assert segment.rule == {"list": publication.mailing_list.slug}
    issue.refresh_from_db()
    assert issue.state == Issue.State.APPROVED
