"""The Claude models the desk knows: what they accept and what they cost.

Source: vendor documentation, October and November 2026. Prices in US dollars per million tokens.
A model that is not here is refused when a prompt file names it, because its cost could not be logged.
"""

from dataclasses import dataclass

from events import Usage

_MILLION = 1_000_000
_SMALL_PROMPT_TOKENS = 100_000


@dataclass(frozen=True, slots=True)
class Price:
    """List price per million tokens; cache writes cost more when they are to be kept for an hour."""

    input_usd: float
    output_usd: float
    write_5m_usd: float
    write_1h_usd: float
    read_usd: float


@dataclass(frozen=True, slots=True)
class Model:
    """What one model accepts. `price_large` applies to whole prompts over 100,000 tokens, where it differs."""

    name: str
    price: Price
    thinking: frozenset[str]
    price_large: Price | None = None


MODELS = {
    model.name: model
    for model in (
        Model(
            "claude-haiku-5-5",
            Price(0.10, 0.50, 0.125, 0.20, 0.01),
            frozenset({"disabled", "adaptive"}),
            Price(0.50, 2.50, 0.625, 1.00, 0.05),
        ),
        Model("claude-sonnet-5-5", Price(2, 10, 2.50, 4, 0.10), frozenset({"between_tools", "adaptive"})),
        Model("claude-opus-5-5", Price(4, 20, 5, 8, 0.20), frozenset({"adaptive"})),
    )
}
_HIGH_EFFORTS = frozenset({"xhigh", "max"})


def refusal(model: str, thinking: str, effort: str) -> str | None:
    """Why the API would refuse this combination, or None when it takes it."""
    known = MODELS.get(model)
    if known is None:
        return f'model "{model}" is unknown; known: {", ".join(sorted(MODELS))}'
    if thinking not in known.thinking:
        return (
            f'thinking "{thinking}" is not possible on {model}; possible: {", ".join(sorted(known.thinking))}'
        )
    if effort in _HIGH_EFFORTS and thinking != "adaptive":
        return f'thinking "{thinking}" is not possible at effort "{effort}"; use adaptive, or effort low, medium or high'
    return None


def priced(model: str, usage: Usage, *, written_1h_tokens: int = 0) -> Usage:
    """The same usage with its list price; unknown models cost 0 here, since they are refused when loaded.

    Args:
        written_1h_tokens: How many of the tokens written to the cache are kept for an hour; the rest for 5 minutes.
    """
    known = MODELS.get(model)
    if known is None:
        return usage
    whole_prompt = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    large = known.price_large if whole_prompt > _SMALL_PROMPT_TOKENS else None
    price = large or known.price
    cost = (
        usage.input_tokens * price.input_usd
        + usage.output_tokens * price.output_usd
        + (usage.cache_write_tokens - written_1h_tokens) * price.write_5m_usd
        + written_1h_tokens * price.write_1h_usd
        + usage.cache_read_tokens * price.read_usd
    ) / _MILLION
    return usage.model_copy(update={"cost_usd": round(cost, 8)})
