"""The digest of what a module runs: what it imports counts, how it is laid out does not."""

from pathlib import Path

import pytest

from twinbench.planning import closure

MODULES = {
    "twinbench/__init__.py": "",
    "twinbench/main.py": '"""Run."""\nimport json\nfrom twinbench.tools import saw\nfrom . import late\n\ndef run():\n'
    '    """Run it."""\n    from twinbench.inner.deep import bore\n    return saw, late, bore, json\n',
    "twinbench/late.py": "x = 1\n",
    "twinbench/apart.py": "x = 1\n",
    "twinbench/tools/__init__.py": "from twinbench.tools.saws import cut as saw\nfrom twinbench.tools.other import y\n",
    "twinbench/tools/saws.py": "from ..inner import deep\ncut = deep\n",
    "twinbench/tools/other.py": "y = 1\n",
    "twinbench/inner/__init__.py": "",
    "twinbench/inner/deep.py": "import twinbench.far\nbore = 1\n",
    "twinbench/inner/templates/page.html": "<p>",
    "twinbench/far.py": "z = 1\n",
}


@pytest.fixture
def digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The digest of `main` after some files were written anew."""
    monkeypatch.setattr(closure, "SOURCE", tmp_path)

    def digest(**changes: str) -> dict[str, str]:
        for cached in (closure._read, closure._parse, closure._data_beside):
            cached.cache_clear()
        for name, text in (MODULES | changes).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return closure.code_digests(tmp_path / "twinbench" / "main.py")

    return digest


def test_imports_are_followed_wherever_they_stand_and_only_to_what_they_name(digest) -> None:
    modules = {"main", "late", "tools", "tools.saws", "inner", "inner.deep", "far"}
    expected = {f"twinbench.{name}" for name in modules} | {"twinbench/inner/templates/page.html"}
    assert set(digest()) - {"twinbench"} == expected


@pytest.mark.parametrize("name", ["late.py", "tools/saws.py", "inner/deep.py", "far.py", "inner/templates/page.html"])
def test_a_change_of_what_is_run_changes_the_digest(name: str, digest) -> None:
    before = digest()
    assert digest(**{f"twinbench/{name}": MODULES[f"twinbench/{name}"] + "w = 2\n"}) != before


@pytest.mark.parametrize(
    "name", ["apart.py", "tools/other.py", ".late.py.swp", "late.py~", "late.py.orig", "inner/templates/.DS_Store"]
)
def test_a_change_of_what_is_not_run_leaves_it(name: str, digest) -> None:
    before = digest()
    assert digest(**{f"twinbench/{name}": "w = 2\n"}) == before


def test_comments_docstrings_and_layout_leave_it(digest) -> None:
    before = digest()
    text = MODULES["twinbench/main.py"].replace('"""Run."""', '"""Run all."""\n# A comment.\n')
    text = text.replace('"""Run it."""', '"""Otherwise."""').replace("return saw, late", "return (saw,\n  late")
    assert digest(**{"twinbench/main.py": text.replace("bore, json", "bore, json)")}) == before
