#!/usr/bin/env python3
"""Includes go down the layers only, by their full name; private dependencies stay private."""

import tree

# Who may include a third-party library: a folder, or all sources but no header.
ONLY_IN = {"rdma/": "transport/", "CLI/": "runtime/launcher/"}
NOT_IN_HEADERS = ("fmt/",)


def complaint_about(path, layer, bracket, name):
    if bracket == '"':
        return f'include "{name}" by its full name, <wyvern/...>: a relative one would pass by the layers'
    if name.startswith("wyvern/"):
        included = name.split("/")[1]
        allowed = tree.layers_below(layer)
        return None if included in allowed else f"{layer} may include {', '.join(allowed)}, not <{name}>"
    for prefix, folder in ONLY_IN.items():
        if name.startswith(prefix) and not path.as_posix().startswith(folder):
            return f"<{name}> belongs into {folder} only"
    if path.suffix == ".hpp" and name.startswith(NOT_IN_HEADERS):
        return f"<{name}> is a private dependency: include it in a .cpp file"
    return None


complaints = []
for path in tree.files(".cpp", ".hpp"):
    layer = path.parts[0]
    if layer not in tree.LAYERS or path.as_posix() == "runtime/wyvern.hpp":
        continue
    for bracket, name in tree.INCLUDE.findall(tree.read(path)):
        if found := complaint_about(path, layer, bracket, name):
            complaints.append(f"{path}: {found}")
tree.finish("layering", complaints)
