"""The Jinja environment of the mail templates: their folder, filters and globals."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    FunctionLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateRuntimeError,
    TemplateSyntaxError,
    UndefinedError,
    pass_context,
    select_autoescape,
)
from jinja2.filters import do_urlencode
from jinja2.runtime import Context
from markupsafe import Markup, escape

from newsletter.common.messages import Message
from newsletter.rendering.amounts import find_share, format_amount, format_share
from newsletter.rendering.block_kind import find_template
from newsletter.rendering.blocks import Picture
from newsletter.rendering.clean_text import MAX_LINE_LENGTH, SOFT_HYPHEN, wrap
from newsletter.rendering.errors import TemplateError
from newsletter.rendering.phrases import format_day, get_babel_locale

_HERE = Path(__file__).resolve()
_TEMPLATE_FOLDERS = (_HERE.parents[2] / "templates" / "email", _HERE.parents[1] / "_templates" / "email")
_MAX_LOGO_SIZE = (220, 64)
# A long logo lower than the first becomes wider, up to this width. One lower than the last even so is replaced by the name.
_LOW_LOGO, _MAX_LONG_LOGO_WIDTH, _MIN_LOGO_HEIGHT = 24, 320, 12
SECONDS_BETWEEN_LOOKS = 1.0
_HOURS = re.compile(r"\d{1,2}[:.h]\d\d\s?[–-]\s?\d{1,2}[:.h]\d\d(?:\s?[ap]m\b)?")
_ERRORS_OF_EXPRESSIONS = (
    TemplateRuntimeError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
_NUMBER_AND_UNIT = re.compile(r"(?<=\d) (?=\w)")


def default_templates() -> Path:
    """Return the folder of mail templates: beside the package in a checkout, inside it in a wheel. Raise TemplateError."""
    for folder_path in _TEMPLATE_FOLDERS:
        if (folder_path / "layouts").is_dir():
            return folder_path
    raise TemplateError(
        Message(
            "The mail templates are missing: neither %(first)s nor %(second)s exists. Install the product again.",
            first=str(_TEMPLATE_FOLDERS[0]),
            second=str(_TEMPLATE_FOLDERS[1]),
        )
    )


class SteadyLoader(BaseLoader):
    """Looks at the files of another loader once a second at most, also for templates that it does not have.

    One mail asks for more than forty templates, and a send makes hundreds of mails.
    """

    def __init__(self, loader: BaseLoader) -> None:
        self._loader = loader
        self._missing: dict[str, float] = {}

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool]]:
        now = time.monotonic()
        if now - self._missing.get(template, -SECONDS_BETWEEN_LOOKS) < SECONDS_BETWEEN_LOOKS:
            raise TemplateNotFound(template)
        try:
            source, file, is_current = self._loader.get_source(environment, template)
        except TemplateNotFound:
            self._missing[template] = now
            raise
        return source, file, _look_rarely(is_current or (lambda: True), looked_at=now)


def _look_rarely(is_current: Callable[[], bool], *, looked_at: float) -> Callable[[], bool]:
    looked = looked_at

    def look() -> bool:
        nonlocal looked
        now = time.monotonic()
        if now - looked >= SECONDS_BETWEEN_LOOKS:
            if not is_current():
                return False
            looked = now
        return True

    return look


@lru_cache(maxsize=8)
def make_environment(folder: Path) -> Environment:
    """Return the cached environment of one folder. Only ``.mjml.j2`` is escaped."""
    loader: BaseLoader = FileSystemLoader(folder)
    if folder == default_templates().resolve():
        # Our own templates come first, so no extension replaces one.
        loader = ChoiceLoader([loader, FunctionLoader(_load_block)])
    environment = Environment(
        loader=SteadyLoader(loader),
        undefined=StrictUndefined,
        autoescape=select_autoescape(enabled_extensions=("mjml.j2",), default=False, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "paragraphs": _paragraphs,
        "wrap": wrap_filter,
        "underline": _underline,
        "wrap_item": wrap_item,
        "whole_hours": whole_hours,
        "whole_numbers": keep_units,
        "money": _write_money,
        "percent": _write_percent,
        "day": _write_day,
        "urlencode": _encode_for_url,
        "without_soft_hyphens": _remove_soft_hyphens,
    }
    environment.globals = {"logo_width": _logo_width, "share": find_share}
    return environment


def _load_block(name: str) -> tuple[str, str, Callable[[], bool]] | None:
    """Return the template of an extension's block, in the form that Jinja needs. It is read again if the file changes."""
    file = find_template(name)
    if file is None:
        return None
    return file.read_text(encoding="utf-8"), str(file), lambda: find_template(name) == file


