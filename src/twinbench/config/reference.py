"""The schema, the reference table and the commented defaults, made from the typed model.

`python -m twinbench.config.reference` says which of the files are not what the model gives and exits with 1;
`--write` writes them (`make docs`).
"""

import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from twinbench.config.model import Configuration, Dataset
from twinbench.config.networks import Network
from twinbench.config.section import Section

_BEGIN = "<!-- Made from src/twinbench/config/model.py by `make docs`: change it there. -->\n"
_END = "<!-- End of what `make docs` makes. -->\n"
_HEAD = """\
# The default benchmark: every key with its default, so that this file changes nothing.
# Made from src/twinbench/config/model.py by `make docs`; copy it to begin a configuration of your own.
"""


def schema() -> dict[str, Any]:
    """JSON schema of a configuration file, with descriptions and defaults."""
    made = Configuration.model_json_schema()
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    keys = made["properties"]
    # What the model makes of a text or a single entry, the schema has to be told.
    dataset = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Dataset"}]}
    keys["datasets"]["items"] = dataset
    keys["datasets"]["default"] = [entry["source"] for entry in keys["datasets"]["default"]]
    for key, single in (
        ("datasets", dataset),
        ("architectures", keys["architectures"]["items"]),
        ("suspects", keys["suspects"]["items"]),
    ):
        listed = {name: keys[key].pop(name) for name in ("type", "items", "minItems") if name in keys[key]}
        keys[key]["anyOf"] = [listed, single]
    made["$defs"]["Dataset"]["properties"]["name"].pop("default")
    # YAML reads the word off as false.
    determinism = made["$defs"]["TrainingSection"]["properties"]["determinism"]
    determinism["enum"].append(False)
    del determinism["type"]
    return made


def schema_text() -> str:
    """The schema as it is in `workflow/schemas/config.schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def default_text() -> str:
    """`config/config.yaml`: every key with its default, and its description as a comment."""
    lines = [_HEAD]
    for key, field, default in _keys(Configuration):
        lines += ["\n", *_comment(field["description"], "")]
        if isinstance(default, Section):
            lines.append(f"{key}:\n")
            for inner, inner_field, inner_default in _keys(type(default)):
                lines += _comment(inner_field["description"], "  ")
                lines.append(f"  {inner}: {_plain(inner_default)}\n")
        else:
            lines.append(f"{key}: {_plain(default)}\n")
    return "".join(lines)


def table_text() -> str:
    """The reference tables of `docs/configuration.md`, one for each group of keys."""
    parts = []
    sections: list[tuple[str, type[Section]]] = [("The whole", Configuration), ("`datasets`: each entry", Dataset)]
    sections.append(("`architectures`: each network of your own", Network))
    groups = [(key, default) for key, _, default in _keys(Configuration) if isinstance(default, Section)]
    sections += [(f"`{key}`", type(default)) for key, default in groups]
    for title, section in sections:
        rows = []
        for key, field, default in _keys(section):
            required = section.model_fields[key].is_required()
            missing = required or (section is Dataset and key == "name")
            shown = "" if missing or isinstance(default, Section) else f"`{_plain(default)}`"
            rows.append(f"| `{key}` | {_valid(field)} | {shown} | {field['description'].replace('|', '&#124;')} |\n")
        parts.append(f"### {title}\n\n| key | takes | default | meaning |\n| --- | --- | --- | --- |\n{''.join(rows)}")
    return "\n".join(parts)


def made_files(root: Path) -> dict[Path, str]:
    """Each file that is made from the model, under the repository's `root`, with the text it should have."""
    page = root / "docs" / "configuration.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    return {
        root / "workflow" / "schemas" / "config.schema.json": schema_text(),
        root / "config" / "config.yaml": default_text(),
        page: f"{before}{_BEGIN}\n{table_text()}\n{_END}{after}",
    }


def main(arguments: list[str]) -> int:
    """Write the files (`--write`), or say which are not what the model gives."""
    status = 0
    for path, text in made_files(Path.cwd()).items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if "--write" in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path}")
        else:
            print(f"{path} is not what the model gives: run `make docs`.")
            status = 1
    return status


def _keys(section: type[Section]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Key, JSON schema and default of each key of a section, in the model's order."""
    made = section.model_json_schema()
    for key, field in section.model_fields.items():
        yield key, made["properties"][key], field.get_default()


def _plain(value: Any) -> str:
    """A default as YAML on one line; a dataset by its source."""
    if isinstance(value, list):
        value = [entry.source if isinstance(entry, Dataset) else entry for entry in value]
    text: str = yaml.safe_dump(value, default_flow_style=True, width=1000)
    return text.removesuffix("...\n").strip()


def _comment(description: str, indent: str) -> list[str]:
    return [f"{indent}# {line}\n" for line in textwrap.wrap(description, 110 - len(indent))]


def _valid(field: dict[str, Any]) -> str:
    """What a key takes, in words, from its JSON schema."""
    for choices in (field.get("anyOf"), field.get("oneOf")):
        if choices:
            return " or ".join(_valid(choice) for choice in choices if choice.get("type") != "null")
    if "enum" in field:
        return ", ".join(f"`{word}`" for word in field["enum"])
    if "$ref" in field:
        return "a group of keys"
    kind = field.get("type")
    if kind == "array":
        return f"a list: {_valid(field['items'])}"
    name = {"integer": "a whole number", "number": "a number", "string": "text"}.get(str(kind), "a group of keys")
    bounds = [
        f"{words} {field[bound]:.10g}"
        for bound, words in (
            ("minimum", "at least"),
            ("exclusiveMinimum", "above"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "below"),
        )
        if bound in field
    ]
    return f"{name} {' and '.join(bounds)}".strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
