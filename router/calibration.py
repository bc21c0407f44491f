"""Measure how far a classifier's confidence can be trusted.

Why: thresholds ("route without Claude at .92") are promises about how often the label is right. They hold only while
confidence and hit rate agree; the benchmark and the tests watch that.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_BINS = 15


@dataclass(frozen=True, slots=True)
class Verdict:
    """One label beside the truth.

    Attributes:
        confidence: Probability of the label given, 0 to 1.
        is_right: Whether the label given was the true one.
    """

    confidence: float
    is_right: bool


def accuracy(verdicts: Sequence[Verdict]) -> float:
    """Share of right labels, 0 to 1; not a number when there are none."""
    return sum(v.is_right for v in verdicts) / len(verdicts) if verdicts else math.nan


def calibration_error(verdicts: Sequence[Verdict], bins: int = _BINS) -> float:
    """Expected calibration error: mean gap between confidence and hit rate, over bins of equal width, 0 to 1."""
    if not verdicts:
        return math.nan
    groups: list[list[Verdict]] = [[] for _ in range(bins)]
    for verdict in verdicts:
        groups[min(int(verdict.confidence * bins), bins - 1)].append(verdict)
    return sum(abs(_surplus(group)) for group in groups) / len(verdicts)


def coverage(verdicts: Iterable[Verdict], precision: float) -> float:
    """Largest share of messages, taken by falling confidence, of which at least `precision` are right, 0 to 1."""
    ranked = sorted(verdicts, key=lambda v: -v.confidence)
    best = right = 0
    for at, verdict in enumerate(ranked, start=1):
        right += verdict.is_right
        is_border = at == len(ranked) or ranked[at].confidence < verdict.confidence
        if is_border and right >= precision * at:
            best = at
    return best / len(ranked) if ranked else math.nan


def precision_at(verdicts: Iterable[Verdict], least_confidence: float) -> tuple[float, float]:
    """Share of messages at or above a confidence, and how many of those are right, both 0 to 1."""
    taken = list(verdicts)
    sure = [v for v in taken if v.confidence >= least_confidence]
    return (len(sure) / len(taken) if taken else math.nan), accuracy(sure)


def tempered(probabilities: Sequence[float], temperature: float) -> list[float]:
    """Probabilities made flatter (temperature over 1) or sharper (under 1); they still sum to 1."""
    powers = [probability ** (1 / temperature) for probability in probabilities]
    total = sum(powers)
    return [power / total for power in powers]


def _surplus(group: Sequence[Verdict]) -> float:
    """Confidence that a group has too much (or too little: below 0), summed over its members."""
    return sum(v.confidence for v in group) - sum(v.is_right for v in group)
