"""A block of a kind that is not installed: kept in drafts, shown as not available, and never sent without staff knowing."""

import json

import pytest
from django.core.exceptions import ValidationError

from newsletter.common.errors import NotReady
from newsletter.desk.editor.block_form import BodyAdapter
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.archive.public_view import render_for_archive
from newsletter.issues.planning.welcome import set_up_welcome
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Issue, IssueRevision, Publication
from newsletter.models.body_blocks import BodyBlock
from newsletter.models.missing_blocks import MissingBlock
from newsletter.models.schema_blocks import make_body_block
from newsletter.rendering.block_kind import BLOCK_KINDS, RESERVED
from newsletter.rendering.blocks import SchemaBlock
from newsletter.rendering.pipeline import render
from newsletter.rendering.schemas import load_schemas
from newsletter.rendering.templates import default_templates
from tests.support.api import call, create_key
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.installed_extensions import Extensions
from tests.support.installed_extensions import extensions as extensions
from tests.support.mail_documents import document, visible_text

pytestmark = pytest.mark.django_db
VALUE = {"question": "Can you help?", "answers": [{"type": "item", "id": "1", "value": "Yes"}], "show_to": {}}
POLL = {"type": "poll", "value": VALUE, "id": "0b6e0a0c-0000-4000-8000-000000000001"}
KIND = """
from pathlib import Path
from newsletter.extensions.blocks import BlockKind

class Poll(BlockKind):
    interface = 1
    folder = Path(__file__).parent
"""
SCHEMA = 'label = "Poll"\nabout = "A question."\n[[field]]\nname = "question"\nkind = "line"\nlabel = "Question"\n'
MJML = "<mj-section><mj-column><mj-text>{{ block.question }}</mj-text></mj-column></mj-section>"


def write_files(extensions: Extensions, *, schema: str = SCHEMA, mjml: str = MJML) -> None:
    extensions.write("poll.toml", schema)
    extensions.write("poll.mjml.j2", mjml)
    extensions.write("poll.txt.j2", "{{ block.question | wrap }}\n")


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    made = make_issue(publication)
    made.body = json.dumps([*made.body.raw_data, POLL])
    made.save()
    return Issue.objects.get(pk=made.pk)


def test_the_api_neither_offers_nor_writes_a_missing_block(issue: Issue) -> None:
    key, path = create_key("issues:read issues:write"), f"issues/{issue.pk}/blocks"
    assert "poll" not in [row["type"] for row in call("get", "block-types", key=key).json()["types"]]
    assert call("post", path, {"type": "poll", "value": VALUE}, key=key).status_code == 422
    assert call("patch", f"{path}/{POLL['id']}", {"value": {"question": "Mine"}}, key=key).status_code == 422
    assert Issue.objects.get().body.get_prep_value()[-1]["value"] == VALUE


def test_an_installed_block_is_in_the_editor_and_in_both_parts(extensions: Extensions) -> None:
    write_files(extensions)
    extensions.install("polls", KIND, {"blocks": {"poll": "Poll"}})
    assert str(make_body_block().child_blocks["poll"].label) == "Poll"
    mail = render(document(SchemaBlock("poll", {"question": "Can you help & how?"})))
    assert "Can you help & how?" in visible_text(mail.html)
    assert "Can you help & how?" in mail.text


@pytest.mark.parametrize(
    ("schema", "mjml", "name", "reason"),
    [
        ("label =", MJML, "poll", "poll.toml is not TOML"),
        ('label = "Poll"\n', MJML, "poll", "poll.toml: "),
        (SCHEMA, "{% if %}", "poll", "poll.mjml.j2, line 1: "),
        (SCHEMA, MJML, "other", "other.toml"),
        (SCHEMA, MJML, "stories", "the name is taken by the package “newsletter”"),
        (SCHEMA, MJML, "video", "the name is taken by the package “newsletter”"),
    ],
)
def test_an_invalid_block_is_left_out(schema: str, mjml: str, name: str, reason: str, extensions: Extensions) -> None:
    write_files(extensions, schema=schema, mjml=mjml)
    extensions.install("polls", KIND, {"blocks": {name: "Poll"}})
    (found,) = BLOCK_KINDS.list_broken()
    assert reason in found.reason
    assert list(load_schemas()) == sorted(path.stem for path in (default_templates() / "blocks").glob("*.toml"))


def test_every_block_of_ours_has_a_reserved_name() -> None:
    assert set(BodyBlock.base_blocks) <= RESERVED


def test_a_draft_keeps_a_block_of_a_missing_kind(issue: Issue) -> None:
    issue.subject = "Another subject"
    issue.save()
    again = Issue.objects.get(pk=issue.pk)
    assert again.body.raw_data[-1] == POLL
    assert [block.value for block in again.body][-1] == VALUE
    revision = again.save_revision()
    restored = revision.as_object()
    assert restored.body.raw_data[-1]["value"] == VALUE


def test_its_form_carries_the_value_so_that_nobody_changes_it() -> None:
    block = MissingBlock("poll")
    form = block.value_for_form(VALUE)
    assert block.value_from_form(form) == VALUE
    with pytest.raises(ValidationError):
        block.value_from_form(form[:-1] + ("a" if form[-1] != "a" else "b"))


def test_the_archive_shows_the_rest_of_an_issue(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    make_issue(publication, approved=True)
    revision = IssueRevision.objects.get()
    poll = {"type": "poll", "key": "poll", "values": {"question": "Can you help?"}}
    revision.content["blocks"].append(poll)
    IssueRevision.objects.filter(pk=revision.pk).update(content=revision.content)
    mail = render_for_archive(revision.pk, frozenset())
    assert "The clinic opens its doors" in mail.html
    assert "Can you help?" not in mail.html


def test_staff_see_that_it_is_not_available_and_cannot_approve(issue: Issue) -> None:
    editor = sign_in("editor").get(f"/admin/issues/edit/{issue.pk}/").content.decode()
    assert "Not available: poll" in editor
    assert "It comes with an extension that is not installed." in editor
    assert "poll, is not available. It comes with an extension that is not installed" in sign_in("approver").get(
        f"/admin/issues/{issue.pk}/overview/"
    ).content.decode().replace("Poll,", "poll,")
    with pytest.raises(NotReady, match="poll, is not available"):
        approve_issue(issue=issue, by=make_approver(), now=NOW)
    assert [block.type for block in resolve_content(issue).blocks] == ["lead_story"]
    issue.body = [(child.block_type, child.value) for child in issue.body][:-1]
    issue.save()
    approve_issue(issue=issue, by=make_approver("other@example.org"), now=NOW)


def test_an_ordinary_issue_offers_no_block_of_a_welcome(issue: Issue) -> None:
    """The form of a body is one for all issues, so its script leaves them out where the page says so."""
    *_, meta = BodyAdapter().js_args(BodyBlock())
    assert meta["filled"] == ["best_story", "next_event"]
    welcome = set_up_welcome(publication=issue.publication, by=make_approver(), now=NOW)[0]
    editor = sign_in("editor")
    pages = [editor.get(f"/admin/issues/edit/{one.pk}/").content.decode() for one in (issue, welcome)]
    assert ["data-nl-ordinary-issue" in page for page in pages] == [True, False]
