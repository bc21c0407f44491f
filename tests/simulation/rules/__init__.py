"""Everything the Messages API refuses in a well-formed body, one subject a file, in the order it is checked.

Source: the vendor's documentation of API version 2026-10-21 for the models in models.py.
"""

from tests.simulation.models import Model
from tests.simulation.prompt import Prompt
from tests.simulation.request import MessageRequest
from tests.simulation.rules import citations, marks, parameters, schemas, thinking, tool_results, tools, turns


def check(prompt: Prompt, model: Model) -> None:
    """Refuse what the API refuses; nothing is returned when the request is fine.

    Raises:
        ApiError: 400, with the place in the body.
    """
    if isinstance(prompt, MessageRequest):
        parameters.check(prompt, model)
    thinking.check(prompt, model)
    tools.check(prompt, model)
    schemas.check(prompt)
    turns.check(prompt, model)
    tool_results.check(prompt)
    citations.check(prompt)
    marks.check(prompt)
