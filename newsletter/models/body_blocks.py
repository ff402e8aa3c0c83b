"""The blocks of an issue's body, as staff edit them. `newsletter.issues.snapshot.resolve` turns them into content."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy
from wagtail import blocks
from wagtail.fields import StreamField
from wagtail.images.blocks import ImageChooserBlock
from wagtail.snippets.blocks import SnippetChooserBlock

from newsletter.rendering.schemas import BlockSchema, FieldSchema, load_schemas

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_TEXT = ["bold", "italic", "link", "ol", "ul"]


class NoteBlock(blocks.StructBlock):
    heading = blocks.CharBlock(required=False, max_length=120, label=gettext_lazy("Heading"))
    text = blocks.RichTextBlock(
        features=_TEXT,
        help_text=gettext_lazy('Merge fields such as {{ first_name | default:"friend" }} may stand here.'),
        label=gettext_lazy("Text"),
    )

    class Meta:
        icon = "edit"
        label = gettext_lazy("Note")
        label_format = "Note: {heading}"


class StoryChoice(blocks.StructBlock):
    """A story, and this issue's own texts for it."""

    story = SnippetChooserBlock("newsletter.Story", label=gettext_lazy("Story"))
    headline = blocks.CharBlock(
        required=False,
        max_length=300,
        help_text=gettext_lazy("Instead of the story's own."),
        label=gettext_lazy("Headline"),
    )
    teaser = blocks.TextBlock(
        required=False,
        max_length=600,
        help_text=gettext_lazy("Instead of the story's own."),
        rows=3,
        label=gettext_lazy("Teaser"),
    )
    picture = ImageChooserBlock(
        required=False, help_text=gettext_lazy("Instead of the story's own."), label=gettext_lazy("Picture")
    )
    link = blocks.URLBlock(
        required=False,
        max_length=2000,
        help_text=gettext_lazy("Where the headline leads, instead of the story's own page."),
        label=gettext_lazy("Link"),
    )

    class Meta:
        icon = "doc-full"
        label_format = "{story} {headline}"


class LeadStoryBlock(StoryChoice):
    class Meta:
        icon = "pick"
        label = gettext_lazy("Lead story")
        label_format = "Lead: {story} {headline}"


class StoriesBlock(blocks.StructBlock):
    heading = blocks.CharBlock(required=False, max_length=120, label=gettext_lazy("Heading"))
    look = blocks.ChoiceBlock(
        choices=[
            ("cards", gettext_lazy("Two beside each other")),
            ("rows", gettext_lazy("One under the other, pictures at the side")),
            ("list", gettext_lazy("Without pictures")),
        ],
        default="cards",
        label=gettext_lazy("Look"),
    )
    stories = blocks.ListBlock(StoryChoice(), label=gettext_lazy("Stories"))

    class Meta:
        icon = "list-ul"
        label = gettext_lazy("Stories")
        label_format = "Stories: {heading}"


class EventsBlock(blocks.StructBlock):
    """The events to choose from; each recipient sees those near them."""

    heading = blocks.CharBlock(required=False, max_length=120, label=gettext_lazy("Heading"))
    events = blocks.ListBlock(SnippetChooserBlock("newsletter.EventNotice"), label=gettext_lazy("Events"))

    class Meta:
        icon = "date"
        label = gettext_lazy("Events near the reader")
        label_format = "Events near the reader"


class EventCardBlock(blocks.StructBlock):
    """One event in full, for every recipient."""

    event = SnippetChooserBlock("newsletter.EventNotice", label=gettext_lazy("Event"))
    summary = blocks.TextBlock(
        required=False,
        max_length=600,
        rows=3,
        help_text=gettext_lazy("Instead of the event's own."),
        label=gettext_lazy("Summary"),
    )
    picture = ImageChooserBlock(required=False, label=gettext_lazy("Picture"))
    button = blocks.CharBlock(
        required=False,
        max_length=60,
        help_text=gettext_lazy("Empty: “See the event and join in”."),
        label=gettext_lazy("Button"),
    )

    class Meta:
        icon = "calendar-alt"
        label = gettext_lazy("One event in full")
        label_format = "Event: {event}"


class AppealsBlock(blocks.StructBlock):
    """Appeals; each recipient sees the first that is for them."""

    appeals = blocks.ListBlock(SnippetChooserBlock("newsletter.Appeal"), label=gettext_lazy("Appeals"))

    class Meta:
        icon = "pick"
        label = gettext_lazy("Appeal")
        label_format = "Appeal"


