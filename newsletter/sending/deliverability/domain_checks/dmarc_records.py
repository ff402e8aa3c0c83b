"""Find a domain's DMARC record and its organisational domain by walking up the tree of names (RFC 9989)."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote

from newsletter.sending.deliverability.domain_checks.lookup import Dns, NoAnswer
from newsletter.sending.deliverability.domain_checks.tags import find_version, read_tags

MAX_QUERIES = 8
_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
Policy = Literal["none", "quarantine", "reject"]
_POLICIES: Mapping[str, Policy] = {"none": "none", "quarantine": "quarantine", "reject": "reject"}
PolicyTag = Literal["p", "sp", "np", "t"]
_WEAKER: Mapping[Policy, Policy] = {"none": "none", "quarantine": "none", "reject": "quarantine"}


@dataclass(frozen=True)
class DmarcRecord:
    """The one record at ``_dmarc.{domain}``."""

    domain: str
    text: str
    tags: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"_dmarc.{self.domain}"

    @property
    def is_test(self) -> bool:
        return self.tags.get("t", "n").lower() == "y"

    @property
    def reports_to(self) -> str:
        return self.tags.get("rua", "")

    @property
    def report_addresses(self) -> list[str]:
        """The mail addresses of ``rua``, in lower case, without limits of size such as ``!10m``."""
        uris = (uri.strip().partition("!")[0].lower() for uri in self.reports_to.split(","))
        return [unquote(uri.removeprefix("mailto:")) for uri in uris if uri.startswith("mailto:")]

    def find_policy(self, tag: str = "p") -> Policy | None:
        """Return the policy of a tag, None if it is missing or not a policy."""
        return _POLICIES.get(self.tags.get(tag, "").lower())

    def find_applied_policy(self, domain: str, *, exists: bool = True) -> Policy:
        """Return the policy that receivers apply to failing mail of a domain. ``t=y`` makes it one step weaker."""
        policy = self.find_policy(self._find_policy_tag(domain, exists=exists)) or "none"
        return _WEAKER[policy] if self.is_test else policy

    def find_deciding_tag(self, domain: str, *, exists: bool = True) -> PolicyTag:
        """Return the tag to change for a stricter policy: ``t`` if ``t=y`` weakens the policy."""
        tag = self._find_policy_tag(domain, exists=exists)
        return "t" if self.is_test and (self.find_policy(tag) or "none") != "none" else tag

    def _find_policy_tag(self, domain: str, *, exists: bool) -> PolicyTag:
        """Return the tag with the policy of a domain.

        It is ``p`` for the record's own domain. For one below it is ``np`` if the name is not in DNS, else ``sp``; if that tag
        is missing, the next of the three.
        """
        if domain != self.domain:
            if not exists and self.find_policy("np"):
                return "np"
            if self.find_policy("sp"):
                return "sp"
        return "p"


@dataclass
class TreeWalk:
    """The DMARC records of a domain and its parents, that of the longest name first.

    ``misread`` are names whose record receivers do not read, ``several`` those with more than one record. ``exists`` is False
    if the domain is not in DNS. DNS is asked only if a record above has a policy for such names (``np``).
    """

    domain: str
    exists: bool = True
    records: list[DmarcRecord] = field(default_factory=list)
    misread: list[str] = field(default_factory=list)
    several: list[str] = field(default_factory=list)

    @property
    def organisational_domain(self) -> str:
        """The domain that alignment is judged by. Without any record it is the domain itself."""
        for record in self.records:
            psd = record.tags.get("psd", "").lower()
            if psd == "n":
                return record.domain
            if psd == "y" and record.domain != self.domain:
                labels = record.domain.count(".") + 2
                return ".".join(self.domain.split(".")[-labels:])
        return self.records[-1].domain if self.records else self.domain

    @property
    def policy_record(self) -> DmarcRecord | None:
        """The record that receivers apply: the domain's own, else its organisation's, else that of the suffix above."""
        by_domain = {record.domain: record for record in self.records}
        above = self.records[-1] if self.records else None
        return by_domain.get(self.domain) or by_domain.get(self.organisational_domain) or above

    @property
    def applied_policy(self) -> Policy:
        """Return the policy that receivers apply to failing mail of the domain; "none" without a record."""
        record = self.policy_record
        return record.find_applied_policy(self.domain, exists=self.exists) if record else "none"

    @property
    def deciding_tag(self) -> PolicyTag | None:
        """The tag to change for a stricter policy, None without a record."""
        record = self.policy_record
        return record.find_deciding_tag(self.domain, exists=self.exists) if record else None


def walk_tree(domain: str, dns: Dns) -> TreeWalk:
    """Return what is found with at most MAX_QUERIES queries. Raise NoAnswer if no record was found before a failure."""
    walk = TreeWalk(domain)
    for name in _list_names(domain):
        try:
            texts = dns.find_txt(f"_dmarc.{name}")
        except NoAnswer:
            if walk.records:
                break
            raise
        records = [text for text in texts if _VERSION.match(text)]
        if len(records) > 1:
            walk.several.append(name)
        elif records:
            walk.records.append(DmarcRecord(name, records[0], read_tags(records[0])))
            psd = walk.records[-1].tags.get("psd", "").lower()
            if psd == "n" or (psd == "y" and name != domain):
                break
        elif any(find_version(text).upper() == "DMARC1" for text in texts):
            walk.misread.append(name)
    if any("np" in record.tags and record.domain != domain for record in walk.records):
        # Without an answer, the name counts as one that exists.
        with suppress(NoAnswer):
            walk.exists = dns.exists(domain)
    return walk


def _list_names(domain: str) -> Iterator[str]:
    """Yield the domain, then its parents. Of a domain of more than eight labels, the last seven come next."""
    yield domain
    labels = domain.split(".")[1:][-(MAX_QUERIES - 1) :]
    for start in range(len(labels)):
        yield ".".join(labels[start:])
