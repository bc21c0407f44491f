"""Numbers of identity documents of several countries, told by their check digits.

Why: a number with a real check is hardly anything else, so honest numbers are left alone. The American social security
number has no check digit; its three groups tell it, or words before it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from stdnum.ar import cuit
from stdnum.br import cpf
from stdnum.ch import ssn as ahv
from stdnum.cl import rut
from stdnum.cn import ric
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.mx import curp, rfc
from stdnum.pl import pesel
from stdnum.ro import cnp

from guards.private.runs import DigitGroup

_DIGITS_OF_SOCIAL_SECURITY = 9
_SOCIAL_SECURITY = re.compile(r"(?!000|666)\d{3}(?!00)\d\d(?!0000)\d{4}")
_BETWEEN_LETTER = re.compile(r"[\s.\-‐-―−/]{0,3}([A-Za-z])(?![^\W_])")


@dataclass(frozen=True, slots=True)
class _Form:
    """How a country writes its number: the sizes of its groups, and the check. `named`: only behind such words."""

    sizes: frozenset[tuple[int, ...]]
    is_valid: Callable[[str], bool]


def _form(is_valid: Callable[[str], bool], *sizes: tuple[int, ...]) -> _Form:
    return _Form(frozenset(sizes), is_valid)


# Only digits: in the groups in which they are written, or all in one where two check digits or a date guard them.
_OF_DIGITS = (
    _form(cpf.is_valid, (11,), (3, 3, 3, 2), (9, 2)),
    _form(cuit.is_valid, (2, 8, 1)),
    _form(aadhaar.is_valid, (12,), (4, 4, 4)),
    _form(nir.is_valid, (15,), (13, 2), (1, 2, 2, 2, 3, 3, 2), (1, 2, 2, 2, 3, 3), (1, 2, 2, 5, 3, 2)),
    _form(pesel.is_valid, (11,), (6, 5)),
    _form(cnp.is_valid, (13,), (1, 6, 6)),
    _form(ric.is_valid, (18,), (6, 8, 4)),
    _form(ahv.is_valid, (13,), (3, 4, 4, 2)),
)
# With a letter behind the digits.
_WITH_LETTER = (
    _form(dni.is_valid, (8,), (2, 3, 3), (1, 3, 3), (7,), (4, 4)),
    _form(rut.is_valid, (8,), (7,), (2, 3, 3), (1, 3, 3)),
    _form(ric.is_valid, (17,), (6, 8, 3)),
)
_RUT = _form(rut.is_valid, (8, 1), (7, 1), (2, 3, 3, 1), (1, 3, 3, 1))
# With letters in front, as one word but for blanks, dots and dashes between its parts.
_GAP = r"[\s.\-‐-―−]{0,3}"
_NAMED_FORMS: Sequence[tuple[re.Pattern[str], Callable[[str], bool]]] = (
    (re.compile(rf"[XYZ]{_GAP}\d{_GAP}\d{{3}}{_GAP}\d{{3}}{_GAP}[A-Z](?![A-Z0-9])"), nie.is_valid),
    (re.compile(r"[A-Z]{4}\d{6}[A-Z]{6}[A-Z0-9]\d(?![A-Z0-9])"), curp.is_valid),
    (re.compile(rf"[A-ZÑ&]{{4}}{_GAP}\d{{6}}{_GAP}[A-Z0-9]{{2}}[0-9A](?![A-Z0-9])"), rfc.is_valid),
    (
        re.compile(rf"[A-Z]{{3}}{_GAP}[A-Z]{{3}}{_GAP}\d\d[A-Z]\d\d{_GAP}[A-Z]\d{{3}}[A-Z](?![A-Z0-9])"),
        codicefiscale.is_valid,
    ),
    (
        re.compile(
            rf"(?![DFIQUV])[A-Z](?![DFIOQUV])[A-Z]{_GAP}\d\d{_GAP}\d\d{_GAP}\d\d{_GAP}[A-D](?![A-Z0-9])"
        ),
        lambda _number: True,  # the British number has no check digit, but hardly anything is written like it
    ),
)
_DIFFERENT = re.compile(r"[1-9]")  # X-0000000-T shows how it is written


def is_social_security(groups: Sequence[DigitGroup], *, is_named: bool) -> bool:
    """Whether these groups are an American social security number; `is_named`: the words before say so."""
    digits = "".join(group.digits for group in groups)
    sizes = tuple(len(group.digits) for group in groups)
    if is_named:
        return len(digits) == _DIGITS_OF_SOCIAL_SECURITY
    is_listed = any("," in group.gap or "\n" in group.gap for group in groups[1:])
    return sizes == (3, 2, 4) and not is_listed and _SOCIAL_SECURITY.fullmatch(digits) is not None


def end_of_document(text: str, groups: Sequence[DigitGroup]) -> int | None:
    """Where the number of an identity document that begins with the first of these groups ends; None: there is none."""
    ends = [end for count in range(1, len(groups) + 1) for end in _ends(text, groups[:count])]
    return max(ends, default=None)


def _ends(text: str, groups: Sequence[DigitGroup]) -> Iterator[int]:
    digits = "".join(group.digits for group in groups)
    sizes = tuple(len(group.digits) for group in groups)
    if all(group.is_spoken for group in groups):
        sizes = (len(sizes),)
    if any(sizes in form.sizes and form.is_valid(digits) for form in _OF_DIGITS):
        yield groups[-1].end
    if sizes in _RUT.sizes and "-" in groups[-1].gap and rut.is_valid(digits):
        yield groups[-1].end
    letter = _BETWEEN_LETTER.match(text, groups[-1].end)
    if letter is not None and any(
        sizes in form.sizes and form.is_valid(digits + letter[1].upper()) for form in _WITH_LETTER
    ):
        yield letter.end()


def end_of_lettered(text: str) -> int | None:
    """Where the number that begins the text with letters ends; None: there is none."""
    upper = text.upper()
    for form, is_valid in _NAMED_FORMS:
        found = form.match(upper)
        if found is None or not _DIFFERENT.search(found.group()):
            continue
        if is_valid(re.sub(r"[^A-Z0-9Ñ&]", "", found.group())):
            return found.end()
    return None