class RelatedBlock(blocks.StructBlock):
    heading = blocks.CharBlock(required=False, max_length=120, label=gettext_lazy("Heading"))
    links = blocks.ListBlock(
        blocks.StructBlock(
            [
                ("title", blocks.CharBlock(max_length=300, label=gettext_lazy("Title"))),
                ("url", blocks.URLBlock(max_length=2000, label=gettext_lazy("Address"))),
            ]
        ),
        label=gettext_lazy("Links"),
    )

    class Meta:
        icon = "link"
        label = gettext_lazy("You might also be interested in")
        label_format = "Related stories"


class QuoteBlock(blocks.StructBlock):
    text = blocks.TextBlock(max_length=600, rows=3, label=gettext_lazy("Text"))
    who = blocks.CharBlock(required=False, max_length=120, label=gettext_lazy("Who"))
    note = blocks.CharBlock(
        required=False,
        max_length=300,
        help_text=gettext_lazy("For a pseudonym: *A pseudonym."),
        label=gettext_lazy("Note"),
    )

    class Meta:
        icon = "openquote"
        label = gettext_lazy("Quote")
        label_format = "Quote: {who}"


class PictureBlock(blocks.StructBlock):
    image = ImageChooserBlock(label=gettext_lazy("Picture file"))
    alt = blocks.CharBlock(max_length=300, label=gettext_lazy("What it shows"))
    caption = blocks.CharBlock(required=False, max_length=300, label=gettext_lazy("Caption"))
    url = blocks.URLBlock(required=False, max_length=2000, label=gettext_lazy("Links to"))

    class Meta:
        icon = "image"
        label = gettext_lazy("Picture")
        label_format = "Picture: {alt}"


class ButtonBlock(blocks.StructBlock):
    label = blocks.CharBlock(max_length=60, label=gettext_lazy("Words on the button"))
    url = blocks.URLBlock(max_length=2000, label=gettext_lazy("Address"))

    class Meta:
        icon = "link"
        label = gettext_lazy("Button")
        label_format = "Button: {label}"


class BodyBlock(blocks.StreamBlock):
    note = NoteBlock()
    lead_story = LeadStoryBlock()
    stories = StoriesBlock()
    events = EventsBlock()
    event_card = EventCardBlock()
    appeal = AppealsBlock()
    related = RelatedBlock()
    quote = QuoteBlock()
    picture = PictureBlock()
    button = ButtonBlock()
    divider = blocks.StaticBlock(
        icon="horizontalrule", label=gettext_lazy("Divider"), admin_text=gettext_lazy("A thin line.")
    )


class BodyField(StreamField):
    """A StreamField whose migrations leave its blocks out, so that changed blocks need no migration."""

    def deconstruct(self) -> tuple[str, str, list[object], dict[str, object]]:
        name, path, _, kwargs = super().deconstruct()
        kwargs.pop("block_lookup", None)
        return name, path, [[]], kwargs


def make_body_block() -> BodyBlock:
    """Return all blocks: ours, and one for each schema beside the mail templates."""
    return BodyBlock([(kind, make_struct(schema)) for kind, schema in load_schemas().items()])


def make_struct(schema: BlockSchema) -> blocks.StructBlock:
    """Return the block that staff fill in for a schema."""
    children = [(field.name, _make_field(field)) for field in schema.fields]
    first = next((field.name for field in schema.fields if field.kind == "line"), "")
    label_format = f"{schema.label}: {{{first}}}" if first else schema.label
    return blocks.StructBlock(
        children,
        icon=schema.icon,
        label=_lazy_label(schema.label),
        label_format=label_format,
        help_text=_lazy_label(schema.about),
    )


def _make_field(field: FieldSchema) -> blocks.Block:
    common = {"required": field.required, "label": _lazy_label(field.label), "help_text": _lazy_label(field.help)}
    match field.kind:
        case "rich":
            return blocks.RichTextBlock(features=_TEXT, **common)
        case "lines":
            return blocks.ListBlock(
                blocks.CharBlock(max_length=field.most),
                label=_lazy_label(field.label),
                min_num=1 if field.required else 0,
                default=[],
            )
        case "link":
            return blocks.URLBlock(max_length=2000, **common)
        case "choice":
            return blocks.ChoiceBlock(
                choices=[(value, _lazy_label(words)) for value, words in field.options],
                default=field.options[0][0],
                **common,
            )
        case "picture":
            return blocks.StructBlock(
                [
                    ("image", ImageChooserBlock(required=field.required, label=gettext_lazy("Picture file"))),
                    (
                        "alt",
                        blocks.CharBlock(max_length=300, required=field.required, label=gettext_lazy("What it shows")),
                    ),
                ],
                label=_lazy_label(field.label),
            )
        case "paragraphs":
            return blocks.TextBlock(max_length=field.most, rows=3, **common)
        case _:
            return blocks.CharBlock(max_length=field.most, **common)


def _lazy_label(text: str) -> "StrOrPromise":
    """Return a schema's text in the current language. `scripts.messages` collects these texts."""
    return gettext_lazy(text) if text else ""