def fill_template(
    environment: Environment,
    name: str,
    context: Mapping[str, object],
    *,
    instead: Sequence[str] = (),
    block: str = "",
    kind: str = "",
) -> str:
    """Return one filled template: the first of ``instead`` that exists, else ``name``.

    Raise TemplateError, with its name and line, for every error of Jinja and of an expression in the template.
    """
    try:
        template = environment.get_or_select_template([*instead, name])
        name = template.name or name
        return template.render(context)
    except TemplateNotFound as error:
        raise TemplateError(
            Message("The template %(name)s is missing.", name=error.name), block=block, kind=kind
        ) from error
    except TemplateSyntaxError as error:
        message = Message(
            "The template %(name)s, line %(line)s, cannot be read: %(error)s.",
            name=error.name,
            line=error.lineno,
            error=error.message,
        )
        raise TemplateError(message, block=block, kind=kind, line=error.lineno) from error
    except UndefinedError as error:
        line = _find_template_line(error)
        message = Message(
            "The template %(name)s, line %(line)s, asks for something that does not exist: %(error)s.",
            name=name,
            line=line,
            error=error.message,
        )
        raise TemplateError(message, block=block, kind=kind, line=line) from error
    except _ERRORS_OF_EXPRESSIONS as error:
        line = _find_template_line(error)
        message = Message(
            "The template %(name)s, line %(line)s, failed: %(error)s.", name=name, line=line, error=str(error)
        )
        raise TemplateError(message, block=block, kind=kind, line=line) from error


def _find_template_line(error: Exception) -> int:
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith(".j2"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def wrap_filter(text: str, indent: str = "") -> str:
    return wrap(str(text), indent=indent)


def wrap_item(text: str) -> str:
    """Return one item of a list, with its later lines indented."""
    return "- " + wrap(str(text), indent="  ").lstrip()


def whole_hours(text: str) -> Markup:
    """Return the text as HTML in which a time span like “18:30–20:00” never wraps."""
    return as_markup(_HOURS.sub(r'<span class="whole">\g<0></span>', str(escape(text))))


def keep_units(text: str) -> str:
    """Return the text with a number and its unit, like “15 km”, always in one line."""
    return _NUMBER_AND_UNIT.sub("\u00a0", text)


@pass_context
def _write_money(context: Context, amount: Decimal | None, currency: str) -> str:
    """Return an amount as readers of the mail's language write it, "" if it or its currency is not known."""
    if amount is None or not currency:
        return ""
    return format_amount(amount, currency=currency, language=context["document"].language)


@pass_context
def _write_percent(context: Context, share: int) -> str:
    return format_share(share, language=context["document"].language)


@pass_context
def _write_day(context: Context, day: date | None, *, weekday: bool = False) -> str:
    """Return a day in the mail's language, without the year of the mail; "" for none."""
    if day is None:
        return ""
    document = context["document"]
    locale = get_babel_locale(document.language)
    return format_day(day, locale=locale, year=document.year, with_weekday=weekday)


def _remove_soft_hyphens(text: str) -> str:
    """Return text that is only heard. Some screen readers spell a word that has soft hyphens."""
    return text.replace(SOFT_HYPHEN, "")


def _encode_for_url(text: str) -> str:
    """Return the text for the query of a link, without soft hyphens: no search would find a word that has them."""
    return do_urlencode(text.replace(SOFT_HYPHEN, ""))


def _paragraphs(text: str) -> list[str]:
    return [part for part in text.split("\n\n") if part]


def _underline(text: str, mark: str, length: int = 0) -> str:
    return mark * (length or min(len(text), MAX_LINE_LENGTH))


def _logo_width(logo: Picture) -> int:
    """Return the width at which a logo is shown, 0 for one so long that nobody could read it."""
    wide, high = _MAX_LOGO_SIZE
    width = min(logo.width, wide, round(logo.width * high / logo.height))
    if width * logo.height < _LOW_LOGO * logo.width:
        width = min(logo.width, _MAX_LONG_LOGO_WIDTH)
    return width if width * logo.height >= _MIN_LOGO_HEIGHT * logo.width else 0


def as_markup(text: str) -> Markup:
    """Return text as markup. It must come from our escaping templates, or be sanitised HTML."""
    return Markup(text)  # noqa: S704  (every caller passes output of our escaping templates or sanitised HTML)
