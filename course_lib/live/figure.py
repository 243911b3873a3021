"""A live figure: there to touch in a notebook of one's own, and in the pipeline a picture that the site brings to life.

Figures are ES modules, ``course_lib/live/*.js``, that need nothing else. The site serves them as files. Colab and
Jupyter get them, and the data they read, inside the cell's output.
"""

import html
import json
import os
import re
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

FOLDER = Path(__file__).parent
STILLS = FOLDER / "stills"
METADATA = "course/live"  # of an output: the figure whose picture it is; pairs keep keys with a slash
_IMPORT = re.compile(r'(?<=from )"\./([\w-]+)\.js"')

# In place of a server: each module becomes an address inside the page, those that it imports first.
_INLINE = """<figure id="{key}" style="max-width: 760px; margin: 0">
<div><img src="data:image/png;base64,{still}" alt="{alt}" style="max-width: 100%"></div>
<figcaption>{caption}</figcaption></figure>
<script>(() => {{
  const sources = {sources}, files = {files}, addresses = {{}};
  for (const [name, source] of Object.entries(sources)) {{
    const linked = source.replace(/(?<=from )"\\.\\/([\\w-]+)\\.js"/g, (_, other) => JSON.stringify(addresses[other]));
    addresses[name] = URL.createObjectURL(new Blob([linked], {{ type: "text/javascript" }}));
  }}
  const place = document.getElementById("{key}").querySelector("div");
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  import(addresses.frame).then(({{ mount }}) => mount(place, "{name}", {{
    load: async (file) => bytes(files[file]), module: (name) => addresses[name], options: {options},
  }}));
}})()</script>"""


@dataclass(frozen=True)
class LiveFigure:
    """What a cell shows: the figure ``name``, a ``caption``, the ``alt`` text of its picture, and settings.

    ``files`` are those that the figure loads when it starts, ``modules`` other modules that it starts itself, such as a
    worker's.
    """

    name: str
    caption: str
    alt: str
    files: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    modules: tuple[str, ...] = ()

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        data = {"image/png": b64encode(still(self.name)).decode(), "text/plain": self.alt}
        if os.environ.get("COURSE_STILL"):  # the pipeline draws this cell
            about = {"name": self.name, "caption": self.caption, "alt": self.alt, "options": self.options}
            return data, {METADATA: about}
        return data | {"text/html": self.to_html()}, {}

    def to_html(self) -> str:
        """The figure with all it needs, for a page of its own or a notebook's output."""
        from course_lib.live.files import read_file

        return _INLINE.format(
            key=f"live-{uuid4().hex}",
            name=self.name,
            still=b64encode(still(self.name)).decode(),
            alt=html.escape(self.alt),
            caption=html.escape(self.caption),
            sources=_in_script(
                {name: (FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in self.needed_modules()}
            ),
            files=_in_script({file: b64encode(read_file(file)).decode() for file in self.files}),
            options=_in_script(self.options),
        )

    def needed_modules(self) -> list[str]:
        """The modules of this figure, each behind those that it imports."""
        needed: list[str] = []

        def add(name: str) -> None:
            for other in _IMPORT.findall((FOLDER / f"{name}.js").read_text(encoding="utf-8")):
                add(other)
            if name not in needed:
                needed.append(name)

        for name in ("frame", *self.modules, self.name):
            add(name)
        return needed


def still(name: str, narrow: bool = False) -> bytes:
    """A picture of the figure as it starts, a PNG: at 720 or, narrow, 340 pixels of width."""
    file = STILLS / f"{name}{'-narrow' * narrow}.png"
    return file.read_bytes() if file.exists() else b""  # a new figure has none until `course live` takes it


def _in_script(value: Any) -> str:
    """JSON that cannot end a script element."""
    return json.dumps(value).replace("</", "<\\/").replace("<!--", "<\\!--")
