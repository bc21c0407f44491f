"""Show only figures that somebody said: a tool, an article, the company's own texts, or the customer.

Why: an invented price, date, deadline or phone number is a promise that the company did not make (design.md, law 8).
A price of insurance is held to more: it was returned in this conversation by a tool that names prices, or stands as a
price in an article or an earlier answer; the customer's own figure may be said back only as theirs. What is not traced
is replaced by a few words in the middle of the sentence, and the answer ends with where to get it.
"""

import re

from guards.figures.figure import Figure, as_amount
from guards.figures.grounds import PRICED, Grounds
from guards.figures.prices import is_amount, role_of
from guards.figures.reading import MOST_IN_GROUP, OPENS, UNDER_WAY, Group, begins, may_begin, read_group
from guards.figures.words import BLANK, fold
from guards.instead import fitting
from guards.spot import Change, Lookout, Ruling, Spotter, View
from guards.stream import Guard, Scene

_UNDER_WAY = re.compile(rf"[+(＋（$＄€£¥₹]?{BLANK}\(?\d{UNDER_WAY}\Z")
_BEGUN = re.compile(
    rf"(?:[+(]|(?:us|mx)?[$€£¥₹]|[^\W\d_]+\.?){BLANK}-?{BLANK}(?:(?:the|el|las?|los|of|de|day)\b{BLANK})?[+($€£¥₹]?\Z"
)
_UNFINISHED = re.compile(
    rf"(?<=\d)[.:/']\Z|{BLANK}(?:(?:and|or|to|through|until|till|y|o|u|a|an|hasta|of|de|del|the|el|la|las|los|per|por|pour|pro|each|every|al|par|im|ao"
    r"|cada|con|with|in|at|u|s|us|american|business|working|work|calendar|consecutive|full|whole|half|medio|media|e|et|ou|und|oder|bis|ext|p|m"
    rf"|个|か|ヶ|개|星|週)(?![^\W_])\.?{BLANK}|[-‐-―,/(%$€]{BLANK})*\Z"
)
_OF_SOMETHING = re.compile(
    rf"{BLANK}(?:of|off|de|del|discount|covered|coverage|cubiert[oa]s?|refund\w*|reimburse\w*|reembols\w*)\b"
)
_WORD = re.compile(r"[^\W\d_]+(?![$＄])")  # but not the beginning of "US$"
_DASH = re.compile(rf"{BLANK}[‐-―~/-]{BLANK}")
_NOTICES = {
    "price": "withheld_price",
    "amount": "withheld_amount",
    "percentage": "withheld_percentage",
    "date": "withheld_date",
    "time": "withheld_time",
    "duration": "withheld_duration",
    "phone": "withheld_phone",
}
_ANY_NOTICE, _NO_NOTICE = "withheld_figure", "…"
_NOTE_ON_PRICE, _NOTE = "withheld_price_note", "withheld_note"


def figures_guard() -> Guard:
    """The guard."""
    purpose = "Amounts, percentages, dates, times, durations and phone numbers are shown only when somebody said them; a price only from a quote."
    return Guard("figures", purpose, lambda scene: Spotter(_Tracing(scene).lookout), begins)


