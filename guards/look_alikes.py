"""Read letters as a person sees them: without case and accents, look-alikes as the letter they look like.

Why: "GE1CO", "Gеico" with a Cyrillic e and "Géico" are the same name to whoever reads them. One character stays one
character, so places in the folded text are places in the text.
"""

import unicodedata
from collections import defaultdict
from functools import cache

# Latin letter -> what passes for it: digits, signs, Greek, Cyrillic and Armenian letters.
_PASS_FOR = {
    "a": "4@аαɑ",
    "b": "8вЬβ",
    "c": "сϲ¢(",
    "d": "ԁ",
    "e": "3еєε€ҽ",
    "f": "ƒ",
    "g": "9ɡց",
    "h": "һн",
    "i": "1!|іιíı",
    "j": "ј",
    "k": "кκ",
    "l": "1|ӏ",
    "m": "мμ",
    "n": "пηո",
    "o": "0оοσօ",
    "p": "рρ",
    "q": "ԛ",
    "r": "гя",
    "s": "5$ѕ",
    "t": "7+тτ",
    "u": "υս",
    "v": "ν",
    "w": "ѡω",
    "x": "хχ",
    "y": "уγ",
    "z": "2",
}


_ACCENTED = range(0xC0, 0x180)


def _plain(character: str) -> str:
    """The letter without case and accent; one character."""
    if character.isascii():
        return character.lower()
    bare = unicodedata.normalize("NFKD", character)[:1].casefold()
    return bare if len(bare) == 1 else character


_SEEN_AS: defaultdict[str, set[str]] = defaultdict(set)
for _letter, _others in _PASS_FOR.items():
    for _other in _others:
        _SEEN_AS[_plain(_other)].add(_letter)


def same(character: str, letter: str) -> bool:
    """Whether a character of a text passes for this small Latin letter."""
    plain = _plain(character)
    return plain == letter or letter in _SEEN_AS.get(plain, ())


@cache
def looks_like(letter: str) -> frozenset[str]:
    """All characters that pass for a small Latin letter: itself, in both cases, with accents, and what looks like it."""
    plain = {letter, *_PASS_FOR.get(letter, "")}
    accented = {chr(point) for point in _ACCENTED if _plain(chr(point)) == letter}
    return frozenset(plain | accented | {sign.upper() for sign in plain | accented if len(sign.upper()) == 1})
