"""A model's file is whole, ours and of this format, or it is refused."""

import hashlib
import json
from pathlib import Path

import pytest

from router.modelfile import ModelFile, ModelFileError

MODEL = ModelFile(
    key="abc",
    intents=["greeting", "quote"],
    examples=[("hi", "greeting", None), ("2019", "quote", "year")],
    lexicon={"greeting": ["hi"]},
    features={"words": ["hi"], "letters": [], "senses": [], "signs": ["digits"]},
    lines=[1, 1],
    weights=[[0.5, -0.5], [-0.5, 0.5]],
)
FIELDS = json.loads(MODEL.model_dump_json())


def _with_digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _changed(**fields: object) -> bytes:
    return _with_digest(json.dumps(FIELDS | fields).encode())


def test_a_file_comes_back_as_it_was(tmp_path: Path) -> None:
    """What was learnt is what is used."""
    MODEL.write(tmp_path / "deep" / "model.json")

    assert ModelFile.read(tmp_path / "deep" / "model.json") == MODEL
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["model.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04K\x01.",
        _changed()[:-1],
        _changed().replace(b"quote", b"quota"),
        _with_digest(b"{}"),
        _with_digest(b"[not json"),
        _changed(format=0),
        _changed(lines=[1]),
        _changed(weights=[[0.5, 0.5]]),
        _changed(weights=[[0.5, float("nan")], [0.5, 0.5]]),
        _changed(features={"words": ["hi", "you"]}),
        _changed(extra=1),
    ],
    ids=[
        "empty",
        "pickle",
        "cut",
        "changed",
        "no fields",
        "no JSON",
        "other format",
        "too few lines",
        "too few weights",
        "no number",
        "missing kinds",
        "unknown field",
    ],
)
def test_anything_else_is_refused(content: bytes, tmp_path: Path) -> None:
    """A half-written or foreign file never labels a customer's message."""
    (tmp_path / "model.json").write_bytes(content)

    with pytest.raises(ModelFileError, match=r"^model\.json: "):
        ModelFile.read(tmp_path / "model.json")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A first start is told apart from a broken disk by the message."""
    with pytest.raises(ModelFileError, match="No such file"):
        ModelFile.read(tmp_path / "model.json")


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    """A full or read-only disk does not fill with half models."""
    (tmp_path / "model.json").mkdir()

    with pytest.raises(OSError, match="directory"):
        MODEL.write(tmp_path / "model.json")
    assert [file.name for file in tmp_path.iterdir()] == ["model.json"]
