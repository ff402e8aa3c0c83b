"""The accounts of canary mailboxes: staff save one only if signing in works, and not with the address of a subscriber."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_address

from django.conf import settings
from django.db import IntegrityError, transaction
from imapclient import IMAPClient

from newsletter.common.errors import BadAddress, DomainError
from newsletter.common.networks import is_loopback
from newsletter.content.fetching.errors import HostNotFound, Unreachable
from newsletter.content.fetching.fetcher import resolve_host
from newsletter.content.fetching.url_guard import AllowList, is_public
from newsletter.inbound.canaries.find_canary_mails import list_folders
from newsletter.inbound.errors import MailboxUnavailable, ServerFailed, SignInRefused
from newsletter.inbound.imap import sign_in
from newsletter.inbound.settings import Mailbox, Security
from newsletter.models import CanaryMail, CanaryMailbox
from newsletter.sending.canaries.passwords import SEALER, read_password
from subscribers.addresses.normalise import normalise
from subscribers.identity import identify, require_own_key
from subscribers.models import Subscriber

READ_SECONDS = 20.0
"""How long one reading of one mailbox may take. A send, or a person at the desk, may be waiting for it."""
TLS_PORT = 993


class BadCanaryAddress(DomainError):
    """The address cannot be a canary's: it is no address, is in use, or belongs to a subscriber."""


class PasswordNeeded(DomainError):
    """The stored password belongs to another server, port or user, so it is not used."""


@dataclass(frozen=True)
class Account:
    """The form of a mailbox, as staff fill it in."""

    address: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)


def add_mailbox(
    account: Account, *, now: datetime, write_entry: Callable[[CanaryMailbox], object] | None = None
) -> CanaryMailbox:
    """Sign in, then store the mailbox and write the staff log's entry in one transaction.

    Raise BadCanaryAddress, MailboxUnavailable, OtherAddressKey.
    """
    values = _check_address(account.address, except_for=None)
    try_account(account)
    try:
        with transaction.atomic():
            mailbox = CanaryMailbox.objects.create(**values, **_read_login(account), looked_at=now, made_at=now)
            if write_entry is not None:
                write_entry(mailbox)
    except IntegrityError as error:
        raise _make_double(account.address) from error
    return mailbox


def change_mailbox(
    mailbox: CanaryMailbox,
    account: Account,
    *,
    enabled: bool,
    now: datetime,
    write_entry: Callable[[CanaryMailbox], object] | None = None,
) -> None:
    """Sign in, then store what changed and write the staff log's entry in one transaction.

    Turning it off needs no sign-in; if only that changes, nothing is checked.

    Without a new password, the old one is used, but only for the same server, port and user. Raise BadCanaryAddress,
    PasswordNeeded, MailboxUnavailable, OtherAddressKey, or NotReady if the old password cannot be decrypted.
    """
    is_same_login = (account.host, account.port, account.user) == (mailbox.host, mailbox.port, mailbox.user)
    if not account.password and not is_same_login:
        raise PasswordNeeded(
            "The server, its port or the user name is another one, so the stored password was not sent there. Enter the "
            "password again."
        )
    if not enabled and not account.password and account.address == mailbox.address:
        _change(mailbox, {"enabled": False}, write_entry=write_entry)
        return
    values = _check_address(account.address, except_for=mailbox)
    if not account.password:
        account = replace(account, password=read_password(mailbox))
    if enabled:
        try_account(account)
        values |= {"failing_since": None, "error": "", "looked_at": now}
    try:
        _change(mailbox, {**values, **_read_login(account), "enabled": enabled}, write_entry=write_entry)
    except IntegrityError as error:
        raise _make_double(account.address) from error


@transaction.atomic
def _change(
    mailbox: CanaryMailbox, values: dict[str, object], *, write_entry: Callable[[CanaryMailbox], object] | None
) -> None:
    row = CanaryMailbox.objects.filter(pk=mailbox.pk)
    row.update(**values)
    if write_entry is not None:
        write_entry(row.get())


def try_account(account: Account) -> None:
    """Sign in and open the inbox. Raise MailboxUnavailable."""
    with connect(account, seconds=READ_SECONDS) as client:
        has_inbox = any(folder.placement == CanaryMail.Placement.INBOX for folder in list_folders(client))
        if has_inbox:
            client.select_folder("INBOX", readonly=True)
    if not has_inbox:
        raise MailboxUnavailable(
            "The mailbox of %(user)s on %(host)s has no inbox, so no mail can be found there. Check the user name.",
            user=account.user,
            host=account.host,
        )


