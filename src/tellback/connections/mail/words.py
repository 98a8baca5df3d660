"""What a person wrote in a mail, without what they answered to and without their signature.

Where a quotation begins is found by quotequail; what it does not know (attributions in other languages, the last lines
of phones, closing phrases) is added here. All of it works by lines. When in doubt nothing is cut: a quotation too much
is read over, words too few are lost.
"""

import re
from itertools import takewhile

import quotequail

#: Lines that are looked at; what follows is kept as it is.
MOST_LINES = 1_200
LONGEST_LINE = 2_000
_FORWARDED = re.compile(r"\s*(?:fwd?|wg|tr|rv|enc|i|doorst|vs|vb|pd|fyi)\s*:", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>@()]+@[^\s<>@()]+\.[^\s<>@()]+")
_DELIMITER = re.compile(r"--\s?$")
_DEVICE = re.compile(
    r"(?:sent (?:from|via|with|using)\b|get outlook for\b|gesendet (?:von|mit)\b|von (?:meinem|unterwegs)\b.*gesendet|"
    r"diese nachricht wurde von .* gesendet|envoyé (?:de|depuis|à partir)\b|obtenez outlook|"
    r"enviado (?:desde|do|a partir)\b|obtener outlook|inviato (?:da|dal)\b|scarica outlook|verzonden (?:vanaf|met)\b|"
    r"skickat från|sendt fra|wysłane? z|отправлено (?:с|из)\b|з мого|送信|.{1,20}から送信|发自我的|"
    r"(?:télécharge[rz]|obtenir|hämta|download|hent|pobierz|baixar|descargar) outlook "
    r"(?:pour|för|voor|for|til|dla|para)\b)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:(?:with )?(?:best|kind|warm|kindest|warmest|many)?\s*(?:regards|wishes|greetings)|best|cheers|thanks|"
    r"thank you|"
    r"many thanks|thanks (?:again|a lot|so much|in advance)|sincerely|yours(?: (?:sincerely|faithfully|truly))?|"
    r"all the best|take care|respectfully|"
    r"mit (?:freundlichen|besten|herzlichen) grüßen|mit (?:freundlichem|bestem) gruß|(?:viele|liebe|beste|herzliche|"
    r"schöne|freundliche) grüße|(?:lieben|besten|schönen) gruß|gruß|grüße|vg|lg|mfg|danke|vielen dank|"
    r"cordialement|bien (?:cordialement|à vous)|salutations|meilleures salutations|merci|merci d'avance|bonne journée|"
    r"(?:un )?(?:cordial )?saludos?|saludos cordiales|atentamente|gracias|muchas gracias|"
    r"cordiali saluti|distinti saluti|saluti|grazie|met vriendelijke groet(?:en)?|groet(?:en|jes)?|mvg|bedankt|"
    r"atenciosamente|obrigad[oa]|abraços|med vänliga? hälsning(?:ar)?|mvh|hälsningar|med venlig hilsen|vh|"
    r"pozdrawiam|z poważaniem|с уважением|"
    r"(?:どうぞ|以上、?)?(?:よろしく|宜しく)お?願い(?:いた|致|申し上げま|しま)\S{0,6}|敬具|此致)"
    r"(?: (?:from|aus|vom|de|da|uit|från) [^\d,.!?:]{2,30})?\s*[,.!。–-]*$",
    re.IGNORECASE,
)
_DISCLAIMER = re.compile(
    r"(?:this (?:e-?mail|message|communication)\b.*\b(?:confidential|intended|privileged)|"
    r"(?:confidentiality|legal) (?:notice|disclaimer)\b|disclaimer:|diese (?:e-?mail|nachricht)\b.*\bvertraulich|"
    r"ce (?:message|courriel)\b.*\bconfidentiel|este (?:mensaje|correo)\b.*\bconfidencial)",
    re.IGNORECASE,
)
#: The heads of quoted mails that quotequail does not know: what stands before the sender, and before the subject.
_FROM = re.compile(
    r"\s*\*?(?:da|od|fra|från|lähettäjä|kimden|от|від|feladó|de la|odesílatel|από|"
    r"差出人|发件人|發件人|寄件者|보낸 사람)\s*[:：]\*?\s*\S",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"\s*\*?(?:oggetto|temat|emne|ämne|aihe|konu|тема|tárgy|subiect|předmět|θέμα|件名|主题|主題|主旨|제목)\s*[:：]",
    re.IGNORECASE,
)
_ABOVE = re.compile(
    r"[\s\W]*(?:(?:please )?(?:type|write|enter|put|add)? ?(?:your )?(?:reply|response) above this line|"
    r"reply above this line|bitte (?:antworten sie|schreiben sie ihre antwort) (?:ober|über)|"
    r"(?:veuillez )?répond(?:re|ez) au[- ]dessus de cette ligne|responda por encima de esta línea)",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"\s*(?:-{2,}[^-]{0,60}-{2,}|_{20,})$")
