"""Read one setting of the environment as text, switch or list. Raises EnvError for a value that cannot be used."""

from environs import Env, EnvError

from newsletter.common.errors import BadAddress
from subscribers.addresses.normalise import normalise

_env = Env()
_TRUE, _FALSE = ("true", "yes", "on", "1", "t", "y"), ("false", "no", "off", "0", "f", "n")


def read_text(name: str, default: str) -> str:
    """Return a setting without surrounding white space, or the default if it is empty."""
    return _env.str(name, "").strip() or default


def read_flag(name: str, *, default: bool) -> bool:
    text = read_text(name, "").lower()
    if text in (*_TRUE, *_FALSE):
        return text in _TRUE
    if text:
        raise EnvError(f"{name} is “{text[:20]}”. Write true or false.")
    return default


def read_words(name: str) -> list[str]:
    return [part.strip() for part in _env.str(name, "").split(",") if part.strip()]


def read_mailable(name: str) -> list[str]:
    """Return addresses and domains. Raise EnvError for a word that is neither, because it would leave somebody out."""
    for text in read_words(name):
        try:
            normalise(text if "@" in text.lstrip("@") else f"anybody@{text.lstrip('@')}")
        except BadAddress as error:
            raise EnvError(f"{name}: “{text}” is neither an address nor a domain such as example.org.") from error
    return read_words(name)
