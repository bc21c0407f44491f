"""Write numbers in words as digits: "forty two thousand", "doce mil", "twenty nineteen".

Why: people who dictate, and polite people, spell numbers out. English and Spanish are known, the languages of most
customers.
How: runs of number words are found and added up as they are said; a word such as "one" or "un" alone stays a word.
"""

import re
from collections.abc import Mapping, Sequence

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen|"
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete dieciocho "
    "diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve"
)
_TENS = (
    "twenty thirty forty fifty sixty seventy eighty ninety|"
    "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa"
)
_HUNDREDS = (
    "ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
)
NUMBER_WORDS: Mapping[str, int] = {
    **{word: value for row in _SMALL.split("|") for value, word in enumerate(row.split())},
    **{word: 10 * value for row in _TENS.split("|") for value, word in enumerate(row.split(), start=2)},
    **{word: 100 * value for value, word in enumerate(_HUNDREDS.split(), start=1)},
    **{word[:-2] + "as": 100 * value for value, word in enumerate(_HUNDREDS.split(), start=1) if value > 1},
    "un": 1,
    "una": 1,
    "veintiun": 21,
    "cien": 100,
    "fourty": 40,
    "hundred": 100,
    "thousand": 1000,
    "mil": 1000,
}
# Words that mean a number only in company: "once I crashed", "un coche", "this one".
_LIKE_ARTICLES = frozenset({"one", "un", "una", "uno", "once"})
_NEED_COMPANY = _LIKE_ARTICLES | {"hundred", "thousand", "mil", "zero", "cero"}
_CONNECTORS = frozenset({"and", "y"})
_SPOKEN = re.compile(r"[^\W\d_]+|(?<![\d.,])\d{1,3}(?=\s{1,3}(?:thousand|mil)\b)")
_GAP = re.compile(r"\s{0,3}-?\s{0,3}")
_HALF = re.compile(r"\b(\d{1,3}) and a half (?:thousand|k)\b")
_TEN, _HUNDRED, _THOUSAND = 10, 100, 1000
_CENTURIES = (18, 19, 20)


def in_digits(folded: str) -> str:
    """Folded text with its numbers in words as digits."""
    parts: list[str] = []
    run: list[re.Match[str]] = []
    end = 0
    for word in _SPOKEN.finditer(folded):
        joined = bool(run) and _GAP.fullmatch(folded, run[-1].end(), word.start()) is not None
        if word.group() in _CONNECTORS and joined:
            run.append(word)
        elif word.group() in NUMBER_WORDS or word.group().isdigit():
            if run and not joined:
                end = _close(folded, run, parts, end)
            run.append(word)
        elif run:
            end = _close(folded, run, parts, end)
    if run:
        end = _close(folded, run, parts, end)
    return _HALF.sub(r"\1.5k", "".join((*parts, folded[end:])))


def _close(text: str, run: list[re.Match[str]], parts: list[str], end: int) -> int:
    """Write a finished run of number words as digits, and empty it; returns where the text goes on."""
    while run[-1].group() in _CONNECTORS:
        run.pop()
    while (
        len(run) > 1 and run[0].group() in _LIKE_ARTICLES and NUMBER_WORDS.get(run[1].group(), 0) < _HUNDRED
    ):
        run.pop(0)
    words = [word.group() for word in run]
    if not (len(words) == 1 and (words[0] in _NEED_COMPANY or words[0].isdigit())):
        parts += [text[end : run[0].start()], " ".join(map(str, numbers_said(words)))]
        end = run[-1].end()
    run.clear()
    return end


def numbers_said(words: Sequence[str]) -> list[int]:
    """Numbers that a run of number words says: mostly one, two for "thirty four forty thousand"."""
    numbers: list[int] = []
    total, current, room = 0, 0, 0  # room: the part of `current` still open, as in twenty(-one)
    for word in words:
        value = int(word) if word.isdigit() else NUMBER_WORDS.get(word, 0)
        if word in _CONNECTORS:
            continue
        if value == _THOUSAND and total == 0:
            total, current, room = max(current, 1) * _THOUSAND, 0, _THOUSAND
        elif value == _HUNDRED and word == "hundred" and 0 < current < _HUNDRED:
            current, room = current * _HUNDRED, _HUNDRED
        elif value < room:
            current, room = current + value, _room(value)
        elif total == 0 and current in _CENTURIES and _TEN <= value < _HUNDRED:
            current, room = current * _HUNDRED + value, _room(value)
        else:
            numbers += [total + current] if total + current else []
            total, current, room = 0, value, _room(value)
    return [*numbers, total + current]


def _room(value: int) -> int:
    """What may still be added to a number word: below 100 to "two hundred", below 10 to "forty"."""
    if value >= _HUNDRED:
        return _HUNDRED
    return _TEN if value >= 2 * _TEN and value % _TEN == 0 else 0
