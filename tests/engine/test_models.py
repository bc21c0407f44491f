"""What the models accept, and what they cost."""

import pytest

from engine.models import MODELS, priced, refusal
from events import Usage
from tests.simulation.models import CATALOGUE

MILLION = 1_000_000


@pytest.mark.parametrize(
    ("usage", "written_1h", "usd"),
    [
        (Usage(input_tokens=MILLION), 0, 2.0),
        (Usage(output_tokens=MILLION), 0, 10.0),
        (Usage(cache_read_tokens=MILLION), 0, 0.10),
        (Usage(cache_write_tokens=MILLION), 0, 2.50),
        (Usage(cache_write_tokens=MILLION), MILLION, 4.0),
        (Usage(cache_write_tokens=MILLION), MILLION // 2, 3.25),
    ],
)
def test_every_kind_of_token_has_its_price(usage: Usage, written_1h: int, usd: float) -> None:
    """The cost in the routing log is what the bill will say."""
    assert priced("claude-sonnet-5-5", usage, written_1h_tokens=written_1h).cost_usd == pytest.approx(usd)


def test_a_large_prompt_on_haiku_costs_five_times_as_much() -> None:
    """The tier follows the whole prompt, cached or not, so the log must not look at fresh tokens only."""
    small = priced("claude-haiku-5-5", Usage(input_tokens=1_000, cache_read_tokens=99_000))
    large = priced("claude-haiku-5-5", Usage(input_tokens=1_001, cache_read_tokens=99_000))

    assert small.cost_usd == pytest.approx(0.00109)
    assert large.cost_usd == pytest.approx(0.0054505)


def test_an_unknown_model_costs_nothing_here() -> None:
    """It is refused when a prompt file names it; a replayed log must not crash over it."""
    assert priced("claude-1", Usage(input_tokens=5)).cost_usd == 0


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("thinking", ["disabled", "between_tools", "adaptive"])
@pytest.mark.parametrize("effort", ["low", "high", "max"])
def test_what_we_let_through_is_what_the_api_takes(model: str, thinking: str, effort: str) -> None:
    """A prompt engineer learns of a wrong combination from the linter, and not from a customer's turn."""
    known = CATALOGUE[model]
    taken = thinking in known.thinking and not (effort == "max" and thinking != "adaptive")

    assert (refusal(model, thinking, effort) is None) == taken


def test_an_unknown_model_is_refused_with_those_there_are() -> None:
    """A typing error in a prompt file is found at once."""
    assert "claude-haiku-5-5" in (refusal("claude-haiku-5", "disabled", "low") or "")
