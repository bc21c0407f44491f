"""The company's lists for its guards: read strictly, so that a slip of the pen stops the start and not a guard."""

from pathlib import Path

import pytest

from errors import ConfigError
from knowledge.brand import Brand


def test_a_company_may_leave_every_list_out(tmp_path: Path) -> None:
    """A new company begins with an empty file."""
    (tmp_path / "brand.toml").write_text("", encoding="utf-8")

    assert Brand.load(tmp_path / "brand.toml") == Brand()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('host = ["a.example"]', "host: "),
        ('hosts = ["https://a.example/"]', "hosts / row 1"),
        ('[[promises.never]]\nkind = "Payment"\nfind = ["a"]', "promises / never / row 1 / kind"),
        ('[[competitor]]\nname = "12"', 'competitor / "12" / name'),
        ('[[competitor]]\nname = "Geico"\neveryday = "perhaps"', 'competitor / "Geico" / everyday'),
    ],
)
def test_a_wrong_list_names_file_key_and_remedy(tmp_path: Path, text: str, told: str) -> None:
    """A guard that silently guards nothing is worse than none."""
    path = tmp_path / "brand.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        Brand.load(path)

    assert str(caught.value).startswith(f"{path}: {told}")
