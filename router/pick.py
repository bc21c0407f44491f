"""Read which of the offered choices a customer picked: by number, by place, by name or by its words.

Why: after "did you mean 1, 2 or 3?" the answer is short ("the second", "el precio", "2.") and means nothing by itself.
What is not certain is no pick: the message is then labelled like any other.
"""

import re
from collections.abc import Sequence

from agents.specialist import Catalogue
from knowledge.lexicon import fold, words

_MOST_WORDS = 6
_SHORTEST_TELLING = 4


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PLACES = (
    _set("1 1st one first uno una primero primera primer"),
    _set("2 2nd two second dos segundo segunda"),
    _set("3 3rd three third tres tercero tercera tercer"),
)
_LAST = _set("last ultimo ultima")
# What may stand around a pick and adds nothing: "number 2 please", "la segunda opción".
_AROUND = _set(
    "the a an option number no nr choice please thanks thank you yes i mean d like want it s is "
    "my your our el la lo las los opcion numero eleccion por favor gracias si quiero quisiera es digo un mi mis tu tus su sus"
)
_ENDING = re.compile(r"(?:es|s)$")


def pick(text: str, offered: Sequence[str], catalogue: Catalogue) -> str | None:
    """The intent that was picked, or None. Intents that the catalogue no longer knows cannot be picked."""
    said = words(fold(text))
    if len(said) > _MOST_WORDS:
        return None
    core = [word for word in said if word not in _AROUND]
    place = _place(core, len(offered))
    intent = offered[place] if place is not None else _by_words(said, core, offered, catalogue)
    return intent if intent in catalogue.specialists else None


def _place(core: list[str], count: int) -> int | None:
    """Which place is named, from 0, when nothing else is said."""
    named = [word for word in core if word != "one"] or core[:1]  # "the second one", "one"
    if len(named) != 1:
        return None
    if named[0] in _LAST:
        return count - 1
    return next((at for at, names in enumerate(_PLACES[:count]) if named[0] in names), None)


def _by_words(said: list[str], core: list[str], offered: Sequence[str], catalogue: Catalogue) -> str | None:
    """The only choice that is called so in any language, or that has all the words of the message in its name."""
    names = {
        intent: [words(fold(name)) for name in (intent, *catalogue.specialists[intent].label.values())]
        for intent in offered
        if intent in catalogue.specialists
    }
    wanted = {_stem(word) for word in core}
    if not any(len(word) >= _SHORTEST_TELLING for word in core):
        return None
    fitting = [intent for intent, known in names.items() if said in known] or [
        intent
        for intent, known in names.items()
        if any(wanted <= {_stem(word) for word in name} for name in known)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _stem(word: str) -> str:
    return _ENDING.sub("", word) if len(word) > _SHORTEST_TELLING else word
