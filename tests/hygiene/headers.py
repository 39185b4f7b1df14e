#!/usr/bin/env python3
"""Every header compiles alone, with the include roots of its layer. Usage: headers.py BUILD_FOLDER"""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

import tree

COMPILE = [os.environ.get("CXX", "g++"), "-std=c++20", "-O0", "-c",
           "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
# What has compiled need not be compiled again, here or in another clone; see cmake/development.cmake.
CACHE = ["ccache"] if shutil.which("ccache") else []
ENVIRONMENT = os.environ | {"CCACHE_BASEDIR": str(tree.ROOT), "CCACHE_NOHASHDIR": "1",
                            "CCACHE_SLOPPINESS": "include_file_mtime,include_file_ctime"}


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
    program = pathlib.Path(build, "headers", str(header).replace("/", "_") + ".cpp")
    # Twice: a header without a guard fails too.
    (tree.ROOT / program).write_text(f"#include {include}\n" * 2)
    result = subprocess.run(CACHE + COMPILE + roots + [str(program), "-o", str(program.with_suffix(".o"))],
                            cwd=tree.ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    return None if result.returncode == 0 else f"{header} does not compile alone:\n{result.stderr}"


pathlib.Path(tree.ROOT, sys.argv[1], "headers").mkdir(exist_ok=True)
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    results = list(pool.map(lambda header: compile_alone(header, sys.argv[1]), tree.files(".hpp")))
tree.finish("headers", [result for result in results if result])
