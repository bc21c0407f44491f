"""Rules for thinking and effort, which differ from model to model."""

from tests.simulation.errors import invalid
from tests.simulation.models import HIGH_EFFORTS, Model
from tests.simulation.prompt import Enabled, Prompt
from tests.simulation.request import MessageRequest

_LEAST_BUDGET = 1024
_INSTEAD = {
    "enabled": 'Use {"type": "adaptive"} and output_config.effort instead of a thinking budget.',
    "disabled": "Lower output_config.effort, or use between_tools where the model takes it.",
    "between_tools": "Use adaptive, or disabled where the model takes it.",
    "adaptive": "Use enabled with budget_tokens, or disabled.",
}


def check(prompt: Prompt, model: Model) -> None:
    """Refuse a way of thinking, an effort, or a pair of both that the model does not take."""
    if prompt.effort is not None and model.default_effort is None:
        raise invalid(
            f"output_config.effort: This model does not support the effort parameter ({model.name})"
        )
    if prompt.thinking is None:
        return
    kind = prompt.thinking.type
    if kind not in model.thinking:
        raise invalid(f'"thinking.type.{kind}" is not supported for {model.name}. {_INSTEAD[kind]}')
    if kind in {"disabled", "between_tools"} and prompt.effort in HIGH_EFFORTS:
        raise invalid(
            f'"thinking.type.{kind}" is not supported at effort {prompt.effort}; use low, medium or high'
        )
    if isinstance(prompt.thinking, Enabled) and isinstance(prompt, MessageRequest):
        _check_budget(prompt.thinking, prompt.max_tokens)


def _check_budget(thinking: Enabled, max_tokens: int) -> None:
    if thinking.budget_tokens < _LEAST_BUDGET:
        raise invalid(
            f"thinking.enabled.budget_tokens: Input should be greater than or equal to {_LEAST_BUDGET}"
        )
    if thinking.budget_tokens >= max_tokens:
        raise invalid("max_tokens must be greater than thinking.budget_tokens")
