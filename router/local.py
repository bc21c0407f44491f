"""Label a message in a millisecond, without network: a classifier trained from the utterances in the prompt files.

Why: it starts the right specialist while Haiku is still thinking, it routes alone when Claude is down, and it is the
whole router on a machine without a key. Trained at start, or when a prompt file changes; a cached model saves the
seconds. Made by `load_or_train`; never changed afterwards, so one is safely shared by all turns and threads.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from knowledge.lexicon import Lexicon
from knowledge.senses import find_senses, senses_fingerprint
from router.features import extract
from router.modelfile import FORMAT, ModelFile, ModelFileError
from router.neighbours import Neighbours
from router.regression import Training, probabilities, train
from router.vocabulary import Vocabulary

FILE_NAME = "local-classifier.json"
"""Name of the model in the cache folder."""

_WEIGHT_DIGITS = 5
_LEAST_INTENTS = 2
_TRAINING = Training()


@dataclass(frozen=True, slots=True)
class Example:
    """A training line.

    Attributes:
        text: What a customer might write.
        intent: The specialist that it belongs to.
        awaiting: Detail that an open quote has asked for, such as "year"; None outside a quote.
    """

    text: str
    intent: str
    awaiting: str | None = None


@dataclass(frozen=True, slots=True)
class LocalLabel:
    """The local classifier's verdict.

    Attributes:
        intent: The most probable intent.
        confidence: Its probability, 0 to 1.
        probabilities: Every intent's probability; they sum to 1.
    """

    intent: str
    confidence: float
    probabilities: Mapping[str, float]


class LocalClassifier:
    """Multinomial logistic regression over words, letters, concepts and the state of the quote."""

    def __init__(
        self,
        *,
        examples: Sequence[Example],
        lexicon: Lexicon,
        intents: Sequence[str],
        vocabulary: Vocabulary,
        weights: Sequence[Sequence[float]],
    ) -> None:
        """Put a trained model together; use `train`, `load` or `load_or_train`."""
        self.intents = tuple(intents)
        self._examples = tuple(examples)
        self._lexicon = lexicon
        self._vocabulary = vocabulary
        self._weights = weights
        find_senses("")  # reads its tables now, so that no message has to wait for them

    @classmethod
    def train(cls, examples: Sequence[Example], lexicon: Lexicon) -> Self:
        """Classifier trained from labelled lines; the same lines in the same order give the same classifier.

        Raises:
            ValueError: The examples have fewer than two intents.
        """
        intents = sorted({example.intent for example in examples})
        if len(intents) < _LEAST_INTENTS:
            raise ValueError(f"the local classifier needs examples of two intents or more, not of {intents}")
        lines = [extract(example.text, example.awaiting, lexicon) for example in examples]
        vocabulary = Vocabulary.learn(lines)
        weights = train(
            [vocabulary.row(line, is_training_line=True) for line in lines],
            [intents.index(example.intent) for example in examples],
            len(vocabulary),
            _TRAINING,
        )
        rounded = [[round(weight, _WEIGHT_DIGITS) for weight in column] for column in weights]
        return cls(
            examples=examples, lexicon=lexicon, intents=intents, vocabulary=vocabulary, weights=rounded
        )

    @classmethod
    def load_or_train(cls, examples: Sequence[Example], lexicon: Lexicon, cache_dir: Path) -> Self:
        """Classifier for these examples: from the cache when it was trained from the same, else trained and cached.

        Args:
            examples: All training lines, in a fixed order.
            lexicon: The concepts.
            cache_dir: Folder for the model's file. A folder that cannot be written to costs time only.
        """
        path = cache_dir / FILE_NAME
        with contextlib.suppress(ModelFileError):
            file = ModelFile.read(path)
            if file.key == _fingerprint(examples, lexicon):
                return cls._from_file(file, lexicon)
        trained = cls.train(examples, lexicon)
        with contextlib.suppress(OSError):
            trained.save(path)
        return trained

    @classmethod
    def load(cls, path: Path) -> Self:
        """Classifier from a file that `save` wrote.

        Raises:
            ModelFileError: The file is missing, cut, changed, of another format or not a model.
        """
        file = ModelFile.read(path)
        phrases = {concept: tuple(listed) for concept, listed in file.lexicon.items()}
        return cls._from_file(file, Lexicon(phrases))

    def save(self, path: Path) -> None:
        """Write the classifier to a file; its folder is made when missing.

        Raises:
            OSError: The place cannot be written to.
        """
        ModelFile(
            key=_fingerprint(self._examples, self._lexicon),
            intents=list(self.intents),
            examples=[(example.text, example.intent, example.awaiting) for example in self._examples],
            lexicon={concept: list(phrases) for concept, phrases in self._lexicon.phrases.items()},
            features={kind: list(names) for kind, names in self._vocabulary.names.items()},
            lines=list(self._vocabulary.lines),
            weights=[list(column) for column in self._weights],
        ).write(path)

    def classify(self, text: str, awaiting: str | None = None) -> LocalLabel:
        """Label of a message; takes about a millisecond, whatever its length.

        Args:
            text: What the customer wrote; the first 600 characters are read.
            awaiting: Detail that an open quote has asked for, such as "year"; None outside a quote.
        """
        row = self._vocabulary.row(extract(text, awaiting, self._lexicon))
        shares = dict(zip(self.intents, probabilities(self._weights, row), strict=True))
        intent = max(shares, key=shares.__getitem__)
        return LocalLabel(intent=intent, confidence=shares[intent], probabilities=shares)

    def closest(self, text: str, n: int) -> list[Example]:
        """The `n` training lines most like a message, the most alike first; fewer when few have anything in common.

        The first call indexes the lines (about 0.15 s for 5,000); only a desk with Claude needs it.
        """
        return [self._examples[at] for at in self._neighbours.nearest(text, n)]

    @cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours([example.text for example in self._examples], self._lexicon)

    @classmethod
    def _from_file(cls, file: ModelFile, lexicon: Lexicon) -> Self:
        return cls(
            examples=[Example(*fields) for fields in file.examples],
            lexicon=lexicon,
            intents=file.intents,
            vocabulary=Vocabulary(names=file.features, lines=file.lines, size=len(file.examples)),
            weights=file.weights,
        )


def _fingerprint(examples: Sequence[Example], lexicon: Lexicon) -> str:
    """Hash of all that decides how the weights come out."""
    lines = [(example.text, example.intent, example.awaiting) for example in examples]
    settings = [FORMAT, repr(_TRAINING), senses_fingerprint()]
    phrases = {concept: list(listed) for concept, listed in lexicon.phrases.items()}
    return hashlib.sha256(json.dumps([settings, lines, phrases]).encode()).hexdigest()
