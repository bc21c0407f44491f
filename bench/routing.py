"""How well the local classifier labels messages, how honest its confidence is, and how fast it is.

Five-fold over the utterances of prompts/*.md, then trained on all of them and held against evals/cases/routing.jsonl.
`--errors` lists the wrong labels, surest first, `--folds-only` leaves the held-out part out.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

from build import build_parts, examples_of, load_prompts
from knowledge.language import detect_language
from knowledge.lexicon import Lexicon, fold
from router.calibration import Verdict, accuracy, calibration_error, coverage, precision_at, tempered
from router.local import Example, LocalClassifier, LocalLabel
from settings import Settings

CASES = Path("evals/cases/routing.jsonl")
FOLDS, SEED = 5, 7
ACT_AT = (0.5, 0.92)
LISTED_LANGUAGES = ("en", "es")


@dataclass(frozen=True, slots=True)
class Judged:
    """A message with its true and its given label."""

    example: Example
    language: str
    label: LocalLabel

    @property
    def verdict(self) -> Verdict:
        """Confidence, and whether it was right."""
        return Verdict(self.label.confidence, self.label.intent == self.example.intent)


def read_cases(file: Path, trained_on: Iterable[Example]) -> list[tuple[Example, str]]:
    """Held-out messages, each with its language; those that happen to be training lines too are left out."""
    known = {fold(example.text) for example in trained_on}
    lines = file.read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines if line.strip()]
    return [
        (Example(case["text"], case["intent"], case["awaiting"]), case["language"])
        for case in cases
        if fold(case["text"]) not in known
    ]


def folds(examples: Sequence[Example]) -> list[set[int]]:
    """Places of the examples dealt into folds; every fold has its share of each intent, inside and outside a quote."""
    groups: defaultdict[tuple[str, bool], list[int]] = defaultdict(list)
    for at, example in enumerate(examples):
        groups[example.intent, example.awaiting is not None].append(at)
    shuffle = random.Random(SEED).shuffle
    for places in groups.values():
        shuffle(places)
    dealt = [at for key in sorted(groups) for at in groups[key]]
    return [set(dealt[first::FOLDS]) for first in range(FOLDS)]


def judge(classifier: LocalClassifier, cases: Iterable[tuple[Example, str]]) -> list[Judged]:
    """Each case with the classifier's label."""
    return [Judged(case, language, classifier.classify(case.text, case.awaiting)) for case, language in cases]


def cross_validate(examples: Sequence[Example], lexicon: Lexicon) -> list[Judged]:
    """Each example with its label by a classifier that has not seen it."""
    judged: list[Judged] = []
    for part in folds(examples):
        classifier = LocalClassifier.train([e for at, e in enumerate(examples) if at not in part], lexicon)
        judged += judge(
            classifier, ((examples[at], detect_language(examples[at].text)) for at in sorted(part))
        )
    return judged


def print_scores(title: str, judged: Sequence[Judged]) -> None:
    """Accuracy, calibration and coverage: altogether, by language, in flow, by intent."""
    print(f"\n{title}\n{'':22}{'lines':>6}{'accuracy':>10}{'ECE':>7}{'at 95 %':>9}{'at 98 %':>9}")
    groups: dict[str, list[Judged]] = {"all": list(judged)}
    for item in judged:
        listed = item.language in LISTED_LANGUAGES
        groups.setdefault(item.language if listed else "other languages", []).append(item)
        if item.example.awaiting:
            groups.setdefault("inside a quote", []).append(item)
        groups.setdefault(f"of {item.example.intent}", []).append(item)
    for name, items in sorted(groups.items()):
        verdicts = [item.verdict for item in items]
        figures = f"{accuracy(verdicts):10.3f}{calibration_error(verdicts):7.3f}"
        print(
            f"{name:22}{len(items):6}{figures}{coverage(verdicts, 0.95):9.2f}{coverage(verdicts, 0.98):9.2f}"
        )
    for least in ACT_AT:
        share, right = precision_at([item.verdict for item in judged], least)
        print(f"confidence >= {least:.2f}: {share:5.1%} of the messages, {right:.1%} of them right")
    best = min((step / 20 for step in range(10, 41)), key=lambda temperature: _surprise(judged, temperature))
    print(f"temperature that fits best: {best:.2f} (1.00 is calibrated)")


