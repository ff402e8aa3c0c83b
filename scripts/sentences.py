"""Collects the sentences that the code makes in English and the desk says in the language of whoever reads them.

No call marks them: every text of two words or more in the modules named here is one. See docs/languages.md.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULES = (
    "newsletter/issues/*.py",
    "newsletter/sending/*.py",
    "newsletter/feedback/*.py",
    "newsletter/jobs/*.py",
    "newsletter/rendering/*.py",
    "newsletter/content/*.py",
    "newsletter/providers/*.py",
    "newsletter/models/audit.py",
    "newsletter/models/issues.py",
    "newsletter/organisation/logos.py",
    "subscribers/*.py",
    "subscribers/segments/*.py",
    "subscribers/places/*.py",
    "subscribers/importing/*.py",
    "subscribers/models/subscriptions.py",
)
LEFT_OUT = {
    "newsletter/content/images/large_images.py": "caught where pictures are decoded",
    "subscribers/erasing/journal_check.py": "lines of the log",
    "subscribers/unsubscribing/journal_file.py": "lines of the log",
    "newsletter/issues/variants/phrases.py": "words of mails, in each language of a mail",
    "newsletter/issues/assembly/lookup.py": "answers to whoever types a command",
    "newsletter/issues/variants/click_links.py": "said to nobody: the page is not found",
    "newsletter/sending/settling/receipt.py": "a defect, to be reported as it is",
    "newsletter/sending/dispatching/recipients.py": "parts of a query",
    "newsletter/sending/notices/proofs.py": "words over a proof, which gettext has",
    "newsletter/sending/deliverability/message_check.py": "said by `newsletter doctor --message`",
    "newsletter/sending/deliverability/auth_results.py": "said by `newsletter doctor --message`",
    "newsletter/sending/deliverability/dkim.py": "said by `newsletter doctor --message`",
    "newsletter/sending/freezing/audience_snapshot.py": "parts of a query",
    "newsletter/sending/freezing/split_batches.py": "a defect, to be reported as it is",
    "newsletter/feedback/endpoint.py": "said to a provider",
    "newsletter/feedback/facts.py": "parts of a query",
    "newsletter/feedback/receive.py": "said to a provider",
    "newsletter/jobs/link_mails.py": "words of mails, in each language of a mail",
    "newsletter/rendering/blocks.py": "fonts",
    "newsletter/rendering/typography.py": "fonts",
    "newsletter/rendering/lint/links.py": "has its one sentence beside words in many languages; see ALSO",
    "newsletter/rendering/lint/mjml.py": "said to whoever writes templates",
    "newsletter/rendering/lint/mjml_values.py": "said to whoever writes templates",
    "newsletter/rendering/samples.py": "sample content",
    "newsletter/rendering/schemas.py": "said to whoever writes templates",
    "newsletter/rendering/prepare.py": "said to whoever writes templates",
    "newsletter/rendering/lint/tags.py": "said to whoever writes templates",
    "newsletter/rendering/templates.py": "said to whoever writes templates",
    "newsletter/rendering/phrases.py": "said to whoever writes templates",
    "newsletter/content/parsing/sandbox/protocol.py": "a defect, to be reported as it is",
    "newsletter/content/parsing/calendars/private_words.py": "words of calendar programs",
    "newsletter/providers/base/suppression_lists.py": "words of providers",
    "newsletter/providers/base/multipart.py": "parts of a call",
    "newsletter/providers/registry.py": "said to whoever writes the settings",
    "newsletter/providers/resend/webhooks.py": "said to a provider",
    "newsletter/providers/mailgun/webhooks.py": "said to a provider",
    "newsletter/providers/sendgrid/webhooks.py": "said to a provider",
    "newsletter/providers/ses/signing.py": "said to whoever installs",
    "newsletter/providers/ses/webhooks.py": "said to a provider",
    "newsletter/providers/ses/sns.py": "said to a provider",
    "newsletter/providers/base/webhooks/call.py": "said to a provider",
    "newsletter/providers/base/webhooks/values.py": "said to a provider",
    "newsletter/providers/webhook_readers.py": "said to a provider",
    "subscribers/web/stylesheet.py": "style",
    "subscribers/consent/signup_limits.py": "log lines, beside words of attribute_texts",
    "subscribers/unsubscribing/suppression_journal.py": "said to whoever runs the machine",
    "subscribers/consent/throttle.py": "log lines",
    "subscribers/places/towns.py": "parts of a query",
    "subscribers/importing/writing/stage.py": "parts of a query",
    "subscribers/importing/writing/staged_rows.py": "parts of a query",
    "subscribers/importing/writing/statements.py": "parts of a query",
    "subscribers/segments/registry.py": "said to whoever writes code",
}
"""Modules of those above whose texts reach no reader of the desk, each with what they are."""
OPERATORS = (
    "newsletter/api/",
    "newsletter/bench/",
    "newsletter/console/",
    "newsletter/demo/",
    "newsletter/management/",
    "newsletter/organisation/",
    "newsletter/project/",
    "newsletter/web/",
    "newsletter/models/",
    "newsletter/api_keys.py",
    "subscribers/models/",
    "subscribers/web/",
    "scripts/",
)
"""Whose refusals are read by whoever runs the machine, calls the API or reads a log, in English; what of them is said
otherwise stands in MODULES too."""
NOT_SAID = frozenset(
    {
        '{{ first_name | default:"friend" }}',
        "application/json, */*;q=0.1",
        "gzip, deflate",
        "text/calendar, text/plain;q=0.5",
        "no date",
        "no JSON",
        "text/calendar, text/plain;q=0.5, */*;q=0.1",
        "newsletter/1 (self-hosted newsletter)",
        "Amazon SES",
        "Mac Roman",
        "statement timeout",
        "hard bounce",
        "opted in",
        "giving status",
        "time zone, tz",
    }
)
"""Texts of the other modules that are no words of ours."""
ALSO = (
    "The link “%(words)s” does not say where it goes. Name what is there.",
    "%(host)s %(meaning)s (status %(status)s).",
    "%(day)s at %(time)s (%(zone)s)",
    "ahead; %(where)s",
    "newest",
    "newest, topic %(topics)s",
    "no date at the source, so after those that have one, topic %(topics)s",
    "cancelled",
    "subject",
    "preheader",
    "story",
    "event",
    "appeal",
    "Why: %(reason)s.",
    "Links",
    "Buttons",
    "Bands",
)
"""What is put together from pieces, or is one word."""
_WORDED = frozenset({"gettext", "_", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"})
_QUERY = re.compile(
    r"(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|RETURNING|COPY|ON CONFLICT|AND|CASE)\b[^a-z]*\w*|</?[!\w]|\{%"
)
_BETWEEN_COMMAS = re.compile(r"[^A-Z.:;“]+(, ?[^A-Z.:;“]+){2,}")
_WORD = re.compile(r"[^\W\d_]{2,}")
_PLACE = re.compile(r"%\(\w+\)s")


def collect_sentences() -> dict[str, str]:
    """Every sentence with its places for values as %(name)s, and the file and line that makes it."""
    found = dict.fromkeys(ALSO, "scripts/sentences.py:1")
    for file in list_modules():
        name = str(file.relative_to(ROOT))
        for line, sentence in find_sentences(file.read_text(encoding="utf-8")):
            found.setdefault(sentence, f"{name}:{line}")
    return found


def list_modules() -> list[Path]:
    files = (file for pattern in MODULES for file in sorted(ROOT.glob(pattern)))
    return [file for file in files if str(file.relative_to(ROOT)) not in LEFT_OUT]


def find_sentences(source: str) -> Iterator[tuple[int, str]]:
    """(line, sentence) of one module's source."""
    for node in _walk(ast.parse(source)):
        for sentence in _read(node):
            said = sentence.strip()
            fixed = _PLACE.sub("", said)
            if len(_WORD.findall(fixed)) > 1 and " " in fixed and said not in NOT_SAID and not _is_code(said):
                yield node.lineno, said


