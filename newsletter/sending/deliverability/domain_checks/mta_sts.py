"""Check MTA-STS (RFC 8461): mail to the domain is encrypted on its way. It is advice, never an error."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from newsletter.common.messages import Message
from newsletter.content.fetching.errors import FetchError
from newsletter.content.fetching.fetcher import Fetcher, Limits
from newsletter.sending.deliverability.domain_checks.codes import DomainCode
from newsletter.sending.deliverability.domain_checks.lookup import Dns
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.domain_checks.tags import find_version, read_tags
from newsletter.sending.deliverability.findings import Finding, RecordToAdd

POLICY_LIMITS = Limits(max_bytes=65_536, connect=3.0, first_byte=5.0, total=8.0)
MAX_AGE = 31_557_600
_MODES = ("enforce", "testing", "none")


@dataclass
class Policy:
    """The lines of a policy file. ``hosts`` are the patterns of its mx lines, in lower case."""

    values: dict[str, str] = field(default_factory=dict)
    hosts: list[str] = field(default_factory=list)

    @property
    def mode(self) -> str:
        return self.values.get("mode", "")

    def is_valid(self) -> bool:
        age = self.values.get("max_age", "")
        return (
            self.values.get("version") == "STSv1"
            and self.mode in _MODES
            and age.isascii()
            and age.isdigit()
            and int(age[:12]) <= MAX_AGE
            and bool(self.hosts or self.mode == "none")
        )

    def allows(self, host: str) -> bool:
        """Return True if a pattern fits the host. A leading ``*.`` fits any one label."""
        above = host.partition(".")[2]
        return any(host == pattern or (pattern.startswith("*.") and above == pattern[2:]) for pattern in self.hosts)


def check_mta_sts(sender: Sender, dns: Dns, fetcher: Fetcher) -> Iterator[Finding]:
    """Yield one finding. Raise NoAnswer."""
    domain, hosts = sender.domain, dns.find_mail_hosts(sender.domain)
    name = Message("MTA-STS of %(domain)s", domain=domain)
    if not hosts:
        says = Message("The domain receives no mail (it has no MX record), so it needs none.")
        yield Finding(name, "ok", says, code=DomainCode.MTA_STS_NO_MAIL)
        return
    records = [text for text in dns.find_txt(f"_mta-sts.{domain}") if find_version(text) == "STSv1"]
    if len(records) == 1 and read_tags(records[0]).get("id", "").isalnum():
        yield _check_policy(name, domain, hosts, fetcher)
        return
    to_copy = (RecordToAdd(f"_mta-sts.{domain}", "TXT", "v=STSv1; id=1"),)
    if records:
        yield Finding(
            name,
            "advice",
            Message("There are several records at _mta-sts.%(domain)s, or it has no valid id.", domain=domain),
            Message("Keep one record, and give it a new id of letters and digits after each change of the policy."),
            means=Message("Other mail servers ignore the policy."),
            code=DomainCode.MTA_STS_INVALID,
            records=to_copy,
        )
        return
    yield Finding(
        name,
        "advice",
        Message("No policy asks other mail servers to encrypt mail to the domain."),
        Message(
            "Put a text file at %(url)s with the lines %(lines)s. Then add this record.",
            url=find_policy_url(domain),
            lines=", ".join(f"“{line}”" for line in _write_policy(hosts)),
        ),
        means=Message("Replies to your newsletter may be read on their way. Sending is not affected."),
        code=DomainCode.MTA_STS_MISSING,
        records=to_copy,
    )


def find_policy_url(domain: str) -> str:
    return f"https://mta-sts.{domain}/.well-known/mta-sts.txt"


def _write_policy(hosts: list[str]) -> list[str]:
    return ["version: STSv1", "mode: testing", *(f"mx: {host}" for host in hosts[:5]), "max_age: 86400"]


def _check_policy(name: Message, domain: str, hosts: list[str], fetcher: Fetcher) -> Finding:
    url, ignored = find_policy_url(domain), Message("Other mail servers ignore the policy.")
    try:
        fetched = fetcher.fetch(url, limits=POLICY_LIMITS, accept="text/plain")
    except FetchError as problem:
        return Finding(
            name,
            "advice",
            Message("The policy at %(url)s cannot be read. %(problem)s", url=url, problem=problem.message),
            Message("Put the policy there, on a web server with a valid certificate."),
            means=ignored,
            code=DomainCode.MTA_STS_NO_POLICY,
        )
    policy = _read_policy(fetched.body)
    if fetched.url != url or not policy.is_valid():
        return Finding(
            name,
            "advice",
            Message("%(url)s redirects to another address.", url=url)
            if fetched.url != url
            else Message("The policy at %(url)s is not complete or has a wrong value.", url=url),
            Message("It needs these lines: %(lines)s.", lines=", ".join(f"“{line}”" for line in _write_policy(hosts))),
            means=ignored,
            code=DomainCode.MTA_STS_INVALID_POLICY,
        )
    missing = [host for host in hosts if not policy.allows(host)]
    if missing and policy.mode != "none":
        return Finding(
            name,
            "advice",
            Message("The policy does not name the mail server %(host)s.", host=missing[0]),
            Message("Add the line “mx: %(host)s” to %(url)s, and change the id in DNS.", host=missing[0], url=url),
            means=Message("Once the policy is enforced, others cannot deliver mail to this server."),
            code=DomainCode.MTA_STS_OTHER_HOSTS,
        )
    if policy.mode != "enforce":
        return Finding(
            name,
            "advice",
            Message("The mode of the policy is “%(mode)s”.", mode=policy.mode),
            Message("Write “mode: enforce” once the reports (TLS-RPT) show no failures, and change the id in DNS."),
            means=Message("Other mail servers do not insist on encryption yet."),
            code=DomainCode.MTA_STS_NOT_ENFORCED,
        )
    return Finding(
        name, "ok", Message("The policy is enforced and names each mail server."), code=DomainCode.MTA_STS_GOOD
    )


def _read_policy(body: bytes) -> Policy:
    policy = Policy()
    for line in body.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "mx":
            policy.hosts.append(value.strip().rstrip(".").lower())
        else:
            policy.values.setdefault(key.strip(), value.strip())
    return policy
