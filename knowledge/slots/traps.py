"""Blank what only looks like an answer: phone numbers, prices, dates, names of people and places.

Why: "call me at 305-555-0148" must not become a mileage, nor "me llamo Mercedes" a make. Blanked spans keep their length,
so positions in the text stay true.
"""

import re
from collections.abc import Iterable

from knowledge.slots.tokens import FOREIGN

_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
    r"|janvier|fevrier|mars|avril|juin|juillet|aout|januar|februar|mai|juni|juli|dezember|gennaio|febbraio|giugno|luglio"
    r"|janeiro|fevereiro|maio|junho|julho)\b"
)
_MONTH = re.compile(_MONTHS)
_MONEY = r"(?:dollars?|usd|euros?|eur|dolares|dolar|pesos?|bucks|mxn|reais|libras|pounds)\b"
_NUMBER_LABELS = (
    r"(?:policy|poliza|claim|siniestro|zip|postal|phone|telefono|tel|celular|movil|whatsapp|plate|matricula|placa|vin|ticket"
    r"|reference|referencia|ref|deductible|deducible|franquicia|account|cuenta|card|tarjeta|dni|ssn|calle|street|apt|highway"
    r")"
)
# Blanked before vehicles are looked for: "leaf@nissan.example", "me llamo Mercedes", "I live in Tucson".
_NAMES = (
    re.compile(r"(?<!\S)(?:[^\s@]*@|https?://|www\.)\S*"),
    re.compile(
        r"\b(?:my name is|me llamo|mi nombre es|je m'appelle|ich heisse|mi chiamo|meu nome e|(?:live|lives) in|vivo en|moved to)"
        r"\s+[^\W\d_]+"
    ),
)
_AMOUNTS = re.compile(
    r"(?<![\d.,])[$€£¥]\s?\d[\d.,]*(?:\s?(?:k|mil|thousand)\b)?"
    rf"|(?<![\d.,])\d[\d.,]*\s?(?:k\s?|mil\s|thousand\s)?(?:[$€£%]|{_MONEY}|percent\b|por ciento\b)"
)
_PHONES = (
    re.compile(
        r"\+\d[\d ().-]{6,18}\d|\(\d{2,4}\)\s?\d[\d .-]{4,12}\d|(?<![\d.,-])\d{1,4}(?:-\d{2,4}){2,4}(?!\d)|(?<!\d)\d{3}-\d{4}(?!\d)"
    ),
    re.compile(
        r"(?<!\d)(?:\d{3}[ .]\d{3}[ .]\d{4}|\d{3} \d{3} \d{3}|\d{3} \d{2} \d{2} \d{2}|\d{2}(?: \d{2}){4}|\d{8,})(?!\d)"
    ),
)
_DATES = (
    re.compile(
        r"(?<![\d/.,-])(?:\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}([-/.])\d{1,2}\1\d{2,4}|\d{1,2}/\d{1,4})(?![\d/-])"
    ),
    re.compile(
        rf"\b{_MONTHS}\.?(?:\s+de[l]?)?\s+\d{{1,4}}(?:st|nd|rd|th)?(?:,?\s+(?:of\s+)?\d{{4}})?(?!\d)"
        rf"|(?<!\d)\d{{1,2}}(?:st|nd|rd|th)?\s+(?:de\s+|of\s+)?{_MONTHS}(?:\s+(?:del?\s+)?\d{{4}})?"
    ),
    re.compile(r"(?<!\d)\d{1,2}:\d{2}(?!\d)|(?<!\d)\d{1,2}\s?(?:am|pm|a\.m|p\.m)\b"),
)
_TRAPS = (
    _AMOUNTS,
    *_PHONES,
    *_DATES,
    re.compile(
        rf"\b{_NUMBER_LABELS}(?:\W{{1,3}}(?:number|numero|num|no|nr|code|codigo|id|is|es|de|n))*\W{{1,3}}\w*\d[\w.,-]*"
    ),
    re.compile(
        r"\b(?:born|nacid[oa]|naci|nat[oa]|geboren|nascid[oa]|soy del?)\b[^\d.,;!?]{0,15}\d{2,4}(?!\d)"
    ),
    re.compile(r"(?<![\w'])[^\W\d_]+-?\d[\w-]*"),
    # "between 50 and 60k", "10-12k": a range is no figure.
    re.compile(r"\b(?:between|entre|zwischen|tra|fra)\s\d[\d.,k]*\s(?:and|y|et|und|e)\s\d[\d.,]*k?"),
    re.compile(r"(?<![\d.,])\d{1,3}(?:k|[.,]?000)?\s?(?:-|to|a|or|o)\s?\d{1,3}(?:k|[.,]?000)\b"),
)
# Said beside the answer, and no part of it: "2022, bought it in 2024", "born in 1990 so I'm 35", "29, turning 30 next month".
_ASIDES = (
    re.compile(
        r"\b(?:i )?(?:bought|purchased|got|leased)(?: it| her| him| that| mine)?(?: new| used)? in \d{4}\b"
        r"|\b(?:l[oa] )?(?:compre|comprad[oa])(?: nuev[oa]| usad[oa])? en(?: el)?(?: ano)? \d{4}\b"
        r"|\b(?:(?:i was|i'm|im) )?born in \d{4}\b|\bnaci en(?: el)?(?: ano)? \d{4}\b"
    ),
    re.compile(
        r"\b(?:turning|about to turn|i turn|i'll be|almost|cumplo|cumplire|casi) \d{1,3}(?: anos)?"
        rf"(?: (?:soon|pronto)| (?:in|en) {_MONTHS}"
        r"| (?:next|this|el|la|este|esta)(?: proxim[oa])? (?:month|week|year|mes|semana|ano)(?: que viene)?)\b"
    ),
)


def without_names(text: str) -> str:
    """Folded text without asides, and without names of people and places; vehicles can be looked for in it."""
    return _blank(_blank(text, _ASIDES, ","), _NAMES, FOREIGN)


def without_traps(text: str) -> str:
    """Folded text without the numbers that answer nothing; vehicles must be blanked already ("mt-07")."""
    return _blank(text, _TRAPS, FOREIGN)


def is_month(word: str) -> bool:
    """Whether a folded word names a month in one of the known languages."""
    return _MONTH.fullmatch(word) is not None


def _blank(text: str, patterns: Iterable[re.Pattern[str]], sign: str) -> str:
    for pattern in patterns:
        text = pattern.sub(lambda found: sign * len(found.group()), text)
    return text
