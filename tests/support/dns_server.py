"""A name server on loopback, over UDP and TCP, that answers from a table and can misbehave for single names."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer, ThreadingUDPServer
from threading import Thread

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.resolver
import dns.rrset

from newsletter.sending.deliverability.domain_checks.lookup import SystemDns

UDP_BYTES = 1_232
MAX_BYTES = 65_535
Zone = Mapping[str, Sequence[str]]


class DnsServer:
    """``texts`` has TXT records by name, ``records`` all others by "NAME TYPE" in the form of a zone file.

    Names in ``broken`` fail (SERVFAIL), those in ``silent`` get no answer, those in ``circular`` lead to each other.
    """

    def __init__(self) -> None:
        self.texts: dict[str, Sequence[str]] = {}
        self.records: dict[str, Sequence[str]] = {}
        self.broken: set[str] = set()
        self.silent: set[str] = set()
        self.circular: set[str] = set()
        self.asked: list[str] = []
        self.port = 0

    def make_dns(self, *, seconds: float = 20.0) -> SystemDns:
        """Return a resolver that asks this server alone."""
        return SystemDns(seconds=seconds, resolver=self.make_resolver())

    def make_resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], self.port
        return resolver

    def answer(self, data: bytes, *, limit: int) -> bytes | None:
        """Return the answer to a query, None for silence."""
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append(f"{name} {dns.rdatatype.to_text(question.rdtype)}")
        if name in self.silent or "*" in self.silent:
            return None
        answer = dns.message.make_response(query)
        if name in self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name in self.circular:
            answer.answer += [
                dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"back.{name}."),
                dns.rrset.from_text(f"back.{name}.", 60, "IN", "CNAME", f"{name}."),
            ]
        else:
            self._add_records(answer, name, question.rdtype)
        wire = answer.to_wire(max_size=MAX_BYTES)
        if len(wire) <= limit:
            return wire
        cut = dns.message.make_response(query)
        cut.flags |= dns.flags.TC
        return cut.to_wire()

    def _add_records(self, answer: dns.message.Message, name: str, kind: dns.rdatatype.RdataType) -> None:
        owner, kind_text = dns.name.from_text(name), dns.rdatatype.to_text(kind)
        found: list[dns.rdata.Rdata] = []
        if kind == dns.rdatatype.TXT:
            found = [_make_txt(text) for text in self.texts.get(name, ())]
        else:
            texts = self.records.get(f"{name} {kind_text}", ())
            found = [dns.rdata.from_text("IN", kind_text, text) for text in texts]
        if found:
            answer.answer.append(dns.rrset.from_rdata_list(owner, 60, found))
        elif name not in self.texts and not any(key.startswith(f"{name} ") for key in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)


@contextmanager
def serve_dns(texts: Zone | None = None, *, records: Zone | None = None) -> Iterator[DnsServer]:
    """Run a name server that knows these records."""
    server = DnsServer()
    server.texts.update(texts or {})
    server.records.update(records or {})

    class OverUdp(BaseRequestHandler):
        def handle(self) -> None:
            data, socket = self.request
            if wire := server.answer(data, limit=UDP_BYTES):
                socket.sendto(wire, self.client_address)

    class OverTcp(BaseRequestHandler):
        def handle(self) -> None:
            size = int.from_bytes(self.request.recv(2), "big")
            data = b""
            while len(data) < size:
                data += self.request.recv(size - len(data))
            if wire := server.answer(data, limit=MAX_BYTES):
                self.request.sendall(len(wire).to_bytes(2, "big") + wire)

    with ThreadingTCPServer(("127.0.0.1", 0), OverTcp) as tcp:
        server.port = tcp.server_address[1]
        with ThreadingUDPServer(("127.0.0.1", server.port), OverUdp) as udp:
            threads = [Thread(target=one.serve_forever, kwargs={"poll_interval": 0.02}) for one in (tcp, udp)]
            for thread in threads:
                thread.start()
            try:
                yield server
            finally:
                for one in (tcp, udp):
                    one.shutdown()
                for thread in threads:
                    thread.join(5)


def _make_txt(text: str) -> dns.rdata.Rdata:
    raw = text.encode()
    pieces = [raw[start : start + 255] for start in range(0, len(raw), 255)] or [b""]
    return dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, pieces)
