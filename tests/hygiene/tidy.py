#!/usr/bin/env python3
"""clang-tidy on every source. Usage: tidy.py BUILD_FOLDER CLANG_TIDY

A source that was clean is looked at again only when it, a header of ours that it includes, its compile command,
the rules or clang-tidy have changed: a full run takes minutes, the next one seconds, in another clone as well. What was clean is
noted in the user's cache folder."""

import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import tree

BUILD, CLANG_TIDY = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
COMMANDS = BUILD / "tidy"
STAMPS = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "wyvern" / "tidy"
VERSION = subprocess.run([CLANG_TIDY, "--version"], capture_output=True, text=True, check=True).stdout
MOST_TOGETHER = 8
# As in .clang-tidy, and sources that are included.
OWN_FILES = f"/(wyvern/(core|transport|channels|runtime)|tests|examples|bench)/|^{tree.ROOT}/(core|transport|channels|runtime)/"
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


def stamp_of(entry):
    content = "\0".join(tree.read(path) for path in with_own_headers(pathlib.Path(entry["file"])))
    command = entry["command"].replace(str(tree.ROOT), "")
    key = hashlib.sha256("\0".join([CLANG_TIDY, VERSION, RULES, command, content]).encode()).hexdigest()
    return STAMPS / key


def run(folder, source):
    result = subprocess.run([CLANG_TIDY, "--quiet", "-p", str(folder), str(source), f"--header-filter={OWN_FILES}"],
                            capture_output=True, text=True, check=False)
    return None if result.returncode == 0 else f"{result.stdout}{result.stderr}"


def complaints_about(entries):
    """What is wrong with these sources of one program. Several are looked at as one, in which the headers that they
    share are there once: most of the time goes into those. Where that finds something, or cannot be compiled, each
    is looked at alone in the end."""
    if len(entries) == 1:
        complaint = run(COMMANDS, entries[0]["file"])
    else:
        with tempfile.TemporaryDirectory(dir=COMMANDS) as folder:
            together = pathlib.Path(folder) / "together.cpp"
            together.write_text("".join(f'#include "{entry["file"]}"  // NOLINT(bugprone-suspicious-include)\n' for entry in entries))
            command = entries[0]["command"].replace(entries[0]["file"], str(together))
            (pathlib.Path(folder) / "compile_commands.json").write_text(
                json.dumps([entries[0] | {"file": str(together), "command": command}]))
            complaint = run(folder, together)
    if complaint and len(entries) > 1:
        middle = len(entries) // 2
        return complaints_about(entries[:middle]) + complaints_about(entries[middle:])
    if complaint:
        return [complaint]
    for entry in entries:
        stamp_of(entry).touch()
    return []


def in_groups(entries):
    """Those that are not known to be clean, some of one program at a time."""
    programs = collections.defaultdict(list)
    for entry in entries:
        if not stamp_of(entry).exists():
            # All but the names of its files; the folder of the object file is that of the program.
            options = re.sub(r" -c \S+", "", re.sub(r" -o (\S+\.dir/)\S+", r" \1", entry["command"]))
            programs[options].append(entry)
    return [sources[i:i + MOST_TOGETHER] for sources in programs.values() for i in range(0, len(sources), MOST_TOGETHER)]


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
    complaints = pool.map(complaints_about, in_groups(entries.values()))
    tree.finish("clang-tidy", [complaint for found in complaints for complaint in found])
