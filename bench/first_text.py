"""How much later guards show an answer's first words than they come, at the pace of a model, and who holds them.

The answers are all that are right: every sentence of the shipped articles, each as if an answer began with it, and
evals/cases/benign_outputs. Time is counted from the first piece, so an answer whose first piece shows something is on time.
"""

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from agents.cover import Answer
from agents.specialist import Catalogue
from guards.chain import Chain
from guards.stream import Ground, Guard, Scene
from knowledge.corpus_files import read_corpus
from settings import ROOT

CHARACTERS_A_SECOND = 320
TOKEN, DELTA = 4, 20
"""Characters of a piece: a token by itself, and what an API sends that puts several together."""
BUDGET_MS = 10.0
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_CASES = ROOT / "evals" / "cases" / "benign_outputs"


@dataclass(frozen=True, slots=True)
class Start:
    """An answer, and where it is said."""

    text: str
    scene: Scene

    @property
    def first_word(self) -> str:
        """What it begins with, as it stands there."""
        return self.text.split(maxsplit=1)[0]


def starts(catalogue: Catalogue) -> Mapping[str, list[Start]]:
    """Right answers by where they are from; whatever figures they name have been said."""
    found: dict[str, list[Start]] = {}
    for article in read_corpus(ROOT / "knowledge" / "corpus").articles:
        for _, passage in article.parts:
            for sentence in _SENTENCE_END.split(passage.text):
                grounds = Ground("passage", passage.text), Ground("price", passage.text)
                found.setdefault(f"articles, {article.language}", []).append(
                    Start(sentence, _scene(catalogue, article.language, *grounds))
                )
    for path in sorted(_CASES.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            answer = Answer.model_validate_json(line)
            said = [Ground("passage", answer.text), Ground("price", answer.text), Ground("customer", "?")]
            scene = _scene(catalogue, answer.language, *said, *answer.said())
            found.setdefault(f"benign, {path.stem}", []).append(Start(answer.text, scene))
    return found


def _scene(catalogue: Catalogue, language: str, *grounds: Ground) -> Scene:
    specialist = catalogue.specialists["product_info"]
    return Scene(
        language=language,
        grounds=[Ground("company", specialist.fixed), *grounds],
        today=date(2026, 11, 22),
        secret=specialist.told,
        sayable=specialist.fixed,
        notice=lambda key: catalogue.notices.text(key, language) or "",
        may_retake=True,
    )


def later_ms(names: Sequence[str], guards: Mapping[str, Guard], start: Start, piece: int) -> float:
    """How much later the first words are shown behind these guards than they come."""
    chain = Chain(tuple(names), guards, start.scene)
    pieces = _pieces(start.text, piece)
    for number, text in enumerate(pieces):
        began = time.perf_counter()
        shown, _ = chain.push(text)
        if shown:
            return _waited_ms(number, piece) + (time.perf_counter() - began) * 1000
    return _waited_ms(len(pieces) - 1, piece)


def holders(names: Sequence[str], guards: Mapping[str, Guard], start: Start, piece: int) -> Iterator[str]:
    """The guards that hold all of the first piece, each asked alone."""
    first = _pieces(start.text, piece)[0]
    for name in names:
        step = guards[name].make(start.scene)
        if len(start.text) > piece and not any(segment.text for segment in step.push(first)):
            yield name


def print_first_text(names: Sequence[str], guards: Mapping[str, Guard], catalogue: Catalogue) -> None:
    """Print how late first words are, by where answers are from and by guard, and which words each guard holds."""
    found = starts(catalogue)
    every = [start for row in found.values() for start in row]
    for piece in (TOKEN, DELTA):
        print(
            f"\nfirst text later, pieces of {piece} characters, {CHARACTERS_A_SECOND} characters a second (budget: p95 {BUDGET_MS:.0f} ms)"
        )
        for name, row in (*found.items(), ("all", every)):
            _print_late(name, [later_ms(names, guards, start, piece) for start in row])
        held: dict[str, Counter[str]] = {name: Counter() for name in names}
        for start in every:
            for name in holders(names, guards, start, piece):
                held[name][start.first_word] += 1
        for name, words in held.items():
            late = sorted(later_ms((name,), guards, start, piece) for start in every)
            most = ", ".join(f"{word} {count}" for word, count in words.most_common(5))
            print(f"  {name:<12} holds {words.total():>5} of {len(every)}, p95 {_p95(late):>6.1f} ms  {most}")


def _print_late(name: str, late: list[float]) -> None:
    late = sorted(late)
    on_time = sum(ms <= BUDGET_MS for ms in late)
    print(
        f"  {name:<20} {len(late):>5} answers, on time {on_time / len(late):>6.1%}, "
        f"p50 {late[len(late) // 2]:>6.1f}, p95 {_p95(late):>6.1f}, max {late[-1]:>6.1f} ms"
    )


def _p95(ordered: Sequence[float]) -> float:
    return ordered[int(len(ordered) * 0.95)]


def _pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def _waited_ms(pieces: int, size: int) -> float:
    return pieces * size * 1000 / CHARACTERS_A_SECOND
