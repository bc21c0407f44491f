"""Find personal data that begins at a place of a text: what it is, and from where to where it stands.

Why: answers, and what they lean on, are read by the same reader, so that the two can be compared.
"""

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Literal, NamedTuple, get_args

from guards.private.cards import account_length, is_account, is_card
from guards.private.documents import end_of_document, end_of_lettered, is_social_security
from guards.private.emails import Email, end_of_no_address, read_email
from guards.private.opens import OPENS
from guards.private.phones import end_of_extension, international, is_phone, segments
from guards.private.plain import Plain
from guards.private.runs import Run, may_go_on, read_run
from guards.spot import LIMIT, View

Kind = Literal["email", "phone", "card", "account", "document"]
KINDS: frozenset[str] = frozenset(get_args(Kind))
"""An e-mail address, a phone number, a payment card, a bank account, the number of an identity document."""

_FEWEST_DIGITS = 7
_NEAR = 60
_OTHER_NUMBER = re.compile(
    r"(?<![^\W_])(?:polic(?:y|ies)|p[oó]lizas?|claims?|siniestros?|reclamaci[oó]n|reclamo|parte|tickets?|case|caso|expediente|quotes?"
    r"|quotation|cotizaci[oó]n|presupuesto|ref(?:erenc(?:e|ia))?|order|pedido|tracking|shipment|seguimiento|env[ií]o|gu[ií]a"
    r"|invoice|factura|bill|recibo|receipt|comprobante|confirmation|confirmaci[oó]n|vin|chassis|bastidor|chasis|serial|serie"
    r"|part|pieza|code|c[oó]digo|plate|matr[ií]cula|placa|form|formulario|id|folio|docket|file|sku|version|versi[oó]n|agenda"
    r"|transaction|transacci[oó]n|operaci[oó]n|odometer|od[oó]metro|mileage|kilometraje|amount|importe|monto)"
    r"(?:[\W_]+(?:(?:numbers?|n[uú]meros?)(?:\W+(?:of|de|del)(?:\W+(?:the|your|his|her|la|el|tu|su))?\W+\w+)?|nos?|num|n[uú]m(?:ero)?|n\.?[º°]|id|is|was|es|era|with|con|the|el|la|your|su|tu|code|c[oó]digo|ref|of|de|del|reads?)(?![^\W_]))"
    r"{0,4}[\W_]{0,4}\Z",
    re.IGNORECASE,
)
_CALLS = re.compile(
    r"(?<![^\W_])(?:call\w*|phone\w*|tele?phone|tel|mobile|cell\w*|dial\w*|text|sms|whats\w*|ring|fax|landline|handy"
    r"|wa\.me|ll[aá]m\w*|tel[eé]f\w*|m[oó]vil|celular|marc\w+|fijo)(?![^\W_])[^.!?\n]{0,40}\Z",
    re.IGNORECASE,
)
_NUMBER_OF = re.compile(
    r"(?<![^\W_])(?:reach\w*|contact\w*|numbers?|n[uú]meros?|localiz\w+)(?![^\W_])[^.!?\n]{0,40}\Z",
    re.IGNORECASE,
)
_IN_CODE = re.compile(r"(?:[^\W_][-_/#]|#|№|n\.?[º°]\s?|[$€£¥]\s?|(?:USD|EUR|MXN|US\$)\s?)\Z")
_IN_CALLED_ADDRESS = re.compile(r"(?:wa\.me/|tel:|sms:)\+?\Z", re.IGNORECASE)
_UNIT = re.compile(
    r"\s{0,2}(?:[$€£¥%]|(?:usd|eur|mxn|dollars?|d[oó]lares|euros?|pesos?|miles?|millas?|km|kms|kil[oó]metros?|kilometers?|people|customers|clientes"
    r"|personas|points?|puntos|years?|a[nñ]os|hours?|horas|days?|d[ií]as|views|cc|kwh|kg|lbs?|pounds|visits|visitas)(?![^\W_]))",
    re.IGNORECASE,
)
_CARD_NAMED = re.compile(
    r"(?<![^\W_])(?:card|visa|mastercard|amex|tarjeta|d[eé]bito|cr[eé]dito|debit|credit)(?![^\W_])[^.!?\n]{0,30}\Z",
    re.IGNORECASE,
)
_SSN_NAMED = re.compile(
    r"(?<![^\W_])(?:ssn|itin|social(?:\s+security)?|seguro\s+social|tax(?:payer)?\s+id)(?![^\W_])[^.!?\n]{0,30}\Z",
    re.IGNORECASE,
)
_LETTERS_BEFORE = re.compile(r"(?<![^\W_])([A-Za-z])[\s.\-]{0,2}([A-Za-z])[\s.\-]{0,2}\Z")
_ACCOUNT = re.compile(r"[A-Za-z]{2}[\s.\-·]?\d[\s.\-·]?\d")
_ACCOUNT_GOES_ON = re.compile(r"[\s.\-·‐-―−]{0,3}[A-Za-z0-9]")
_ONLY_GAP = re.compile(r"[\s.\-·‐-―−]{0,3}\Z")
_LETTERED_BEGUN = re.compile(
    r"(?:[A-Z]{1,4}|[A-Za-z]{1,6}\d[A-Za-z0-9]*)(?:[\s.\-‐-―−]{1,3}(?:\d[A-Z0-9]*|[A-Z]))*[\s.\-‐-―−]{0,3}\Z"
)
_LONGEST_LETTERED = 40
_UNDER_WAY = re.compile(r"[+(]{0,2}\d[\d\s.()/-]*\Z")
_ONLY_HEAD = re.compile(r"[+(\s]{0,3}\Z")
_FIRST_WORD = re.compile(r"<?[+(（＋\s]*(?:[^\W_]+|.)?", re.DOTALL)


