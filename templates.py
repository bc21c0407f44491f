"""Fill in the variables of a text that a prompt engineer wrote: `{{name}}`, and nothing else."""

import re
from collections.abc import Mapping

VARIABLE = re.compile(r"\{\{ *([A-Za-z0-9_]+) *\}\}")
BRACES = re.compile(r"\{\{[^{}]*\}\}|\{\{")
"""Whatever looks like a variable, also when it is written wrongly: what loading a prompt file looks for."""


def render(template: str, values: Mapping[str, str]) -> str:
    """Fill in the variables; a line whose variables are all empty is dropped.

    Values are taken as they are: what looks like a variable inside a value stays as it is.
    """
    kept: list[str] = []
    for line in template.splitlines():
        names = VARIABLE.findall(line)
        if names and not any(values.get(name) for name in names):
            continue
        kept.append(VARIABLE.sub(lambda match: values.get(match.group(1), ""), line))
    return "\n".join(kept).strip()
