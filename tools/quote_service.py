"""Prices from a company's own quote service over HTTP, instead of the built-in tariff. Contract: docs/quote-api.yaml.

Why: a price is a promise, so one that is late, wrong or about something else is no price at all. The service is asked
under the call's key (a second try finds the first quote) and must say back what it was asked; whatever fails becomes
a ToolError that names no price and offers a person. Made by build.py when FRONTDESK_QUOTE_URL is set.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from errors import RemoteError, ToolError
from events import JsonObject, Quote
from knowledge.vehicles import Vehicles
from remote import Service
from tools.quote import FIELD_OF_CODE
from tools.registry import ToolContext

PATH = "quotes"
_CENT = Decimal("0.01")
_FIELDS = frozenset(FIELD_OF_CODE.values())
_FAULTS = {"timeout": "tool_timeout", "invalid": "tool_result_invalid"}
_NO_PRICE = (
    "No price can be had right now: {why}. Name no price. Say so honestly, say that the details are kept, and offer "
    "that a person calls back with the price; handoff if the customer wants that. Call again only when asked to."
)
_WHY = {
    "tool_timeout": "the price service did not answer in time",
    "tool_error": "the price service cannot be used",
    "tool_result_invalid": "what the price service answered cannot be right",
}


class _Priced(BaseModel):
    """The service's answer. What else it says is left alone; money is US dollars a month."""

    model_config = ConfigDict(frozen=True)

    quote_id: str
    make: str
    model: str
    year: int
    mileage: int
    driver_age: int
    monthly_premium: Annotated[Decimal, Field(gt=0, le=10_000, decimal_places=2)]
    currency: Literal["USD"]
    valid_until: date


class ServicePrices:
    """Prices from a company's service.

    Args:
        service: Where to ask.
        vehicles: The makes and models we know: "vw" is asked for as Volkswagen; unknown ones are passed on as they are.
    """

    def __init__(self, service: Service, vehicles: Vehicles) -> None:
        self._service = service
        self._vehicles = vehicles

    async def quote(
        self, context: ToolContext, make: str, model: str, year: int, mileage: int, driver_age: int
    ) -> Quote:
        """A quote for these details; the same call asked again gives the same quote.

        Raises:
            ToolError: The service refuses a detail, or no price can be had now.
        """
        known = self._vehicles.find(make, model)
        asked: JsonObject = {
            "quote_id": context.records.quote_id(context.key),
            "make": known.make if known else make,
            "model": known.model if known else model,
            "year": year,
            "mileage": mileage,
            "driver_age": driver_age,
        }
        priced = await self._ask(context, asked)
        if not _is_about(priced, asked) or priced.valid_until < context.now.date():
            raise _no_price("tool_result_invalid")
        premium = priced.monthly_premium.quantize(_CENT)
        return Quote.model_validate(
            {**asked, "monthly_premium_usd": premium, "valid_until": priced.valid_until}
        )

    async def _ask(self, context: ToolContext, asked: JsonObject) -> _Priced:
        try:
            return await self._service.ask(
                "POST",
                PATH,
                _Priced,
                body=asked,
                key=context.key,
                on_retry=lambda: context.note("tool_retry_same_key"),
            )
        except RemoteError as exc:
            if exc.kind == "refused" and exc.reason and exc.field in _FIELDS:
                raise _refused(exc, exc.field) from exc
            raise _no_price(_FAULTS.get(exc.kind, "tool_error")) from exc


def _is_about(priced: _Priced, asked: JsonObject) -> bool:
    """Whether the answer says back what was asked; capitals do not matter."""
    told = priced.model_dump()
    return all(str(told[name]).casefold() == str(value).casefold() for name, value in asked.items())


def _refused(error: RemoteError, field: str) -> ToolError:
    """The service does not insure this: which detail, and the limit that was crossed."""
    limit = f"; the limit is {error.limit}" if error.limit else ""
    return ToolError(
        f"The price service refuses: {error.reason}, because of {field}{limit}. Tell the customer, and ask whether it is right.",
        code=error.reason,
        field=field,
        limit=error.limit,
    )


def _no_price(code: str) -> ToolError:
    return ToolError(_NO_PRICE.format(why=_WHY[code]), code=code)
