"""What is left of a mail: the words that its sender wrote, whatever mail program and language they wrote them in."""

import time
from email.message import EmailMessage

import pytest

from tellback.connections.mail.message import IncomingMail
from tellback.connections.mail.mime import parse_bytes, read_message
from tellback.connections.mail.rules import OurMail, why_ignored

SAID = "It still fails on Fridays."
HEAD = "From: Harbour <s@harbour.example>\nSent: Monday, March 3, 2025 10:00 AM\nTo: Ada\nSubject: Export\n\nHello"

PLAIN = {
    "Outlook": f"{SAID}\n\nBest,\nAda\n\n{HEAD}",
    "Outlook on the web": f"{SAID}\n\n________________________________\n{HEAD}",
    "Outlook, bold": f"{SAID}\n\n*From:* H <s@harbour.example>\n*Sent:* Monday\n*To:* Ada\n*Subject:* Export\n\nHello",
    "Outlook, German": f"{SAID}\n\nMit freundlichen Grüßen\nAda Long\nTel. 030 123\n\nVon: H <s@harbour.example>\n"
    "Gesendet: Montag, 3. März 2025 10:00\nAn: Ada\nBetreff: AW: Export\n\nHallo",
    "Outlook of before, German": f"{SAID}\n\n-----Ursprüngliche Nachricht-----\nVon: x [mailto:s@harbour.example]\n"
    "Gesendet: Montag\nAn: Ada\nBetreff: Export\n\nHallo",
    "Outlook, French": f"{SAID}\n\nDe : H <s@harbour.example>\nEnvoyé : lundi 3 mars 2025\nÀ : Ada\n"
    "Objet : X\n\nBonjour",
    "Outlook, Spanish": f"{SAID}\n\nDe: H <s@harbour.example>\nEnviado el: lunes\nPara: Ada\nAsunto: Export\n\nHola",
    "Outlook, Portuguese": f"{SAID}\n\nDe: H <s@harbour.example>\nEnviada em: segunda\nPara: Ada\nAssunto: X\n\nOlá",
    "Outlook, Italian": f"{SAID}\n\nDa: H <s@harbour.example>\nInviato: lunedì\nA: Ada\nOggetto: Export\n\nCiao",
    "Outlook, Dutch": f"{SAID}\n\nVan: H <s@harbour.example>\nVerzonden: maandag\nAan: Ada\nOnderwerp: Export\n\nHallo",
    "Outlook, Polish": f"{SAID}\n\nOd: H <s@harbour.example>\nWysłano: poniedziałek\nDo: Ada\nTemat: Export\n\nCześć",
    "Outlook, Danish": f"{SAID}\n\nFra: H <s@harbour.example>\nSendt: 3. marts 2025\nTil: Ada\nEmne: Export\n\nHej",
    "Outlook, Swedish": f"{SAID}\n\nFrån: H <s@harbour.example>\nSkickat: den 3 mars\nTill: Ada\nÄmne: Export\n\nHej",
    "Outlook, Chinese": f"{SAID}\n\n发件人: H <s@harbour.example>\n发送时间: 2025年3月3日\n"
    "收件人: Ada\n主题: Export\n\n你好",
    "Gmail, Arabic, with marks of direction": f"{SAID}\n\n"
    "في الجمعة، 27 نوفمبر 2026 في 3:14 م كتب \u200fHarbour <\u200fs@harbour.example>:\u200f\n\n> a",
    "iPhone, Japanese": f"{SAID}\n\niPhoneから送信\n\n> 2026/11/27、Harbour <s@harbour.example>のメール:\n> a",
    "Outlook for iOS, French": f"{SAID}\n\nTéléchargez Outlook pour iOS",
    "Outlook, Japanese": f"{SAID}\n\nよろしくお願いいたします。\n山田\n\n差出人: H <s@harbour.example>\n件名: X\n\n様",
    "a closing with a place": f"{SAID}\n\nViele Grüße aus Hamburg\nAda Lang\n\nCais GmbH · Hafenstr. 1",
    "small print under a signature": f"{SAID}\n\nBest,\n\nAda Long\nCais Ltd\n\nThis email is confidential "
    "and intended solely for the addressee. If you are not the intended recipient please notify us.",
    "Gmail": f"{SAID}\n\nOn Mon, Mar 3, 2025 at 10:00 AM Harbour <s@harbour.example> wrote:\n\n> Hello\n> there",
    "Gmail, two lines": f"{SAID}\n\nOn Mon, Mar 3, 2025 at 10:00 AM Harbour of the North <\n"
    "s@harbour.example> wrote:\n\n> Hi",
    "Gmail, French": f"{SAID}\n\nLe lun. 3 mars 2025 à 10:00, Harbour <s@harbour.example> a écrit :\n\n> Bonjour",
    "Gmail, Spanish": f"{SAID}\n\nEl lun, 3 mar 2025 a las 10:00, Harbour (<s@harbour.example>) escribió:\n\n> Hola",
    "Gmail, Japanese": f"{SAID}\n\n2025年3月3日(月) 10:00 Harbour <s@harbour.example>:\n\n> Hello",
    "Gmail, Chinese": f"{SAID}\n\nHarbour <s@harbour.example> 于2025年3月3日周一 10:00写道：\n\n> Hello",
    "Gmail, Polish": f"{SAID}\n\npon., 3 mar 2025 o 10:00 Harbour <s@harbour.example> napisał(a):\n\n> Hello",
    "Gmail, Russian": f"{SAID}\n\nпн, 3 мар. 2025 г. в 10:00, Harbour <s@harbour.example>:\n\n> Привет",
    "Gmail, Arabic": f"{SAID}\n\n"
    "في الاثنين، 3 مارس 2025 تمت كتابة ما يلي بواسطة Harbour <s@harbour.example>:\n\n> مرحبا",
    "a phone": f"{SAID}\n\nSent from my iPhone\n\n> On 3 Mar 2025, at 10:00, H <s@harbour.example> wrote:\n> \n> Hello",
    "Thunderbird, German": f"{SAID}\n\nAm 03.03.25 um 10:00 schrieb Harbour:\n> Hallo\n\n-- \nAda Long\nHarbour GmbH",
    "Yahoo": f"{SAID}\n\n    On Monday, March 3, 2025 at 10:00:00 AM GMT, H <s@harbour.example> wrote:  \n \n Hello. ",
    "a help desk": f"{SAID}\n\n##- Please type your reply above this line -##\n\nHello Ada",
    "a help desk, German": f"{SAID}\n\n## Bitte antworten Sie oberhalb dieser Zeile ##\n\nHallo",
    "below the quotation": f"On Mon, Mar 3, 2025 at 10:00 AM H <s@harbour.example> wrote:\n> Hello\n> there\n\n{SAID}",
    "a signature without a mark": f"{SAID}\n\nKind regards\n\nAda Long\nHead of Purchasing | Harbour\n+49 30 1234567",
}

