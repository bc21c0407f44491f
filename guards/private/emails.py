r"""Read an e-mail address where it stands: as it is written, or spelled ("ann dot smith at mail dot com", "arroba").

Why: an address spelled out is as much an address. A plain " at " is an ordinary word too, so it only counts with a domain
that is spelled as well, with a mail provider's name, or behind what is no word ("ann.smith at x.com").
"""

import re
from typing import NamedTuple

from guards.private.plain import small

_LETTER = r"[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
_SPACED = rf"{_LETTER}(?:\ {_LETTER})+(?!{_LETTER})"
_WORD = rf"(?:{_SPACED}|_*{_LETTER}+(?:[-_+%'’]+{_LETTER}+)*_*)"
_BRACKETED = r"\s?[\[({{<]{{1,2}}\s?(?:{})\s?[\])}}>]{{1,2}}\s?"
_SPELLED_SIGN = (
    r"underscore|under\ score|dash|hyphen|minus|plus|gui[oó]n(?:\ (?:bajo|medio))?|barra\ baja|m[aá]s|menos"
)
_DOT_WORDS = r"dot|punto|period|point"
_AT_WORDS = r"at|arroba"
_TIGHT_DOT = r"\.{1,2}"
_DOT_SPELLED = rf"{_BRACKETED.format(_DOT_WORDS + '|[.]')}|\s(?:{_DOT_WORDS})\s|[-_](?:dot|punto)[-_]"
_LOCAL_JOIN = rf"{_TIGHT_DOT}|{_DOT_SPELLED}|\s(?:{_SPELLED_SIGN})\s"
_AT = rf"(?P<sign>\s?@\s?|{_BRACKETED.format(_AT_WORDS + '|@|a')}|\sarroba\s|[-_](?:at|arroba)[-_])|(?P<word>\sat\s)"
_ENDINGS = r"com|net|org|edu|gov|info|biz|es|mx|co|us|uk|ca|fr|de|it|pt|br|ar|cl|pe|eu|ru|cn|jp|in|tv|me|io|ai|app|dev|cat|example|test"
_DOMAIN_JOIN = (
    rf"{_TIGHT_DOT}|{_DOT_SPELLED}|\s?\.\s?(?=(?:{_ENDINGS})(?![^\W_])|{_LETTER}\ {_LETTER}(?!{_LETTER}))"
)
_PROVIDERS = (
    r"gmail|googlemail|hotmail|outlook|yahoo|icloud|proton(?:mail)?|live|msn|aol|gmx|yandex|terra|telefonica"
)
_LABEL = rf"(?:{_SPACED}|{_LETTER}+(?:-+{_LETTER}+)*)"
_ADDRESS = re.compile(
    rf"(?P<local>\.?{_WORD}(?:(?:{_LOCAL_JOIN}){_WORD})*)(?:{_AT})"
    rf"(?P<domain>{_LABEL}(?:(?:{_DOMAIN_JOIN}){_LABEL})*|\[?\d{{1,3}}(?:\.\d{{1,3}}){{3}}\]?)"
)
_BEGUN = re.compile(
    rf"\.?{_WORD}(?:(?:{_LOCAL_JOIN}){_WORD})*"
    rf"(?:{_TIGHT_DOT}|\s?@\s?\[?|\s?[\[({{<]{{1,2}}\s?\w{{0,6}}\s?[\])}}>]{{0,2}}\s?|[-_]\w{{0,6}}[-_]?"
    rf"|\s(?:{_DOT_WORDS}|{_AT_WORDS}|{_SPELLED_SIGN}|under|gui[oó]n|barra)?\s?|[-_+%'’]{{1,2}}|\s)?\Z"
)
_GOES_ON = re.compile(
    rf"\s?[\[({{<._-]{{0,2}}\s?(?:{_DOT_WORDS}|{_AT_WORDS}|[.@]|{_LETTER})?\s?[\])}}>_-]{{0,2}}\s?\Z"
)
_NO_ADDRESS = re.compile(
    rf"[^\W\d_](?:\ [^\W\d_])+(?![^\W_])|(?:[^\W\d]|[%+'’.-]|\d(?![\d\s.\-·‐-―−|/,()_]))+(?=[\w%+'’.-]{{64}})|(?:[^\W\d_]+(?:{_DOT_SPELLED}|\s(?:{_SPELLED_SIGN})\s))+"
)
_PROVIDER = re.compile(rf"(?:{_PROVIDERS})(?![^\W_])")
_SPELLED_DOMAIN = re.compile(rf"{_LABEL}(?:(?:{_DOT_SPELLED}){_LABEL})*(?:{_DOT_SPELLED})(?:{_ENDINGS})")
_NO_WORD = re.compile(r"[^\W\d_]\d|\d[^\W\d_]|[._]")
_LAST_LABEL = re.compile(rf"({_LETTER}{{2,24}})\Z")
_SAID = re.compile(rf"{_DOT_SPELLED}|\s?\.+\s?")
_SIGNS_SAID = re.compile(rf"\s(?:{_SPELLED_SIGN})\s")
_FEWEST = 2


class Email(NamedTuple):
    """An address that ends at `end`; `value` is it in small letters as it is usually written."""

    end: int
    value: str


def read_email(text: str, *, is_over: bool) -> Email | bool:
    """The address at the beginning of a text; True: it may be one when more text has come; False: none."""
    text = small(text)
    found = _ADDRESS.match(text)
    if found is None:
        return not is_over and _BEGUN.match(text) is not None
    rest = found.end()
    if not is_over and (rest == len(text) or _GOES_ON.match(text, rest) is not None):
        return True
    return Email(rest, _value(found)) if _is_address(found, is_cut=rest == len(text)) else False


def end_of_no_address(text: str) -> int:
    """How much of a text in which no address begins can hold none either.

    Letters apart, words with "dot" between, and of a row that is longer than any name of a mailbox all but its last letters.
    """
    found = _NO_ADDRESS.match(small(text))
    return 0 if found is None else found.end()


def _is_address(found: re.Match[str], *, is_cut: bool) -> bool:
    local, domain = found["local"], found["domain"]
    is_whole = _SAID.search(domain) is not None and (
        _LAST_LABEL.search(domain.replace(" ", "")) is not None
        or domain.strip("[]").replace(".", "").isdigit()
    )
    if found["word"] is not None:
        is_meant = (
            _SPELLED_DOMAIN.fullmatch(domain) is not None
            or _PROVIDER.match(domain) is not None
            or (is_whole and _NO_WORD.search(local) is not None)
        )
        return is_meant and (is_whole or _PROVIDER.match(domain) is not None)
    return (
        is_whole
        or _PROVIDER.match(domain) is not None
        or (is_cut and "@" in found["sign"] and len(domain) >= _FEWEST)
    )


def _value(found: re.Match[str]) -> str:
    local = _SIGNS_SAID.sub("-", _SAID.sub(".", found["local"]))
    domain = _SAID.sub(".", found["domain"])
    return f"{local}@{domain}".replace(" ", "").strip("._")
