"""Why a text is nobody's feedback: a machine answers, a list is written to, or a stranger sells something."""

import re

# Patterns are one line a thought, however long.
# ruff: noqa: E501

#: In a text longer than this a phrase of machines is something that a person speaks of; so far from its start one counts.
MACHINE_LENGTH = 600
MACHINE_START = 300
#: So many different marks make a newsletter, and so many of what sells must be there; a link counts once, however many.
LETTERS, SELLS = 2, 2

_SUBJECT = re.compile(
    r"^\W*(?:(?:automatic|auto)[- ]?(?:reply|response)|out\s+of\s+(?:the\s+)?office|ooo\b|autoreply|abwesenheits(?:notiz|meldung)|automatische\s+antwort|abwesend|réponse\s+automatique|absence\b"
    r"|respuesta\s+automática|fuera\s+de\s+la\s+oficina|risposta\s+automatica|fuori\s+ufficio|resposta\s+automática|automatisch\s+antwoord|afwezig|autosvar|automatiskt?\s+svar|automatyczna\s+odpowiedź|автоответ|自动回复|自動返信|자동\s*회신"
    r"|delivery\s+(?:status\s+notification|failure)|undeliver(?:able|ed)|mail\s+delivery\s+(?:failed|subsystem)|unzustellbar|non\s+remis)",
    re.IGNORECASE,
)
#: What a machine says of itself.
_MACHINE = re.compile(
    r"\b(?:this\s+is\s+an?\s+(?:automat\w+|auto-?generated|auto-?reply)|(?:automated|automatic|auto-?generated)\s+(?:reply|response|message)\s*[:.!-]|(?:do\s+not|don't)\s+reply\s+to\s+this\s+(?:e-?mail|message)"
    r"|dies(?:e\s+\S+)?\s+(?:ist|wurde)\s+(?:eine?\s+)?automatisch\w*|automatisch\s+(?:generierte|erstellte|erzeugte|versandte)\w*\s+(?:e-?mail|nachricht|antwort)"
    r"|ceci\s+est\s+un(?:e)?\s+(?:message|réponse|courriel|e-?mail)\s+automatique|(?:est[ea]|esto)\s+es\s+una?\s+(?:mensaje|respuesta|correo)\s+automátic[oa]|questo\s+è\s+un\s+messaggio\s+automatico|quest[ao]\s+è\s+una\s+risposta\s+automatica"
    r"|est[ae]\s+é\s+uma?\s+(?:resposta|mensagem|e-?mail)\s+automátic[oa]|dit\s+is\s+een\s+automatisch\w*|det(?:ta|te)?\s+(?:här\s+)?(?:är|er)\s+et[t]?\s+automati\w+|to\s+jest\s+(?:automatyczn|wiadomość\s+automatyczn)\w+"
    r"|returning\s+message\s+to\s+sender|delivery\s+(?:has\s+)?failed\s+(?:to|for)\s+(?:these|the\s+following)|(?:message|mail)\s+could\s+not\s+be\s+delivered\s+to|address(?:es)?\s+(?:failed|not\s+found|couldn't\s+be\s+found)"
    r"|это\s+автоматическ\w+)|自动回复|自動返信|自動送信|자동\s*(?:회신|응답)",
    re.IGNORECASE,
)
#: Who is away says so of themselves, and no more of it: "I am on leave.", but not "I am on the leave page".
_AWAY = re.compile(
    r"\b(?:(?:i\s+am|i'm|i\s+will\s+be|i'll\s+be)\s+(?:currently\s+|presently\s+)?(?:out\s+of\s+(?:the\s+)?(?:office|town)|away(?:\s+from\s+(?:the\s+office|my\s+desk))?|(?:away\s+)?on\s+(?:(?:annual|parental|maternity|paternity|sick|medical)\s+)?(?:leave|vacation|holidays?|pto|a\s+business\s+trip)|travell?ing)"
    r"|(?:ich\s+bin|ich\s+befinde\s+mich|bin)\b(?:[^.!?\n]|\d\.){0,45}\b(?:im\s+urlaub|nicht\s+im\s+(?:büro|haus|dienst)|abwesend|außer\s+haus|nicht\s+erreichbar|in\s+elternzeit)"
    r"|(?:estoy|estaré|me\s+encuentro|me\s+encontraré)\b[^.!?\n]{0,30}\b(?:de\s+vacaciones|fuera\s+de\s+la\s+oficina|ausente|de\s+baja)|je\s+(?:suis|serai)\b[^.!?\n]{0,30}\b(?:en\s+(?:congés?|vacances|déplacement)|absente?(?:\s+du\s+bureau)?)"
    r"|(?:sono|sarò)\b[^.!?\n]{0,20}\b(?:fuori\s+(?:ufficio|sede)|in\s+(?:ferie|vacanza)|assente)|(?:estou|estarei)\b[^.!?\n]{0,20}\b(?:de\s+férias|fora\s+do\s+escritório|ausente)|ik\s+ben\b[^.!?\n]{0,30}\b(?:afwezig|(?:met|op)\s+vakantie|niet\s+op\s+kantoor)"
    r"|(?:jestem|przebywam|będę)\b[^.!?\n]{0,20}\b(?:na\s+urlopie|nieobecn[ya])|(?:jag\s+är|jeg\s+er)\b[^.!?\n]{0,20}\b(?:på\s+(?:semester|ferie|resande\s+fot)|ikke\s+på\s+kontoret|inte\s+på\s+kontoret|frånvarande)|я\s+(?:сейчас\s+)?(?:в\s+отпуске|отсутствую))"
    r"(?=\s*(?:[.,;:!\n–-]|$|\b(?:und|and|with|until|till|from|through|this|next|for|at|due|bis|ab|vom|y|e|o|et|hasta|del|desde|jusqu|du|fino|dal|até|de|tot|van|do|od|till|fram|og|och|til|fra|до|с)\b))|不在にしております|(?:我)?(?:正在|目前)?(?:休假|外出)中",
    re.IGNORECASE,
)
#: And until when, or whom to ask instead.
_MEANWHILE = re.compile(
    r"\b(?:until|till|return\w*|back\s+(?:on|in|to)|through|limited\s+access|no\s+access|access\s+to\s+(?:my\s+)?e-?mail|urgent\w*|emergenc\w+|respond|reply|contact|bis|ab\s+dem|wieder|dringend\w*|zugriff|weitergeleitet|vertretung|vom\s+\d"
    r"|hasta|del\s+\d|urgen\w+|acceso|contacte|respond\w+|jusqu|retour|réponds?\w*|accès|fino|rientro|dal\s+\d|accesso|rispond\w+|até|acesso|tot|terug|dringend|do\s+\d\w*|powrocie|pilnych|till|återkommer|tilbage|tilbake|tillbaka|до|срочн\w+)\b|ただいま|回复|联系",
    re.IGNORECASE,
)
#: "We have your message": one of each kind.
_RECEIVED = re.compile(
    r"\b(?:we(?:'ve|\s+have)?\s+(?:just\s+)?received\s+your|thank(?:s|\s+you)\s+for\s+(?:contacting|reaching\s+out|getting\s+in\s+touch|your\s+(?:message|e-?mail|inquiry|enquiry|request))|(?:vielen\s+dank\s+für|wir\s+haben)\s+ihre\s+(?:nachricht|anfrage|e-?mail)|ihre\s+(?:anfrage|nachricht|e-?mail)\s+ist\s+(?:bei\s+uns\s+)?eingegangen"
    r"|hemos\s+recibido\s+su|gracias\s+por\s+(?:contactar|su\s+(?:mensaje|correo))|nous\s+avons\s+bien\s+reçu|merci\s+(?:de\s+nous\s+avoir\s+contactés?|pour\s+votre\s+message)|abbiamo\s+ricevuto\s+la|recebemos\s+(?:a\s+)?sua)\b",
    re.IGNORECASE,
)
_WE_ANSWER = re.compile(
    r"\b(?:(?:will|we'll|shall)\s+(?:get\s+back\s+to|respond\s+to|reply\s+to|be\s+in\s+touch\s+with|contact)\s+you|will\s+(?:respond|reply|be\s+in\s+touch)\s+(?:as\s+soon|within|shortly)|(?:melden\s+uns|antworten\s+ihnen|bearbeiten\s+ihre)|(?:le|te)\s+(?:responderemos|contestaremos)|nous\s+(?:vous\s+répondrons|reviendrons\s+vers\s+vous)"
    r"|(?:ti|le)\s+risponderemo|responderemos|antworten\s+sie\s+(?:bitte\s+)?nicht|no\s+responda|ne\s+pas\s+(?:y\s+)?répondre)\b",
    re.IGNORECASE,
)
_NEWSLETTER = (
    re.compile(r"\b(?:unsubscribe|opt\s+out)\b|newsletter\s+(?:abbestellen|abmelden)|\babbestellen\b|\bse\s+désabonner\b|\bdésinscri\w+|\bdarse\s+de\s+baja\b|\bcancelar\s+(?:la\s+)?suscripción\b|\bdisiscriv\w+|\bafmelden\b|\bavsluta\s+prenumeration", re.IGNORECASE),
    re.compile(r"\bview\s+(?:this\s+(?:e-?mail|newsletter)\s+|it\s+)?(?:in\s+(?:your\s+|a\s+)?browser|online)\b|\bim\s+browser\s+(?:ansehen|anzeigen|öffnen)|\bversion\s+en\s+ligne\b|\bver\s+en\s+(?:el|su)\s+navegador", re.IGNORECASE),
    re.compile(r"\byou(?:'re|\s+are)\s+receiving\s+this\b|\byou\s+(?:are\s+)?subscribed\s+to\b|\bmanage\s+(?:your\s+)?(?:e-?mail\s+)?preferences\b|\bsie\s+erhalten\s+diese\b|\bvous\s+recevez\s+(?:cet|ce)\b|\brecibe\s+este\s+(?:correo|mensaje)\b", re.IGNORECASE),
    re.compile(r"\b(?:our|unser|notre|nuestro|nuestra)\s+(?:\w+\s+){0,2}(?:newsletter|boletín|infolettre)\b|\bnewsletter\s+(?:im|in|für|for|de)\s+\w+|\bin\s+this\s+(?:issue|edition|newsletter)\b|\bthis\s+week\s+(?:at|in)\s+[A-Z]", re.IGNORECASE),
    re.compile(r"\b(?:register|sign\s+up|join\s+us)\s+for\s+(?:our|the)\s+(?:\w+\s+){0,2}(?:webinar|event|workshop)|\b\d{1,2}\s?%\s+(?:off|discount|rabatt|de\s+descuento|de\s+réduction)|\bsave\s+\d{1,2}\s?%|\bjetzt\s+(?:sichern|anmelden|buchen)\b|\buse\s+code\s+[A-Z0-9]+|\bread\s+more\b", re.IGNORECASE),
)  # fmt: skip
_SPAM = (
    re.compile(r"\b(?:backlinks?|seo\s+(?:services?|agency|experts?|ranking)|guest\s+posts?|first\s+page\s+of\s+google|rank(?:ing)?\s+(?:higher|better)\s+(?:on|in)\s+google|domain\s+authority|link\s+building|web\s+traffic|(?:quality|qualified)\s+leads)\b", re.IGNORECASE),
    re.compile(r"\b(?:casino|betting|forex|crypto(?:currency)?\s+(?:investment|trading|signals?)|criptomonedas|kryptow\w+|bitcoin\s+(?:investment|profit|trading)|viagra|cialis|escorts?|payday\s+loans?|lottery|jackpot|sugar\s+(?:daddy|mummy))\b", re.IGNORECASE),
    re.compile(r"\b(?:make|earn|win|gana|verdiene|verdienen\s+sie|gagnez|guadagna|ganhe)\s+(?:up\s+to\s+|hasta\s+|bis\s+zu\s+|jusqu'à\s+)?[$€£]?\s?\d[\d,.]*\s*(?:[$€£]|dollars|usd|euros?)?\s*(?:per|a|every|each|in|al|por|pro|par|am)\s+(?:day|week|month|hour|día|dia|mes|semana|tag|woche|monat|jour|mois|giorno)\b", re.IGNORECASE),
    re.compile(r"\b(?:click\s+(?:here|the\s+link)|haz\s+clic\s+aquí|hier\s+klicken|klicken\s+sie\s+hier|cliquez\s+ici|clique\s+aqui|visit\s+(?:my|our)\s+(?:site|website|profile)|whats?app\s+(?:me|us)\s+(?:at|on)|dm\s+me|contact\s+(?:him|her|them|dr\.?|mr\.?)\b.{0,40}(?:via|on|at))\b", re.IGNORECASE),
    re.compile(r"\b(?:limited\s+time\s+offer|act\s+now|100%\s+(?:free|guaranteed|legit)|risk[- ]free|no\s+credit\s+check|special\s+(?:price|discount)\s+for\s+you|unsubscribe\s+(?:here|from))\b", re.IGNORECASE),
    re.compile(r"\b(?:we\s+(?:are|offer|provide)\s+(?:a\s+)?(?:leading|professional|top|affordable)\b.{0,60}\b(?:services?|agency|company|solutions?)|recovered?\s+my\s+(?:lost|stolen)\s+(?:funds|bitcoin|crypto|money)|spell\s+caster)\b", re.IGNORECASE),
    re.compile(r"\b(?:(?:came|come|stumbled)\s+across\s+your\s+(?:website|site|company|profile|store)|our\s+agency\s+(?:can|helps)|(?:quick|short|brief)\s+(?:call|chat)\s+(?:this|next)\s+week|boost\s+your\s+(?:sales|revenue|traffic)|grow\s+your\s+(?:business|audience|following))\b", re.IGNORECASE),
)  # fmt: skip
_LINK = re.compile(r"https?://|www\.|\bt\.me/|\bwa\.me/", re.IGNORECASE)


def why_nobody_speaks(text: str, subject: str = "") -> str:
    """Why a text is nobody's feedback, in words; empty when somebody seems to speak."""
    if _SUBJECT.search(subject) or (len(text) <= MACHINE_LENGTH and _is_reply(text)):
        return "An automatic reply"
    if sum(bool(pattern.search(text)) for pattern in _NEWSLETTER) + bool(_LINK.search(text)) > LETTERS:
        return "A newsletter"
    selling = sum(bool(pattern.search(text)) for pattern in _SPAM) + bool(_LINK.search(text))
    if selling > SELLS or (selling == SELLS and any(pattern.search(text) for pattern in _SPAM[:3])):
        return "It sells something"
    return ""


def _is_reply(text: str) -> bool:
    if "?" in text:
        return False
    start = text[:MACHINE_START]
    if _MACHINE.search(start) or _SUBJECT.search(start):
        return True
    return bool(
        (_AWAY.search(start) and _MEANWHILE.search(text)) or (_RECEIVED.search(start) and _WE_ANSWER.search(text))
    )
