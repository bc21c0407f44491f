"""Keep personal data out of answers: e-mail addresses, phone numbers, cards, accounts, numbers of identity documents.

Why: whatever a tool, an article or a customer's message brought before the model must not reach a customer as somebody
else's data. What stays are the company's own contacts (`brand.toml`, the articles, its fixed texts), and what is this
customer's own where the specialist's file says so (`says_back`). Numbers that only look alike stay: policies, prices, VINs.
"""

import re
from collections.abc import Callable

from guards.instead import fitting
from guards.private.opens import OPENS, SPELLED, begins
from guards.private.plain import lost_marks
from guards.private.reading import KINDS, Private, read_private
from guards.private.sayable import Contacts, Sayable, contacts_in
from guards.spot import Change, Lookout, Ruling, Spotter, View
from guards.stream import Guard, Scene

_IN_TARGET = re.compile(r"(?:\]\([^\s()]*|https?://\S*|www\.\S*|<[A-Za-z][^<>]*)\Z")
_NO_NOTICE = "…"
_NOTE = "private_note"


def private_guard(contacts: Callable[[], Contacts]) -> Guard:
    """The guard; `contacts` are those of the company, asked for when something is found."""
    purpose = "Personal data is not shown, but for the company's own contacts, and a customer's own where the file allows it."
    return Guard(
        "private",
        purpose,
        lambda scene: Spotter(_Keeping(scene, Sayable(scene, contacts)).lookout),
        begins,
        joins=SPELLED,
    )


class _Keeping:
    """One answer, and what may be said in it."""

    def __init__(self, scene: Scene, sayable: Sayable) -> None:
        self._scene = scene
        self._sayable = sayable

    @property
    def lookout(self) -> Lookout:
        """Made anew, not kept: it would refer to itself through this, and only the collector of cycles frees such circles."""
        return Lookout(OPENS, self._decide, closing=self._closing)

    def _decide(self, view: View) -> Ruling | None:
        read = read_private(view, self._sayable.is_company)
        if read is None:
            return None
        changes = [self._change(view, found) for found in read.found if not self._sayable.allows(found)]
        return Ruling(read.end, tuple(changes))

    def _change(self, view: View, found: Private) -> Change:
        before = view.text[: found.start]
        words = self._scene.notice(f"private_{found.kind}") or _NO_NOTICE
        instead = "" if _IN_TARGET.search(before) is not None else fitting(words, before)
        return Change(
            found.start, found.end, instead + lost_marks(view.text[found.start : found.end]), found.kind
        )

    def _closing(self, fired: frozenset[str]) -> str:
        """Where the customer gets what is missing."""
        note = self._scene.notice(_NOTE) if fired else ""
        return f"\n\n{note}" if note else ""


__all__ = ["KINDS", "Contacts", "contacts_in", "private_guard"]
