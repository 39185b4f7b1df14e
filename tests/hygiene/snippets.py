#!/usr/bin/env python3
"""Code in the documentation comes from examples that are compiled.

A code block after the line `<!-- from examples/hello.cpp -->` must be a contiguous part of that file."""

import re

import tree

MARK = re.compile(r"^<!-- from (\S+) -->[ \t]*\n", re.MULTILINE)
BLOCK = re.compile(r"\s*```\w*[ \t]*\n(.*?)^```", re.MULTILINE | re.DOTALL)

complaints = []
for document in tree.files(".md"):
    text = tree.read(document)
    for mark in MARK.finditer(text):
        place = f"{document}:{text.count(chr(10), 0, mark.start()) + 1}"
        source = mark.group(1)
        block = BLOCK.match(text, mark.end())
        if not source.startswith("examples/") or not (tree.ROOT / source).is_file():
            complaints.append(f"{place}: {source} is not a file in examples/")
        elif not block:
            complaints.append(f"{place}: no code block follows the mark")
        elif "\n" + block.group(1) not in "\n" + tree.read(source):
            complaints.append(f"{place}: the block is not a part of {source}; copy it from there again")
tree.finish("snippets", complaints)
