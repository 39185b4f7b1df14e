#!/usr/bin/env python3
"""Each test that the documentation names as the one that holds a promise is there.

Looked at is the last column of every table in which that is called "tests" or "the test": `Suite.case`, `.case` of the suite before, `Suite`,
`name.of_ctest`, each with * for any letters, and files."""

import fnmatch
import re

import tree

CASE = re.compile(r"^(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)", re.MULTILINE)
CTEST = re.compile(r"^\s*(add_test\(NAME |wyvern_add_job_test\()([\w.${}]+)", re.MULTILINE)
LOOP = re.compile(r"\bforeach\((\w+)\s+(?!IN\s+LISTS\b)(?:IN\s+ITEMS\s+)?([^()]*)\)")
VARIABLE = re.compile(r"\$\{(\w+)\}")
QUOTED = re.compile(r"`([^`]+)`")


def names_of_tests():
    found = set()
    for path in tree.files(".cpp"):
        if path.parts[0] == "tests":
            for suite, case in CASE.findall(tree.read(path)):
                found |= {suite, f"{suite}.{case}"}
    for path in tree.files("CMakeLists.txt"):
        for how, name in CTEST.findall(tree.read(path)):
            name = name if "NAME" in how else f"jobs.{name}"
            found |= with_loops_unrolled(name, tree.read(path))
    return found


def with_loops_unrolled(name, text):
    """The names that the file's loops make of one; none if a variable is not a loop's own."""
    variable = VARIABLE.search(name)
    if not variable:
        return {name}
    words = [word for loop, words in LOOP.findall(text) if loop == variable[1] for word in words.split()]
    return {full for word in words for full in with_loops_unrolled(name.replace(variable[0], word), text)}


def rows_with_tests(text):
    """The number and the last cell of each row that names tests."""
    named = False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("|"):
            named = False
            continue
        last = line.strip().strip("|").split("|")[-1]
        if named and not set(last) <= set("-: "):
            yield number, last
        named = named or re.fullmatch(r"(the )?tests?", last.strip()) is not None


def is_there(name):
    if name.endswith((".py", ".cpp")):
        return any(path.as_posix().endswith("/" + name) or path.as_posix() == name for path in FILES)
    return bool(fnmatch.filter(TESTS, name))


FILES = tree.files(".py", ".cpp")
TESTS = names_of_tests()
complaints = []
rows = 0
for document in tree.files(".md"):
    for number, cell in rows_with_tests(tree.read(document)):
        rows += 1
        suite = ""
        names = []
        for name in QUOTED.findall(cell):
            if name.startswith("."):
                name = suite + name
            suite = name.split(".")[0]
            if re.fullmatch(r"[\w.*/]+", name):
                names.append(name)
        complaints += [f"{document}:{number}: there is no test {name}" for name in names if not is_there(name)]
        if not names:
            complaints.append(f"{document}:{number}: no test is named")
if rows == 0:
    complaints.append("no table names tests")
tree.finish("named tests", complaints)
