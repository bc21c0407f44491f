"""Tell what a number counts, by what stands behind it: dollars, percent, days, the day of a month, or nothing known.

Why: the same digits are a price, a deadline or the year of a model; only what is around them tells. All texts are folded.
"""

import re

from guards.figures import dates, figure
from guards.figures.figure import Figure
from guards.figures.numbers import Number, read_number
from guards.figures.words import BLANK, WORDS, Word, says

SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}
NEAR = 60
"""Characters before a figure in which a phone number, a deadline or a distance is spoken of."""
LAST_HOUR, LAST_DAY = 24, 31
_BEHIND = re.compile(
    rf"{BLANK}(?:(?:us|mx)?([$€£¥₹])|(%)|-?{BLANK}(?:(?:u\.?s\.?|american)(?![^\W_]){BLANK})?([^\W\d_]+))"
)
_PER_CENT = re.compile(
    rf"{BLANK}(?:per{BLANK}cent|por{BLANK}cien(?:to)?|por{BLANK}100|pour{BLANK}cent|per{BLANK}cento|por{BLANK}cento)\b"
)
_BEFORE_CENT = frozenset({"per", "por", "pour"})
_OF_CURRENCY = re.compile(rf"{BLANK}de{BLANK}([^\W\d_]+)")
_MILLION = 1_000_000
_CALENDAR = frozenset(
    {
        "st",
        "nd",
        "rd",
        "th",
        "er",
        "of",
        "de",
        "del",
        "day",
        "a",
        "p",
        "am",
        "pm",
        "o",
        "uhr",
        "por",
        "in",
        "at",
    }
)
_ORDINAL_MARKS = frozenset({"st", "nd", "rd", "th"})
_DAY_OF_MONTH = re.compile(rf"(?:st|nd|rd|th)\b(?!{BLANK}(?!of\b|each\b|every\b|and\b|or\b|at\b)[^\W\d_])")
_BEFORE_HOUR = re.compile(rf"\b(?:a|de|hasta|desde|y){BLANK}las?{BLANK}$")
_BEFORE_HOURS, _BEFORE_DAYS = frozenset({" la", "las"}), frozenset({"dia", "day"})
_PERIOD = re.compile(
    rf"{BLANK}(?:/|\b(?:a|an|per|each|every|al|por|cada|par|pro|im|ao)\b){BLANK}"
    r"(?:month|mo|mth|year|yr|annum|mes|ano|mois|monat|jahr|mese|anno)\b"
)
_FOR_PERIOD = re.compile(rf"{BLANK}(?:a|an|per|each|every|al|por|cada|monthly|mensual(?:es)?)\b")
_PERIOD_ALONE = re.compile(rf"{_PERIOD.pattern}|[ \u00a0](?:mensual(?:es)?|anual(?:es)?)\b")
_ADVERB = re.compile(r"[ \u00a0](?:monthly|mensual(?:es)?|anual(?:es)?)\b")
_AGE = re.compile(rf"{BLANK}-?{BLANK}(?:olds?|of{BLANK}age|young|de{BLANK}edad|cumplidos)\b")
_AND_CENTS = re.compile(rf"{BLANK}(?:and|with|con|y){BLANK}(?=[^\W_])")
_WORD = re.compile(rf"{BLANK}[^\W\d_]")
_DEADLINE, _DISTANCE = says("deadline"), says("distance")
_LIKE_ARTICLES = {("a",), ("un",), ("una",), ("one",), ("uno",)}
_CENTS_OF_UNIT = 100


def counted(text: str, number: Number) -> Figure | None:
    """The number with what it counts; None for an article, or a word like one, that counts nothing."""
    behind = _BEHIND.match(text, number.end)
    if behind is None:
        return _in_calendar(text, number) or _plain(text, number)
    if behind[1]:
        return amount(text, number, SYMBOLS[behind[1]], number.start, behind.end())
    if behind[2]:
        return figure.united(number, Word("percent", ""), behind.end())
    word, end = _word(behind)
    return _before_unknown(text, number, behind[3]) if word is None else _before(text, number, word, end)


def amount(text: str, number: Number, currency: str, start: int, end: int) -> Figure:
    """An amount, with cents behind it and the month or year that it is for."""
    number, end = _with_cents(text, number, end)
    read = figure.amount(number, currency, start, end)
    period = _PERIOD.match(text, end) or _ADVERB.match(text, end)
    return read if period is None else read._replace(end=period.end(), per_from=end)


def _before(text: str, number: Number, word: Word, end: int) -> Figure | None:
    """A number before a word that says what it counts."""
    match word.does:
        case "currency":
            return amount(text, number, word.name, number.start, end)
        case "cents":
            cents = number._replace(values=(number.value / _CENTS_OF_UNIT,))
            return amount(text, cents, "USD", number.start, end)
        case "percent":
            return figure.united(number, word, end)
        case "unit" | "business" | "any_days":
            return _in_time(text, number, word, end)
        case "month":
            return _in_calendar(text, number) or _plain(text, number)
        case _:
            return _plain(text, number)


