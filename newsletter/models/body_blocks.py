"""The blocks of an issue's body, as staff edit them. `newsletter.issues.snapshot.resolve` turns them into content."""

from threading import RLock

from django.utils.translation import gettext_lazy
from wagtail import blocks
from wagtail.fields import StreamField
from wagtail.images.blocks import ImageChooserBlock

from newsletter.models.body_fields import (
    DESCRIPTION_HELP,
    TEXT_FEATURES,
    BodyPart,
    BodyStruct,
    DescribedPicture,
    LineBlock,
    LinkBlock,
    OwnTextsChooserBlock,
    RowChooserBlock,
    TextBlock,
    make_override_group,
)
from newsletter.models.missing_blocks import StreamWithMissingBlocks

MAX_RELATED_LINKS = 3
FILLED_GROUP = gettext_lazy("Filled in for each new subscriber")
"""The heading of the blocks that a rule fills. They work only in a welcome mail."""


class NoteBlock(BodyPart):
    heading = LineBlock(required=False, limit=120, label=gettext_lazy("Heading"))
    text = blocks.RichTextBlock(
        features=TEXT_FEATURES,
        help_text=gettext_lazy('You can use personal fields such as {{ first_name | default:"friend" }}.'),
        label=gettext_lazy("Text"),
    )

    class Meta:
        icon = "edit"
        label = gettext_lazy("Note")


class StoryChoice(BodyStruct):
    """A story, and this issue's own texts for it."""

    story = OwnTextsChooserBlock("newsletter.Story", label=gettext_lazy("Story"))
    headline = LineBlock(
        required=False,
        limit=200,
        help_text=gettext_lazy("Instead of the story’s own."),
        label=gettext_lazy("Headline"),
    )
    teaser = TextBlock(
        required=False,
        limit=320,
        help_text=gettext_lazy("Instead of the story’s own."),
        rows=3,
        label=gettext_lazy("Teaser"),
    )
    picture = ImageChooserBlock(
        required=False, help_text=gettext_lazy("Instead of the story’s own."), label=gettext_lazy("Image")
    )
    link = LinkBlock(
        required=False,
        help_text=gettext_lazy("Where the headline leads, instead of the story’s own page."),
        label=gettext_lazy("Link"),
    )

    class Meta:
        icon = "doc-full"
        form_layout = blocks.BlockGroup(["story", make_override_group("headline", "teaser", "picture", "link")])


class LeadStoryBlock(StoryChoice, BodyPart):
    class Meta:
        icon = "pick"
        label = gettext_lazy("Lead story")
        form_layout = blocks.BlockGroup(
            ["story", make_override_group("headline", "teaser", "picture", "link"), "show_to"]
        )


class StoriesBlock(BodyPart):
    heading = LineBlock(required=False, limit=120, label=gettext_lazy("Heading"))
    look = blocks.ChoiceBlock(
        choices=[
            ("cards", gettext_lazy("Two beside each other")),
            ("rows", gettext_lazy("One under the other, images at the side")),
            ("list", gettext_lazy("Without images")),
        ],
        default="cards",
        label=gettext_lazy("Look"),
    )
    stories = blocks.ListBlock(StoryChoice(), collapsed=True, label=gettext_lazy("Stories"))

    class Meta:
        icon = "list-ul"
        label = gettext_lazy("Stories")
        label_format = "{heading} {stories}"


class EventsBlock(BodyPart):
    """The events to choose from; each recipient sees those near them."""

    heading = LineBlock(required=False, limit=120, label=gettext_lazy("Heading"))
    events = blocks.ListBlock(RowChooserBlock("newsletter.EventNotice"), collapsed=True, label=gettext_lazy("Events"))

    class Meta:
        icon = "date"
        label = gettext_lazy("Events near the reader")
        label_format = "{heading} {events}"


class BestStoryBlock(BodyPart):
    """A story of an earlier issue, which a rule chooses each time somebody gets a welcome mail."""

    class Meta:
        icon = "pick"
        label = gettext_lazy("Best story of the last month")
        help_text = gettext_lazy(
            "Only in a welcome mail. Chosen when somebody gets it, from the issues sent in the last month: the story with "
            "the most clicks, or else a lead story. Left out if there is none."
        )
        group = FILLED_GROUP


class NextEventBlock(BodyPart):
    """The next event near the recipient of a welcome mail, which a rule chooses each time somebody gets it."""

    heading = LineBlock(required=False, limit=120, label=gettext_lazy("Heading"))

    class Meta:
        icon = "date"
        label = gettext_lazy("Next event near the reader")
        help_text = gettext_lazy(
            "Only in a welcome mail. Chosen when somebody gets it: the next event near them. Left out if there is none."
        )
        group = FILLED_GROUP


