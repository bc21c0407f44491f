"""What the front matter of prompt files may say, as typed values. The keys are explained in docs/prompts.md."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Effort = Literal["low", "medium", "high", "xhigh", "max"]
Thinking = Literal["disabled", "between_tools", "adaptive"]
Intent = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,31}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Front(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SpecialistFront(_Front):
    """Front matter of an intent's file."""

    intent: Intent
    description: Annotated[str, StringConstraints(strip_whitespace=True, min_length=20, max_length=2000)]
    label: dict[Language, Label]
    model: str
    max_tokens: Annotated[int, Field(ge=64, le=20_000)]
    effort: Effort = "low"
    thinking: Thinking = "disabled"
    tools: list[str] = []
    guards: list[str] = []
    says_back: list[str] = []
    speculate: bool = True
    extends: list[str] = []
    act_at: Share = 0.5
    triggers: list[Annotated[list[str], Field(min_length=1)]] = []


class SharedFront(_Front):
    """Front matter of a shared part."""

    kind: Literal["shared"]


class LexiconFront(_Front):
    """Front matter of _lexicon.md."""

    kind: Literal["lexicon"]


class ClassifierFront(_Front):
    """Front matter of classifier.md: the model, its deadline, and the thresholds of routing.

    Thresholds are confidences, 0 to 1. `safest` is the intent taken when nothing else is certain,
    `screened` the one for messages that try to steer the assistant.
    """

    kind: Literal["classifier"]
    model: str
    max_tokens: Annotated[int, Field(ge=32, le=2000)]
    effort: Effort = "low"
    thinking: Thinking = "disabled"
    deadline_s: Annotated[float, Field(gt=0, le=10)] = 2.0
    speculate_at: Share = 0.6
    cascade_at: Share = 0.92
    clarify_below: Share = 0.5
    offer_person_at: Share = 0.25
    safest: Intent
    screened: Intent


class SecondLookFront(_Front):
    """Front matter of second_look.md: the model, and how many seconds it has once an answer is complete."""

    kind: Literal["second_look"]
    model: str
    max_tokens: Annotated[int, Field(ge=200, le=4000)]
    effort: Effort = "low"
    thinking: Thinking = "disabled"
    deadline_s: Annotated[float, Field(gt=0, le=10)] = 2.0
