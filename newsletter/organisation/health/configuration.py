"""Check the settings: their file, misspelt names, weak keys, proxies, extensions. No secret is shown."""

import re
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.common.extension_registry import AnyRegistry, BrokenExtension
from newsletter.common.translation_kind import TRANSLATIONS
from newsletter.content.fetching.errors import Refused
from newsletter.content.fetching.url_guard import WEB_PORTS, AllowList, check_addresses, check_url
from newsletter.content.parsing.source_kind import SOURCE_KINDS
from newsletter.issues.checks.issue_check import CHECKS
from newsletter.organisation.health.machine import is_own_name
from newsletter.providers.registry import PROVIDERS
from newsletter.rendering.block_kind import BLOCK_KINDS
from newsletter.sending.deliverability.findings import Finding, error, ok, warning

_PREFIX = "NEWSLETTER_"
_SET_BY_OTHERS = re.compile(r"NEWSLETTER_(TEST_|SERVICE_|PORT$|PORT_)")
"""Names that the project's tests and Kubernetes put into an environment."""
_NEAR = 0.75
REGISTRIES: tuple[AnyRegistry, ...] = (SOURCE_KINDS, PROVIDERS, BLOCK_KINDS, CHECKS, TRANSLATIONS)


def check_settings_file(file: Path | None, *, folder: Path) -> Finding:
    """Report which settings file is read, and if other users can read it."""
    if file is None:
        return ok("settings file", f"None: there is no .env in {folder}. Settings come from the environment alone.")
    try:
        mode = file.stat().st_mode
    except OSError as failure:
        return error("settings file", f"{file} cannot be read any more: {failure.strerror}.", "Restore it.")
    if stat.S_ISREG(mode) and mode & stat.S_IROTH:
        do = f"Run: chmod 600 {file}"
        return error("settings file", f"Every user of this machine can read {file} and the keys in it.", do)
    return ok("settings file", f"{file}")


def check_setting_names(
    *, environ: Mapping[str, str], in_file: Collection[str], setting_names: Collection[str]
) -> Iterator[Finding]:
    """Report names that look like settings but are unknown, with the nearest known name."""
    for name in sorted({*environ, *in_file}):
        if name in setting_names or _SET_BY_OTHERS.match(name):
            continue
        whole = f"{_PREFIX}{name.upper()}"
        if name in in_file and whole in setting_names:
            text = "The settings file has this name, which has no effect here."
            yield warning(f"setting {name}", text, f"Did you mean {whole}? If it is for another program, keep it.")
            continue
        near = get_close_matches(name.upper(), setting_names, n=1, cutoff=_NEAR)
        if not near and not name.upper().startswith(_PREFIX):
            continue
        if name not in in_file and not name.upper().startswith(_PREFIX):
            continue
        where = "The settings file" if name in in_file else "The environment"
        do = f"Did you mean {near[0]}?" if near else "Remove it, or correct its name."
        yield (error if name in in_file else warning)(
            f"setting {name}", f"{where} has this unknown setting; it has no effect.", do
        )


def check_repeated_names(repeated: Mapping[str, Sequence[int]], *, file: Path | None) -> Iterator[Finding]:
    """Report the names that the settings file has more than once, with their lines. The last one counts."""
    for name, lines in sorted(repeated.items()):
        *others, last = lines
        text = f"{file} has this setting {len(lines)} times, and only line {last} counts."
        which = f"line {others[0]}" if len(others) == 1 else f"lines {', '.join(map(str, others))}"
        yield warning(f"setting {name}", text, f"Keep the line with the right value: remove {which}, or line {last}.")


def check_quotes(*, environ: Mapping[str, str], setting_names: Collection[str]) -> Iterator[Finding]:
    """Report settings whose value still has quotation marks, as `docker run --env-file` leaves them."""
    for name in sorted(setting_names):
        value = environ.get(name, "").strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            do = "Remove the quotation marks in the place that sets it. If mail was already sent with this key, keep them."
            yield warning(f"setting {name}", "Its value begins and ends with a quotation mark.", do)


def check_keys(weak: Sequence[str], *, production: bool) -> Finding:
    """Report weak keys. Production does not start with them."""
    if not weak:
        return ok("keys", "They are long enough.")
    do = "Give keys of 32 characters or more before you set NEWSLETTER_PRODUCTION=true, which refuses these."
    level = error if production else warning
    return level("keys", f"Too easy to guess: {', '.join(weak)}.", do)


def check_monitor(url: str, *, allowed: Sequence[str]) -> Iterator[Finding]:
    """Report a monitor address that cannot be requested; its alarm would never stop. No name is looked up."""
    if not url:
        return
    try:
        parts = check_url(url)
    except Refused as failure:
        yield error("monitor", str(failure).replace(url, "NEWSLETTER_PULSE_URL"), "Correct NEWSLETTER_PULSE_URL.")
        return
    host, port = parts.hostname or "", parts.port or WEB_PORTS[parts.scheme]
    try:
        address = str(ip_address("127.0.0.1" if host == "localhost" else host))
    except ValueError:
        return
    try:
        check_addresses(scheme=parts.scheme, host=host, port=port, addresses=[address], allow=AllowList.parse(allowed))
    except Refused as failure:
        yield error("monitor", str(failure), "Name the monitor's host in NEWSLETTER_FETCH_ALLOW, and start again.")


def check_proxies(site_url: str, *, proxies: Sequence[str]) -> Finding:
    """Report a public site without trusted proxies: all its visitors would look like one."""
    try:
        parts = urlsplit(site_url)
    except ValueError:  # the check of the site URL reports it
        parts = urlsplit("")
    if any(ip_network(proxy, strict=False).prefixlen == 0 for proxy in proxies):
        do = "Name only the addresses of your own web server in NEWSLETTER_TRUSTED_PROXIES, such as 127.0.0.1."
        return error("proxies", "Every address is trusted as a proxy, so a visitor can forge any IP address.", do)
    if proxies:
        return ok("proxies", f"Visitors are told apart behind {', '.join(proxies)}.")
    if parts.scheme != "https" or parts.hostname is None or is_own_name(parts.hostname):
        return ok("proxies", "None is trusted: visitors come to this program directly.")
    do = (
        "Set NEWSLETTER_TRUSTED_PROXIES to the address of the web server in front (127.0.0.1 if it is on this machine), "
        "and let that server send X-Forwarded-For. Caddy and Apache do so by themselves; nginx needs the line "
        "“proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;”."
    )
    text = "All visitors appear with the same IP address, so one visitor can use up the limits of all."
    return error("proxies", text, do)


def list_broken_extensions() -> list[BrokenExtension]:
    """Return every extension that was left out. The first call in a process loads all extensions."""
    return [broken for registry in REGISTRIES for broken in registry.list_broken()]


def check_extensions() -> Iterator[Finding]:
    """Yield an error for each extension that was left out."""
    broken = list_broken_extensions()
    if not broken:
        yield ok(
            "extensions",
            f"All {sum(len(registry) for registry in REGISTRIES)} kinds of sources, blocks and so on are loaded.",
        )
    for extension in broken:
        text = f"{extension.name} of the package {extension.package} ({extension.group}) could not be loaded: {extension.reason}."
        yield error("extensions", text, str(extension.do))
