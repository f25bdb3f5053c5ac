"""docs/architecture.md draws the imports that there are, and names files that there are."""

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "twinbench"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS = {folder.name for folder in SOURCE.iterdir() if (folder / "__init__.py").is_file()}


def imports() -> dict[str, set[str]]:
    """The rooms that each room imports from."""
    rooms: dict[str, set[str]] = defaultdict(set)
    for path in SOURCE.glob("*/**/*.py"):
        room = path.relative_to(SOURCE).parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("twinbench."):
                rooms[room] |= {(node.module or "").split(".")[1]} & ROOMS - {room}
    return rooms


def arrows() -> dict[str, set[str]]:
    """The arrows of the first diagram."""
    drawn: dict[str, set[str]] = defaultdict(set)
    diagram = re.sub(r'\["[^"]*"\]', "", PAGE.split("```mermaid")[1].split("```")[0])
    for start, ends in re.findall(r"(\w+) --> ([\w &]+)", diagram):
        drawn[start] |= set(ends.split(" & "))
    return drawn


def reached(room: str, drawn: dict[str, set[str]]) -> set[str]:
    return {end for near in drawn.get(room, ()) for end in {near, *reached(near, drawn)}}


def test_the_diagram_shows_every_import_between_rooms_and_no_arrow_without_one() -> None:
    drawn, real = arrows(), imports()
    assert {room: ends - reached(room, drawn) for room, ends in real.items() if ends - reached(room, drawn)} == {}
    assert {room: ends - real[room] for room, ends in drawn.items() if ends - real[room]} == {}


def test_the_page_has_every_room_and_names_files_that_exist() -> None:
    table, _, rest = PAGE.split("| room |")[1].partition("\n\n")
    rows = dict(re.findall(r"^\| `(\w+)/` \|.*\| (.*) \|$", table, re.MULTILINE))
    assert rows.keys() == ROOMS
    named = [f"{room}/{name}" for room, names in rows.items() for name in re.findall(r"`([\w/]+(?:\.py|/))`", names)]
    named += re.findall(r"`(\w+/[\w/]+\.py)`", rest)
    named += [f"{room}/{name}.py" for room, name in re.findall(r"(?<!/)\b(\w+)\.(\w+)\b", rest) if room in ROOMS]
    assert [name for name in named if not (SOURCE / name).exists()] == []


def test_the_functions_that_the_page_names_are_in_the_files_that_it_names_with_them() -> None:
    named = re.findall(r"`(\w+/[\w/]+\.py)`:\s`(\w+)`", PAGE)
    assert len(named) >= 10
    defined = {
        path: set(
            re.findall(r"^(?:class |def |    def )?(\w+)", (SOURCE / path).read_text(encoding="utf-8"), re.MULTILINE)
        )
        for path, _ in named
    }
    assert [(path, name) for path, name in named if name not in defined[path]] == []