HTML = {
    "Gmail": f'<div dir="ltr">{SAID}</div><br><div class="gmail_quote"><div class="gmail_attr">On Mon, Mar 3, 2025 at '
    "10:00 AM H &lt;s@harbour.example&gt; wrote:<br></div><blockquote>Hello<br>there</blockquote></div>",
    "Outlook": f'<div>{SAID}</div><hr><div id="divRplyFwdMsg"><b>From:</b> H &lt;s@harbour.example&gt;<br><b>Sent:</b> '
    "Monday<br><b>To:</b> Ada<br><b>Subject:</b> Export</div><div>Hello there</div>",
    "Outlook, German": f'<p class="MsoNormal">{SAID}<o:p></o:p></p><div><p><b>Von:</b> H &lt;s@harbour.example&gt; <br>'
    "<b>Gesendet:</b> Montag<br><b>An:</b> Ada<br><b>Betreff:</b> AW: Export</p></div><p>Hallo</p>",
    "Outlook on a phone": f'<div>{SAID}</div><div>Get <a href="x">Outlook for iOS</a></div><hr><div><b>From:</b> H '
    "&lt;s@harbour.example&gt;<br><b>Sent:</b> Monday<br><b>To:</b> A<br><b>Subject:</b> E</div><div>Hello</div>",
    "a phone": f'{SAID}<br><div>Sent from my iPhone</div><div><br><blockquote type="cite">On 3 Mar 2025, at 10:00, H '
    "&lt;s@harbour.example&gt; wrote:<br></blockquote></div><blockquote><div>Hello</div></blockquote>",
    "what nobody sees": f"<style>p {{}}</style><div hidden>Preview</div><p style='display:none'>Track</p><p>{SAID}</p>"
    "<script>alert(1)</script>",
}

#: Mails of which nothing may be lost: what looks like a head, a signature or a quotation is somebody's sentence.
WHOLE = {
    "days": "From Monday to Friday the export fails.\nFrom: Monday\nTo: Friday\nPlease fix.",
    "a word for from": "Da: Monday we export.\nIt fails.",
    "a form": "Name: Ada\nEmail: ada@customer.example\nPhone: 123\nSubject: Export\nMessage: It fails.",
    "thanks at the top": "Thanks,\n\nbut the export still fails, and it does so when I choose more than "
    "a thousand rows of the orders that we have in the north.\nCan you look?",
    "a list": "Please:\n- make the export faster\n- add a dark mode",
    "a line above": "The reply button stands above this line of icons, which is confusing.",
}


def words_of(*, text: str = "", html: str = "", subject: str = "Re: Export") -> str:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Ada Long <ada@customer.example>", subject
    mail.set_content(html or text, subtype="html" if html else "plain")
    return read_message(mail).text


@pytest.mark.parametrize("program", PLAIN)
def test_what_was_answered_to_and_the_signature_are_cut(program: str) -> None:
    assert words_of(text=PLAIN[program]) == SAID


@pytest.mark.parametrize("program", HTML)
def test_a_mail_in_html_becomes_what_its_sender_wrote(program: str) -> None:
    assert words_of(html=HTML[program]) == SAID


@pytest.mark.parametrize("mail", WHOLE)
def test_nothing_of_a_mail_without_a_quotation_is_lost(mail: str) -> None:
    assert words_of(text=WHOLE[mail], subject="Export") == WHOLE[mail]


