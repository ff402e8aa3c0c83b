"""Proof of work for sign-ups (ALTCHA): cheap for one browser, expensive for a robot that signs up thousands.

Each solution counts once, by its `SpentProof` row. No third party is asked.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from altcha.v1 import ChallengeOptions, create_challenge, verify_solution
from django.db import IntegrityError, transaction

from subscribers.links.signed_links import link_keys
from subscribers.models import SpentProof

CHALLENGE_LIFETIME = timedelta(hours=2)
EASY, HARD = 50_000, 250_000
_MAX_PAYLOAD_LENGTH = 2_000


class Proof(StrEnum):
    """The kind of proof that came with a sign-up."""

    NONE = "none"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True)
class Challenge:
    """The input of the page's script: find the number up to `max_number` whose SHA-256 after `salt` is `challenge`."""

    challenge: str
    salt: str
    signature: str
    max_number: int


def make_challenge(*, now: datetime, hard: bool = False) -> Challenge:
    """Return a new challenge, valid for two hours and one use."""
    max_number = HARD if hard else EASY
    made = create_challenge(ChallengeOptions(hmac_key=_key(), max_number=max_number, expires=now + CHALLENGE_LIFETIME))
    return Challenge(challenge=made.challenge, salt=made.salt, signature=made.signature, max_number=max_number)


def check_proof(payload: str) -> Proof:
    """Check a solution's signature, number and age. This does not spend it."""
    if not payload:
        return Proof.NONE
    if len(payload) > _MAX_PAYLOAD_LENGTH or not payload.isascii():
        return Proof.BAD
    try:
        good, _ = verify_solution(payload, _key(), check_expires=True)
    except (ValueError, TypeError, KeyError, AttributeError):
        return Proof.BAD
    return Proof.GOOD if good else Proof.BAD


def use_proof(payload: str, *, now: datetime) -> bool:
    """Spend a valid solution. Return False if it was spent before."""
    challenge = json.loads(base64.b64decode(payload))["challenge"]
    digest = hashlib.sha256(str(challenge).encode()).digest()
    try:
        with transaction.atomic():
            SpentProof.objects.create(digest=digest, expires_at=now + CHALLENGE_LIFETIME)
    except IntegrityError:
        return False
    return True


def _key() -> str:
    return hmac.digest(link_keys()[0].encode(), b"subscribers.proof", hashlib.sha256).hex()
