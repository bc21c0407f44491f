"""Tell when a message is no answer but a wish about the open question: to skip it, to have it explained, to drop the quote.

Why: "I don't know" and "forget the quote" belong to the quote as much as "2019" does; no classifier need be asked.
How: the whole message must be one of the phrases of slot_words.toml, so "cancel my policy" and "I don't know who hit me"
are left to others. "Try again" is no matter of the open question: router/flow.py hears it where there is something to try.
"""

import re
from typing import Literal

from knowledge.slots.words import phrases, words

Command = Literal["skip", "help", "start_over", "try_again"]

_COMMANDS: dict[str, Command] = {
    **dict.fromkeys(phrases("skip"), "skip"),
    **dict.fromkeys(phrases("help"), "help"),
    **dict.fromkeys(phrases("start_over"), "start_over"),
}
_LEFT_OUT = (frozenset[str](), words("around_command"), words("around_command_about_slot"))
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
# "where would I see the model name": where to find what was asked for, and nothing else.
_WHERE = re.compile(
    r"\W*(?:where|how) (?:do|can|would|could|should) i (?:find|see|check|get|look|know)"
    r"(?: (?:it|that|this|out|up|for|at|the|my|make|model|year|mileage|name|number))*\W*"
    r"|\W*(?:donde|como|y donde|y como) (?:l[oa] |se )?(?:miro|veo|encuentro|averiguo|dice|sale|esta|se|puedo ver(?:l[oa])?)"
    r"(?: (?:eso|el|la|mi|modelo|marca|ano|kilometraje|millaje))*\W*"
)


def _any_of(*roles: str) -> str:
    """Pattern for one phrase of these lists, whatever signs stand between its words."""
    found = (r"\W+".join(re.findall(r"\w+", phrase)) for role in roles for phrase in phrases(role))
    return f"(?:{'|'.join(found)})"


_QUOTE = rf"(?:{_any_of('before_quote')}\W+){{0,4}}"
_DROPS = re.compile(
    rf"\W*(?:(?:{_any_of('before_drop', 'forget', 'drop')}|{_any_of('no')}(?=\s{{0,3}}[,.;:!]))\W+){{0,8}}"
    rf"(?:{_any_of('start_over')}|{_any_of('drop')}\W+{_QUOTE}{_any_of('quote')}"
    rf"|{_any_of('forget', 'not_wanted')}\W+{_QUOTE}{_any_of('quote', 'price')})"
    rf"(?:\W+{_any_of('after_quote')}){{0,4}}\W*"
)


def command_of(text: str) -> Command | None:
    """Command that a folded message consists of."""
    said = _WORD.findall(text)
    for left_out in _LEFT_OUT:
        if (command := _COMMANDS.get(" ".join(word for word in said if word not in left_out))) is not None:
            return command
    if _DROPS.fullmatch(text):
        return "start_over"
    return "help" if _WHERE.fullmatch(text) else None