def _is_code(text: str) -> bool:
    """A piece of a query, of a page, or of a text with which a mail is tried."""
    return bool(_QUERY.match(text)) or "\x00" in text


def _read(node: ast.expr) -> list[str]:
    """What gettext words is a pattern as it is."""
    if isinstance(node, ast.Call):
        return [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return _write(node)


def _walk(node: ast.AST) -> Iterator[ast.expr]:
    """The texts that are said, and calls of gettext: no docstrings, no lines of the log."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Constant() | ast.JoinedStr():
            yield node
        case ast.Call(func=func) if ast.unparse(func).rpartition(".")[2] in _WORDED:
            yield node
            return
        case ast.Call(func=func) if _is_silent(func):
            return
    for child in ast.iter_child_nodes(node):
        if not _is_passed_over(child, within=node):
            yield from _walk(child)


def _is_passed_over(child: ast.AST, *, within: ast.AST) -> bool:
    """A piece of a sentence that was taken whole, a key, a type in quotation marks, words that are compared with."""
    if _lists_words(child):
        return True
    match within:
        case ast.JoinedStr():
            return isinstance(child, ast.Constant) or _is_choice(child)
        case ast.Dict(keys=keys):
            return child in keys
        case ast.FunctionDef(returns=returns):
            return child is returns
        case ast.arg() | ast.Compare():
            return True
        case ast.AnnAssign(annotation=annotation):
            return child is annotation
        case _:
            return False


def _lists_words(node: ast.AST) -> bool:
    """Several small words in a row, or one text of them between commas: what files and sites call things."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and bool(_BETWEEN_COMMAS.fullmatch(node.value))
    few = node.elts if isinstance(node, ast.Tuple | ast.Set) else []
    return len(few) > 2 and all(isinstance(one, ast.Constant) and str(one.value).islower() for one in few)


def _is_silent(func: ast.expr) -> bool:
    name = ast.unparse(func)
    return name.startswith(("log.", "re.")) or name.endswith(".execute")


def _is_choice(node: ast.AST) -> bool:
    """“{'story' if one else 'stories'}”: each of the two makes a sentence of its own."""
    value = node.value if isinstance(node, ast.FormattedValue) else None
    return isinstance(value, ast.IfExp) and all(
        isinstance(one, ast.Constant | ast.JoinedStr) for one in (value.body, value.orelse)
    )


def _write(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant):
        return [node.value.replace("%", "%%")] if isinstance(node.value, str) else []
    written: list[tuple[str, tuple[str, ...]]] = [("", ())]
    for value in node.values if isinstance(node, ast.JoinedStr) else ():
        choice = value.value if isinstance(value, ast.FormattedValue) else None
        if isinstance(choice, ast.IfExp) and _is_choice(value):
            endings = [text for one in (choice.body, choice.orelse) for text in _write(one)]
            written = [(text + ending, names) for text, names in written for ending in endings]
        elif isinstance(value, ast.FormattedValue):
            written = [_add_place(text, names, _name(value.value)) for text, names in written]
        else:
            written = [(text + _write(value)[0], names) for text, names in written]
    return [text for text, _names in written]


def _add_place(text: str, names: tuple[str, ...], name: str) -> tuple[str, tuple[str, ...]]:
    again = names.count(name) + 1
    return f"{text}%({name if again == 1 else f'{name}_{again}'})s", (*names, name)


def _name(node: ast.expr) -> str:
    """What a value is called in the sources, for people who translate."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Constant()), args=[first, *_]):
            return _name(first)
        case ast.Call(func=ast.Attribute(attr=str(attr), value=ast.Name(id="self"))):
            return attr.strip("_")
        case ast.Call(func=ast.Attribute(value=value)):
            return _name(value)
        case ast.Call(args=[first, *_]):
            return _name(first)
        case ast.Subscript(slice=ast.Constant(value=str(key))) if key.isidentifier():
            return key
        case ast.Subscript(value=value) | ast.Starred(value=value):
            return _name(value)
        case ast.Attribute(attr=attr):
            return attr.strip("_").lower()
        case ast.Name(id=name):
            return name.strip("_").lower()
        case ast.BinOp(left=left):
            return _name(left)
        case _:
            return "value"
