"""Hash staff passwords with Argon2id, a few at a time, so that a flood of sign-ins cannot use up the memory."""

from threading import BoundedSemaphore

from django.contrib.auth.hashers import Argon2PasswordHasher

MAX_CONCURRENT_HASHES = 2
_semaphore = BoundedSemaphore(MAX_CONCURRENT_HASHES)


class Argon2id(Argon2PasswordHasher):
    """Argon2id with OWASP's parameters: 19 MiB, two passes, one thread. About 30 ms."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _semaphore:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _semaphore:
            return super().verify(password, encoded)
