"""Train a multinomial logistic regression on sparse rows, with the standard library only.

Why own code: a thousand short messages need no more, and the usual package costs 270 MB and seconds of start-up.
AdaGrad, one row at a time, rows shuffled with a fixed seed: the same rows always give the same weights.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from operator import mul


@dataclass(frozen=True, slots=True)
class Row:
    """A message as numbers: `values[n]` is the strength of feature `ids[n]`."""

    ids: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Training:
    """How to train.

    Attributes:
        epochs: Times that every row is seen.
        rate: Size of the first step.
        l2: Pull of every weight towards 0.
        settled: Errors below this (a share of 1) are not worth a step; it halves the time.
        seed: Fixes the order of the rows.
    """

    epochs: int = 8
    rate: float = 0.1
    l2: float = 1e-3
    settled: float = 0.01
    seed: int = 1


def train(rows: Sequence[Row], labels: Sequence[int], features: int, how: Training) -> list[list[float]]:
    """Weights by class, then by feature. Rare classes count as much as frequent ones.

    Args:
        rows: Messages as numbers.
        labels: Class of each row, 0 or more; every class up to the highest occurs.
        features: How many features there are; ids are below it.
        how: Epochs, rate and the like.
    """
    counts = Counter(labels)
    shares = [len(rows) / (len(counts) * counts[label]) for label in range(len(counts))]
    weights = [[0.0] * features for _ in counts]
    squares = [[1e-8] * features for _ in counts]
    order = list(range(len(rows)))
    shuffle = random.Random(how.seed).shuffle
    for _ in range(how.epochs):
        shuffle(order)
        for at in order:
            errors = probabilities(weights, rows[at])
            errors[labels[at]] -= 1.0
            for label, error in enumerate(errors):
                if abs(error) > how.settled:
                    _step(weights[label], squares[label], rows[at], error * shares[labels[at]], how)
    return weights


def probabilities(weights: Sequence[Sequence[float]], row: Row) -> list[float]:
    """Probability of each class for a row; they sum to 1."""
    scores = [sum(map(mul, map(column.__getitem__, row.ids), row.values)) for column in weights]
    highest = max(scores)
    powers = [exp(score - highest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def _step(weights: list[float], squares: list[float], row: Row, error: float, how: Training) -> None:
    """Move one class's weights against the error. The hot loop of training: kept flat on purpose."""
    rate, l2 = how.rate, how.l2
    for at, value in zip(row.ids, row.values, strict=True):
        weight = weights[at]
        slope = error * value + l2 * weight
        square = squares[at] = squares[at] + slope * slope
        weights[at] = weight - rate * slope / square**0.5
