"""Read what a text says in code: base64 and base32, hexadecimal, binary and decimal codes, escapes.

Why: a model decodes what a program passes over. What comes out is only screened, never answered and never shown, so
a wrong guess ("this policy number might be base64") costs a moment and nothing else. Each step gives no more
characters than it was given, and codes within codes are followed three deep: the time grows with the length only.
"""

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

_BASE64 = re.compile(
    r"[A-Za-z0-9+/_-]{12,}(?:\s{1,2}[A-Za-z0-9+/_-]{12,})*(?:\s{1,2}[A-Za-z0-9+/_-]{1,11}(?=={1,2}))?"
)
_BASE32 = re.compile(r"[A-Z2-7]{16,}")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[\s,:;-]{0,2}){8,}")
_BINARY = re.compile(r"\b(?:[01]{8}[\s,]{0,2}){6,}")
_DECIMAL = re.compile(r"\b(?:\d{2,3}[\s,]{1,2}){7,}\d{2,3}")
_ESCAPES = re.compile(r"\\u([0-9A-Fa-f]{4})")
_CODES_OF = re.compile(r"[0-9A-Fa-f]{2}")
_PLAIN = re.compile(r"[\s!-~\u00a1-\u024f\u200b-\u2064]")
_SHORTEST = _DIGITS = 8
_MOSTLY = 0.9  # of what was decoded must be characters that people write
_PARTS = re.compile(r"[\s/_-]+")


def decoded(text: str) -> Iterator[tuple[str, str]]:
    """What the text says in code, each with the name of the code; nothing for an ordinary text."""
    in_digits = sum(map(text.count, "0123456789")) >= _DIGITS
    for name, (pattern, read) in (_CODES | _IN_DIGITS if in_digits else _CODES).items():
        legible = [words for match in pattern.finditer(text) for words in _legible(read, match[0])]
        if legible:
            yield name, "\n".join(legible)
    plain = _ESCAPES.sub(lambda match: chr(int(match[1], 16)), html.unescape(unquote(text)))
    if plain != text:
        yield "escapes", plain


def _legible(read: Callable[[str], bytes], code: str) -> Iterator[str]:
    """What the code says, or else what its parts say, if that is something that people write."""
    for parts in ([code], _PARTS.split(code)):
        found = [words for part in parts if (words := _words_of(read, part))]
        if found:
            yield from found
            return


def _words_of(read: Callable[[str], bytes], code: str) -> str:
    try:
        words = read(code).decode("utf-8", "replace")
    except (ValueError, binascii.Error):
        return ""
    return words if len(words) >= _SHORTEST and len(_PLAIN.findall(words)) >= _MOSTLY * len(words) else ""


def _from_base64(code: str) -> bytes:
    whole = "".join(code.split()).translate({ord("-"): "+", ord("_"): "/"})
    return base64.b64decode(whole[: len(whole) - (len(whole) % 4 == 1)] + "=" * (-len(whole) % 4))


def _from_base32(code: str) -> bytes:
    return base64.b32decode(code + "=" * (-len(code) % 8))


def _from_hex(code: str) -> bytes:
    return bytes(int(pair, 16) for pair in _CODES_OF.findall(code.replace("0x", " ").replace("\\x", " ")))


def _from_binary(code: str) -> bytes:
    return bytes(int(byte, 2) for byte in re.findall("[01]{8}", code))


def _from_decimal(code: str) -> bytes:
    return bytes(int(number) for number in re.findall(r"\d+", code))


_Code = tuple[re.Pattern[str], Callable[[str], bytes]]
_CODES: dict[str, _Code] = {"base64": (_BASE64, _from_base64), "base32": (_BASE32, _from_base32)}
_IN_DIGITS: dict[str, _Code] = {
    "hex": (_HEX, _from_hex),
    "binary": (_BINARY, _from_binary),
    "decimal": (_DECIMAL, _from_decimal),
}
