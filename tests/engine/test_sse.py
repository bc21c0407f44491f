"""Server-sent events out of bytes, however they were cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sse import SseReader

EVENT = st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8")), min_size=1, max_size=3)


@given(st.lists(EVENT, max_size=5), st.sampled_from(["\n", "\r\n"]), st.data())
def test_events_do_not_depend_on_how_the_bytes_were_cut(
    events: list[list[str]], end: str, data: st.DataObject
) -> None:
    """A word that lies across two packets of the network is the word that was written."""
    lines = ["".join(f"data: {line}{end}" for line in event) + end for event in events]
    sent = "".join(lines).encode()
    reader, read, at = SseReader(), list[bytes](), 0
    while at < len(sent):
        step = data.draw(st.integers(1, len(sent)))
        read += reader.feed(sent[at : at + step])
        at += step

    assert read == ["\n".join(event).encode() for event in events]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        pytest.param(b'event: x\ndata: {"a": 1}\n\n', [b'{"a": 1}'], id="its name is in the data too"),
        pytest.param(b"data:1\n\n", [b"1"], id="no space"),
        pytest.param(b": a comment\n\nid: 7\nretry: 5\n\n", [], id="nothing to read"),
        pytest.param(b"data: 1\n", [], id="not complete"),
        pytest.param(b"data: 1\n\ndata: 2\n\n", [b"1", b"2"], id="two at once"),
    ],
)
def test_what_is_no_data_is_left_out(sent: bytes, read: list[bytes]) -> None:
    """Comments, names and signs of life are not read as the model's words."""
    assert SseReader().feed(sent) == read
