"""A conversation for the guard of figures, and the cases that are said in it.

The same figures stand in the end-to-end test's conversation, so the cases hold there too: 84.50 dollars a month, and
what the shipped articles say.
"""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from guards.figures import figures_guard
from guards.stream import Ground, Scene, Step
from knowledge.dates import long_date
from tests.guards.cutting import through

TODAY = date(2026, 11, 22)
VALID_UNTIL = date(2026, 12, 22)
MESSAGE = (
    "I just got a 2022 Nissan Leaf with 30,000 miles on it and I'm 34. My budget is $60 a month. "
    "I had an accident with the old one on March 3. My number is 5551234567."
)
COMPANY = "Call 1-800-123-4567, Monday to Friday, 9 AM to 5 PM EST. Insuring cars since 1985."
PASSAGES = (
    "The limit of rental car reimbursement is $40 a day for up to 30 days per claim.",
    "The deductible for collision cover is $250, $500 or $1,000, as the customer chose when buying the policy.",
    "A theft must be reported to the police within 24 hours after the customer notices the theft.",
    "The claims adviser usually sends a written decision within 15 business days after the last document has arrived.",
    "Battery cover applies to degradation when the battery holds less than 70% of its original capacity.",
    "Cover for battery degradation ends 8 years after the first registration of the car or at 100,000 miles.",
)
QUOTE = (
    "Quote Q-2026-000123: 2022 Nissan Leaf, 30000 miles, driver aged 34: 84.50 US dollars per month, "
    f"1014.00 US dollars per year, valid until {VALID_UNTIL}."
)
_CASES = Path(__file__).parents[1] / "cases"


class Said(BaseModel):
    """A sentence with a figure that is right here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str
    says: str

    def filled(self, valid_until: date) -> str:
        """The sentence with the day until which the quote is valid."""
        return self.says.format(**days(valid_until))


class Planted(Said):
    """A sentence with a figure that nobody said: what must not be shown, and of which kind it is."""

    what: str
    figures: list[str]


def days(day: date) -> Mapping[str, str]:
    """A day as the cases write it."""
    return {
        "valid_iso": day.isoformat(),
        "valid_en": long_date(day, "en"),
        "valid_es": long_date(day, "es"),
        "valid_slash": f"{day.month}/{day.day}/{day.year}",
    }


def wrong() -> list[Planted]:
    """The sentences with a planted figure."""
    return [Planted.model_validate(json.loads(line)) for line in _lines("figures_wrong.jsonl")]


def right() -> list[Said]:
    """The sentences whose figures have been said."""
    return [Said.model_validate(json.loads(line)) for line in _lines("figures_right.jsonl")]


def benign() -> list[str]:
    """Sentences whose numbers are no figures to trace, or have been said."""
    return _lines("figures_benign.txt")


def scene(*grounds: Ground, **notices: str) -> Scene:
    """What has been said in the conversation, and more."""
    said = [
        Ground("company", COMPANY),
        Ground("company", f"Sunday, {TODAY}"),
        Ground("customer", MESSAGE),
        Ground("price", QUOTE),
        *(Ground("passage", text) for text in PASSAGES),
        *grounds,
    ]
    return Scene(grounds=said, today=TODAY, notice=lambda key: notices.get(key, ""))


def step(*grounds: Ground, **notices: str) -> Step:
    """The guard at work in the conversation."""
    return figures_guard().make(scene(*grounds, **notices))


def shown(text: str, *grounds: Ground, **notices: str) -> tuple[str, list[str]]:
    """What is shown of an answer, and what was withheld."""
    return through(step(*grounds, **notices), [text])


def _lines(name: str) -> list[str]:
    return (_CASES / name).read_text(encoding="utf-8").splitlines()
