"""The form of a brand: colours (unreadable ones are refused), fonts, logos and social networks."""

import hashlib
import json
import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from newsletter.content.images.hosting import LOGO_WIDTH, host_image
from newsletter.content.parsing.urls import find_host
from newsletter.models import Brand
from newsletter.organisation.starter_brands import load_starters
from newsletter.rendering.lint.colour_advice import find_colour_problems
from subscribers.desk.editing.lines_field import LinesField
from subscribers.desk.editing.short_name_form import CleanedData, NamedForm
from subscribers.desk.editing.upload_form import UploadField, UploadForm

MAX_LOGO_BYTES = 5_000_000
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
FONTS = (
    ("Georgia, 'Times New Roman', serif", "Georgia"),
    ("'Iowan Old Style', 'Palatino Linotype', Palatino, Georgia, serif", "Iowan, Palatino"),
    ("'Times New Roman', Times, serif", "Times"),
    ("'Helvetica Neue', Helvetica, Arial, sans-serif", "Helvetica, Arial"),
    ("Verdana, Geneva, sans-serif", "Verdana"),
    ("'Trebuchet MS', Helvetica, sans-serif", "Trebuchet"),
    ("Tahoma, Verdana, sans-serif", "Tahoma"),
    ("'Segoe UI', 'Helvetica Neue', Helvetica, Arial, sans-serif", "Segoe UI"),
    ("'Palatino Linotype', Palatino, 'Book Antiqua', Georgia, serif", "Palatino, Book Antiqua"),
)


class SocialLinksField(LinesField):
    """A dict of network and URL, typed one per line as “network: https://…”."""

    def write_lines(self, value: dict[str, str]) -> list[str]:
        return [f"{name}: {url}" for name, url in value.items()]

    def read_lines(self, lines: list[str]) -> dict[str, str]:
        links = {}
        for number, line in enumerate(lines, 1):
            name, colon, url = (part.strip() for part in line.partition(":"))
            if not colon or not url.startswith(("https://", "http://")):
                raise ValidationError(
                    _("Line %(number)s: write the network, a colon and its address: “facebook: https://…”.")
                    % {"number": number}
                )
            links[name.lower()] = url
        return links


class HostsField(LinesField):
    """A list of host names, typed one per line. Of an address, the host is used."""

    def write_lines(self, value: list[str]) -> list[str]:
        return list(value)

    def read_lines(self, lines: list[str]) -> list[str]:
        hosts = []
        for number, line in enumerate(lines, 1):
            host = find_host(line)
            if not host:
                raise ValidationError(
                    _("Line %(number)s: write the host of a page, such as donate.example.org.") % {"number": number}
                )
            hosts.append(host)
        return sorted(set(hosts))


class ColourField(forms.CharField):
    widget = forms.TextInput(attrs={"type": "color", "class": "nl-colour"})

    def clean(self, value: object) -> str:
        colour: str = super().clean(value)
        if not _COLOUR.fullmatch(colour):
            raise ValidationError(_("Write a colour as # and six digits, such as #1f4e5f."))
        return colour.lower()


class FontField(forms.ChoiceField):
    """A choice of the fonts that email apps have, and the font that the brand has already."""

    def __init__(self, *, empty_label: str | Promise = "", **kwargs: Any) -> None:
        first: list[tuple[str, Any]] = [("", empty_label)] if empty_label else []
        self._known_choices = [*first, *FONTS]
        super().__init__(choices=self._known_choices, required=not empty_label, **kwargs)

    def add_choice(self, font: str) -> None:
        """Add a font that is not among `FONTS`, labelled with its first family."""
        if font and font not in dict(FONTS):
            self.choices = [*self._known_choices, (font, font.split(",")[0].strip("'\" "))]


class BrandForm(UploadForm, NamedForm):
    colour = ColourField(label=gettext_lazy("Colour"), help_text=gettext_lazy("Headlines and the masthead."))
    accent = ColourField(label=gettext_lazy("Accent"), help_text=gettext_lazy("Buttons and links."))
    background = ColourField(label=gettext_lazy("Background"), help_text=gettext_lazy("Around the email."))
    font = FontField(
        label=gettext_lazy("Font"),
        help_text=gettext_lazy("Email apps have these fonts. They replace any other font."),
    )
    heading_font = FontField(label=gettext_lazy("Heading font"), empty_label=gettext_lazy("Same as the text"))
    logo_file = UploadField(
        required=False, label=gettext_lazy("Logo"), help_text=gettext_lazy("PNG or JPEG, 600 pixels wide or more.")
    )
    logo_dark_file = UploadField(
        required=False,
        label=gettext_lazy("Logo for dark mode"),
        help_text=gettext_lazy("For email apps in dark mode: a light logo on a transparent background."),
    )
    social = SocialLinksField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        label=gettext_lazy("Social networks"),
        help_text=gettext_lazy("One per line, such as “facebook: https://…”"),
    )

    gift_hosts = HostsField(
        required=False,
        label=gettext_lazy("Donation pages"),
        help_text=gettext_lazy(
            "One host per line, such as donate.example.org. Links to them name the issue and the block, never the reader, so "
            "that the report can say what each raised."
        ),
    )

    class Media:
        js = ("newsletter/brand_looks.js",)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for name in ("colour", "accent", "background", "font"):
            self.initial.setdefault(name, getattr(self.instance, name))
        for name in ("font", "heading_font"):
            if name in self.fields:
                self.fields[name].add_choice(getattr(self.instance, name))

    def clean(self) -> CleanedData:
        cleaned: CleanedData = super().clean()
        colours = {name: cleaned.get(name, "") for name in ("colour", "accent", "background")}
        if all(colours.values()):
            for advice in find_colour_problems(**colours):
                if advice.refused and advice.field not in self.errors:
                    self.add_error(advice.field, translate(advice.message))
        for name in ("logo", "logo_dark"):
            self._host_logo(name, cleaned.get(f"{name}_file"))
        return cleaned

    def _host_logo(self, name: str, file: Any) -> None:
        """Store an uploaded logo, or add an error if it is no picture."""
        if not file:
            return
        if file.size > MAX_LOGO_BYTES:
            self.add_error(f"{name}_file", _("The file is larger than 5 MB. Make the image smaller."))
            return
        data = file.read()
        source = f"logo:{hashlib.sha256(data).hexdigest()[:32]}"
        try:
            picture = host_image(data=data, source_url=source, alt=self.instance.name, width=LOGO_WIDTH)
        except DomainError as error:
            self.add_error(f"{name}_file", translate(error))
        else:
            setattr(self.instance, name, picture)


class NewBrandForm(NamedForm):
    """A brand's name and address, in the chooser. Its look is the first one, which everybody can read."""

    class Meta:
        model = Brand
        fields = ("name", "postal_address")


def looks_panel_context(brand: Brand) -> dict[str, object]:
    """Return the finished looks that a brand can take, each with its picture and the values of the form's fields."""
    looks = [
        {
            "name": _(starter.label),
            "kind": _(starter.kind),
            "about": _(starter.about),
            "picture": starter.picture,
            "values": json.dumps(starter.look()),
        }
        for starter in load_starters().values()
    ]
    return {"looks": looks}


def colours_panel_context(brand: Brand) -> dict[str, object]:
    """Return the advice on the saved colours, and the logos."""
    advice = find_colour_problems(colour=brand.colour, accent=brand.accent, background=brand.background)
    return {"advice": advice, "logo": brand.logo, "logo_dark": brand.logo_dark}