class Private(NamedTuple):
    """Personal data from `start` to `end`; `value` is it without whatever can be written in other ways."""

    kind: Kind
    start: int
    end: int
    value: str


class Read(NamedTuple):
    """What is decided up to `end`, and what was found in it, in order."""

    end: int
    found: tuple[Private, ...] = ()


Skips = Callable[[Private], bool]


def read_private(view: View, skips: Skips = lambda _found: False) -> Read | None:
    """What begins at the view's start; None when more text must be seen.

    Args:
        skips: Whether a phone number is one of the company's own; it is passed over, whatever digits stand behind it.
    """
    if not view.is_over and _UNDER_WAY.match(view.text, view.start) is not None:
        return None
    is_bracketed = view.text.startswith("<", view.start)
    plain = Plain.read(view.text, view.start + is_bracketed)
    if not view.is_over and (plain.is_open or _ONLY_HEAD.match(plain.text) is not None):
        return None
    email = read_email(plain.text, is_over=view.is_over)
    if isinstance(email, Email):
        return _of_email(view, plain, email, is_bracketed=is_bracketed)
    if email:
        return None
    if is_bracketed or not plain.text:
        return Read(_word_end(view))
    return _of_number(view, plain, skips)


def private_in(text: str) -> Iterator[Private]:
    """All personal data in a text."""
    at = 0
    while (opened := OPENS.search(text, at)) is not None:
        start = opened.start()
        first = max(0, start - _NEAR)
        read = read_private(View(text[first : start + LIMIT], start - first, is_over=True))
        if read is None:  # not reached: a view that is over is decided
            return
        yield from (item._replace(start=first + item.start, end=first + item.end) for item in read.found)
        at = max(first + read.end, start + 1)


_NOTHING = Read(-1)


def _of_email(view: View, plain: Plain, email: Email, *, is_bracketed: bool) -> Read:
    start, end = plain.starts[0], plain.ends[email.end - 1]
    if is_bracketed and view.text.startswith(">", end):
        start, end = view.start, end + 1
    return Read(end, (Private("email", start, end, email.value),))


def _of_number(view: View, plain: Plain, skips: Skips) -> Read | None:
    if passed := end_of_no_address(plain.text):
        return Read(plain.ends[passed - 1])
    before = view.text[: view.start]
    if plain.text[0].isalpha() and (lettered := _lettered(view, plain, before)) is not _NOTHING:
        return lettered
    return _numbers(view, plain, before, skips)


def _lettered(view: View, plain: Plain, before: str) -> Read | None:
    """An account or a document whose number begins with letters; `_NOTHING` when it is neither."""
    text = plain.text
    if _ACCOUNT.match(text) and (length := account_length(text[:2].upper())):
        end, compact = _collect(text, length)
        if len(compact) < length and not view.is_over and _ONLY_GAP.match(text, end) is not None:
            return None
        is_named = re.search(r"iban[^.!?\n]{0,20}\Z", before, re.IGNORECASE) is not None
        if len(compact) == length and (is_account(compact) or is_named):
            return _one(plain, "account", end, compact)
    end_of = end_of_lettered(text)
    if (
        not view.is_over
        and (end_of is None or end_of == len(text))
        and len(text) < _LONGEST_LETTERED
        and _LETTERED_BEGUN.match(text) is not None
    ):
        return None
    return _NOTHING if end_of is None else _one(plain, "document", end_of, text[:end_of])


def _collect(text: str, length: int) -> tuple[int, str]:
    """The first letters and digits, over blanks and dashes, and where they end; a word is taken whole or not at all."""
    at, compact = 0, ""
    while len(compact) < length and (found := _ACCOUNT_GOES_ON.match(text, at)) is not None:
        compact, at = compact + text[found.end() - 1], found.end()
    if text[at : at + 1].isalnum():
        return at, ""
    return at, compact.upper()


