"""What a prompt file may look like: line ends, fences, answers inside a quote, front matter as people write it."""

from pathlib import Path

import pytest

from agents.frontmatter import read_front_matter
from agents.promptfile import Utterance, read_prompt_file, utterances

SLOTS = frozenset({"year"})


def _read(tmp_path: Path, body: str, front: str = "kind: shared") -> Path:
    path = tmp_path / "part.md"
    path.write_bytes(f"---\n{front}\n---\n{body}".encode())
    return path


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems_are_read(ending: str, tmp_path: Path) -> None:
    """Somebody on Windows could not edit prompts, or errors would name the wrong line."""
    path = tmp_path / "part.md"
    path.write_bytes(
        ending.join(["---", "kind: shared", "---", "# Role", "One", "", "# Task", "Two"]).encode()
    )

    file = read_prompt_file(path)

    assert {title: section.text for title, section in file.sections.items()} == {"Role": "One", "Task": "Two"}
    assert file.sections["Task"].line == 7


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    """Files saved by some Windows editors would have no front matter."""
    path = _read(tmp_path, "# Role\nx\n")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert read_prompt_file(path).front == {"kind": "shared"}


def test_unusual_line_breaks_do_not_move_line_numbers(tmp_path: Path) -> None:
    """A pasted line separator would split a customer's message in two, and errors would point elsewhere."""
    file = read_prompt_file(_read(tmp_path, "# Utterances\nhello\u2028there\x0b!\n# Role\nx\n"))

    assert utterances(file, SLOTS) == (Utterance("hello\u2028there\x0b!", None),)
    assert file.sections["Role"].line == 6


def test_a_heading_inside_a_fence_is_text(tmp_path: Path) -> None:
    """An example of a prompt inside a prompt would be taken apart."""
    file = read_prompt_file(_read(tmp_path, "# Role\n```\n# Task\n```\n# Examples\nx\n"))

    assert list(file.sections) == ["Role", "Examples"]


def test_a_customer_may_write_a_fence(tmp_path: Path) -> None:
    """A pasted code fence among the utterances would swallow everything behind it."""
    file = read_prompt_file(_read(tmp_path, "# Utterances\n```python\nprint(1)\n# Role\nx\n"))

    assert [utterance.text for utterance in utterances(file, SLOTS)] == ["```python", "print(1)"]
    assert "Role" in file.sections


def test_utterances_are_lines(tmp_path: Path) -> None:
    """The local classifier would learn from blank lines, or not know that "2019" answered a question."""
    file = read_prompt_file(
        _read(tmp_path, "# Utterances\n\n  how much?  \nawaiting=year | 2019\nawaiting | what\n")
    )

    assert utterances(file, SLOTS) == (
        Utterance("how much?", None),
        Utterance("2019", "year"),
        Utterance("awaiting | what", None),
    )


def test_a_file_without_utterances_has_none(tmp_path: Path) -> None:
    """A shared part would be refused for lack of customers' words."""
    assert utterances(read_prompt_file(_read(tmp_path, "# Role\nx\n")), SLOTS) == ()


def test_a_file_knows_whether_its_last_line_was_closed(tmp_path: Path) -> None:
    """A file that was cut while it was saved could not be told from a whole one."""
    assert read_prompt_file(_read(tmp_path, "# Role\nx\n")).is_closed
    assert not read_prompt_file(_read(tmp_path, "# Role\nx")).is_closed


def test_front_matter_means_what_people_mean() -> None:
    """A label in Norwegian, a concept called "no", or a date would become something else, or crash the desk."""
    front, lines = read_front_matter(
        "label: {no: pris}\ntriggers: [[yes, no], [on]]\nsince: 2026-13-45\nok: true", 2
    )

    assert front == {
        "label": {"no": "pris"},
        "triggers": [["yes", "no"], ["on"]],
        "since": "2026-13-45",
        "ok": True,
    }
    assert lines == {"label": 2, "triggers": 3, "since": 4, "ok": 5}
