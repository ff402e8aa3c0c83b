"""The contract of a block: its sample becomes a good mail, and so does whatever staff type."""

from collections.abc import Mapping
from typing import Any, ClassVar

from newsletter.rendering.block_kind import BLOCK_KINDS, list_own_layouts
from newsletter.rendering.block_schema import FieldSchema, blank_value
from newsletter.rendering.blocks import Block, Brand, Document, Note, Picture, SchemaBlock
from newsletter.rendering.lint.checks import lint_mail
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.pipeline import LAYOUTS, render
from newsletter.testing.registered import find_registered

_HOSTILE = "<script>alert(1)</script> {{ 7*7 }} “quoted” & more"


class BlockContract:
    """Say the ``name`` of the block. Its schema has the sample."""

    name: ClassVar[str]

    def render(self, values: Mapping[str, Any], *, layout: str = "letter") -> RenderedMail:
        """Return a mail with the block between two others."""
        return render(_make_document(SchemaBlock(self.name, values, key="block"), layout=layout))

    def layouts(self) -> list[str]:
        """Return the layouts in which the block has to be right: a letter, and those for which it has templates of its own."""
        return ["letter", *list_own_layouts(self.name)]

    def sample(self) -> dict[str, Any]:
        schema = BLOCK_KINDS[self.name].schema
        return {field.name: _read_sample(field, schema.sample.get(field.name)) for field in schema.fields}

    def test_it_is_installed_and_of_this_interface(self) -> None:
        schema = find_registered(BLOCK_KINDS, self.name).schema
        assert schema.label.strip()
        assert schema.about.strip()

    def test_the_sample_passes_every_check(self) -> None:
        for layout in self.layouts():
            document = _make_document(SchemaBlock(self.name, self.sample(), key="block"), layout=layout)
            findings = [found for found in lint_mail(render(document), document=document) if found.level == "error"]
            assert not findings, [f"{layout}: {found.message}" for found in findings]

    def test_templates_of_its_own_are_for_layouts_that_there_are(self) -> None:
        unknown = set(list_own_layouts(self.name)) - set(LAYOUTS)
        assert not unknown, f"There is no layout {', '.join(sorted(unknown))}. The layouts are {', '.join(LAYOUTS)}."

    def test_both_parts_have_the_words_of_the_sample(self) -> None:
        for layout in self.layouts():
            mail = self.render(self.sample(), layout=layout)
            for field in BLOCK_KINDS[self.name].schema.fields:
                value = self.sample()[field.name]
                if field.kind == "line" and value:
                    assert value.split()[0] in mail.html, f"The HTML lacks {field.name} in the layout {layout}."
                    assert value.split()[0] in mail.text, f"The text part lacks {field.name} in the layout {layout}."

    def test_it_can_be_blank(self) -> None:
        schema = BLOCK_KINDS[self.name].schema
        for layout in self.layouts():
            self.render({field.name: blank_value(field) for field in schema.fields}, layout=layout)

    def test_typed_markup_is_shown_and_not_obeyed(self) -> None:
        schema = BLOCK_KINDS[self.name].schema
        values = {field.name: _make_hostile(field, self.sample()[field.name]) for field in schema.fields}
        for layout in self.layouts():
            html = self.render(values, layout=layout).html
            assert "<script" not in html
            assert ">49<" not in html

    def test_the_same_values_make_the_same_bytes(self) -> None:
        assert self.render(self.sample()).sha256 == self.render(self.sample()).sha256


def _make_document(block: Block, *, layout: str) -> Document:
    before = Note(
        body_html="<p>Dear friends, thank you for reading on.</p>", body_text="Dear friends, thank you for reading on."
    )
    after = Note(
        body_html="<p>See you next week, and write to us.</p>", body_text="See you next week, and write to us."
    )
    brand = Brand(name="Open Door", postal_address="1 Example Street, Leeds", website="https://example.org/")
    return Document(
        subject="News of the week",
        preheader="Three stories of the week, and one thing that you can do",
        language="en",
        brand=brand,
        blocks=(before, block, after),
        publication="The weekly letter",
        reason="You get this because you asked for it.",
        urls={"view_online": "https://example.org/online"},
        layout=layout,
    )


def _make_hostile(field: FieldSchema, value: Any) -> Any:
    match field.kind:
        case "line" | "paragraphs" | "amount" | "currency" | "day":
            return _HOSTILE
        case "rows":
            return tuple({part.name: _make_hostile(part, row[part.name]) for part in field.fields} for row in value)
        case _:
            return value


def _read_sample(field: FieldSchema, given: Any) -> Any:
    match field.kind:
        case _ if given is None:
            return blank_value(field)
        case "lines":
            return tuple(given)
        case "rows":
            return tuple({part.name: _read_sample(part, row.get(part.name)) for part in field.fields} for row in given)
        case "rich":
            return {"html": f"<p>{given}</p>", "text": str(given)} if isinstance(given, str) else given
        case "picture":
            return Picture("https://example.org/picture.jpg", 1200, 600, alt="A picture")
        case _:
            return given
