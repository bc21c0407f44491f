"""Cut one event where it hurts: inside a word, or inside its bytes."""

import json
import re
from typing import Literal

from tests.simulation.acts import frame

Mid = Literal["", "word", "event"]
_WORD = re.compile(r"[^\W\d_]{2,}")
_TEXT_KEYS = ("text", "partial_json", "thinking")


def torn(data: bytes, mid: Mid) -> bytes:
    """The first part of this event: whole but with a text that ends inside a word, or half of its bytes."""
    head, _, text = data.decode(errors="replace").partition("\ndata: ")
    if mid == "event" or not text:
        return data[: len(data) // 2]
    event = json.loads(text)
    for key in _TEXT_KEYS:
        if key in event["delta"]:
            event["delta"][key] = _inside_a_word(event["delta"][key])
    return frame(head.removeprefix("event: "), event)


def _inside_a_word(text: str) -> str:
    word = _WORD.search(text)
    return text[: (word.start() + word.end()) // 2] if word is not None else text[: len(text) // 2]
