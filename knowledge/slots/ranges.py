"""Write a range of miles or kilometers as its middle: "between 50 and 60 thousand", "50-60k".

Why: nobody knows their odometer by heart; the middle is near enough, and the customer sees it in the quote.
"""

import re
from decimal import Decimal

_FIGURE = r"\d{1,3}(?:[.,']\d{3})+|\d{1,3}[.,]\d|\d{1,6}"
_SCALE = r"(?:\s?(?P<{}>k|thousand|thou|mil|mille|mila|tausend|tsd)\b)?"
_UNIT = r"(?:kms?|kilomet\w+|chilometri|quilomet\w+|miles?|millas?|milhas|meilen|miglia|milles)\b"
_RANGE = re.compile(
    r"(?<![\w.,/+#'-])(?P<between>(?:between|entre|zwischen|tra|fra)\s)?"
    rf"(?P<low>{_FIGURE}){_SCALE.format('low_scale')}(?:\s?{_UNIT})?"
    r"(?P<joint>-|\s(?:to|or|a|o|ou|oder|bis|ate|and|y|e|et|und)\s|\s)"
    rf"(?P<high>{_FIGURE}){_SCALE.format('high_scale')}(?![\w/]|[.,-]\d)(?P<unit>(?=\s?{_UNIT}))?"
)
_ONLY_BETWEEN = frozenset({"", "and", "y", "e", "et", "und"})  # they also part a list: "34 and 40k"
_THOUSAND = 1000
_LAST_YEAR = 2100
_WIDEST = 2  # times the low end; "a Mazda 3 or 60k" is no range


def with_middles(text: str, awaiting: str | None) -> str:
    """Folded text with its ranges of a mileage as one figure; other ranges stay."""

    def middle(found: re.Match[str]) -> str:
        return _middle(found, awaiting) or found.group()

    return _RANGE.sub(middle, text.replace("–", "-"))


def _middle(found: re.Match[str], awaiting: str | None) -> str | None:
    if found["between"] is None and found["joint"].strip() in _ONLY_BETWEEN:
        return None
    low, high = _amount(found["low"], found["low_scale"]), _amount(found["high"], found["high_scale"])
    is_scaled = found["high_scale"] is not None
    if found["low_scale"] is None and low < _THOUSAND <= high and high % (_THOUSAND // 2) == 0:
        low, is_scaled = low * _THOUSAND, True
    is_mixed = is_scaled and found["low_scale"] is None and _amount(found["low"], None) >= _THOUSAND
    if is_mixed or not _THOUSAND <= low < high <= _WIDEST * low:
        return None
    if is_scaled:
        return f"{(low + high) / 2 / _THOUSAND:.2f}k"
    is_years = found["low"].isdigit() and found["high"].isdigit() and high <= _LAST_YEAR
    if found["unit"] is None and (awaiting != "mileage" or is_years):
        return None
    return str(int((low + high) / 2))


def _amount(figure: str, scale: str | None) -> Decimal:
    whole = re.sub(r"[.,'](?=\d{3})", "", figure).replace(",", ".")
    return Decimal(whole) * (_THOUSAND if scale else 1)
