"""Payment cards and bank accounts, told by their check digits."""

import re
from collections.abc import Sequence
from functools import lru_cache

from stdnum import luhn, numdb
from stdnum.iso7064 import mod_97_10

from guards.private.runs import DigitGroup

_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|095|[689]\d)\d{11,16}|35(?:2[89]|[3-8]\d)\d{12,15}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|62\d{14,17}|(?:50[0-9]{2}|5[6-9]\d\d|6[0-9]{3})\d{8,15}"
)
_HALVES, _FEWEST_UNCHECKED = 2, 15
_LIST = re.compile(r"[,\n/]")
_LETTERS = re.compile(r"[A-Za-z]{2}")


def is_card(groups: Sequence[DigitGroup], *, is_named: bool) -> bool:
    """Whether these groups are the number of a payment card; `is_named`: the words before say so."""
    digits = "".join(group.digits for group in groups)
    if _ISSUERS.fullmatch(digits) is None:
        return False
    sizes = [len(group.digits) for group in groups]
    is_even = len(set(sizes[:-1])) <= 1 and sizes[-1] <= max(sizes) and len(sizes) != _HALVES
    is_listed = any(_LIST.search(group.gap) for group in groups[1:])
    if is_listed and not is_even:
        return False
    return luhn.is_valid(digits) or (is_named and len(digits) >= _FEWEST_UNCHECKED and is_even)


@lru_cache(maxsize=256)
def account_length(country: str) -> int:
    """How many characters an IBAN of this country has; 0 when it has none."""
    found = numdb.get("iban").info(country)[0][1]
    sizes = re.findall(r"(\d+)!", str(found.get("bban", "")))
    return 4 + sum(map(int, sizes)) if sizes else 0


def is_account(compact: str) -> bool:
    """Whether this is an IBAN, in capitals and without blanks: its length is that of its country, and its check fits."""
    return (
        _LETTERS.match(compact) is not None
        and len(compact) == account_length(compact[:2])
        and bool(mod_97_10.is_valid(compact[4:] + compact[:4]))
    )
