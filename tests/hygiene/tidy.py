#!/usr/bin/env python3
"""clang-tidy on every source. Usage: tidy.py BUILD_FOLDER CLANG_TIDY

A source that was clean is looked at again only when it, a header of ours that it includes, its compile command,
the rules or clang-tidy have changed: a full run takes minutes, the next one seconds, in another clone as well. What was clean is
noted in the user's cache folder."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

import tree

BUILD, CLANG_TIDY = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
COMMANDS = BUILD / "tidy"
STAMPS = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "wyvern" / "tidy"
VERSION = subprocess.run([CLANG_TIDY, "--version"], capture_output=True, text=True, check=True).stdout
RULES = "".join(tree.read(path) for path in tree.files(".clang-tidy"))


def own_header(name):
    """The file behind an include of ours, or None."""
    candidates = [tree.ROOT / "tests" / name, tree.ROOT / name]
    if name.startswith("wyvern/"):
        inside = name.removeprefix("wyvern/")
        candidates = [tree.ROOT / inside, tree.ROOT / "runtime" / inside]
    return next((path for path in candidates if path.is_file()), None)


def with_own_headers(source):
    """The source and all headers of ours that it includes, directly or not."""
    seen, waiting = {source}, [source]
    while waiting:
        for _, name in tree.INCLUDE.findall(tree.read(waiting.pop())):
            header = own_header(name)
            if header and header not in seen:
                seen.add(header)
                waiting.append(header)
    return sorted(seen)


def complaint_about(entry):
    source = pathlib.Path(entry["file"])
    content = "\0".join(tree.read(path) for path in with_own_headers(source))
    command = entry["command"].replace(str(tree.ROOT), "")
    key = hashlib.sha256("\0".join([CLANG_TIDY, VERSION, RULES, command, content]).encode()).hexdigest()
    stamp = STAMPS / key
    if stamp.exists():
        return None
    result = subprocess.run([CLANG_TIDY, "--quiet", "-p", str(COMMANDS), str(source)],
                            capture_output=True, text=True, check=False)
    if result.returncode == 0:
        stamp.touch()
        return None
    return f"{result.stdout}{result.stderr}"


COMMANDS.mkdir(exist_ok=True)
STAMPS.mkdir(parents=True, exist_ok=True)
entries = {}  # by source: those of a layer are compiled with crash points too, but looked at without
for entry in json.loads((BUILD / "compile_commands.json").read_text()):
    source = pathlib.Path(entry["file"])
    if tree.ROOT in source.parents and BUILD not in source.parents:
        # Precompiled headers are the compiler's own, and would hide an include that is missing.
        entry["command"] = re.sub(r"-Winvalid-pch -include \S+", "", entry["command"])
        entries.setdefault(source, entry)
(COMMANDS / "compile_commands.json").write_text(json.dumps(list(entries.values())))
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    tree.finish("clang-tidy", [found for found in pool.map(complaint_about, entries.values()) if found])
