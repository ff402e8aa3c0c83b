"""The fields of which blocks are made. A draft may hold wrong ones: `find_incomplete_parts` names them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from django import forms
from django.utils.choices import CallableChoiceIterator
from django.utils.functional import cached_property
from django.utils.translation import get_language, gettext_lazy, override
from wagtail import blocks
from wagtail.hooks import search_for_hooks
from wagtail.snippets.blocks import SnippetChooserBlock

from newsletter.common.fields.web_address import WebAddressFormField
from newsletter.common.languages import OFFERED_LANGUAGES
from newsletter.common.messages import Message
from newsletter.common.translation import language_label
from newsletter.rendering.amounts import list_currency_choices, list_currency_codes, parse_amount, parse_day
from subscribers.attribute_rules import MAX_VALUE_LENGTH
from subscribers.models import Giving, Segment, Topic
from subscribers.segments.attributes import attribute_keys

if TYPE_CHECKING:
    from wagtail.snippets.widgets import AdminSnippetChooser

TEXT_FEATURES = ["bold", "italic", "link", "ol", "ul"]
LIMIT_ATTRIBUTE = "data-nl-limit"
"""The limit of characters of a field, for the form. A script says if there are more."""
DESCRIPTION_HELP = gettext_lazy("For people who cannot see it. Empty: the image’s own description.")


def make_override_group(*fields: str) -> blocks.BlockGroup:
    """Return the closed part of a block for what only this issue says differently."""
    return blocks.BlockGroup(
        list(fields),
        heading=gettext_lazy("Change for this issue"),
        icon="edit",
        classname="collapsed nl-overrides",
        label_format="",
    )


class LimitedBlock(blocks.FieldBlock):
    """A text of at most ``limit`` characters. The browser takes longer ones, so that nothing is cut off unseen."""

    def __init__(self, *, limit: int, **kwargs: object) -> None:
        super().__init__(form_attrs={LIMIT_ATTRIBUTE: str(limit)}, **kwargs)
        self.limit = limit


class LineBlock(LimitedBlock, blocks.CharBlock):
    """One line of text."""


class TextBlock(LimitedBlock, blocks.TextBlock):
    """Text of several lines."""


class LinkBlock(LimitedBlock, blocks.URLBlock):
    """A web address."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(limit=2000, **kwargs)
        self.field = WebAddressFormField(**{name: kwargs[name] for name in ("required", "help_text") if name in kwargs})

    def clean(self, value: str) -> object:
        return value if self.is_deferred_validation else super().clean(value)


class CheckedBlock(blocks.CharBlock):
    """A text that must have a certain form. It is stored as typed, so that a draft may contain a wrong one.

    `find_problem` cannot be abstract, because Wagtail's blocks have a metaclass already.
    """

    def find_problem(self, value: str) -> Message | None:
        """Return the error of a value that is not blank, or None. The message takes the field's label as “field”."""
        raise NotImplementedError


