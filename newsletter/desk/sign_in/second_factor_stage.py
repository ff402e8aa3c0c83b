"""The step of a sign-in that asks for our second factor, unless the identity provider asked for one."""

from collections.abc import Mapping
from typing import Any

from allauth.mfa.stages import AuthenticateStage

from newsletter.identity_provider.identity import Identity


class SecondFactorStage(AuthenticateStage):
    def handle(self) -> tuple[Any, bool]:
        identity = find_identity(self.login.signal_kwargs)
        if identity is not None and identity.second_factor:
            return None, True
        asked: tuple[Any, bool] = super().handle()
        return asked


def find_identity(signal_kwargs: Mapping[str, object] | None) -> Identity | None:
    """Return the identity of a sign-in with the identity provider; None for a password."""
    found = getattr((signal_kwargs or {}).get("sociallogin"), "identity", None)
    return found if isinstance(found, Identity) else None


def is_by_identity_provider(signal_kwargs: Mapping[str, object] | None) -> bool:
    return (signal_kwargs or {}).get("sociallogin") is not None
