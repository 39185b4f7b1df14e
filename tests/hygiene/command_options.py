#!/usr/bin/env python3
"""What the command has is what its man page, its documentation and its completions say.

Usage: command_options.py COMMAND"""

import re
import subprocess
import sys

import tree

PAGES = ["docs/wyvern.1", "docs/command.md"]
COMPLETIONS = ["runtime/launcher/completion/wyvern.bash", "runtime/launcher/completion/wyvern.zsh"]
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def help_of(*command):
    return subprocess.run([sys.argv[1], *command, "--help"], check=True, capture_output=True, text=True).stdout


def options_of(*command):
    """As the list of options names them, not the text around it."""
    lines = help_of(*command).splitlines()
    return {found for line in lines if line.startswith("  -") for found in OPTION.findall(line[:30])}


def completed(words):
    """What bash offers for the last of the words."""
    script = f"""source {tree.ROOT / COMPLETIONS[0]}
COMP_WORDS=({' '.join(f"'{word}'" for word in words)}); COMP_CWORD={len(words) - 1}
_wyvern; printf '%s\\n' "${{COMPREPLY[@]}}\""""
    return set(subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True).stdout.split())


commands = re.findall(r"^  ([a-z]+) {4,}", help_of().split("Subcommands:")[1], re.MULTILINE)
complaints = [] if "run" in commands else ["the help lists no commands"]
known = options_of()
for command in commands:
    options = options_of(command)
    known |= options
    for page in PAGES:
        text = tree.read(page).replace("\\-", "-")
        complaints += [f"{page}: nothing about {option} of wyvern {command}" for option in sorted(options)
                       if option not in OPTION.findall(text)]
        if f"wyvern {command}" not in text:
            complaints.append(f"{page}: nothing about wyvern {command}")
    if completed(["wyvern", command, "--"]) != options:
        complaints.append(f"{COMPLETIONS[0]}: wyvern {command} has {sorted(options)}")
    zsh = re.search(rf"^    {command}\)\n(.*?);;", tree.read(COMPLETIONS[1]), re.MULTILINE | re.DOTALL)
    shared = re.search(r"local -a shared=\((.*?)\)\n\n", tree.read(COMPLETIONS[1]), re.DOTALL)
    offered = zsh.group(1) + (shared.group(1) if "$shared" in zsh.group(1) else "") if zsh else ""
    if set(OPTION.findall(offered)) != options:
        complaints.append(f"{COMPLETIONS[1]}: wyvern {command} has {sorted(options)}")
if not set(commands) <= completed(["wyvern", ""]):
    complaints.append(f"{COMPLETIONS[0]}: there are the commands {commands}")
for page in [*PAGES, *COMPLETIONS]:
    named = set(OPTION.findall(tree.read(page).replace("\\-", "-")))
    complaints += [f"{page}: there is no option {option}" for option in sorted(named - known)]

# The program and its arguments are not the command's.
EXPECTED = {
    ("wyvern", "run", "--provider", "ver"): {"verbs"},
    ("wyvern", "run", "--nodes", "4", "--la"): {"--label"},
    ("wyvern", "run", "program", "--la"): set(),
    ("wyvern", "run", "--", "program", "--la"): set(),
    ("wyvern", "join", "1", "--no"): {"--node"},
    ("wyvern", "join", "1", "program", "--no"): set(),
    ("wyvern", "join", "--node", "2", "1", "--", "program", "--no"): set(),
    ("wyvern", "do"): {"doctor"},
}
for words, offered in EXPECTED.items():
    if completed(words) != offered:
        complaints.append(f"{COMPLETIONS[0]}: {' '.join(words)} offers {sorted(completed(words))}")
tree.finish("command options", complaints)
