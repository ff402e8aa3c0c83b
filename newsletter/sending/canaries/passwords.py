"""The passwords of the canary mailboxes: encrypted in the database, and decrypted only to sign in."""

from newsletter.common.errors import NotReady
from newsletter.common.sealing import Sealer
from newsletter.models import CanaryMailbox

SEALER = Sealer(b"newsletter.canary-passwords")


def read_password(mailbox: CanaryMailbox) -> str:
    """Return the password. Raise NotReady if no secret key of this installation decrypts it."""
    password = SEALER.unseal(mailbox.sealed_password)
    if password is None:
        raise NotReady(
            "The password of %(mailbox)s cannot be decrypted, because NEWSLETTER_SECRET_KEY was changed. The mailbox is not "
            "read. Enter the password again.",
            mailbox=mailbox,
        )
    return password


def reseal_passwords() -> int:
    """Encrypt with the newest key the passwords that an older one encrypted. Return how many."""
    resealed = 0
    for mailbox in CanaryMailbox.objects.all():
        sealed = mailbox.sealed_password
        if not SEALER.is_newest(sealed) and (password := SEALER.unseal(sealed)) is not None:
            current = CanaryMailbox.objects.filter(pk=mailbox.pk, sealed_password=sealed)
            resealed += current.update(sealed_password=SEALER.seal(password))
    return resealed
