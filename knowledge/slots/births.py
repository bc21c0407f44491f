"""Read the driver's age from a year of birth: "born in 1990", "nací en 1990".

Why: it says the age to a year. An age in the same message counts more: "born in 1990, so I'm 35".
"""

import re
from datetime import date

from knowledge.slots.tokens import LIKELY_AGES

_YEAR = r"(?P<{}>(?:19|20)\d\d)(?![\w/-])"
_BIRTH = re.compile(
    r"(?<!cupra )\b(?:(?:i was|i'm|im|who was|he was|she was|was|ich bin|je suis|sono|que|soy|fui) )?"
    r"(?:(?:born|nacid[oa]|nacio|naci|nee?|nat[oa]|geboren|nascid[oa]|nasci|nasceu)"
    r"(?: (?:in|back in|en|em|nel|im jahr|around|sobre))?(?: (?:el|the year))?(?: (?:ano|year))?"
    rf" {_YEAR.format('behind')}|{_YEAR.format('before')} (?:geboren|born)\b)"
)


def age_by_birth(text: str, today: date) -> tuple[str, int | None]:
    """The folded text with its year of birth blanked, and the age that it means; None without one likely year."""
    found = list(_BIRTH.finditer(text))
    ages = {today.year - int(birth["behind"] or birth["before"]) for birth in found}
    if len(ages) != 1 or not ages <= set(LIKELY_AGES):
        return text, None
    blanked = _BIRTH.sub(lambda birth: "," * len(birth.group()), text)
    return blanked, ages.pop()
