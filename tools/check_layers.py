#!/usr/bin/env python3
"""Checks the shape of the tree: layers, include order, file names, lengths. Prints what is wrong, one line each."""
import re
import sys
from fnmatch import fnmatch
from pathlib import Path

# A folder of src/ includes itself and the folders before it.
LAYERS = ["base", "track", "alloc", "gpu", "pool", "shader", "record", "graph", "inspect"]
# These never see webgpu.h, nor a public header other than the ones below.
WITHOUT_WEBGPU = {"base", "track", "alloc"}
PUBLIC_WITHOUT_WEBGPU = {"base.h", "handle.h", "dirty.h", "dirty_graph.h", "range.h", "store.h"}
# Includes that go against the layers: (file, included file, reason). Patterns are allowed.
EXCEPTIONS = [
    ("fuzz/fuzz_pool.c", "tests/model/pool_model.h", "the fuzz target drives the model that the tests run"),
    ("fuzz/fuzz_dirty_map.c", "tests/unit/dirty_map_model.h", "the same for the dirty map"),
    ("fuzz/fuzz_range_allocator.c", "tests/unit/range_model.h", "the same for the range allocator"),
    ("fuzz/fuzz_plan.c", "tests/unit/plan_model.h", "the same for the plan"),
    ("bench/bench_*.[ch]", "tests/sim/sim.h", "the bench runs on the simulator of the tests"),
]

MAX_FILE_LINES = 700
MAX_FUNCTION_LINES = 120
EMPTY_WORDS = {"util", "utils", "misc", "common", "helper", "helpers", "manager"}

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
COMMENT = re.compile(r'/\*.*?\*/', re.S)

problems = []
used_exceptions = set()


def problem(file, text):
    problems.append(f"{file.relative_to(ROOT)}: {text}")


def without_comments(text):
    return COMMENT.sub(lambda match: "\n" * match.group().count("\n"), text)


def resolve(file, quoted, name, by_name):
    """The file of this project that an #include names, or None for a system header."""
    places = [ROOT / "include" / name, ROOT / "src" / name, ROOT / "tests" / name]
    if quoted:
        places += [file.parent / name, by_name.get(Path(name).name)]
    return next((place for place in places if place and place.is_file()), None)


def is_exception(file, target):
    for number, (source, included, _) in enumerate(EXCEPTIONS):
        if fnmatch(str(file.relative_to(ROOT)), source) and fnmatch(str(target.relative_to(ROOT)), included):
            used_exceptions.add(number)
            return True
    return False


def check_layers(file, includes):
    parts = file.relative_to(ROOT).parts
    layer = parts[1] if parts[0] == "src" else None
    if parts[0] == "src" and (len(parts) != 3 or layer not in LAYERS):
        return problem(file, "is in no folder of the table of layers")
    blind = layer in WITHOUT_WEBGPU or (parts[0] == "include" and parts[-1] in PUBLIC_WITHOUT_WEBGPU)
    for name, target in includes:
        if target is None:
            if blind and Path(name).name in ("webgpu.h", "wgpu.h"):
                problem(file, f"may not see {name}")
            continue
        there = target.relative_to(ROOT).parts
        if there[0] == "include":
            if blind and there[-1] not in PUBLIC_WITHOUT_WEBGPU:
                problem(file, f"may not include {name}, which may need webgpu.h")
        elif there[0] == "src":
            if parts[0] in ("include", "examples", "cli"):
                problem(file, f"includes the internal {name}")
            elif layer and LAYERS.index(there[1]) > LAYERS.index(layer) and not is_exception(file, target):
                problem(file, f"is in {layer}/, which may not include {there[1]}/{there[-1]}")
        elif parts[0] != there[0] and not is_exception(file, target):
            problem(file, f"includes {name} of {there[0]}/")


def check_include_order(file, includes):
    """Own header, project, system."""
    ranks = []
    for name, target in includes:
        if target is not None and target.suffix != ".h":
            continue
        own = file.suffix == ".c" and Path(name).stem == file.stem and target is not None
        ranks.append(0 if own else 1 if target is not None else 2)
    if ranks != sorted(ranks):
        problem(file, "includes are not in the order: own header, project, system")


def check_lengths(file, text):
    lines = text.splitlines()
    if len(lines) > MAX_FILE_LINES:
        problem(file, f"has {len(lines)} lines, more than {MAX_FILE_LINES}")
    start = None
    for number, line in enumerate(lines if file.suffix in (".c", ".h") else []):
        # In the house format only the braces of a function stand alone in the first column.
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start + 1 > MAX_FUNCTION_LINES:
                problem(file, f"line {start}: function of {number - start + 1} lines, more than {MAX_FUNCTION_LINES}")
            start = None


def main():
    folders = ["include", "src", "cli", "tests", "examples", "tools", "scripts", "bench", "fuzz"]
    files = sorted(f for folder in folders for f in (ROOT / folder).rglob("*")
                   if f.is_file() and "__pycache__" not in f.parts)
    sources = [f for f in files if f.suffix in (".c", ".h")]
    by_name = {}
    for file in sources:
        if file.name in by_name:
            public, private = sorted((by_name[file.name], file))
            problem(file, f"has the same name as {by_name[file.name].relative_to(ROOT)}")
        by_name.setdefault(file.name, file)
    for file in files:
        if EMPTY_WORDS & set(re.split(r"[_\-.]", file.name.lower())):
            problem(file, "has a name that says nothing")
        try:
            text = file.read_text()
        except UnicodeDecodeError:
            continue
        if file.suffix in (".c", ".h", ".py", ".wgsl", ""):
            check_lengths(file, text)
        if file.suffix in (".c", ".h"):
            found = INCLUDE.findall(without_comments(text))
            includes = [(name, resolve(file, mark == '"', name, by_name)) for mark, name in found]
            check_layers(file, includes)
            check_include_order(file, includes)
    for number, exception in enumerate(EXCEPTIONS):
        if number not in used_exceptions:
            problems.append(f"tools/check_layers.py: the exception for {exception[0]} is not needed")
    print("\n".join(problems) if problems else f"{len(files)} files are well shaped")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
