"""The work of a company's quote service, by the contract in docs/quote-api.yaml: two prices, and what it refuses."""

from tests.company.server import Answer, Call

PREMIUM = "84.50"
VALID_UNTIL = "2099-12-31"
OLDEST_YEAR = 1996


def price(call: Call) -> Answer:
    """The quote, or the refusal of a vehicle that is too old."""
    asked = call.json
    if asked["year"] < OLDEST_YEAR:
        return Answer.refusal("vehicle_too_old", field="year", limit=str(OLDEST_YEAR))
    return Answer.of(
        {
            **asked,
            "monthly_premium": PREMIUM,
            "currency": "USD",
            "valid_until": VALID_UNTIL,
            "underwriter": "desk 7",  # what the contract does not name is left alone
        },
        status=201,
    )
