"""The catalogue reads the architecture files without importing them."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from twinbench.architectures import architectures, catalogue, suspects
from twinbench.errors import ConfigurationError


def test_every_architecture_has_one_reference_first_and_a_sentence_for_every_variant() -> None:
    assert list(architectures()) == sorted(architectures())
    for architecture in architectures().values():
        kinds = [variant.kind for variant in architecture.variants]
        assert kinds[0] == "reference"
        assert kinds.count("reference") == 1
        assert architecture.sentence
        assert all(variant.sentence for variant in architecture.variants)
        assert all(v.differs in ("function", "initial weights") for v in architecture.variants if v.kind == "lookalike")


def test_the_catalogue_and_the_imported_files_name_the_same_functions() -> None:
    for variant in [*(v for a in architectures().values() for v in a.variants), *suspects()]:
        module = importlib.import_module(f"twinbench.architectures.{variant.path.stem}")
        assert callable(getattr(module, variant.name))


def test_listing_what_there_is_imports_no_tensorflow() -> None:
    program = (
        "import sys; from twinbench.architectures import architectures, suspects\n"
        "assert architectures() and suspects()\n"
        "[variant.digest for variant in suspects()]\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TASK = 'sort'", "TASK is 'sort'"),
        ("TASK = 'classify'", "exactly one function with @reference, not 0"),
        ("TASK = 'classify'\nCOMPILER = 'gcc'", "COMPILER is 'gcc'"),
        (
            "TASK = 'classify'\nX = 'function'\n@reference\ndef a(): pass\n@lookalike(differs=X)\ndef b(): pass",
            "literal keyword arguments only",
        ),
        ("TASK = 'classify'\ndef a(:", "mine.py:2: "),
    ],
)
def test_a_wrong_declaration_is_named_with_its_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        catalogue._read(path)
    assert "mine.py" in str(caught.value)


def test_a_new_file_with_a_reference_is_a_new_architecture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny.py").write_text(
        '"""A tiny one."""\nTASK = "classify"\n@twin\ndef other(s, c):\n    """Second."""\n'
        '@reference\ndef first(s, c):\n    """First."""\n'
    )
    (tmp_path / "no_architecture.py").write_text("ANSWER = 42\n")
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    found = catalogue.architectures.__wrapped__()
    assert list(found) == ["tiny"]
    assert [(v.name, v.kind, v.sentence) for v in found["tiny"].variants] == [
        ("first", "reference", "First."),
        ("other", "twin", "Second."),
    ]