class AmountBlock(CheckedBlock):
    """An amount of money, above 0 if ``positive``. It is typed as people write it: 12400, or 12,400.50."""

    def __init__(self, *, positive: bool = False, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.positive = positive

    def find_problem(self, value: str) -> Message | None:
        amount = parse_amount(value)
        if amount is None:
            return Message(
                "“%(field)s” is not an amount; write it like 12400 or 12400.50, without a currency",
                field=label_in_english(self),
            )
        if self.positive and not amount:
            return Message("“%(field)s” must be more than 0", field=label_in_english(self))
        return None


class DayBlock(CheckedBlock):
    """A date, kept like 2026-11-24."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.field.widget = forms.DateInput(attrs={"type": "date"})

    def find_problem(self, value: str) -> Message | None:
        if parse_day(value):
            return None
        return Message("“%(field)s” is not a date; write it like 2026-11-24", field=label_in_english(self))


class CurrencyBlock(CheckedBlock):
    """The code of a currency. It is chosen by name, in the desk's language."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.field.widget = forms.Select(choices=CallableChoiceIterator(_list_currencies))

    def find_problem(self, value: str) -> Message | None:
        if value in list_currency_codes():
            return None
        return Message("“%(field)s” is not the code of a currency, such as GBP", field=label_in_english(self))


def _list_currencies() -> list[tuple[str, str]]:
    return [("", "—"), *list_currency_choices(get_language() or "en")]


def label_in_english(block: blocks.Block) -> Message:
    """Return the block's label in English, to be translated where it is shown."""
    with override(None):
        return Message(str(block.label))


class RowChooserBlock(SnippetChooserBlock):
    """A chooser of a row. Its widget needs the desk's registrations, which a process without pages has not loaded yet.

    The widget is the one that the desk registered. Wagtail's own has its buttons in the language of the first reader.
    """

    @property
    def required(self) -> bool:
        """Return the arguments with which the block was made. Wagtail asks the form's field, which needs the widget."""
        return bool(self._required)

    @cached_property
    def widget(self) -> "AdminSnippetChooser":
        search_for_hooks()
        icon = super().widget.icon
        chooser: AdminSnippetChooser = self.target_model.snippet_viewset.chooser_viewset.widget_class(icon=icon)
        return chooser


class OwnTextsChooserBlock(RowChooserBlock):
    """A chooser that gives the form the chosen row's own texts, which the fields next to it can replace."""

    def get_form_state(self, value: object) -> object:
        state = super().get_form_state(value)
        return {**state, "own": self.widget.get_instance(value).own_texts} if state else state


class BodyStruct(blocks.StructBlock):
    """A block with fields. `newsletter.desk.editor.block_form` makes its part of the form."""


class RuleBlock(blocks.FieldBlock):
    """One rule: a value among choices, or none. It keeps a value that is no choice any more, so that no rule is lost."""

    def __init__(self, choices: Callable[[], list[tuple[str, str]]], **kwargs: object) -> None:
        listed = CallableChoiceIterator(lambda: [("", "—"), *choices()])
        self.field = forms.CharField(required=False, widget=forms.Select(choices=listed))
        super().__init__(default="", **kwargs)


class ShowToBlock(BodyStruct):
    """The rules that readers must meet to see a block. Without a rule, everybody sees it.

    `newsletter.issues.snapshot.show_rules` resolves them.
    """

    segment = RuleBlock(
        lambda: list(Segment.objects.filter(archived=False).values_list("slug", "name")),
        label=gettext_lazy("In the segment"),
    )
    topic = RuleBlock(lambda: list(Topic.objects.values_list("slug", "name")), label=gettext_lazy("Interested in"))
    language = RuleBlock(
        lambda: [(code, language_label(code)) for code in OFFERED_LANGUAGES], label=gettext_lazy("Reads")
    )
    giving = RuleBlock(
        lambda: [(status.value, str(status.label)) for status in Giving],
        label=gettext_lazy("Giving status"),
    )
    attribute = RuleBlock(
        lambda: [(key, key.replace("_", " ")) for key in attribute_keys()],
        label=gettext_lazy("Extra field"),
    )
    attribute_value = LineBlock(required=False, default="", limit=MAX_VALUE_LENGTH, label=gettext_lazy("Value"))

    class Meta:
        icon = "group"
        label = gettext_lazy("Show to")
        help_text = gettext_lazy("People must match every rule that you choose here.")
        collapsed = True
        form_classname = "struct-block nl-show-to"


_SHOW_TO = ShowToBlock()
"""The same block in all parts: the form describes it once, and asks the database once for segments and topics."""


def list_rule_choices() -> tuple[tuple[object, ...], ...]:
    """Return what staff can choose now in each rule. Segments and topics are rows, so the choices change."""
    rules = (child for child in _SHOW_TO.child_blocks.values() if isinstance(child, RuleBlock))
    return tuple(tuple(rule.field.widget.choices) for rule in rules)


class BodyPart(BodyStruct):
    """A block of the body, which can be for some readers only."""

    def __init__(self, local_blocks: Sequence[tuple[str, blocks.Block]] = (), **kwargs: object) -> None:
        super().__init__([*local_blocks, ("show_to", _SHOW_TO)], **kwargs)


class DescribedPicture(BodyStruct):
    """A picture and its description: the text of this field, else the description in the picture library."""

    @staticmethod
    def find_alt(value: blocks.StructValue) -> str:
        """Return the text for people who cannot see the picture, or ""."""
        return str(value["alt"] or (value["image"].description if value["image"] else ""))
