"""Decide the state of a line's person by its dates too, and hold the line if another column may say that they unsubscribed.

Names are compared without accents. A column whose meaning is unsure suppresses nobody: the line is refused with its reason.
`subscription_state` reads the columns that are certain.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from newsletter.common.messages import Message
from newsletter.common.text import fold_name
from subscribers.attribute_rules import attribute_key
from subscribers.importing.reading.parsed_rows import RefusalKind, RowKind
from subscribers.importing.reading.subscription_state import (
    NO_WORDS,
    ON_HOLD,
    STATUS_FIELD,
    SUBSCRIBED,
    Refusal,
    is_date,
    is_filled,
    is_no,
    is_subscribed_status,
    is_yes,
    says_not_subscribed,
)
from subscribers.importing.reading.translated_columns import POSSIBLE_OPT_OUTS, POSSIBLE_STATES


def _fold_key(key: str) -> str:
    return attribute_key(fold_name(attribute_key(key)))


_SAY_THAT_MAIL_ARRIVES = frozenset({STATUS_FIELD, SUBSCRIBED, ON_HOLD})
_MAIL_WORD = re.compile(r"(?<![a-z])mail(?=s?(_|$))")
_OPT_OUT_KEYS = frozenset(map(_fold_key, POSSIBLE_OPT_OUTS))
_KEYS = frozenset(map(_fold_key, POSSIBLE_STATES)) | _OPT_OUT_KEYS
_CONSENT = r"(consen|einwilligung|zustimmung|marketing|згод)"
_WITHDRAWN = r"(withdr[ae]w|revo[ckg]|widerr[uo]f|retir(e|ad[ao]|o)(_|$)|відклик)"
_MAIL = r"(newsletter|e_?mail|mails?|mailing|boletin|boletim|correos?|infolettre|rundbrief|courriels?|розсилк)"
_UNUSABLE = r"(invalid|bad|inactive|undeliverable|quarantined)"
_OPT_OUT = re.compile(
    r"unsub|blacklist|blocklist|suppress|opt(ed)?_?out|do(_not|_?n_?t)_(e_?mail|contact)|desabonn|desinscri|abgemeldet|abbestell"
    rf"|(^|_)(no|not|without|kein\w*|ohne|pas_de|sans|sin|sem|baja|nu|fara|без)_(\w+_)?{_MAIL}"
    rf"|(^|_)(stop|exclude[ds]?|removed?)_(\w+_)?{_MAIL}|(^|_)noe_?mail|e_?mail_(address_)?{_UNUSABLE}(_|$)|(^|_){_UNUSABLE}_e_?mail"
    r"|fecha_(de_)?baja|(^|_)baja$|(^|_)(blocked|bounced)(_|$)|(^|_)is_bad$|bloquead[oa]|desuscri|descadastr|dezabon|відпис"
    rf"|mail(_\w+)?_disabled$|{_CONSENT}.*{_WITHDRAWN}|{_WITHDRAWN}.*{_CONSENT}|^(date_)?deceased(_(date|on))?$|^(date_of_)?death(_date)?$"
)
_OPT_IN = re.compile(
    r"newsletter|opt(ed)?_?in(_|$)|subscribed|marketing_status|consent_to_(be_)?contact|^(marketing|subscriber)$"
    r"|^(marketing_|gdpr_|rgpd_|lgpd_|dsgvo_)?(consent[a-z]*|subscription|einwilligung|abonn[a-z]*)(_(stat\w+|etat|given))?$"
)
_EMAIL = re.compile(r"mail|correo|courriel")
_OPT_IN_BESIDE_MAIL = re.compile(
    r"consent|subscription|einwilligung|abonn|permi|allow|accept|agree|acept|aceit|prefer|marketing|update|list|contact|emailable"
    r"|(^|_)(ok|can|may|happy|wants?|by|per|por|par|via)(_|$)|receiv|recib|receb|recevoir|recoit|send|enviar|^(e_?mails|mailings)$"
    r"|comm?uni|kommuni|comms|touch|hear_from|news(_|$)|bulletin|notif|quier|souhait|wunsch|erlaub"
)
_OTHER_MEDIA = re.compile(
    r"sms|phone|mobile|telefon|call|fax|whatsapp|(^|_)post(_|$)|postal|print|photo|foto|image|picture|gift_?aid|magazine|journal"
    r"|(^|_)texts?(_|$)|(?<!news)letter|courrier(?!_elec)"
)
_POST = re.compile(
    r"(?<![a-z])(do_not_|opt(ed)?_?out_((of|from)_)?|direct_|postal_|paper_|printed_)mail(?!ing)|courrier(?!_elec)|correos?_postal"
)
_NOT_A_STATE = re.compile(
    r"reason|grund|motivo|raison|(^|_)type$|(^|_)(no|number|count)_of_|_(count|sent|opened|clicked|link|url|token|hash|id|name)$"
    r"|_(replied|delivered|opens|clicks|rate|\d+(d|mo))$|(^|_)(html|format|language)(_|$)|^mailing_address|mailchimp"
)
_NEVER = frozenset({"never", "nunca", "jamais", "nie", "niciodata", "ніколи"})
_REFUSES = re.compile(rf"({'|'.join(map(re.escape, sorted(NO_WORDS | _NEVER)))})(?=\.?([\s,;:(/–—]|$))")
_SIGN_UP = "sign-up date"
_NONE = "none"  # a database may write it for no value, but “Newsletter: none” is an answer
_DENIALS = _NEVER | {_NONE}
_DECLINED = re.compile(
    r"unsub|opt(ed)?[\s_-]*out|do(n'?t| not) |no longer|withdr[ae]w|declin|refus|revo[ckg]|cancel|rechaz|recus|abgelehnt|widerruf"
    r"|^(not|nicht|keine?) |lapsed|stopped|відмов|відклик|[✗✘☒❌]"
)


def may_say_unsubscribed(key: str) -> bool:
    """Return True for the key of an attribute that may say that a person unsubscribed from mail."""
    key = _fold_key(key)
    if key in _KEYS:
        return True
    if _NOT_A_STATE.search(key):
        return False
    names_email = _EMAIL.search(_POST.sub("", key)) is not None
    if not names_email and (_OTHER_MEDIA.search(key) or _POST.search(key)):
        return False
    return bool(_OPT_OUT.search(key) or _OPT_IN.search(key) or (names_email and _OPT_IN_BESIDE_MAIL.search(key)))


def find_postal_columns(header: Sequence[str]) -> set[int]:
    """Return the positions of columns such as “Mail allowed” in a file that has “Email allowed” too: their mail is post."""
    keys = [re.sub(r"(^|_)e_mail", r"\1email", _fold_key(name)) for name in header]
    joined = {key.replace("_", "") for key in keys}
    return {
        at
        for at, key in enumerate(keys)
        if _MAIL_WORD.search(key) and _MAIL_WORD.sub("email", key).replace("_", "") in joined
    }


def find_unclear_state(
    dates: Mapping[str, Iterable[str]],
    possible: Mapping[str, str],
    *,
    stated: Collection[str],
    notes: list[str],
) -> tuple[str, Refusal | None]:
    """Return what else may say that a person unsubscribed, as `find_state` does.

    ``dates`` has the texts of ``left_on``, ``bounced_on`` and ``asked_on``, ``possible`` the values of attributes of
    `may_say_unsubscribed` by their keys. ``stated`` are the fields that have a value in the line: by them the person may be
    mailed. If they say that mail arrives, a bounce is older, and noted.
    """
    is_stated, is_active = bool(set(stated) - {ON_HOLD}), not _SAY_THAT_MAIL_ARRIVES.isdisjoint(stated)
    for text in filter(_is_stated_date, dates["left_on"]):
        if not is_date(text):
            return RowKind.JOIN, _refuse_no_date(text)
        if is_stated:
            return RowKind.JOIN, _refuse_contradiction(text)
        return RowKind.UNSUBSCRIBED_LIST, None
    bounces = list(filter(_is_stated_date, dates["bounced_on"]))
    if bounces and not is_active:
        unread = next((text for text in bounces if not is_date(text)), None)
        return (RowKind.BOUNCED, None) if unread is None else (RowKind.JOIN, _refuse_no_date(unread))
    notes += map(_note_bounce, bounces)
    for key, text in possible.items():
        if _may_stop_mail(key, text):
            return RowKind.JOIN, _refuse_possible_state(key, text)
    for text in filter(_is_refused_sign_up, dates["asked_on"]):
        return RowKind.JOIN, _refuse_possible_state(_SIGN_UP, text)
    return RowKind.JOIN, None


def _is_refused_sign_up(text: str) -> bool:
    """Return True if a cell for the date of a sign-up says “no” or “never”."""
    return not is_date(text) and not text.strip().isdigit() and _may_stop_mail(_SIGN_UP, text)


def _is_stated_date(text: str) -> bool:
    """Return False if a cell for a date says that there is none."""
    return is_filled(text) and not is_no(text) and fold_name(text.strip()) not in _NEVER


def _may_stop_mail(key: str, text: str) -> bool:
    """Return True if mail may be stopped: by any answer but “no” to an opt-out, or by a “no” or a refusal elsewhere."""
    if not is_filled(text) and text.strip().lower() != _NONE:
        return False
    key, word = _fold_key(key), fold_name(text.strip())
    if key in _OPT_OUT_KEYS or _OPT_OUT.search(key):
        return is_yes(word) or not (is_no(word) or word in _DENIALS or is_subscribed_status(word))
    if "@" in word and len(word.split()) == 1:
        return False
    return (
        word == _NONE
        or says_not_subscribed(word)
        or _REFUSES.match(word) is not None
        or _DECLINED.search(word) is not None
    )


def _refuse_no_date(text: str) -> Refusal:
    return RefusalKind.UNKNOWN_STATUS, Message(
        "“%(text)s” is not a date of unsubscribing or bouncing such as 2026-03-31, so the line was not imported. Correct it, or "
        "choose another field for its column.",
        text=text.strip()[:40],
    )


def _note_bounce(text: str) -> str:
    return Message(
        "The line has a date of bouncing, “%(day)s”, but its other columns say that the person gets mail. The line is used.",
        day=text.strip()[:40],
    )


def _refuse_contradiction(day: str) -> Refusal:
    return RefusalKind.UNKNOWN_STATUS, Message(
        "This line has a date of unsubscribing, “%(day)s”, but says that the person is subscribed. So it was not imported. "
        "Correct it, or leave one of these columns out.",
        day=day.strip()[:40],
    )


def _refuse_possible_state(key: str, text: str) -> Refusal:
    return RefusalKind.UNKNOWN_STATUS, Message(
        "The column “%(column)s” says “%(text)s”. This may mean that the person gets no mail, so the line was not "
        "imported. Choose the field of this column, such as status. If it means something else, keep it as an extra field, "
        "whatever it says, or rename it to “attribute:%(column)s”.",
        column=key.replace("_", " "),
        text=text.strip()[:40],
    )
