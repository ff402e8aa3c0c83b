"""Mails as they come in: replies, and reports in the form of real mail servers."""

from email.message import EmailMessage
from typing import Any

from django.utils import timezone

from newsletter.models import InboundMail

INBOUND_ADDRESS = "replies@news.example.org"
UNREAD_MAILBOX = "imaps://replies%40news.example.org:a-password@mail.example.org/INBOX"
"""A mailbox of another machine, which only production reads."""


def make_reply(
    *,
    text: str = "Thank you for the letter.",
    sender: str = "Ana <ana@example.com>",
    to: str = INBOUND_ADDRESS,
    subject: str = "Re: News",
    message_id: str = "<1@example.com>",
    **headers: str,
) -> EmailMessage:
    """Return a reply by hand, with further header fields."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"], mail["Message-ID"] = "Thu, 05 Mar 2026 09:00:00 +0000", message_id
    for name, value in headers.items():
        mail[name] = value
    mail.set_content(text)
    return mail


def make_waiting_reply(**changes: Any) -> InboundMail:
    """Return a reply that could not be forwarded and waits for staff."""
    values: dict[str, Any] = {
        "key": "1" * 64,
        "origin": "imap",
        "state": InboundMail.State.NOT_SENT_ON,
        "kind": InboundMail.Kind.REPLY,
        "received_at": timezone.now(),
        "sender": "ana@example.com",
        "sender_name": "Ana",
        "subject": "Re: News",
        "text": "Thank you!",
    }
    return InboundMail.objects.create(**values | changes)


BOUNCE = b"""Return-Path: <>
From: MAILER-DAEMON@mail.example.com (Mail Delivery System)
To: replies@news.example.org
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Message-ID: <bounce-1@mail.example.com>
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--b1
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com
Arrival-Date: Thu,  5 Mar 2026 09:00:00 +0000 (UTC)

Final-Recipient: rfc822; nobody@example.com
Original-Recipient: rfc822;nobody@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <nobody@example.com>: Recipient address rejected:
    User unknown in virtual mailbox table

--b1
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

From: Open Door <news@news.example.org>
To: nobody@example.com
Subject: A letter
List-Unsubscribe: <https://news.example.org/u/TOKEN>,
 <mailto:replies+abc@news.example.org>
List-Unsubscribe-Post: List-Unsubscribe=One-Click

--b1--
"""

COMPLAINT = b"""From: <complaints@example.net>
To: <replies@news.example.org>
Subject: FW: A letter
MIME-Version: 1.0
Message-ID: <arf-1@example.net>
Content-Type: multipart/report; report-type=feedback-report; boundary="b2"

--b2
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report for a message received on Thu, 5 Mar 2026.

--b2
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1

--b2
Content-Type: message/rfc822
Content-Disposition: inline

From: Open Door <news@news.example.org>
To: <redacted@example.net>
Subject: A letter
List-Unsubscribe: <https://news.example.org/u/TOKEN>

Hello

--b2--
"""
