"""Read YAML front matter as people expect it: each key once, `no` is a word, a date is text.

Why: YAML has corners that bite (a label in Norwegian, `no:`, would be the key False; an impossible date is a crash).
The only file that imports yaml.
"""

import re
from collections.abc import Iterator, Mapping

import yaml

_UNEXPECTED = frozenset({"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge"})


class FrontMatterError(ValueError):
    """The text is not front matter; `line` is where, in the file."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class _Loader(yaml.SafeLoader):
    """Only `true` and `false` are truth values, nothing is a date, and there are no aliases to follow."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            problem = 'an alias ("*name") is not understood here'
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # the stubs leave it bare
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    start: [(tag, form) for tag, form in forms if tag not in _UNEXPECTED]
    for start, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), ["t", "f"])


def read_front_matter(text: str, first_line: int) -> tuple[Mapping[str, object], Mapping[str, int]]:
    """Keys with their values, and keys with their lines in the file.

    Args:
        text: The lines between the two `---`.
        first_line: Number of its first line in the file.

    Raises:
        FrontMatterError: Not YAML, not `key: value` lines, or a key stands twice.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        values = loader.construct_document(node) if node is not None else None
    except yaml.YAMLError as exc:
        raise _unreadable(exc, first_line) from exc
    except (ValueError, RecursionError) as exc:
        raise FrontMatterError(first_line, f"the front matter is not YAML: {exc}") from exc
    if not isinstance(values, dict) or not isinstance(node, yaml.MappingNode):
        raise FrontMatterError(first_line, "the front matter must be lines of the form `key: value`")
    seen: set[tuple[int, str]] = set()
    for mapping, key in _keys(node):
        place = (id(mapping), str(key.value))
        if place in seen:
            line = first_line + key.start_mark.line
            raise FrontMatterError(line, f'key "{key.value}" stands twice; keep one of them')
        seen.add(place)
    lines = {str(key.value): first_line + key.start_mark.line for key, _ in node.value}
    return {str(key): value for key, value in values.items()}, lines


def _keys(node: yaml.Node) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Each mapping with each of its keys, down to the innermost."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield node, key
            yield from _keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _keys(item)


def _unreadable(error: yaml.YAMLError, first_line: int) -> FrontMatterError:
    """The parser's complaint in one line, at the line where it stumbled."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    line = first_line + mark.line if mark is not None else first_line
    hint = "; text with a colon goes in quotes, or below `key: >-`" if "mapping" in problem else ""
    return FrontMatterError(line, f"the front matter is not YAML: {problem}{hint}")