def try_mailbox(mailbox: CanaryMailbox) -> None:
    """Sign in to a stored mailbox, and forget its failure if that works. Raise MailboxUnavailable or NotReady."""
    try_account(read_account(mailbox))
    CanaryMailbox.objects.filter(pk=mailbox.pk).update(failing_since=None, error="")


def read_account(mailbox: CanaryMailbox) -> Account:
    """Return the account of a stored mailbox. Raise NotReady if its password cannot be decrypted."""
    return Account(mailbox.address, mailbox.host, mailbox.port, mailbox.user, read_password(mailbox))


@contextmanager
def connect(account: Account, *, seconds: float) -> Iterator[IMAPClient]:
    """Connect and sign in. Raise MailboxUnavailable, also for later errors."""
    _require_reachable(account)
    try:
        with sign_in(_make_mailbox(account), seconds=seconds) as client:
            yield client
    except SignInRefused as error:
        raise MailboxUnavailable(
            "%(host)s refuses the user %(user)s or the password, so the canary is not read. Enter the password again. Many "
            "providers require an app password.",
            host=account.host,
            user=account.user,
        ) from error
    except ServerFailed as error:
        raise MailboxUnavailable(
            "%(host)s:%(port)s cannot be read (%(why)s), so the canary is not looked at. Check the name of the server, its port "
            "and whether it runs.",
            host=account.host,
            port=account.port,
            why=error.why,
        ) from error


def _make_mailbox(account: Account) -> Mailbox:
    """Return how to connect: with TLS on port 993, else with STARTTLS, and without either on this machine alone."""
    if account.port == TLS_PORT:
        security = Security.TLS
    else:
        security = Security.PLAIN if is_loopback(account.host) else Security.STARTTLS
    return Mailbox(
        host=account.host,
        port=account.port,
        user=account.user,
        password=account.password,
        folder="INBOX",
        security=security,
    )


def _require_reachable(account: Account) -> None:
    """Raise MailboxUnavailable if the server is on a private network that NEWSLETTER_FETCH_ALLOW does not name."""
    allow = AllowList.parse(settings.NEWSLETTER_FETCH_ALLOW)
    try:
        addresses = [ip_address(text.partition("%")[0]) for text in resolve_host(account.host, account.port)]
    except HostNotFound as error:
        raise MailboxUnavailable(
            "No mail server is found at %(host)s, so the canary is not read. Check the spelling.", host=account.host
        ) from error
    except Unreachable as error:
        raise MailboxUnavailable("%(why)s Until then, the canary is not read.", why=error.message) from error
    for address in addresses:
        if not is_public(address) and not allow.allows(host=account.host, port=account.port, address=address):
            raise MailboxUnavailable(
                "%(host)s is on a private network, so the canary is not read. An administrator of the server can name it in "
                "NEWSLETTER_FETCH_ALLOW.",
                host=account.host,
            )


def _check_address(text: str, *, except_for: CanaryMailbox | None) -> dict[str, object]:
    """Return the columns of an address. Raise BadCanaryAddress, OtherAddressKey."""
    require_own_key()
    try:
        address = normalise(text)
    except BadAddress as error:
        raise BadCanaryAddress(error.message) from error
    address_hash = identify(address)
    with_address = CanaryMailbox.objects.filter(address_hash=address_hash)
    if (with_address.exclude(pk=except_for.pk) if except_for else with_address).exists():
        raise _make_double(address)
    if Subscriber.objects.filter(address_hash=address_hash).exists():
        raise BadCanaryAddress(
            "%(address)s is the address of a subscriber, who gets each issue once and not three times. Use an address that is on "
            "no list.",
            address=address,
        )
    return {"address": address, "address_hash": address_hash}


def _read_login(account: Account) -> dict[str, object]:
    return {
        "host": account.host,
        "port": account.port,
        "user": account.user,
        "sealed_password": SEALER.seal(account.password),
    }


def _make_double(address: str) -> BadCanaryAddress:
    return BadCanaryAddress(
        "%(address)s is a canary already. Change that one, or enter another address.", address=address
    )
