"""What was found out about a sender, as each way in tells it. Only what the receiving side wrote is read.

A header of the mail itself says anything; `Authentication-Results` counts only when it is the topmost one and carries
the name of the server that the person set up (RFC 8601, section 5).
"""

import re
from collections.abc import Mapping
from email.message import Message
from typing import Any

from tellback.connections.mail.message import FAIL, NONE, PASS, SenderChecks

_RESULT = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*([a-z]+)", re.IGNORECASE)
_VERDICTS = {
    "pass": PASS,
    "passed": PASS,
    "fail": FAIL,
    "failed": FAIL,
    "hardfail": FAIL,
    "permerror": FAIL,
    "none": NONE,
    "neutral": "neutral",
    "softfail": "softfail",
    "temperror": "temperror",
}


def verdict(stated: object) -> str:
    """One of the words of RFC 8601, or "" for anything else."""
    return _VERDICTS.get(str(stated or "").strip().lower(), "")


def checks_of_header(message: Message, *, server: str) -> SenderChecks:
    """What the server of this name found out. Nothing without a name, or when another one stands on top."""
    stated = next((str(value) for name, value in message.raw_items() if name.lower() == "authentication-results"), "")
    head = stated[:4_000].partition(";")
    named = head[0].strip().split()
    if not server or not named or named[0].lower() != server.lower():
        return SenderChecks()
    found: dict[str, str] = {}
    for method, result in _RESULT.findall(head[2]):
        name, said = method.lower(), verdict(result)
        # Of several signatures one that holds is enough.
        found[name] = PASS if PASS in {found.get(name), said} else found.get(name) or said
    return SenderChecks(spf=found.get("spf", ""), dkim=found.get("dkim", ""), dmarc=found.get("dmarc", ""))


def checks_of_mailgun(message: Message, _event: object) -> SenderChecks:
    """Mailgun adds headers of its own."""
    return SenderChecks(
        spf=verdict(message.get("X-Mailgun-Spf")),
        dkim=verdict(message.get("X-Mailgun-Dkim-Check-Result")),
        spam=_yes(message.get("X-Mailgun-Sflag")),
    )


def checks_of_sendgrid(_message: Message, request: Any) -> SenderChecks:
    """SendGrid posts `SPF`, and `dkim` as `{@example.com : pass}`."""
    dkim = re.findall(r":\s*(\w+)", str(request.POST.get("dkim", ""))[:500])
    said = [verdict(one) for one in dkim]
    return SenderChecks(spf=verdict(request.POST.get("SPF")), dkim=PASS if PASS in said else next(iter(said), ""))


def checks_of_ses(_message: Message, event: Any) -> SenderChecks:
    """Amazon SES gives a verdict for each check."""
    receipt = event.get("receipt") or {}

    def said(name: str) -> str:
        status = str((receipt.get(name) or {}).get("status", ""))
        return "" if status == "GRAY" else verdict(status)

    return SenderChecks(
        spf=said("spfVerdict"), dkim=said("dkimVerdict"), dmarc=said("dmarcVerdict"), spam=said("spamVerdict") == FAIL
    )


def checks_of_mandrill(_message: Message, event: Any) -> SenderChecks:
    """Mandrill tells SPF in words and DKIM as two flags."""
    told: Mapping[str, Any] = event.get("msg") or {}
    dkim = told.get("dkim") or {}
    signed = PASS if dkim.get("valid") else FAIL if dkim.get("signed") else NONE
    return SenderChecks(spf=verdict((told.get("spf") or {}).get("result")), dkim=signed if dkim else "")


def checks_of_postmark(message: Message, _event: object) -> SenderChecks:
    """Postmark adds what it found out about SPF, and a spam flag."""
    stated = str(message.get("Received-SPF") or "").split(maxsplit=1)
    return SenderChecks(spf=verdict(stated[0]) if stated else "", spam=_yes(message.get("X-Spam-Status")))


def checks_of_mailersend(_message: Message, event: Any) -> SenderChecks:
    """MailerSend gives SPF as the mark of its record."""
    data = event.get("data") or {}
    marks = {"+": PASS, "-": FAIL, "~": "softfail", "?": "neutral"}
    return SenderChecks(spf=marks.get(str((data.get("spf_check") or {}).get("code")), ""))


def _yes(stated: object) -> bool:
    return str(stated or "").strip().lower().startswith("yes")
