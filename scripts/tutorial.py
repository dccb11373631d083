"""Make the pictures of the tutorial by running the code of its page.

Run it as ``python scripts/tutorial.py [FOLDER]``; without a folder it writes
docs/images/tutorial.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"


def main() -> None:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "images" / "tutorial"
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S))
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        exec(compile(code, "tutorial.md", "exec"), {})
        for picture in Path(folder).glob("*.png"):
            shutil.copy(picture, out / picture.name)
            print(out / picture.name)


if __name__ == "__main__":
    main()
