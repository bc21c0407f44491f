"""Whether the yardstick itself is right."""

import math

import pytest

from router.calibration import Verdict, accuracy, calibration_error, coverage, precision_at, tempered

SURE_AND_RIGHT = [Verdict(1.0, is_right=True)] * 4
HALF_SURE = [Verdict(0.5, is_right=True), Verdict(0.5, is_right=False)]


def test_honest_confidence_has_no_error() -> None:
    """A classifier that is right as often as it says is not reported as off."""
    assert calibration_error(SURE_AND_RIGHT) == 0
    assert calibration_error(HALF_SURE) == 0
    assert calibration_error([Verdict(0.9, is_right=False)] * 3) == pytest.approx(0.9)


def test_accuracy_counts_right_labels() -> None:
    """The share that the table shows is the share of right labels."""
    assert accuracy([*SURE_AND_RIGHT, *HALF_SURE]) == pytest.approx(5 / 6)


def test_coverage_takes_the_surest_first_and_ties_together() -> None:
    """The threshold that is promised can be set: messages of equal confidence go in together."""
    verdicts = [*SURE_AND_RIGHT, *HALF_SURE]

    assert coverage(verdicts, 0.95) == pytest.approx(4 / 6)
    assert coverage(verdicts, 0.8) == 1
    assert coverage([Verdict(0.9, is_right=False)], 0.5) == 0


def test_precision_at_a_threshold() -> None:
    """What "route without Claude from .92 on" would mean can be read off."""
    share, right = precision_at([*SURE_AND_RIGHT, *HALF_SURE], 0.92)

    assert share == pytest.approx(4 / 6)
    assert right == 1


def test_no_messages_have_no_figures() -> None:
    """An empty group shows as not a number instead of as perfect."""
    assert all(
        map(math.isnan, (accuracy([]), calibration_error([]), coverage([], 0.9), *precision_at([], 0.9)))
    )


def test_temperature_flattens_and_sharpens() -> None:
    """A probability can be corrected without changing the label."""
    assert tempered([0.8, 0.2], 1) == pytest.approx([0.8, 0.2])
    assert tempered([0.8, 0.2], 2)[0] == pytest.approx(2 / 3)
    assert tempered([0.8, 0.2], 0.5)[0] == pytest.approx(16 / 17)
