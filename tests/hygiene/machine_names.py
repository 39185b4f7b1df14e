#!/usr/bin/env python3
"""Nothing in the tree names the machine it was written on, or a server that packages were taken from."""

import re

import tree

# Put together from parts, so that this file passes its own check.
FOLDERS = "|".join(["work", "home", "root"])
HOSTS = "|".join(
    ["registry", "mirror", "artifactory", "nexus", "proxy", "pypi", "npmjs", "docker", "deb.debian"])
PATTERNS = {
    "a path of one machine": re.compile(rf"(?<![\w.~}}/-])/(?:{FOLDERS})/[\w.-]+"),
    "a package server": re.compile(rf"https?://[^\s/]*(?:{HOSTS})[^\s/]*", re.IGNORECASE),
}

complaints = []
for path in tree.files():
    for number, line in enumerate(tree.read(path).splitlines(), 1):
        for what, pattern in PATTERNS.items():
            if found := pattern.search(line):
                complaints.append(f"{path}:{number}: {found.group()} is {what}")
tree.finish("machine names", complaints)
