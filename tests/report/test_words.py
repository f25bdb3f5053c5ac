"""One way to say a thing: words that were given up for plain ones are nowhere, in the sources or in what comes out."""

import re
import subprocess
from pathlib import Path

import pytest
from click import Group
from click.testing import CliRunner

from twinbench.cli import main

_ROOT = Path(__file__).resolve().parents[2]
_GIVEN_UP = re.compile(
    r"\b(mend(s|ed|ing)?\b|sequential less functional|in the middle of \d+ twins|inside the noise|in truth\b"
    r"|not told from (zero|noise)|runs on no batch|not to blame|keyed by all that|a shape that is none"
    r"|what is told is|not after (\w+'s )?correction|noticed, and)",
    re.IGNORECASE,
)
# Where a sentence in the code goes on in the next literal.
_JOINT = re.compile(r'"\s*\n\s*[fr]{0,2}"')
# This list itself.
_EXCEPTIONS = {"tests/report/test_words.py"}
_TEXT = {".py", ".md", ".smk", ".rst", ".yaml", ".yml", ".toml", ".j2", ".js", ".css", ".cff", ".json", ".sh", ""}


def _given_up(text: str) -> list[str]:
    return [match.group() for match in _GIVEN_UP.finditer(" ".join(_JOINT.sub("", text).split()))]


def test_no_file_of_the_repository_holds_a_word_that_was_given_up() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=_ROOT, check=True, capture_output=True, text=True).stdout
    paths = [path for path in listed.splitlines() if path not in _EXCEPTIONS and Path(path).suffix in _TEXT]
    assert len(paths) > 100
    found = {}
    for path in paths:
        if (_ROOT / path).is_file() and (words := _given_up((_ROOT / path).read_text(encoding="utf-8"))):
            found[path] = words
    assert found == {}


def test_no_help_of_a_command_holds_a_word_that_was_given_up_and_each_says_what_it_is_for() -> None:
    assert isinstance(main, Group)
    for name in main.commands:
        shown = CliRunner().invoke(main, [name, "--help"]).output
        assert _given_up(shown) == [], name


@pytest.mark.parametrize(
    "said",
    ["what would mend it", "Sequential less\nFunctional", "9 inside the noise", 'f"{name}, in tru"\n    f"th {score}"'],
)
def test_the_search_finds_what_it_searches_for(said: str) -> None:
    assert _given_up(said)


def test_the_page_of_the_benchmark_holds_no_word_that_was_given_up(crowded_page: Path) -> None:
    assert _given_up(crowded_page.read_text(encoding="utf-8")) == []


def test_the_help_of_every_command_ends_with_an_example() -> None:
    assert isinstance(main, Group)
    commands = [[name] for name in main.commands]
    store = main.commands["store"]
    assert isinstance(store, Group)
    commands += [["store", name] for name in store.commands]
    for command in commands:
        shown = " ".join(CliRunner().invoke(main, [*command, "--help"]).output.split())
        assert f"Example: twinbench {' '.join(command)}" in shown, command


def test_the_list_of_commands_cuts_no_summary() -> None:
    _, _, commands = CliRunner().invoke(main, ["--help"]).output.partition("Commands:")
    assert commands
    assert "..." not in commands
