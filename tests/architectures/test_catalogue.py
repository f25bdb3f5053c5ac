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


_IMPORT = "from twinbench.architectures.declaration import lookalike, reference, twin\n"
_HEAD = f'{_IMPORT}TASK = "classify"\n@reference\ndef a(s, c): pass\n'  # four lines
_WRONG = {
    "a task that there is not": ("TASK = 'sort'", ["TASK is 'sort'", "'classify', 'regress' or 'reconstruct'"]),
    "a task that is no literal": ("KIND = 'classify'\nTASK = KIND", ["TASK is KIND, which is no literal"]),
    "no task": (f"{_IMPORT}@reference\ndef a(s, c): pass", ["sets no TASK", 'add TASK = "classify"']),
    "an annotated task": ("TASK: str = 'sort'", ["TASK is 'sort'"]),
    "no reference": ("TASK = 'classify'", ["exactly one function with @reference, not 0"]),
    "a compiler": ("TASK = 'classify'\nCOMPILER = 'gcc'", ["COMPILER is 'gcc'"]),
    "no epochs": ("TASK = 'classify'\nRECIPE = {'epochs': 0}", ["mine.py: RECIPE['epochs'] is 0"]),
    "no key of a recipe": ("TASK = 'classify'\nRECIPE = {'rate': 1}", ["RECIPE['rate'] is 1", "epochs, batch_size, "]),
    "an optimiser": ("TASK = 'classify'\nRECIPE = {'optimizer': 'adadelt'}", ["is 'adadelt'", "'adadelta'"]),
    "a computed recipe": ("TASK = 'classify'\nRECIPE = dict(epochs=3)", ["RECIPE is dict(epochs=3)", "a literal"]),
    "a score in words": ("TASK = 'classify'\nPUBLISHED = '98.4 %'", ["PUBLISHED is '98.4 %'", "a score in points"]),
    "a score that there is not": ("TASK = 'classify'\nPUBLISHED = 9840", ["PUBLISHED is 9840"]),
    "no truth value": ("TASK = 'classify'\nDEFAULT: bool = not 1", ["DEFAULT is not 1, which", "True or False"]),
    "no literal in a mark": (
        f"{_HEAD}X = 'function'\n@lookalike(differs=X)\ndef b(s, c): pass",
        ["mine.py:6:", "literal keyword arguments only", '@lookalike(differs="function")'],
    ),
    "a bare lookalike": (f"{_HEAD}@lookalike\ndef b(s, c): pass", ["mine.py:5:", '@lookalike(differs="function")']),
    "an empty lookalike": (f"{_HEAD}@lookalike()\ndef b(s, c): pass", ["mine.py:5:", "takes differs"]),
    "a lookalike by position": (f"{_HEAD}@lookalike('function')\ndef b(s, c): pass", ["mine.py:5:", "takes differs"]),
    "an unknown argument": (
        f"{_HEAD}@lookalike(differ='function')\ndef b(s, c): pass",
        ["mine.py:5:", "takes differs"],
    ),
    "an unknown difference": (
        f"{_HEAD}@lookalike(differs='functoin')\ndef b(s, c): pass",
        ["mine.py:5:", "'functoin'", "did you mean 'function'?"],
    ),
    "a called twin": (f"{_HEAD}@twin()\ndef b(s, c): pass", ["mine.py:5:", "@twin without parentheses"]),
    "a misspelt mark": (f"{_HEAD}@twinn\ndef b(s, c): pass", ["mine.py:5:", "no mark @twinn", "did you mean 'twin'?"]),
    "a mark that is not imported": (
        "TASK = 'classify'\n@reference\ndef a(s, c): pass",
        ["mine.py:2:", "@reference is not imported"],
    ),
    "an import of a misspelt mark": (
        "from twinbench.architectures.declaration import refrence\nTASK = 'classify'",
        ["mine.py:1:", "'refrence'", "did you mean 'reference'?"],
    ),
    "an import of nothing": (f"{_HEAD}import kerras", ["mine.py:5:", "no module 'kerras'"]),
    "an import of no neighbour": (f"{_HEAD}from .nobody import x", ["mine.py:5:", "architectures.nobody"]),
    "two of one name": (f"{_HEAD}@twin\ndef a(s, c): pass", ["mine.py:6:", "'a' is already", "line 4", "another name"]),
    "a marked class": (f"{_HEAD}@twin\nclass B: pass", ["mine.py:6:", "'B' is no plain function"]),
    "two marks": (f"{_HEAD}@twin\n@lookalike(differs='function')\ndef b(s, c): pass", ["'b' has 2 marks"]),
    "a syntax error": ("TASK = 'classify'\ndef a(:", ["mine.py:2: "]),
    "another encoding": (b"TASK = 'classify' # r\xe9seau", ["mine.py is not text in UTF-8"]),
    "a null byte": (b"TASK = 'classify'\0", ["mine.py", "null bytes"]),
}


@pytest.mark.parametrize(("text", "words"), _WRONG.values(), ids=_WRONG)
def test_a_wrong_declaration_is_named_with_its_file(tmp_path: Path, text: str | bytes, words: list[str]) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError) as caught:
        catalogue.read_file(path)
    for word in (str(path), *words):
        assert word in str(caught.value)


def test_a_declaration_may_be_annotated_and_its_marks_named_in_full(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "import functools\nfrom twinbench.architectures import declaration\nTASK: str = 'classify'\n"
        "@functools.cache\ndef size(): pass\n@declaration.reference\ndef a(s, c): pass\n"
        "@declaration.lookalike(differs='function')\ndef b(s, c): pass\n"
    )
    found = catalogue.read_file(path)
    assert found is not None
    assert [(variant.name, variant.kind, variant.differs) for variant in found.variants] == [
        ("a", "reference", None),
        ("b", "lookalike", "function"),
    ]


def test_a_new_file_with_a_reference_is_a_new_architecture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny.py").write_text(
        f'"""A tiny one."""\n{_IMPORT}TASK = "classify"\n@twin\ndef other(s, c):\n    """Second."""\n'
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
