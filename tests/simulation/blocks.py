"""Output blocks: as each opens in a stream, the deltas that fill it, and as it stands in a whole answer.

Why: streamed and whole answers are made from the same blocks, so they cannot differ.
"""

from dataclasses import dataclass

from tests.simulation.content import JsonObject, SearchResultBlock
from tests.simulation.reply import BrainError, Cited, ToolUse


@dataclass(frozen=True, slots=True)
class OutputBlock:
    """One block of an answer."""

    opening: JsonObject
    deltas: tuple[JsonObject, ...]
    final: JsonObject


def text_block(text: str, citations: tuple[JsonObject, ...], chunk_chars: int) -> OutputBlock:
    """Text in pieces of so many characters, then its citations."""
    deltas: list[JsonObject] = [{"type": "text_delta", "text": piece} for piece in _pieces(text, chunk_chars)]
    deltas += [{"type": "citations_delta", "citation": citation} for citation in citations]
    opening: JsonObject = {"type": "text", "text": ""}
    final: JsonObject = {"type": "text", "text": text}
    if citations:
        opening["citations"] = []
        final["citations"] = list(citations)
    return OutputBlock(opening, tuple(deltas), final)


def thinking_block(text: str, signature: str, chunk_chars: int) -> OutputBlock:
    """Thinking; without text (the default display) only the signature comes."""
    deltas: list[JsonObject] = [
        {"type": "thinking_delta", "thinking": piece} for piece in _pieces(text, chunk_chars)
    ]
    deltas.append({"type": "signature_delta", "signature": signature})
    opening: JsonObject = {"type": "thinking", "thinking": "", "signature": ""}
    return OutputBlock(opening, tuple(deltas), {"type": "thinking", "thinking": text, "signature": signature})


def call_block(call_id: str, name: str, text: str, whole: JsonObject, chunk_chars: int) -> OutputBlock:
    """A call: `text` is the JSON as streamed (it may be broken or cut), `whole` the input of a whole answer."""
    opening: JsonObject = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
    deltas: list[JsonObject] = [{"type": "input_json_delta", "partial_json": ""}]
    deltas += [{"type": "input_json_delta", "partial_json": piece} for piece in _pieces(text, chunk_chars)]
    return OutputBlock(opening, tuple(deltas), {**opening, "input": whole})


def input_shown(part: ToolUse, text: str, whole: str) -> JsonObject:
    """The input as a whole answer gives it: empty when the JSON text was broken or cut."""
    return part.input if part.raw is None and text == whole else {}


def citations_of(part: Cited, passages: tuple[SearchResultBlock, ...]) -> tuple[JsonObject, ...]:
    """The citation of this part, none when citations are off for its source.

    Raises:
        BrainError: The request holds no such source, or the source no such blocks.
    """
    index = part.source if isinstance(part.source, int) else _index_of(part.source, passages)
    if not 0 <= index < len(passages):
        raise BrainError(f"the brain cites search result {part.source!r}; the request holds {len(passages)}")
    passage = passages[index]
    end = part.end if part.end is not None else part.start + 1
    if not 0 <= part.start < end <= len(passage.content):
        raise BrainError(
            f"the brain cites blocks {part.start} to {end} of a source with {len(passage.content)}"
        )
    if not passage.is_citable:
        return ()
    return (
        {
            "type": "search_result_location",
            "cited_text": "".join(block.text for block in passage.content[part.start : end]),
            "source": passage.source,
            "title": passage.title,
            "search_result_index": index,
            "start_block_index": part.start,
            "end_block_index": end,
        },
    )


def _index_of(source: str, passages: tuple[SearchResultBlock, ...]) -> int:
    return next((index for index, passage in enumerate(passages) if passage.source == source), -1)


def _pieces(text: str, chunk_chars: int) -> list[str]:
    return [text[at : at + chunk_chars] for at in range(0, len(text), chunk_chars)]