def _surprise(judged: Sequence[Judged], temperature: float) -> float:
    """Mean negative log likelihood of the truth at a temperature."""
    return statistics.mean(
        -log(dict(zip(shares, tempered([*shares.values()], temperature), strict=True))[item.example.intent])
        for item in judged
        for shares in (item.label.probabilities,)
    )


def print_errors(judged: Sequence[Judged]) -> None:
    """Confusions by number, then every wrong label, surest first."""
    wrong = [item for item in judged if not item.verdict.is_right]
    pairs = Counter((item.example.intent, item.label.intent) for item in wrong)
    print(
        "\ntrue -> given: "
        + ", ".join(f"{true} -> {given} {count}" for (true, given), count in pairs.most_common())
    )
    for item in sorted(wrong, key=lambda item: -item.label.confidence):
        example = item.example
        state = f"awaiting={example.awaiting} | " if example.awaiting else ""
        print(f"{item.label.confidence:.2f} {example.intent} -> {item.label.intent}: {state}{example.text}")


def print_times(examples: Sequence[Example], lexicon: Lexicon) -> LocalClassifier:
    """Seconds to train and to load, milliseconds to label; the classifier trained on all examples."""
    start = time.perf_counter()
    classifier = LocalClassifier.train(examples, lexicon)
    trained = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        classifier.save(path)
        size, saved = path.stat().st_size, time.perf_counter()
        LocalClassifier.load(path)
        loaded = time.perf_counter()
    times: list[float] = []
    for example in examples:
        began = time.perf_counter()
        classifier.classify(example.text, example.awaiting)
        times.append((time.perf_counter() - began) * 1000)
    steps = statistics.quantiles(times, n=20)
    print(
        f"\n{len(examples)} examples: trained in {trained - start:.2f} s, loaded in {loaded - saved:.2f} s ({size:,} bytes)"
    )
    print(f"start-up cost in a new process, from the cache: {start_up_s():.2f} s")
    print(f"one label: p50 {steps[9]:.2f} ms, p95 {steps[18]:.2f} ms, longest {max(times):.2f} ms")
    return classifier


def start_up_s() -> float:
    """Seconds that a new process takes from the prompts to its first label, when the cache fits (median of 3)."""
    script = (
        "import time; from build import build_parts, cache_of, load_prompts, train; from settings import Settings\n"
        "settings = Settings.read(FRONTDESK_ENGINE='local'); catalogue = load_prompts(settings, build_parts(settings))\n"
        "began = time.perf_counter(); train(catalogue, cache_of(settings)).classify('hello')\n"
        "print(time.perf_counter() - began)"
    )
    command = [sys.executable, "-c", script]
    runs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(4)]  # noqa: S603
    return statistics.median(float(seconds) for seconds in runs[1:])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--errors", action="store_true", help="list the wrong labels")
    parser.add_argument("--folds-only", action="store_true", help="leave out the held-out cases")
    wanted = parser.parse_args()
    settings = Settings.read(FRONTDESK_ENGINE="local")
    catalogue = load_prompts(settings, build_parts(settings))
    examples, lexicon = examples_of(catalogue), catalogue.lexicon
    parts = {f"{FOLDS}-fold over prompts/*.md": cross_validate(examples, lexicon)}
    classifier = print_times(examples, lexicon)
    if not wanted.folds_only:
        cases = read_cases(CASES, examples)
        parts[f"held out: {CASES}"] = judge(classifier, cases)
    for title, judged in parts.items():
        print_scores(title, judged)
        if wanted.errors:
            print_errors(judged)


if __name__ == "__main__":
    main()
