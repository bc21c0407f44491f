"""What a customer has with the company: policies, bills, claims, and the terms on which a policy ends.

Why: the desk's own tables and a company's service both give these, and tools tell customers of them. A figure or a date
that cannot be is refused where the value is made, so that nobody is told it. What else a service sends is left aside.
Money is US dollars with two decimals; days are whole days of the customer's calendar.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

_CENT = Decimal("0.01")
_FALLBACK = "en"

Number = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9./-]{1,39}$")]
"""A number of a policy, bill, claim or receipt, as the company writes it."""
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", min_length=1, max_length=400)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Words = Annotated[Mapping[Language, Line], Field(min_length=1)]
"""A line of text in one language or more, by ISO 639-1 code."""
Day = Annotated[date, Field(ge=date(1950, 1, 1), le=date(2150, 12, 31))]
Usd = Annotated[
    Decimal, Field(ge=0, le=1_000_000, decimal_places=2), AfterValidator(lambda sum_: sum_.quantize(_CENT))
]
PolicyState = Literal["active", "cancelled", "ended"]
ClaimState = Literal["reported", "in_review", "documents_needed", "approved", "paid", "declined", "closed"]


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Policy(_Fact):
    """One policy. `ends_on` is the last day of the running term; `last_day` is the last day of a cancelled policy."""

    policy_number: Number
    product: Words
    vehicle: Line
    covers: Words
    begins_on: Day
    ends_on: Day
    renews: bool
    premium_usd_month: Usd
    state: PolicyState
    last_day: Day | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.begins_on > self.ends_on:
            raise ValueError("begins_on lies after ends_on")
        if (self.state == "cancelled") != (self.last_day is not None):
            raise ValueError("last_day belongs to a cancelled policy, and to no other")
        return self


class Bill(_Fact):
    """One bill, for the days from `covers_from` to `covers_to`, both included; `paid_on` None: not paid."""

    bill_number: Number
    policy_number: Number
    amount_usd: Usd
    due_on: Day
    covers_from: Day
    covers_to: Day
    paid_on: Day | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.covers_from > self.covers_to:
            raise ValueError("covers_from lies after covers_to")
        return self


class Claim(_Fact):
    """One claim and how far it is; `state_since` is the day of the last change, `paid_usd` what was paid out."""

    claim_number: Number
    policy_number: Number
    about: Words
    happened_on: Day
    reported_on: Day
    state: ClaimState
    state_since: Day
    paid_usd: Usd | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if not self.happened_on <= self.reported_on <= self.state_since:
            raise ValueError("happened_on, reported_on, state_since must follow each other")
        return self


class Terms(_Fact):
    """What exactly a cancellation would do: the policy's last day of cover, and the money paid back."""

    policy_number: Number
    last_day: Day
    refund_usd: Usd


class Receipt(Terms):
    """A cancellation that was carried out."""

    receipt_number: Number


def in_language(words: Mapping[str, str], language: str) -> str:
    """The text in this language, else in English, else in the first there is."""
    return words.get(language) or words.get(_FALLBACK) or next(iter(words.values()))


def refund_usd(bills: Iterable[Bill], last_day: date) -> Decimal:
    """The premium already paid for days after the last day of cover, in US dollars, rounded half-even to cents.

    Each paid bill gives back its share of days, reckoned by the day.
    """
    total = Decimal(0)
    for bill in bills:
        if bill.paid_on is not None and bill.covers_to > last_day:
            days = (bill.covers_to - bill.covers_from).days + 1
            unused = min(days, (bill.covers_to - last_day).days)
            total += bill.amount_usd * unused / days
    return total.quantize(_CENT, ROUND_HALF_EVEN)