#: Marks of direction, which programs put around addresses in scripts that run from the right.
_MARKS = "\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069"
_RULE = re.compile(r"[_=*\-–—]{5,}$")


def own_words(text: str, *, subject: str) -> str:
    """The sender's own words. A mail passed on (“Fwd:”) keeps what was passed on: that is what it is about.

    Never cuts everything: a mail that seems to have no words of its own is given whole, without quotation marks.
    """
    lines = [line[:LONGEST_LINE].rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    looked_at, rest = lines[:MOST_LINES], lines[MOST_LINES:]
    if is_passed_on(subject):
        kept = _without_signature(looked_at)
    else:
        kept = _without_signature(_without_quotes(looked_at))
        rest = rest if len(kept) == MOST_LINES else []
    return _tidy([*kept, *rest]) or _tidy([line.lstrip("> ") for line in lines])


def is_passed_on(subject: str) -> bool:
    """Whether a subject says that somebody passes a mail on."""
    return _FORWARDED.match(subject) is not None


def _without_quotes(lines: list[str]) -> list[str]:
    found = quotequail.unwrap("\n".join(lines))
    if found and not _is_prose(found, lines):
        lines = f"{found.get('text_top', '')}\n\n{found.get('text_bottom', '')}".split("\n")
    starts = [at for at in (_attribution(lines), _head(lines), _marker(lines)) if at is not None]
    return [line for line in lines[: min(starts, default=None)] if not line.startswith(">")]


def _head(lines: list[str]) -> int | None:
    """Where the head of a quoted mail stands in a language that quotequail does not know: sender, then subject."""
    for at, line in enumerate(lines):
        if _FROM.match(line) and any(_SUBJECT.match(one) for one in lines[at + 1 : at + 7]):
            return at
    return None


def _marker(lines: list[str]) -> int | None:
    """Where a help desk asks to write above a line."""
    return next((at for at, line in enumerate(lines) if at and len(line) <= 200 and _ABOVE.match(line)), None)


def _is_prose(found: dict[str, str], lines: list[str]) -> bool:
    """Whether what looks like the head of a mail (“From: Monday”, “To: Friday”) is somebody's sentence."""
    if found["type"] != "forward" or "@" in found.get("from", "@") or "subject" in found:
        return False
    return not any(_SEPARATOR.match(line) for line in lines)


def _attribution(lines: list[str]) -> int | None:
    """Where “somebody wrote:” stands that no list of languages knows: it names an address and a quotation follows.

    It may go over three lines; the address is in the first that is needed, counted from the colon up.
    """
    for end, line in enumerate(lines):
        after = next((one for one in lines[end + 1 :] if one.strip()), "")
        if not line.rstrip(_MARKS).endswith((":", "：")) or not after.startswith(">"):
            continue
        for start in range(end, max(end - 3, -1), -1):
            if not lines[start].strip() or lines[start].startswith(">"):
                break
            if _ADDRESS.search(" ".join(lines[start : end + 1])):
                return start - 1 if _goes_on(lines, start) else start
    return None


def _goes_on(lines: list[str], start: int) -> bool:
    """Whether the attribution began a line above: that one stands alone, after an empty line."""
    alone = start > 0 and lines[start - 1].strip() != "" and (start == 1 or not lines[start - 2].strip())
    return alone and any(one.isdigit() for one in lines[start - 1]) and start > 1


def _without_signature(lines: list[str]) -> list[str]:
    for cut in (_disclaimer, _delimiter, _device, _closing):
        at = cut(lines)
        if at is not None and _tidy(lines[:at]):
            lines = lines[:at]
    return lines


def _delimiter(lines: list[str]) -> int | None:
    """RFC 3676, section 4.3: what follows a line of two hyphens and a space. Many programs lose the space."""
    found = [at for at, line in enumerate(lines) if _DELIMITER.match(line)]
    return found[-1] if found and len(lines) - found[-1] <= 20 else None


def _device(lines: list[str]) -> int | None:
    return next((at for at in _last(lines, 4) if _DEVICE.match(lines[at].strip(" *_"))), None)


def _closing(lines: list[str]) -> int | None:
    """A line that is nothing but a closing phrase, when only a few short lines follow."""
    for at in _last(lines, 9):
        after = [line.strip() for line in lines[at + 1 :] if line.strip()]
        if _CLOSING.match(lines[at].strip()) and all(len(line) <= 80 for line in after):
            return at
    return None


def _disclaimer(lines: list[str]) -> int | None:
    for at, line in enumerate(lines):
        if _DISCLAIMER.match(line.strip(" *_>")):
            before = list(takewhile(lambda one: not one.strip() or _RULE.match(one.strip()), reversed(lines[:at])))
            return at - len(before)
    return None


def _last(lines: list[str], count: int) -> list[int]:
    """Where the last lines with something on them stand, upper ones first."""
    return [at for at, line in enumerate(lines) if line.strip()][-count:]


def _tidy(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
