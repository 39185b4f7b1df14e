#!/usr/bin/env python3
"""A file that passes about 400 lines is two files; at 600 that is no longer a matter of taste."""

import tree

WARN_ABOVE = 400
FAIL_ABOVE = 600
# Not the model: its mutants stand beside the statements that they change.
CODE = (".cpp", ".hpp", ".py", ".sh", ".cmake", "CMakeLists.txt", "dev", "run")

too_long = []
for path in tree.files(*CODE):
    lines = tree.read(path).count("\n")
    if lines > FAIL_ABOVE:
        too_long.append(f"{path}: {lines} lines, more than {FAIL_ABOVE}: split it")
    elif lines > WARN_ABOVE:
        print(f"{path}: {lines} lines, more than {WARN_ABOVE}: consider splitting it (not an error)")
tree.finish("file length", too_long)