def _numbers(view: View, plain: Plain, before: str, skips: Skips) -> Read | None:
    run = read_run(plain.text)
    if run is None:
        return Read(_word_end(view))
    if not view.is_over and may_go_on(plain.text, run):
        return None
    found: list[Private] = []
    if len(run.digits) >= _FEWEST_DIGITS:
        reader = _Numbers(plain.text, run, before)
        for kind, start, end, value in reader.found(lambda kind, value: skips(Private(kind, 0, 0, value))):
            if kind == "phone":
                longer = end_of_extension(plain.text, end, is_over=view.is_over)
                if longer is None:
                    return None
            else:
                longer = end
            found.append(Private(kind, plain.starts[start], plain.ends[longer - 1], value))
    end = max([plain.ends[run.end - 1], *(item.end for item in found)])
    return Read(end, tuple(found))


class _Numbers:
    """The digits of one place, told apart."""

    def __init__(self, text: str, run: Run, before: str) -> None:
        self._text = text
        self._run = run
        self._groups = run.groups
        self._before = before
        self._starts = dict(segments(self._groups))

    @cached_property
    def _is_in_called(self) -> bool:
        return _IN_CALLED_ADDRESS.search(self._before) is not None

    @cached_property
    def _is_marked(self) -> bool:
        """Whether words before the digits, or their form, say that it is no phone number."""
        return not self._is_in_called and (
            _OTHER_NUMBER.search(self._before) is not None
            or _IN_CODE.search(self._before) is not None
            or _UNIT.match(self._text, self._run.end) is not None
        )

    @cached_property
    def _is_called(self) -> bool:
        return self._is_in_called or (not self._is_marked and _CALLS.search(self._before) is not None)

    @cached_property
    def _is_numbered(self) -> bool:
        return not self._is_marked and _NUMBER_OF.search(self._before) is not None

    def found(self, skips: Callable[[Kind, str], bool]) -> Iterator[tuple[Kind, int, int, str]]:
        """What they are, in order: kind, where it begins and ends in the text, its digits."""
        at = 0
        while at < len(self._groups):
            known = self._known(at, skips)
            hit = None if known else self._at(at)
            if hit is None:
                at = known or at + 1
                continue
            kind, end = hit
            start = (
                self._groups[at].start
                if at or self._text[:end].count("(") > self._text[:end].count(")")
                else 0
            )
            taken = [group for group in self._groups[at:] if group.start < end]
            letters = "".join(sign for sign in self._text[taken[-1].end : end] if sign.isalnum())
            yield kind, start, end, "".join(group.digits for group in taken) + letters.lower()
            at += len(taken)

    def _known(self, at: int, skips: Callable[[Kind, str], bool]) -> int:
        """Behind a phone number that may be said and begins here; 0 when there is none."""
        last = self._starts.get(at)
        for end in range(last or at, at, -1):
            if skips("phone", "".join(group.digits for group in self._groups[at:end])):
                return end
        return 0

    def _at(self, at: int) -> tuple[Kind, int] | None:
        groups = self._groups[at:]
        if at == 0 and self._run.has_plus:
            return self._phone(at)
        is_card_named = _CARD_NAMED.search(self._before) is not None
        for count in range(min(len(groups), 19), 0, -1):
            if is_card(groups[:count], is_named=is_card_named):
                return "card", groups[count - 1].end
        if at == 0 and (end := self._account_end()):
            return "account", end
        document = end_of_document(self._text, groups[:18])
        if document is not None:
            return "document", document
        is_ssn_named = _SSN_NAMED.search(self._before) is not None
        for count in range(1, min(len(groups), 9) + 1):
            if is_social_security(groups[:count], is_named=is_ssn_named):
                return "document", groups[count - 1].end
        return self._phone(at)

    def _account_end(self) -> int:
        """Where an account ends whose two letters, apart from the digits, were shown already."""
        letters = _LETTERS_BEFORE.search(self._before)
        if letters is None:
            return 0
        compact = (letters[1] + letters[2]).upper()
        for group in self._groups:
            compact += group.digits
            if is_account(compact):
                return group.end
        return 0

    def _phone(self, at: int) -> tuple[Kind, int] | None:
        last = self._starts.get(at, 0)
        digits = [group.digits for group in self._groups[at:last]]
        if digits and ((at == 0 and self._run.has_plus) or digits[0].startswith("00")):
            bare = [digits[0].removeprefix("00"), *digits[1:]] if not self._run.has_plus else digits
            count = international(bare)
            return ("phone", self._groups[at + count - 1].end) if count else None
        for end in range(last, at, -1):
            if is_phone(self._groups[at:end], is_called=False, is_numbered=False, is_marked=self._is_marked):
                return "phone", self._groups[end - 1].end
        if digits and is_phone(
            self._groups[at:last],
            is_called=self._is_called,
            is_numbered=self._is_numbered,
            is_marked=self._is_marked,
        ):
            return "phone", self._groups[last - 1].end
        return None


def _one(plain: Plain, kind: Kind, end: int, written: str) -> Read:
    value = "".join(sign for sign in written if sign.isalnum()).lower()
    last = plain.ends[end - 1]
    return Read(last, (Private(kind, plain.starts[0], last, value),))


def _word_end(view: View) -> int:
    found = _FIRST_WORD.match(view.text, view.start)
    return max(found.end() if found is not None else 0, view.start + 1)