def _word(behind: re.Match[str]) -> tuple[Word | None, int]:
    """What the word behind a number does, and where it ends; of a text without blanks, its first letters."""
    written, start = behind[3], behind.start(3)
    if written[0] < "\u0e00":
        return WORDS.get(written), behind.end()
    for length in (3, 2, 1):
        if (word := WORDS.get(written[:length])) is not None:
            return word, start + min(length, len(written))
    return None, start


def _before_unknown(text: str, number: Number, word: str) -> Figure | None:
    """A number before a word that is no unit by itself: "15 per cent", "22 de diciembre", "5 de la tarde"."""
    if word in _BEFORE_CENT and (percent := _PER_CENT.match(text, number.end)) is not None:
        return figure.united(number, Word("percent", ""), percent.end())
    if word == "de" and number.value >= _MILLION and (of := _OF_CURRENCY.match(text, number.end)) is not None:
        currency = WORDS.get(of[1])
        if currency is not None and currency.does == "currency":
            return amount(text, number, currency.name, number.start, of.end())
    return _in_calendar(text, number, word) or _plain(text, number)


def _plain(text: str, number: Number) -> Figure | None:
    """A number without a unit: an amount when it is for a month or a year and nothing speaks of distances."""
    if number.words[-1:] == ("grand",):
        return amount(text, number, "USD", number.start, number.end)
    if number.words in _LIKE_ARTICLES or number.words == ("once",):
        return None
    period = _PERIOD_ALONE.match(text, number.end)
    if period is None or _DISTANCE.search(text, max(0, number.start - NEAR), number.start):
        return figure.bare(number)
    read = figure.amount(number, "", number.start, period.end())
    return read._replace(per_from=number.end)


def _in_time(text: str, number: Number, word: Word, end: int) -> Figure | None:
    """A duration; a bare number for an age or the year of a model, None for "a day" that is no deadline."""
    other = _BEHIND.match(text, end)
    second, second_end = _word(other) if other is not None and other[3] else (None, end)
    match (word.does, second.does if second is not None else None):
        case ("business", "unit") | ("unit", "business"):
            unit = word if word.does == "unit" else second
            is_day = unit is not None and unit.name == "day"
            return figure.united(number, Word("business", "day") if is_day else word, second_end)
        case ("any_days", "unit") if second is not None:
            return figure.united(number, second, second_end)
        case ("unit", "any_days"):
            return figure.united(number, word, second_end)
        case ("unit", _):
            return _of_unit(text, number, word, end)
        case _:
            return _plain(text, number)


def _of_unit(text: str, number: Number, unit: Word, end: int) -> Figure | None:
    if unit.name == "year":
        if (age := _AGE.match(text, end)) is not None:
            return figure.bare(number, age.end())
        if figure.in_years(number):
            return figure.bare(number)
    if number.words in _LIKE_ARTICLES and not _DEADLINE.search(
        text, max(0, number.start - NEAR), number.start
    ):
        return None
    read = figure.united(number, unit, end)
    if text[end - 1] == "h" and not text[end - 2].isalpha() and number.value <= LAST_HOUR:
        return read._replace(keys=read.keys | figure.hours(number))
    return read


def _in_calendar(text: str, number: Number, word: str = "") -> Figure | None:
    """A day of the month or an hour whose number has been read; `word` stands behind it."""
    value = int(number.value)
    if value != number.value or not 0 < value <= LAST_DAY or number.has_cents:
        return None
    if not word or word in _CALENDAR or word in WORDS:
        read = dates.read_day_and_month(text, number.end, value) or dates.read_half(text, number.end, value)
        if read is not None:
            return figure.moment(number.start, read)
    before = text[max(0, number.start - NEAR) : number.start]
    if word in _ORDINAL_MARKS and dates.BEFORE_DAY.search(before) is not None:
        ordinal = _DAY_OF_MONTH.match(text, number.end)
        return None if ordinal is None else _day(number, value, ordinal.end())
    lead = before.rstrip()[-3:]
    if lead in _BEFORE_HOURS and value <= LAST_HOUR and _BEFORE_HOUR.search(before) is not None:
        return figure.at_time(number.start, number.end, dates.any_half(value), number)
    if lead in _BEFORE_DAYS and value > 1 and not number.words:
        return _day(number, value, number.end)
    return None


def _day(number: Number, day: int, end: int) -> Figure:
    return figure.moment(number.start, dates.Moment(end, days=frozenset({dates.Day(None, None, day)})))


def _with_cents(text: str, number: Number, end: int) -> tuple[Number, int]:
    """The number with the cents that are said behind the dollars: "and fifty cents", "con 50"."""
    joined = _AND_CENTS.match(text, end)
    cents = read_number(text, joined.end()) if joined is not None else None
    if joined is None or cents is None or cents.value >= _CENTS_OF_UNIT:
        return number, end
    behind = _BEHIND.match(text, cents.end)
    word, cents_end = _word(behind) if behind is not None and behind[3] else (None, cents.end)
    is_said = word is not None and word.does == "cents"
    is_last = _WORD.match(text, cents.end) is None or _FOR_PERIOD.match(text, cents.end) is not None
    if is_said or (joined.group().strip() in {"con", "with"} and is_last):
        return number._replace(
            values=(number.value + cents.value / _CENTS_OF_UNIT,)
        ), cents_end if is_said else cents.end
    return number, end