def test_answers_between_quoted_lines_are_kept() -> None:
    text = "Hi,\n\n> Which button?\n\nThe blue one.\n\n> Which version?\n\n5.2"
    assert words_of(text=text) == "Hi,\n\nThe blue one.\n\n5.2"


def test_a_mail_that_was_passed_on_keeps_what_was_passed_on() -> None:
    head = "---------- Forwarded message ---------\nFrom: Bob <b@customer.example>\nSubject: X"
    text = f"See below.\n\n{head}\n\nRows are lost."
    assert words_of(text=text, subject="Fwd: X").endswith("Rows are lost.")
    assert words_of(text="> Only quoted words", subject="Re: X") == "Only quoted words"


@pytest.mark.parametrize(
    "hostile",
    [
        "Od: a\n" * 60_000,
        ">" * 200_000,
        "\n" * 200_000,
        "From: a@b.example\n" * 20_000,
        "-" * 200_000,
        "x wrote:\n" * 20_000,
        "reply " * 40_000,
        "[](" * 60_000,
    ],
    ids=range(8),
)
def test_cutting_takes_time_in_proportion_to_the_mail(hostile: str) -> None:
    before = time.process_time()
    words_of(text=hostile)
    words_of(html="<div>" * 30_000 + hostile[:100_000])
    assert time.process_time() - before < 5


def mail_of(body: bytes, **headers: str) -> IncomingMail:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    stated = {"From": "Ada <ada@customer.example>", "Content-Type": "text/plain", **given}
    head = "".join(f"{name}: {value}\r\n" for name, value in stated.items())
    return read_message(parse_bytes(head.encode("cp1252") + b"\r\n" + body))


@pytest.mark.parametrize(
    ("text", "encoding", "stated"),
    [
        ("Der Export fällt aus – schön", "cp1252", "utf-8"),
        ("Der Export fällt aus", "cp1252", ""),
        ("It’s “broken” €", "cp1252", "iso-8859-1"),
        ("書き出しが失敗①㈱", "cp932", "Shift_JIS"),
        ("导出失败了€镕", "gb18030", "gb2312"),
        ("내보내기 실패 뷁", "cp949", "ks_c_5601-1987"),
        ("Der Export fällt aus", "utf-8", "us-ascii"),
        ("Der Export fällt aus", "utf-8", "x-unknown"),
    ],
)
def test_a_charset_that_says_too_little_costs_no_character(text: str, encoding: str, stated: str) -> None:
    charset = f"; charset={stated}" if stated else ""
    assert mail_of(text.encode(encoding), Content_Type=f"text/plain{charset}").text == text


def test_a_damaged_character_does_not_turn_the_others_into_two() -> None:
    assert mail_of("fällt über €".encode()[:-1], Content_Type="text/plain; charset=utf-8").text == "fällt über \ufffd"


def test_headers_that_are_not_encoded_are_read() -> None:
    mail = mail_of(b"Hallo", From="Jürgen Müller <j@customer.example>", Subject="Er fällt aus")
    assert (mail.sender_name, mail.subject) == ("Jürgen Müller", "Er fällt aus")


PARTS = "--b\r\nContent-Type: text/plain\r\n\r\nSee this.\r\n--b\r\n{}\r\n--b--\r\n"


def in_parts(part: str, **headers: str) -> IncomingMail:
    return mail_of(PARTS.format(part).encode(), Content_Type='multipart/mixed; boundary="b"', **headers)


@pytest.mark.parametrize(
    ("mail", "reason"),
    [
        (mail_of(b"Bis Montag weg", Subject="Automatische Antwort: Export"), "automatic"),
        (mail_of(b"Absent", Subject="R\u00e9ponse automatique : Export"), "automatic"),
        (mail_of(b"I am away", Subject="Out of Office"), "automatic"),
        (mail_of(b"Delivery has failed", From="Microsoft Outlook <MicrosoftExchange329e71ec@c.example>"), "bounce"),
        (in_parts("Content-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR"), "automatic"),
        (mail_of(b"It fails", Subject="The automatic reply is never sent"), None),
        (mail_of(b"It fails", Subject="Out of office hours are wrong"), None),
    ],
)
def test_answers_of_machines_and_invitations_are_told_from_feedback(mail: IncomingMail, reason: str | None) -> None:
    assert why_ignored(mail, ours=OurMail(frozenset(), "ours.example", "X-Ours")) == reason


def test_a_mail_passed_on_as_a_file_is_read_and_outlooks_wrapping_is_no_file() -> None:
    inner = "Content-Type: message/rfc822\r\n\r\nFrom: b@customer.example\r\nSubject: Rows\r\n\r\nRows are lost."
    assert in_parts(inner, Subject="Fwd: Rows").text == "See this.\n\nRows\n\nRows are lost."
    assert in_parts(inner, Subject="Rows").text == "See this."
    wrapped = "Content-Type: application/octet-stream; name=winmail.dat\r\n\r\nx"
    assert in_parts(wrapped).files == ()
    assert [file.name for file in in_parts(wrapped.replace("winmail.dat", "a.log")).files] == ["a.log"]
