"""The template engine of a self-contained page, and the style sheets and scripts that it holds."""

import base64
import hashlib
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape


def code(text: str) -> Markup:
    """Return a text as markup, with what stands between backticks as code."""
    parts = text.split("`")
    tag = Markup("<code>{}</code>")
    return Markup("").join(tag.format(part) if place % 2 else escape(part) for place, part in enumerate(parts))


def breakable(text: str) -> Markup:
    """Return a text as markup in which long names may break after a slash or an underscore."""
    broken = escape(text)
    for sign in "/_":
        broken = broken.replace(sign, Markup("{}<wbr>").format(sign))
    return broken


def environment(package: str) -> Environment:
    """Return the engine for a package's templates: it escapes every string, and refuses a name that is not there."""
    engine = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.filters |= {"breakable": breakable, "code": code}
    return engine


def asset(package: str, *names: str) -> Markup:
    """Return style sheets or scripts of a package, one below the other."""
    folder = files(package).joinpath("templates")
    texts = [folder.joinpath(name).read_text(encoding="utf-8") for name in names]
    return Markup("".join(texts))  # noqa: S704 # files of this package


def style_sheet(package: str, *names: str) -> Markup:
    """Return the style that all pages share, and that of one page."""
    return asset("twinbench.html", "base.css") + asset(package, *names)


def digest(text: str) -> str:
    """Return what a content security policy calls a script or style sheet by: its SHA-256 in base64."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
