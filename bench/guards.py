"""What guards cost: CPU for each 1,000 characters, what they hold back, and how much later the first words come.

The answers are the shipped articles (dense with figures) and the sentences of tests/guards/cases, streamed in pieces of
20 characters as a model sends them. Also hostile answers of 30,000 characters, which must take linear time, and when
first words come (bench/first_text.py). About a minute.
"""

import json
import time
from collections.abc import Mapping
from datetime import date
from functools import partial

from bench.first_text import print_first_text
from build import build_parts, load_prompts
from guards.chain import Chain
from guards.stream import Ground, Guard, Scene, Step
from knowledge.corpus_files import read_corpus
from settings import ROOT, Settings

PIECE = 20
RUNS = 5
HOSTILE_CHARACTERS = 30_000
CASES = ROOT / "tests" / "guards" / "cases"
ALL = "all"
SETTINGS = Settings.read(FRONTDESK_ENGINE="local")
PARTS = build_parts(SETTINGS)
GUARDS = PARTS.guards
CATALOGUE = load_prompts(SETTINGS, PARTS)
SHIPPED = CATALOGUE.specialists["product_info"].guards
HOSTILE = (
    "1", "$", "ten ", "$1 ", "9-", "é", "(", "a hundred ", "1 and ", "5 5 5 ", "12 34 56 78 90 ",
    "%4", "<a ", "&#6", "a@", "a at b dot ", "x_", "<", "p r o g ", "your claim ",
)  # fmt: skip


def answers() -> Mapping[str, list[str]]:
    """Answers by what they are made of."""
    articles = read_corpus(ROOT / "knowledge" / "corpus").articles
    by_language = {
        language: [
            " ".join(passage.text for _, passage in article.parts)
            for article in articles
            if article.language == language
        ]
        for language in ("en", "es")
    }
    said = [
        json.loads(line)["says"]
        for line in (CASES / "figures_right.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    plain = (CASES / "figures_benign.txt").read_text(encoding="utf-8").splitlines()
    return {
        "articles, en": by_language["en"],
        "articles, es": by_language["es"],
        "figures, right": [" ".join(said[at : at + 8]) for at in range(0, len(said), 8)],
        "no figures": [" ".join(plain[at : at + 8]) for at in range(0, len(plain), 8)],
    }


def scene(text: str) -> Scene:
    """A scene in which everything in the text has been said."""
    return Scene(grounds=[Ground("passage", text), Ground("price", text)], today=date(2026, 11, 22))


def step_of(name: str, told: Scene) -> Step | Chain:
    """The guard of this name at work, or all of them."""
    return Chain(SHIPPED, GUARDS, told) if name == ALL else GUARDS[name].make(told)


def cpu_ms(name: str, texts: list[str]) -> float:
    """CPU milliseconds for each 1,000 characters, the best of several runs; what was said before is read already."""
    best = float("inf")
    for _ in range(RUNS):
        spent = 0.0
        for text in texts:
            step = step_of(name, scene(text))
            step.push("Call 1-800-123-4567 within 30 days, please, and thank you. ")
            started = time.process_time()
            for at in range(0, len(text), PIECE):
                step.push(text[at : at + PIECE])
            step.end()
            spent += time.process_time() - started
        best = min(best, spent)
    return best * 1_000_000 / sum(map(len, texts))


def held_back(guard: Guard, text: str) -> list[int]:
    """How many characters wait after each character of the answer."""
    step = guard.make(scene(text))
    waiting, shown = list[int](), 0
    for came, letter in enumerate(text, start=1):
        shown += sum(len(segment.text) for segment in step.push(letter))
        waiting.append(max(0, came - shown))
    return waiting


def _p95(values: list[int]) -> int:
    return sorted(values)[int(len(values) * 0.95)]


def _hostile_ms(names: tuple[str, ...]) -> float:
    """CPU milliseconds for the worst of the hostile answers."""
    return max(map(partial(_unit_ms, names), HOSTILE))


def _unit_ms(names: tuple[str, ...], unit: str) -> float:
    text = (unit * HOSTILE_CHARACTERS)[:HOSTILE_CHARACTERS]
    step = Chain(names, GUARDS, Scene())
    started = time.process_time()
    step.push(text)
    step.end()
    return (time.process_time() - started) * 1000


def main() -> None:
    """Print the tables."""
    texts = answers()
    print(f"{'guard':<10} " + " ".join(f"{name:>15}" for name in texts) + "   CPU ms per 1,000 characters")
    for name in (*GUARDS, ALL):
        print(f"{name:<10} " + " ".join(f"{cpu_ms(name, found):>15.2f}" for found in texts.values()))
    print(f"\n{'guard':<10} {'held back p95':>14} {'max':>6} {'hostile, worst':>16}")
    every = [text for found in texts.values() for text in found]
    for name, guard in GUARDS.items():
        waiting = [count for text in every for count in held_back(guard, text)]
        print(f"{name:<10} {_p95(waiting):>9} char {max(waiting):>6} {_hostile_ms((name,)):>13.0f} ms")
    print(f"{ALL:<10} {'':>14} {'':>6} {_hostile_ms(SHIPPED):>13.0f} ms")
    print_first_text(SHIPPED, GUARDS, CATALOGUE)


if __name__ == "__main__":
    main()
