"""The blocks an issue's body is made of, as staff edit them. What they become is decided in `newsletter.issues.content`."""

from wagtail import blocks
from wagtail.images.blocks import ImageChooserBlock
from wagtail.snippets.blocks import SnippetChooserBlock

_TEXT = ["bold", "italic", "link", "ol", "ul"]


class NoteBlock(blocks.StructBlock):
    heading = blocks.CharBlock(required=False, max_length=120)
    text = blocks.RichTextBlock(
        features=_TEXT, help_text='Merge fields such as {{ first_name | default:"friend" }} may stand here.'
    )

    class Meta:
        icon = "edit"
        label = "Note"
        label_format = "Note: {heading}"


class StoryChoice(blocks.StructBlock):
    """A story, and what this issue says instead of its own words."""

    story = SnippetChooserBlock("newsletter.Story")
    headline = blocks.CharBlock(required=False, max_length=300, help_text="Instead of the story's own.")
    teaser = blocks.TextBlock(required=False, max_length=600, help_text="Instead of the story's own.", rows=3)
    picture = ImageChooserBlock(required=False, help_text="Instead of the story's own.")

    class Meta:
        icon = "doc-full"
        label_format = "{story} {headline}"


class LeadStoryBlock(StoryChoice):
    class Meta:
        icon = "pick"
        label = "Lead story"
        label_format = "Lead: {story} {headline}"


class StoriesBlock(blocks.StructBlock):
    heading = blocks.CharBlock(required=False, max_length=120)
    stories = blocks.ListBlock(StoryChoice())

    class Meta:
        icon = "list-ul"
        label = "Stories"
        label_format = "Stories: {heading}"


class EventsBlock(blocks.StructBlock):
    """The events to choose from; each reader sees those near them."""

    heading = blocks.CharBlock(required=False, max_length=120)
    events = blocks.ListBlock(SnippetChooserBlock("newsletter.EventNotice"))

    class Meta:
        icon = "date"
        label = "Events near the reader"
        label_format = "Events near the reader"


class AppealsBlock(blocks.StructBlock):
    """Each reader sees the first that is for people like them."""

    appeals = blocks.ListBlock(SnippetChooserBlock("newsletter.Appeal"))

    class Meta:
        icon = "pick"
        label = "Appeal"
        label_format = "Appeal"


class RelatedBlock(blocks.StructBlock):
    heading = blocks.CharBlock(required=False, max_length=120)
    links = blocks.ListBlock(
        blocks.StructBlock([("title", blocks.CharBlock(max_length=300)), ("url", blocks.URLBlock(max_length=2000))])
    )

    class Meta:
        icon = "link"
        label = "You might also be interested in"
        label_format = "Related stories"


class QuoteBlock(blocks.StructBlock):
    text = blocks.TextBlock(max_length=600, rows=3)
    who = blocks.CharBlock(required=False, max_length=120)
    note = blocks.CharBlock(required=False, max_length=300, help_text="For a pseudonym: *A pseudonym.")

    class Meta:
        icon = "openquote"
        label = "Quote"
        label_format = "Quote: {who}"


class PictureBlock(blocks.StructBlock):
    image = ImageChooserBlock()
    alt = blocks.CharBlock(max_length=300, label="What it shows")
    caption = blocks.CharBlock(required=False, max_length=300)
    url = blocks.URLBlock(required=False, max_length=2000, label="Links to")

    class Meta:
        icon = "image"
        label = "Picture"
        label_format = "Picture: {alt}"


class ButtonBlock(blocks.StructBlock):
    label = blocks.CharBlock(max_length=60)
    url = blocks.URLBlock(max_length=2000)

    class Meta:
        icon = "link"
        label = "Button"
        label_format = "Button: {label}"


class BodyBlock(blocks.StreamBlock):
    note = NoteBlock()
    lead_story = LeadStoryBlock()
    stories = StoriesBlock()
    events = EventsBlock()
    appeal = AppealsBlock()
    related = RelatedBlock()
    quote = QuoteBlock()
    picture = PictureBlock()
    button = ButtonBlock()
    divider = blocks.StaticBlock(icon="horizontalrule", label="Divider", admin_text="A thin line.")
