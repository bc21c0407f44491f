"""Read a phone number where it stands, however it is grouped; a number is the same with and without its country code.

Why: a wrong phone number sends a customer in trouble to a stranger. All texts are folded.
"""

import re
from typing import NamedTuple

_GAP = r"[ \u00a0\u2009\u202f.*\u2010-\u2013-]"
_PHONE = re.compile(
    rf"""(?:
      \+\d{{1,3}}(?:{_GAP}{{0,3}}\(?\d{{1,5}}\)?){{2,6}}                        # +34 600 123 456
    | (?:00)\d{{1,3}}(?:{_GAP}\d{{2,5}}){{2,5}}                                # 0034 600 123 456
    | (?:1{_GAP}{{0,2}})?\(?\d{{3}}\)?{_GAP}{{0,2}}\d{{3}}{_GAP}\d{{4}}          # (800) 123-4567
    | 1[-.]8\d\d[-.](?=[a-z\d-]*[a-z])[a-z\d]{{2,}}(?:-[a-z\d]+)*            # 1-800-call-now
    | [6-9]\d\d{_GAP}(?:\d{{3}}{_GAP}\d{{3}}|\d\d{_GAP}\d\d{_GAP}\d\d)          # 600 123 456
    | 9\d{_GAP}\d{{3}}{_GAP}\d\d{_GAP}\d\d                                     # 91 234 56 78
    | 0\d{{1,4}}(?:[ ./-]\d{{2,8}}){{1,4}}                                     # 01 23 45 67 89
    )(?!\d)(?:{_GAP}{{0,2}}(?:ext\.?|extension|x){_GAP}{{0,2}}\d{{1,6}}\b)?""",
    re.VERBOSE,
)
_BEGINNING = re.compile(r"[+(]|\d{1,5}[ \u00a0\u2009\u202f./()*\u2010-\u2013-]|\d{8}")
_ONLY_WHEN_CALLED = re.compile(rf"\d{{3}}{_GAP}\d{{4}}(?![\d])|\d{{8,15}}(?!\d)")
_KEYS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_EXTENSION = re.compile(rf"(?:ext\.?|extension|x){_GAP}{{0,2}}(\d{{1,6}})$")
_DIGIT, _LETTER = re.compile(r"\d"), re.compile("[a-z]")
_FEWEST, _AMERICAN = 8, 11


class Phone(NamedTuple):
    """A phone number that ends at `end`; `digits` are without the American 1, a leading 00 or +, and with an extension.

    `is_certain`: its form shows what it is; else words about calling must stand before it.
    """

    end: int
    digits: str
    is_certain: bool


def read_phone(text: str, at: int) -> Phone | None:
    """The phone number that begins here."""
    if _BEGINNING.match(text, at) is None:
        return None
    found = _PHONE.match(text, at)
    if found is not None and len(digits := plain(found.group())) >= _FEWEST:
        return Phone(found.end(), digits, is_certain=True)
    found = _ONLY_WHEN_CALLED.match(text, at)
    return None if found is None else Phone(found.end(), plain(found.group()), is_certain=False)


def plain(written: str) -> str:
    """The digits of a number as it is written or spelled; letters are those of a phone's keys."""
    extension = _EXTENSION.search(written)
    whole = written if extension is None else written[: extension.start()]
    digits = "".join(
        _DIGIT.findall(whole if whole.isascii() and not _LETTER.search(whole) else _on_keys(whole))
    )
    digits = digits.removeprefix("00")
    if len(digits) == _AMERICAN:
        digits = digits.removeprefix("1")
    return digits if extension is None else f"{digits}x{extension[1]}"


def _on_keys(written: str) -> str:
    """Letters as the keys they stand on, digits of any script as our own."""
    return "".join(str(int(sign)) if sign.isdecimal() else sign for sign in written.translate(_KEYS))