class _Tracing:
    """The figures of one answer, traced."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._grounds = Grounds(scene)

    @property
    def lookout(self) -> Lookout:
        """Made anew, not kept: it would refer to itself through this, and only the collector of cycles frees such circles."""
        return Lookout(OPENS, self._decide, closing=self._closing)

    def _decide(self, view: View) -> Ruling | None:
        word = _WORD.match(view.text, view.start)
        if word is not None and not may_begin(word.group()):
            return Ruling(word.end())
        if not view.is_over and _UNDER_WAY.match(view.text, view.start):
            return None
        text = fold(view.text)
        group = read_group(text, view.start)
        if not view.is_over and _may_go_on(text, group):
            return None
        whats = [self._what(text, figure, is_over=view.is_over) for figure in _amounts_of(text, group)]
        if None in whats:
            return None
        return Ruling(group.end, tuple(self._changes(view, group, [what or "" for what in whats])))

    def _what(self, text: str, figure: Figure, *, is_over: bool) -> str | None:
        """What kind of figure it is that nobody said; "" when it may be shown, None when more text is needed to tell."""
        if figure.kind == "number":
            return ""
        sources = self._grounds.sources(figure)
        if figure.kind != "amount":
            is_said = sources or self._grounds.is_age(figure) or _is_idiom(text, figure)
            return "" if is_said else figure.kind
        if "price" in sources:
            return ""
        role = role_of(text, figure, is_over=is_over, may_be_theirs="customer" in sources)
        if role is None:
            return None
        if sources:
            return "price" if role == "price" and PRICED not in sources else ""
        is_nothing = role == "other" and all(not key[1] for key in figure.keys)
        return "" if is_nothing else "amount" if role == "other" else "price"

    def _changes(self, view: View, group: Group, whats: list[str]) -> list[Change]:
        """One change for figures side by side that nobody said: "$80 to $90"."""
        changes: list[Change] = []
        before = ""
        for figure, what in zip(group.figures, _whole_ranges(view.text, group, whats), strict=True):
            end = _shown_until(view.text, figure)
            if what and what == before:
                changes[-1] = changes[-1]._replace(end=end)
            elif what:
                changes.append(Change(figure.start, end, self._instead(view.text, figure.start, what), what))
            before = what
        if len(changes) == 1 and all(whats) and len(whats) > 1:  # "between" goes with both figures
            start = group.start
            changes = [changes[0]._replace(start=start, instead=self._instead(view.text, start, before))]
        return changes

    def _instead(self, text: str, at: int, what: str) -> str:
        """A few words that read well in this place."""
        notice = self._scene.notice
        words = notice(_NOTICES[what]) or notice(_ANY_NOTICE) or _NO_NOTICE
        return fitting(words, text[:at])

    def _closing(self, fired: frozenset[str]) -> str:
        """Where the customer gets what is missing."""
        keys = [_NOTE_ON_PRICE] if "price" in fired else []
        keys += [_NOTE] if fired - {"price"} else []
        notes = [note for key in keys if (note := self._scene.notice(key))]
        return "".join(f"\n\n{note}" for note in notes)


def _may_go_on(text: str, group: Group) -> bool:
    """Whether the next word may belong to these figures, or make one of what is none yet."""
    if not group.figures:
        return _BEGUN.match(text, group.start) is not None
    return len(group.figures) < MOST_IN_GROUP and _UNFINISHED.match(text, group.end) is not None


def _amounts_of(text: str, group: Group) -> list[Figure]:
    """The figures, with numbers read as amounts where the words before them speak of a price."""
    return [as_amount(figure) if is_amount(text, figure) else figure for figure in group.figures]


def _whole_ranges(text: str, group: Group, whats: list[str]) -> list[str]:
    """Half of "80-90 dollars" would read as another figure: of two joined by a dash, both go or none."""
    found = list(whats)
    for at in range(1, len(found)):
        between = text[group.figures[at - 1].end : group.figures[at].start]
        if _DASH.fullmatch(between) is not None:
            found[at - 1] = found[at - 1] or found[at]
            found[at] = found[at] or found[at - 1]
    return found


def _shown_until(text: str, figure: Figure) -> int:
    """Where the change ends: "a month" goes too, if no Markdown would lose its other half."""
    if figure.per_from is None or any(mark in text[figure.per_from : figure.end] for mark in "*_`"):
        return figure.end if figure.per_from is None else figure.per_from
    return figure.end


def _is_idiom(text: str, figure: Figure) -> bool:
    """Whether it is a "100%" that stands for "fully"."""
    is_whole = ("percentage", 100) in figure.keys
    return is_whole and _OF_SOMETHING.match(text, figure.end) is None
