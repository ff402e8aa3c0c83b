"""Explain where mailbox providers report complaints, and what to enter there. Nobody can look up if that was done."""

from collections.abc import Iterator

from newsletter.common.messages import Message
from newsletter.sending.deliverability.domain_checks.codes import DomainCode
from newsletter.sending.deliverability.domain_checks.dmarc_records import walk_tree
from newsletter.sending.deliverability.domain_checks.lookup import Dns
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.findings import Finding

YAHOO = "https://senders.yahooinc.com/"
# Microsoft moved SNDS in June 2026; this address is redirected.
MICROSOFT = "https://sendersupport.olc.protection.outlook.com/snds/"


def explain_complaint_reports(sender: Sender, dns: Dns) -> Iterator[Finding]:
    """Yield what to enter at Yahoo, and at Microsoft if mail goes out by a mail server of one's own. Raise NoAnswer."""
    signer = sender.dkim_domain
    signer_domain = walk_tree(signer, dns).organisational_domain
    address = sender.reports_to or Message("one that somebody reads")
    yield Finding(
        Message("complaints at Yahoo and AOL"),
        "advice",
        Message("Yahoo reports complaints by the domain that signs, once the domain is registered."),
        Message(
            "Sign in at %(url)s, add the domain %(signer)s, and put the TXT record that is shown there into the DNS of "
            "%(own)s. Then enrol in the Complaint Feedback Loop. Domain: %(signer)s. Selector: %(selectors)s. Address for "
            "reports: %(address)s. Skip this if your provider says that it does so for you.",
            url=YAHOO,
            signer=signer,
            own=signer_domain,
            selectors=", ".join(sender.wanted.selectors) or Message("that of your signature (s=)"),
            address=address,
        ),
        means=Message("Without it, nobody learns which readers press “spam” there."),
        code=DomainCode.COMPLAINTS_YAHOO,
    )
    if sender.known.server:
        yield Finding(
            Message("complaints at Outlook.com"),
            "advice",
            Message("Microsoft shows complaints by the address of the server (SNDS), once you have asked for access."),
            Message(
                "Sign in at %(url)s, or search for “Microsoft SNDS” if this address no longer leads there. Ask for access "
                "to the addresses from which %(server)s sends: %(addresses)s. Microsoft mails a link to their owner. Then "
                "join the Junk Mail Reporting Program there. Address for reports: %(address)s.",
                address=address,
                url=MICROSOFT,
                server=sender.known.server,
                addresses=_list_addresses(sender.known.server, dns),
            ),
            means=Message("Without it, nobody learns of complaints and blocks at Outlook.com and Hotmail."),
            code=DomainCode.COMPLAINTS_MICROSOFT,
        )


def _list_addresses(server: str, dns: Dns) -> str:
    addresses = [server] if ":" in server or server.replace(".", "").isdigit() else dns.find_addresses(server)
    return ", ".join(addresses[:8]) or "…"
