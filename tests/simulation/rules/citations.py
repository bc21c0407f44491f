"""Rules for sources that can be cited: all or none, never with an output schema, clean inside."""

from tests.simulation.content import DocumentBlock, SearchResultBlock, ToolResultBlock
from tests.simulation.errors import invalid
from tests.simulation.prompt import Prompt


def check(prompt: Prompt) -> None:
    """Refuse sources with mixed switches, with a schema beside them, or with marks and citations inside."""
    passages = prompt.passages
    for index, passage in enumerate(passages):
        _check_passage(f"search_result {index}", passage)
    switches = [passage.is_citable for passage in passages] + _document_switches(prompt)
    if any(switches) and not all(switches):
        raise invalid(
            "citations: must be enabled on all documents and search results of a request, or on none"
        )
    if any(switches) and prompt.schema_wanted is not None:
        raise invalid("output_config.format: cannot be used together with citations")


def _check_passage(place: str, passage: SearchResultBlock) -> None:
    if not passage.content:
        raise invalid(f"{place}: content must hold at least one text block")
    if not passage.source or not passage.title:
        raise invalid(f"{place}: source and title must be non-empty")
    for at, block in enumerate(passage.content):
        if not block.text.strip():
            raise invalid(f"{place}.content.{at}: text content blocks must be non-empty")
        if block.citations:
            raise invalid(f"{place}.content.{at}: citations are not permitted inside a search_result")
        if block.cache_control is not None:
            raise invalid(
                f"{place}.content.{at}: cache_control belongs on the search_result, not on its blocks"
            )


def _document_switches(prompt: Prompt) -> list[bool]:
    blocks = [block for message in prompt.messages for block in message.blocks]
    parts = [part for block in blocks if isinstance(block, ToolResultBlock) for part in block.parts]
    documents = [block for block in (*blocks, *parts) if isinstance(block, DocumentBlock)]
    return [document.citations is not None and document.citations.enabled for document in documents]
