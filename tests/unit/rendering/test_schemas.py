"""A block is added by two templates and a schema, and by nothing else."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from newsletter.rendering.blocks import Picture, SchemaBlock
from newsletter.rendering.errors import TemplateError
from newsletter.rendering.lint.checks import lint_mail
from newsletter.rendering.pipeline import render
from newsletter.rendering.schemas import _load_folder, load_schemas
from newsletter.rendering.templates import default_templates
from tests.support.mail_documents import document, picture, visible_text
from tests.support.sample_mails import sample_schema_block

SCHEMA = """
label = "Recipe"
about = "How to."
[[field]]
name = "title"
kind = "line"
label = "Title"
required = true
most = 20
[[field]]
name = "steps"
kind = "lines"
label = "Steps"
[[field]]
name = "mood"
kind = "choice"
label = "Mood"
options = [["calm", "Calm"], ["loud", "Loud"]]
[sample]
title = "Tea"
steps = ["Boil", "Wait"]
"""
ROWS = """
[[field]]
name = "cups"
kind = "rows"
label = "Cups"
field = [{name = "items", kind = "line", label = "Items"}]
"""
MJML = (
    "<mj-section><mj-column><mj-text><h2>{{ block.title }}</h2><ol>{% for step in block.steps %}<li>{{ step }}</li>"
    "{% endfor %}</ol><p>{{ block.mood }}</p></mj-text></mj-column></mj-section>"
)
TEXT = "{{ block.title | wrap }}\n{% for step in block.steps %}\n{{ step | wrap_item }}\n{% endfor %}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "email"
    shutil.copytree(default_templates(), copy)
    return copy


def add(folder: Path, *, name: str = "recipe", schema: str = SCHEMA) -> None:
    (folder / "blocks" / f"{name}.toml").write_text(schema)
    (folder / "blocks" / f"{name}.mjml.j2").write_text(MJML)
    (folder / "blocks" / f"{name}.txt.j2").write_text(TEXT)


def test_rows_of_fields_reach_both_templates(folder: Path) -> None:
    add(folder, schema=SCHEMA.replace("[sample]", ROWS + "max_rows = 2\n[sample]"))
    (folder / "blocks" / "recipe.txt.j2").write_text("{% for cup in block.cups %}\n{{ cup.items }}\n{% endfor %}\n")
    rows = ({"items": " One\n"}, {"items": ""}, {}, {"items": "Two"}, {"items": "Three"})
    text = render(document(SchemaBlock("recipe", {"title": "Tea", "cups": rows})), templates=folder).text
    assert "One\nTwo\n" in text
    assert "Three" not in text


def test_three_files_make_a_block(folder: Path) -> None:
    add(folder)
    block = sample_schema_block("recipe", lambda name, place: None, templates=folder)
    mail = render(document(block), templates=folder)
    assert "Tea Boil Wait calm" in visible_text(mail.html)
    assert "Tea\n- Boil\n- Wait" in mail.text


def test_values_are_cleaned_by_their_kinds(folder: Path) -> None:
    add(folder)
    values = {"title": "  <b>Tea & cake, a long long title", "steps": ["", "One\ntwo"], "mood": "furious"}
    text = visible_text(render(document(SchemaBlock("recipe", values)), templates=folder).html)
    assert "<b>Tea & cake, a… One two calm" in text


@pytest.mark.parametrize("kind", sorted(load_schemas()))
def test_every_schemas_sample_passes_the_checks_and_reads_well_as_text(kind: str) -> None:
    block = sample_schema_block(kind, lambda name, place: picture(name))
    sample = document(block)
    mail = render(sample)
    assert lint_mail(mail, document=sample) == ()
    for value in load_schemas()[kind].sample.values():
        for line in _list_lines(value):
            if not line.startswith(("http", "<")) and " " in line:
                assert " ".join(line.split()) in " ".join(mail.text.split()).replace(" - ", " ")


def _list_lines(value: Any) -> list[str]:
    match value:
        case list():
            return [line for item in value for line in _list_lines(item)]
        case dict():
            return [line for item in value.values() for line in _list_lines(item)]
        case _:
            return [value]


def test_an_empty_part_of_a_row_is_an_error_that_says_its_row() -> None:
    answers = tuple({"label": label, "url": "https://harbour.example/"} for label in ("", "Yes", ""))
    asked = document(SchemaBlock("question", {"question": "More?", "answers": answers}, key="here"))
    found = [finding for finding in lint_mail(render(asked), document=asked) if finding.code == "field-empty"]
    assert [str(finding.message) for finding in found] == [
        "“Answer” is empty in row 1. Fill it in, or take the row out.",
        "“Answer” is empty in row 3. Fill it in, or take the row out.",
    ]


@pytest.mark.parametrize("kind", sorted(load_schemas()))
def test_an_empty_block_is_an_error_that_names_the_field(kind: str) -> None:
    empty = document(SchemaBlock(kind, {}, key="here"))
    found = [finding for finding in lint_mail(render(empty), document=empty) if finding.code == "field-empty"]
    assert {finding.block for finding in found} == {"here"}
    assert {finding.field for finding in found} == {
        field.name for field in load_schemas()[kind].fields if field.required
    }


def test_formatted_text_is_checked_like_a_note() -> None:
    html = '<p>Read it <a href="javascript:x">here</a>, *|NAME|*.</p>'
    bad = document(SchemaBlock("person_note", {"text": {"html": html, "text": "x"}, "name": "I"}, key="p"))
    codes = {(finding.code, finding.field) for finding in lint_mail(render(bad), document=bad) if finding.block == "p"}
    assert {("link-scheme", "text"), ("vague-link", "text"), ("unresolved", "text")} <= codes


def test_a_link_and_a_picture_of_a_schema_are_checked() -> None:
    still = Picture("ftp://x/y.jpg", 100, 100)
    bad = document(SchemaBlock("video", {"title": "A", "url": "javascript:1", "still": still}, key="v"))
    codes = {finding.code: finding.field for finding in lint_mail(render(bad), document=bad) if finding.block == "v"}
    assert codes == {"link-scheme": "url", "image-source": "still"}


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (SCHEMA.replace('kind = "lines"', 'kind = "table"'), r"recipe.toml: field.1.kind: Input should be"),
        (SCHEMA.replace('label = "Recipe"', "label = "), "recipe.toml is not TOML"),
        (SCHEMA.replace('title = "Tea"', ""), "the sample lacks “title”, which is required"),
        (SCHEMA + 'more = "x"', "the sample has “more”, which is no field"),
        (SCHEMA.replace('[["calm", "Calm"], ["loud", "Loud"]]', "[]"), "options are given for a choice"),
        (SCHEMA.replace('kind = "lines"', 'kind = "rows"'), "fields are given for rows"),
        (
            SCHEMA.replace("[sample]", ROWS.replace('"line"', '"rich"') + "[sample]"),
            "a row has no field of the kind “rich”",
        ),
        (SCHEMA.replace("[sample]", ROWS + "required = true\n[sample]"), "min_rows is above 0 if rows are required"),
    ],
)
def test_a_schema_at_fault_is_named(folder: Path, schema: str, message: str) -> None:
    add(folder, schema=schema)
    with pytest.raises(TemplateError, match=message):
        load_schemas(folder)


def test_a_schema_without_its_templates_or_with_a_strange_name_is_refused(folder: Path) -> None:
    (folder / "blocks" / "lonely.toml").write_text(SCHEMA)
    with pytest.raises(TemplateError, match=r"lonely.toml has no lonely.mjml.j2 beside it"):
        load_schemas(folder)
    (folder / "blocks" / "lonely.toml").rename(folder / "blocks" / "Too Odd.toml")
    _load_folder.cache_clear()
    with pytest.raises(TemplateError, match="name a block with small letters"):
        load_schemas(folder)


def test_a_block_of_no_schema_is_refused() -> None:
    with pytest.raises(TemplateError, match="no template for a block of the kind “poem”"):
        render(document(SchemaBlock("poem", {}, key="x")))
