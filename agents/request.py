"""Assemble an engine request in a fixed order, so that everything before this turn can be cached.

Order: tools, system (shared parts, then the specialist), history, then the message and what holds for this turn
only. Law: two requests of one conversation and specialist share their prefix byte for byte, so no date, name,
locale or id may come before the message.
"""

from collections.abc import Mapping
from datetime import datetime

from agents.specialist import Specialist
from engine.base import Brief, EngineRequest, Said, ToolSpec
from knowledge.invisible import readable
from templates import render
from tools.registry import Tool, Toolbox


def build_request(
    specialist: Specialist,
    toolbox: Toolbox,
    *,
    history: tuple[Said, ...],
    message: str,
    facts: Mapping[str, str],
    brief: Brief,
    customer_hash: str,
    first_piece_by: float | None = None,
) -> EngineRequest:
    """The request for one specialist and one message; `facts` fill the specialist's `# This turn`."""
    return EngineRequest(
        purpose="answer",
        model=specialist.model,
        max_tokens=specialist.max_tokens,
        effort=specialist.effort,
        thinking=specialist.thinking,
        system=specialist.system,
        tools=tuple(_spec(tool) for tool in toolbox.offered(specialist.tools)),
        history=history,
        message=message,
        facts=render(specialist.turn, {name: _one_line(value) for name, value in facts.items()}),
        customer_hash=customer_hash,
        first_piece_by=first_piece_by,
        brief=brief,
    )


def today(now: datetime) -> str:
    """The date as a specialist reads it, with the weekday: "Sunday, 2026-11-22"."""
    return now.strftime("%A, %Y-%m-%d")


def _one_line(value: str) -> str:
    """A fact fills a line and never begins one, so that it cannot pass for a line of the operator's."""
    return " ".join(readable(value).split())


def _spec(tool: Tool) -> ToolSpec:
    return ToolSpec(tool.name, tool.description, tool.schema, tool.lead, tool.is_strict)
