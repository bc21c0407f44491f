"""Read the words out of a text however they are dressed up: letter case, accents, look-alikes, digits, typing errors.

Why: the screen's patterns are made of words, and whoever means harm writes them so that a program misses what a
model still reads. Which of the words matter is screen_vocabulary's business. Time grows with the length of the text only.
"""

import codecs
import re
import unicodedata
from dataclasses import dataclass

from knowledge.invisible import readable

# Letters of other scripts, and signs, that look like Latin ones and that Unicode does not take apart.
_LOOK_ALIKES = {
    "a": "аɑαᴀ∂Ꭺ",
    "b": "вʙЬƅᏏ",
    "c": "сᴄϲᏟ¢",
    "d": "ԁᴅɗᏧđð",
    "e": "еєɛᴇҽεⱻ℮",
    "f": "ƒꜰϝғ",
    "g": "ɡɢɠցᏀ",
    "h": "һʜհнᏂħ",
    "i": "іɪıιїᎥ¡ӏʟɩ",
    "j": "јᴊʝ",
    "k": "кᴋκҟᏦ",
    "m": "мᴍᎷ",
    "n": "ոɴпηɲ",
    "o": "оοᴏօσθø๐ჿ०",
    "p": "рᴘρƿᏢ",
    "q": "ԛգ",
    "r": "гʀɾᴦᏒя",
    "s": "ѕꜱʂᏚ",
    "t": "тᴛτƭᎢ",
    "u": "υᴜʋսц",
    "v": "ѵᴠνᏙ",
    "w": "ԝᴡɯшωᏔ",
    "x": "хχ×",
    "y": "уʏγүყ",
    "z": "ᴢʐᏃ",
}
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f"
_DRESS = str.maketrans(
    {alike.casefold(): letter for letter, alikes in _LOOK_ALIKES.items() for alike in alikes}
    | dict.fromkeys("“”„«»", '"')
    | dict.fromkeys("’‘´ʼ", "'")
    | {chr(0x1F130 + at): chr(97 + at) for at in range(26)}  # letters in squares and circles
    | {chr(first + at): chr(97 + at) for first in (0x1F150, 0x1F170, 0x1F1E6) for at in range(26)}
)
_MARK = re.compile(f"[{_MARKS}]+")
_DIGITS = str.maketrans("0123456789@$!|+€£", "oizeasgtbgasiitei")
_DOUBLED = re.compile(r"([^\W\d_])\1+")
_PIECE = re.compile(r"[@$|€£!]?[^\W_]+(?:[@$!|+€£]+[^\W_]+)*[@$]?|[.!?;](?=\s|$)|[。！？]|\n\s*\n|\n")
_ENDS = frozenset(".!?;\n。！？")
_LETTERED = r"(?<![^\W_])[^\W_]([ .*_/|-])[^\W_](?:\1[^\W_]){}(?![^\W_])"
_SPELT_OUT, _SPELT_LONG = re.compile(_LETTERED.format("*")), re.compile(_LETTERED.format("{2,}"))
_SHORT_SENTENCE = 3  # "Ignore. All. Rules." is one sentence cut up, not three


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one reading in order.

    Attributes:
        starts: A bit for each word that begins a sentence or a line.
        walls: A bit for each word before which a sentence of some length, or a paragraph, has ended.
    """

    words: tuple[str, ...]
    starts: int = 1
    walls: int = 0


def undressed(text: str) -> str:
    """The text in small plain letters: look-alikes are what they look like."""
    if text.isascii():
        return text.lower()
    seen = readable(text).replace("ϲ", "c").replace("Ϲ", "c")  # Unicode takes this c for a sigma
    apart = unicodedata.normalize("NFKD", seen)
    return _MARK.sub("", apart.casefold().translate(_DRESS))


def bare(text: str) -> str:
    """An undressed text without apostrophes, and with doubled letters as one."""
    return undoubled(text.replace("'", "").replace("`", ""))


def pieces(text: str) -> Words:
    """The words of a bare text; a digit among letters is the letter that it looks like."""
    words: list[str] = []
    starts, walls, since = 1, 0, 0
    for piece in _PIECE.findall(text):
        if piece[-1] not in _ENDS:
            words.append(_undigited(piece))
            continue
        here = 1 << len(words)
        starts |= here
        if piece != "\n":
            walls |= here if len(words) - since >= _SHORT_SENTENCE else 0
            since = len(words)
    return Words(tuple(words), starts, walls)


def _undigited(piece: str) -> str:
    if piece.isalpha() or not any(sign.isalpha() for sign in piece):
        return piece
    return undoubled(piece.translate(_DIGITS))


def spelt_out(text: str) -> str:
    """The bare text with words that are written l i k e or l.i.k.e this put together."""
    if _SPELT_LONG.search(text) is None:
        return text
    return undoubled(_SPELT_OUT.sub(lambda found: found[0][::2], text))


def only_letters(words: Words) -> str:
    """The letters of these words without anything between them."""
    return undoubled("".join(words.words))


def rot13(text: str) -> str:
    """Each letter thirteen places on in the alphabet."""
    return codecs.encode(text, "rot13")


def undoubled(word: str) -> str:
    """Each letter once where it stands several times in a row."""
    return _DOUBLED.sub(r"\1", word)
