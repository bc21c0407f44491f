"""The catalogue of models the simulation answers for, and what each of them accepts.

Why: most refusals of the real API depend on the model (thinking, effort, forced tools, prompt-cache minimum).
Source: the vendor's model pages of October and November 2026. Retired and unknown names answer 404.
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from tests.simulation.errors import ApiError

ThinkingMode = Literal["adaptive", "between_tools", "disabled", "enabled"]
EFFORTS = ("low", "medium", "high", "xhigh", "max")
HIGH_EFFORTS = frozenset({"xhigh", "max"})


@dataclass(frozen=True, slots=True)
class Model:
    """What one model accepts. Sizes in tokens; `default_effort` None means the model takes no effort."""

    name: str
    title: str
    line: str
    thinking: frozenset[ThinkingMode]
    default_thinking: ThinkingMode
    default_effort: str | None
    forced_tools: bool
    mid_system: bool = True
    context: int = 1_000_000
    max_output: int = 128_000
    min_cacheable: int = 512
    released: str = "2026-10-07T00:00:00Z"

    def info(self) -> dict[str, JsonValue]:
        """The model as the Models API shows it."""
        return {
            "type": "model",
            "id": self.name,
            "display_name": self.title,
            "created_at": self.released,
            "lifecycle": "active",
            "deprecated_at": None,
            "retires_at": None,
            "line": self.line,
            "max_input_tokens": self.context,
            "max_tokens": self.max_output,
            "capabilities": self._capabilities(),
        }

    def _capabilities(self) -> dict[str, JsonValue]:
        plain = ("batch", "citations", "code_execution", "image_input", "pdf_input", "structured_outputs")
        modes: tuple[ThinkingMode, ...] = ("adaptive", "between_tools", "disabled", "enabled")
        yes: JsonValue = {"supported": True}
        return {
            **dict.fromkeys(plain, yes),
            "context_management": {"supported": False},
            "effort": {
                "supported": self.default_effort is not None,
                **{effort: {"supported": self.default_effort is not None} for effort in EFFORTS},
            },
            "server_tools": {
                "supported": False,
                "code_execution": {"supported": False},
                "web_search": {"supported": False},
            },
            "thinking": {
                "supported": True,
                "types": {mode: {"supported": mode in self.thinking} for mode in modes},
            },
        }


_HAIKU_4_5 = Model(
    name="claude-haiku-4-5",
    title="Claude Haiku 4.5",
    line="haiku",
    thinking=frozenset({"enabled", "disabled"}),
    default_thinking="disabled",
    default_effort=None,
    forced_tools=True,
    mid_system=False,
    context=200_000,
    max_output=64_000,
    min_cacheable=4096,
    released="2025-10-01T00:00:00Z",
)

CATALOGUE = {
    model.name: model
    for model in (
        Model(
            name="claude-haiku-5-5",
            title="Claude Haiku 5.5",
            line="haiku",
            thinking=frozenset({"adaptive", "disabled"}),
            default_thinking="adaptive",
            default_effort="medium",
            forced_tools=True,
        ),
        Model(
            name="claude-sonnet-5-5",
            title="Claude Sonnet 5.5",
            line="sonnet",
            thinking=frozenset({"adaptive", "between_tools"}),
            default_thinking="adaptive",
            default_effort="high",
            forced_tools=False,
            released="2026-09-28T00:00:00Z",
        ),
        Model(
            name="claude-opus-5-5",
            title="Claude Opus 5.5",
            line="opus",
            thinking=frozenset({"adaptive"}),
            default_thinking="adaptive",
            default_effort="medium",
            forced_tools=False,
            released="2026-09-22T00:00:00Z",
        ),
        Model(
            name="claude-fable-5-2",
            title="Claude Fable 5.2",
            line="fable",
            thinking=frozenset({"adaptive"}),
            default_thinking="adaptive",
            default_effort="high",
            forced_tools=False,
            released="2026-11-09T00:00:00Z",
        ),
        _HAIKU_4_5,
    )
}
ALIASES = {"claude-haiku-4-5-20251001": "claude-haiku-4-5"}


def find(name: str) -> Model:
    """The model of this name.

    Raises:
        ApiError: 404, the name is unknown or retired.
    """
    model = CATALOGUE.get(ALIASES.get(name, name))
    if model is None:
        raise ApiError(404, f"model: {name}. The simulation knows {', '.join(sorted(CATALOGUE))}.")
    return model
