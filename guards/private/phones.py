"""Phone numbers of any country: as they are written abroad, at home, or after words about calling.

Why: a stranger's number is the personal data that slips out most easily, and many honest numbers look like one. So a
number without its country's code counts only where its groups are those of a country that has it, or where words say so.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import phonenumbers

from guards.private.runs import DigitGroup

_AT_HOME = ("US", "ES", "MX")
_ELSEWHERE = (
    "GB", "FR", "DE", "IT", "PT", "AR", "CO", "CL", "PE", "BR", "VE", "EC", "NL", "BE", "CH", "AT", "IE", "PL", "RO",
    "SE", "NO", "DK", "IN", "AU", "NZ", "JP", "CN", "KR", "ZA", "TR", "UA", "IL", "PH",
)  # fmt: skip
_AMERICAN = {(3, 3, 4), (1, 3, 3, 4), (1, 10)}
_FEWEST, _MOST = 7, 15
_FEWEST_NUMBERED = 9
_FEWEST_AT_HOME, _MOST_AT_HOME = 8, 12
_BREAK = re.compile(r"[,\n|]|\s[-‐-―−]\s")
_AREA, _FEWEST_BEHIND_AREA = range(3, 6), 5
_PARTS_OF_DATE = 3
_REMEMBERED = (
    1_024  # of the last digits, whether they are a number: a place is read again with each word behind it
)
_DAY, _YEAR = range(1, 32), range(1900, 2100)
_EXTENSION = re.compile(
    r"[\s,;(]{0,2}(?:extension|extensi[oó]n|ext\.?|int\.?|x)[\s.:]{0,2}\d{1,6}\)?(?![^\W_])", re.IGNORECASE
)
_EXTENSION_BEGUN = re.compile(
    r"[\s,;(]{0,2}(?:extension|extensi[oó]n|ext|int|x)?[\s.:]{0,2}\Z", re.IGNORECASE
)


def segments(groups: Sequence[DigitGroup]) -> Iterable[tuple[int, int]]:
    """Stretches of groups that may be one phone number; commas, slashes and lines part them."""
    first = 0
    for at, group in enumerate(groups[1:], start=1):
        is_spoken = group.is_spoken and groups[at - 1].is_spoken
        is_area = (
            len(groups[at - 1].digits) in _AREA and len(group.digits) >= _FEWEST_BEHIND_AREA
        )  # 030/901820
        is_break = _BREAK.search(group.gap) or ("/" in group.gap and not is_area)
        if is_break and not is_spoken:
            yield first, at
            first = at
    yield first, len(groups)


def international(digits_of: Sequence[str]) -> int:
    """How many of these groups, behind a "+" or "00", are one phone number; 0 when they are none."""
    best = 0
    for count in range(1, len(digits_of) + 1):
        digits = "".join(digits_of[:count])
        if len(digits) > _MOST:
            break
        if _is_valid(f"+{digits}", None):
            best = count
    if best:
        return best
    fitting = [n for n in range(1, len(digits_of) + 1) if _FEWEST <= len("".join(digits_of[:n])) <= _MOST]
    return max(fitting, default=0)


def is_phone(groups: Sequence[DigitGroup], *, is_called: bool, is_numbered: bool, is_marked: bool) -> bool:
    """Whether these groups are a phone number without its country's code.

    Args:
        is_called: Words about calling stand before it.
        is_numbered: Words before it speak of a number or a contact.
        is_marked: Words before say that it is another number, or its form does.
    """
    digits = "".join(group.digits for group in groups)
    sizes = tuple(len(group.digits) for group in groups)
    if not _FEWEST <= len(digits) <= _MOST or _is_date(groups):
        return False
    if is_called or (is_numbered and len(digits) >= _FEWEST_NUMBERED):
        return True
    if sizes in _AMERICAN and any(group.gap.strip() for group in groups[1:]):
        return True
    if is_marked or not _FEWEST_AT_HOME <= len(digits) <= _MOST_AT_HOME:
        return False
    if all(group.is_spoken for group in groups):
        return digits not in "1234567890123456789"
    if len(sizes) == 1:
        return any(_is_valid(digits, region) for region in _AT_HOME)
    written = " ".join(group.digits for group in groups)
    return any(_is_written(written, region) for region in (*_AT_HOME, *_ELSEWHERE))


def end_of_extension(text: str, at: int, *, is_over: bool) -> int | None:
    """Where the phone number that ends here ends with its extension; None while one may be coming."""
    found = _EXTENSION.match(text, at)
    if found is not None:
        return found.end()
    return None if not is_over and _EXTENSION_BEGUN.match(text, at) else at


def national(digits: str) -> str:
    """The number without its country's code, as far as that can be told."""
    bare = digits.removeprefix("00")
    try:
        return str(phonenumbers.parse(f"+{bare}").national_number)
    except phonenumbers.NumberParseException:
        return bare


def _is_date(groups: Sequence[DigitGroup]) -> bool:
    """22 11 2026, 2026-11-22: three groups that can be a day."""
    numbers = [int(group.digits) for group in groups]
    if len(numbers) != _PARTS_OF_DATE:
        return False
    return any(
        year in _YEAR and day in _DAY and month in _DAY for year, month, day in (numbers, numbers[::-1])
    )


@lru_cache(maxsize=_REMEMBERED)
def _is_valid(number: str, region: str | None) -> bool:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed)


@lru_cache(maxsize=_REMEMBERED)
def _is_written(written: str, region: str) -> bool:
    """Whether this is a number of the region in the groups in which it is written there."""
    if not _is_valid(written, region):
        return False
    found = phonenumbers.PhoneNumberMatcher(
        written, region, leniency=phonenumbers.Leniency.STRICT_GROUPING, max_tries=1
    )
    return any(item.raw_string == written for item in found)
