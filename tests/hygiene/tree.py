"""What the hygiene checks know about the tree: its files, and its layers from the bottom up."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAYERS = ["core", "transport", "channels", "runtime"]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def files(*endings):
    """Every file that git tracks or would track, with one of the endings, as paths relative to the root."""
    # safe.directory: the tree may be mounted into a container and belong to somebody else.
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z",
         "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return sorted(pathlib.Path(name) for name in listed
                  if name and name.endswith(endings or ("",)) and (ROOT / name).is_file())


def read(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def layers_below(layer):
    """The layer itself and everything it may include."""
    return LAYERS[:LAYERS.index(layer) + 1]


def finish(check, complaints):
    """Reports the complaints of a check and ends it."""
    for complaint in complaints:
        print(complaint)
    sys.exit(f"{check}: {len(complaints)} to mend" if complaints else 0)
