#!/usr/bin/env python3
"""Code in the documentation comes from examples that are compiled, and error texts from the sources.

A code block after the line `<!-- from examples/hello.cpp -->` must be a contiguous part of that file. A heading of docs/faq.md
in backticks must be a text of the library or the command, in which `…` stands for what is put in."""

import re

import tree

MARK = re.compile(r"^<!-- from (\S+) -->[ \t]*\n", re.MULTILINE)
BLOCK = re.compile(r"\s*```\w*[ \t]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
ERRORS = "docs/faq.md"
ERROR = re.compile(r"^### (`+) ?(.*?) ?\1$", re.MULTILINE)


def texts_of_sources():
    """All sources, with the parts of one text put together."""
    sources = [tree.read(path) for path in tree.files(".cpp", ".hpp") if path.parts[0] in tree.LAYERS]
    return re.sub(r'(?<!\\)"\s*"', "", "\n".join(sources))


def complaints_about_errors():
    errors = [found.group(2) for found in ERROR.finditer(tree.read(ERRORS))]
    headings = tree.read(ERRORS).count("\n### ")
    texts = texts_of_sources()
    if not errors or len(errors) != headings:
        yield f"{ERRORS}: {headings - len(errors)} of {headings} headings are no texts in backticks"
    for error in errors:
        # Where one sentence ends and the next begins, the sources may choose between several.
        parts = [part.strip() for part in re.split("…|[;:] ", error)]
        # A few letters between two places are everywhere.
        parts = [part for part in parts if len(part) >= 5 or part == error]
        missing = [part for part in parts if part not in texts]
        if missing or not parts:
            yield f'{ERRORS}: "{error}": no source says "{missing[0] if missing else error}"'


complaints = list(complaints_about_errors())
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
