"""The encryption of protected terms."""

from newsletter.common.sealing import Sealer

SEALER = Sealer(b"newsletter.protected-terms")
