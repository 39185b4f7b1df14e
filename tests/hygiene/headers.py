#!/usr/bin/env python3
"""Every header compiles alone, with the include roots of its layer. Usage: headers.py BUILD_FOLDER"""

import concurrent.futures
import os
import subprocess
import sys

import tree

COMPILE = [os.environ.get("CXX", "g++"), "-std=c++20", "-fsyntax-only", "-x", "c++", "-",
           "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]


def compile_alone(header, build):
    layer = header.parts[0]
    in_layer = layer in tree.LAYERS
    roots = [f"-I{build}/include/{name}" for name in (tree.layers_below(layer) if in_layer else tree.LAYERS)]
    if header.as_posix() == "runtime/wyvern.hpp":
        include = "<wyvern/wyvern.hpp>"
    elif in_layer:
        include = f"<wyvern/{header}>"
    else:
        include = f'"{header}"'
        roots += ["-I.", "-Itests"]
    roots += ["-isystem", f"{build}/channels/generated"]  # what flatc has made
    # Twice: a header without a guard fails too.
    program = f"#include {include}\n" * 2
    result = subprocess.run(COMPILE + roots, input=program, cwd=tree.ROOT, capture_output=True, text=True, check=False)
    return None if result.returncode == 0 else f"{header} does not compile alone:\n{result.stderr}"


with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    results = list(pool.map(lambda header: compile_alone(header, sys.argv[1]), tree.files(".hpp")))
tree.finish("headers", [result for result in results if result])