class EventCardBlock(BodyPart):
    """One event in full, for every recipient."""

    event = OwnTextsChooserBlock("newsletter.EventNotice", label=gettext_lazy("Event"))
    summary = TextBlock(
        required=False,
        limit=600,
        rows=3,
        help_text=gettext_lazy("Instead of the event’s own."),
        label=gettext_lazy("Summary"),
    )
    picture = ImageChooserBlock(required=False, label=gettext_lazy("Image"))
    button = LineBlock(
        required=False,
        limit=60,
        help_text=gettext_lazy("Empty: “See the event and join in”."),
        label=gettext_lazy("Button"),
    )

    class Meta:
        icon = "calendar-alt"
        label = gettext_lazy("One event in full")
        form_layout = blocks.BlockGroup(["event", make_override_group("summary", "picture", "button"), "show_to"])


class AppealsBlock(BodyPart):
    """Appeals; each recipient sees the first that is for them."""

    appeals = blocks.ListBlock(RowChooserBlock("newsletter.Appeal"), collapsed=True, label=gettext_lazy("Appeals"))

    class Meta:
        icon = "pick"
        label = gettext_lazy("Appeal")
        label_format = "{appeals}"


class RelatedBlock(BodyPart):
    heading = LineBlock(required=False, limit=120, label=gettext_lazy("Heading"))
    links = blocks.ListBlock(
        BodyStruct(
            [
                ("title", LineBlock(limit=300, label=gettext_lazy("Title"))),
                ("url", LinkBlock(label=gettext_lazy("Address"))),
            ]
        ),
        max_num=MAX_RELATED_LINKS,
        collapsed=True,
        label=gettext_lazy("Links"),
    )

    class Meta:
        icon = "link"
        label = gettext_lazy("You might also be interested in")
        label_format = "{heading} {links}"


class QuoteBlock(BodyPart):
    text = TextBlock(limit=600, rows=3, label=gettext_lazy("Text"))
    who = LineBlock(required=False, limit=120, label=gettext_lazy("Who"))
    note = LineBlock(
        required=False,
        limit=300,
        help_text=gettext_lazy("For a pseudonym: *A pseudonym."),
        label=gettext_lazy("Note"),
    )

    class Meta:
        icon = "openquote"
        label = gettext_lazy("Quote")


class PictureBlock(DescribedPicture, BodyPart):
    image = ImageChooserBlock(label=gettext_lazy("Image file"))
    alt = LineBlock(required=False, limit=300, label=gettext_lazy("What it shows"), help_text=DESCRIPTION_HELP)
    caption = LineBlock(required=False, limit=300, label=gettext_lazy("Caption"))
    url = LinkBlock(required=False, label=gettext_lazy("Links to"))

    class Meta:
        icon = "image"
        label = gettext_lazy("Image")
        label_format = "{alt} {caption}"


class ButtonBlock(BodyPart):
    label = LineBlock(limit=60, label=gettext_lazy("Words on the button"))
    url = LinkBlock(label=gettext_lazy("Address"))

    class Meta:
        icon = "link"
        label = gettext_lazy("Button")


class DividerBlock(BodyPart):
    """A line or drawing in the brand's colours."""

    look = blocks.ChoiceBlock(
        choices=[
            ("line", gettext_lazy("A short line")),
            ("dots", gettext_lazy("Three dots")),
            ("bars", gettext_lazy("Three bars in the brand’s colours")),
        ],
        default="line",
        label=gettext_lazy("Look"),
    )

    class Meta:
        icon = "horizontalrule"
        label = gettext_lazy("Divider")


class BodyBlock(StreamWithMissingBlocks):
    """All blocks of a body. All threads share them, and Wagtail changes them while it checks a draft.

    Acquire ``validation_lock`` before you read their rules.
    """

    validation_lock = RLock()

    class Meta:
        collapsed = True

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
    best_story = BestStoryBlock()
    next_event = NextEventBlock()
    divider = DividerBlock()

    def clean(self, value: blocks.StreamValue) -> object:
        with self.validation_lock:
            return super().clean(value)

    def clean_deferred(self, value: blocks.StreamValue) -> object:
        with self.validation_lock:
            return super().clean_deferred(value)


class BodyField(StreamField):
    """A StreamField whose migrations leave its blocks out, so that changed blocks need no migration."""

    def deconstruct(self) -> tuple[str, str, list[object], dict[str, object]]:
        name, path, _, kwargs = super().deconstruct()
        kwargs.pop("block_lookup", None)
        return name, path, [[]], kwargs
