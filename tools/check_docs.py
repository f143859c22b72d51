#!/usr/bin/env python3
"""Checks that every public name has a doc comment, and that the README shows a program that is run by the tests.

Functions also need a `Thread:` line (or stand below a comment with `All functions below: Thread:`), and their results when they return gpool_result. Names with two underscores
(gpool__x, GPOOL__X) and include guards are not public.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README_LINES = 150
PROGRAM_BY_LINE = 40

problems = []


def read_tokens(text):
    """Splits a header into (kind, text, line): doc, trailing (a comment for what stands before it), define, code."""
    pattern = re.compile(
        r'(?P<trailing>/\*\*<.*?\*/)|(?P<doc>/\*\*(?!/).*?\*/)|(?P<comment>/\*.*?\*/)'
        r'|(?P<directive>^[ \t]*\#(?:\\\n|/\*.*?\*/|[^\n])*)|(?P<string>"(?:\\.|[^"\\\n])*")'
        r'|(?P<newline>\n)|(?P<code>\w+|.)', re.S | re.M)
    for match in pattern.finditer(text):
        kind = match.lastgroup
        line = text.count("\n", 0, match.start()) + 1
        if kind == "directive":
            define = re.match(r"\s*#\s*define\s+(\w+)(.*)", match.group(), re.S)
            if define:
                yield "define", define.group(1), line, define.group(2)
        elif kind in ("doc", "trailing"):
            yield kind, match.group(), line, ""
        elif kind in ("code", "string") and match.group().strip():
            yield "code", match.group(), line, ""


class Header:
    def __init__(self, path):
        self.path = path
        self.tokens = list(read_tokens(path.read_text()))
        self.guard = re.sub(r"\W", "_", f"gpool_{path.name}").upper()
        self.position = 0
        self.thread_is_told = False

    def problem(self, line, text):
        problems.append(f"{self.path.relative_to(ROOT)}:{line}: {text}")

    def peek(self):
        return self.tokens[self.position] if self.position < len(self.tokens) else ("end", "", 0, "")

    def next(self):
        token = self.peek()
        self.position += 1
        return token

    def check(self):
        doc = ""
        while self.peek()[0] != "end":
            kind, text, line, rest = self.next()
            if kind == "doc":
                doc = text
                self.thread_is_told |= "All functions below: Thread:" in doc
            elif kind == "define":
                self.check_define(text, line, rest, doc)
                doc = ""
            elif kind == "code" and text == "extern" and self.peek()[1] == '"C"':
                self.next()
                self.next()  # the brace; its partner is skipped below
            elif kind == "code" and text.isupper() and self.peek()[1] == "(":
                self.position = closing(self.tokens, self.position + 1) + 1  # a list macro
            elif kind == "code" and text not in ("}", ";"):
                self.position -= 1
                self.check_declaration(doc)
                doc = ""

    def check_define(self, name, line, rest, doc):
        if name == self.guard or not re.match(r"(?i)gpool_(?!_)", name):
            return
        trailing = "/**<" in rest or self.follows_on(line)
        if not doc and not trailing and not self.is_repeated(name, line):
            self.problem(line, f"macro {name} has no doc comment")

    def is_repeated(self, name, line):
        """The same macro for another compiler, or a list's element macro: the first one speaks for all."""
        first = next(token[2] for token in self.tokens if token[0] == "define" and token[1] == name)
        return first < line

    def follows_on(self, line):
        return self.peek()[0] == "trailing" and self.peek()[2] == line

    def collect(self):
        """One declaration up to its end: its words outside of bodies, and the tokens of its first body."""
        words, body, depth, parens = [], [], 0, 0
        line = self.peek()[2]
        while self.peek()[0] != "end":
            token = self.next()
            kind, text = token[0], token[1]
            if kind == "code" and text == "{":
                depth += 1
                if depth == 1:
                    continue
            elif kind == "code" and text == "}":
                depth -= 1
                if depth == 0:
                    if is_function(words):
                        break
                    words.append("}")
                    continue
            if depth:
                body.append(token)
            elif kind == "code":
                if text == ";":
                    break
                words.append(text)
        return words, body, line

    def check_declaration(self, doc):
        words, body, line = self.collect()
        if self.follows_on(self.tokens[self.position - 1][2]):
            doc = doc or self.next()[1]
        if is_function(words):
            self.check_function(words, line, doc)
            return
        is_forward = words[0] in ("struct", "enum", "union") and not body and len(words) == 2
        if is_forward or words[0] in ("_Static_assert", "static_assert"):
            return
        name = next((w for w in reversed(words) if re.match(r"gpool_\w", w)), " ".join(words))
        if "(" in words:  # a pointer to a function
            name = next((w for w in words[words.index("(") :] if w.startswith("gpool_")), name)
        if "__" in name:
            return
        if not doc:
            self.problem(line, f"{name} has no doc comment")
        if body and ("struct" in words or "union" in words):
            self.check_members(body, name, ";")
        elif body and "enum" in words:
            self.check_members(body, name, ",")

    def check_function(self, words, line, doc):
        name = function_name(words)
        if "__" in name:
            return
        if not doc:
            self.problem(line, f"{name} has no doc comment")
            return
        if "Thread:" not in doc and not self.thread_is_told:
            self.problem(line, f"{name}: its comment has no Thread: line")
        if "gpool_result" in words[: words.index(name)] and not re.search(r"@return|GPOOL_(OK|ERROR_)", doc):
            self.problem(line, f"{name}: its comment does not tell the results")

    def check_members(self, body, owner, separator):
        """Fields or enumerators: a doc comment before each, or a trailing one after those of its line."""
        doc, words, line, bare, position = "", [], 0, [], 0
        while position < len(body):
            kind, text, here, _ = body[position]
            position += 1
            if kind == "doc":
                doc = text
            elif kind == "define":
                doc = ""
            elif kind == "trailing":
                if words:
                    doc = text
                bare = [(name, at) for name, at in bare if at != line]
            elif text == separator:
                bare += self.undocumented(words, doc, line)
                doc, words = "", []
            else:
                line = here
                words.append(text)
                if text in "{(":
                    end = closing(body, position)
                    inner = body[position:end]
                    if text == "{":
                        self.check_members(inner, owner, "," if "enum" in words else ";")
                    else:
                        words += [token[1] for token in inner if token[0] == "code"]
                    words.append("})"["{(".index(text)])
                    line = body[min(end, len(body) - 1)][2]
                    position = end + 1
        bare += self.undocumented(words, doc, line)
        for name, at in bare:
            self.problem(at, f"{owner}.{name} has no doc comment")

    @staticmethod
    def undocumented(words, doc, line):
        while len(words) > 1 and words[0].isupper() and words[1] == "(":  # a list macro
            words = words[closing([("code", word) for word in words], 2) + 1 :]
        return [(member_name(words), line)] if words and not doc else []


def closing(tokens, position):
    """Where the bracket that opened before `position` ends."""
    depth = 1
    while position < len(tokens):
        if tokens[position][0] == "code":
            depth += {"{": 1, "(": 1, "}": -1, ")": -1}.get(tokens[position][1], 0)
        if depth == 0:
            break
        position += 1
    return position


def member_name(words):
    """The name in `type name`, `type name[n]`, `NAME = value` or `type (*name)(...)`."""
    text = " ".join(words)
    match = re.search(r"\(\s*\*\s*(\w+)", text) or re.match(r"(\w+) =", text) or re.search(r"(\w+)[^\w]*$", text.split("[")[0])
    return match.group(1) if match else text


def function_name(words):
    """The word before the first parenthesis that opens a list of parameters."""
    for number, word in enumerate(words[:-1]):
        if words[number + 1] == "(" and re.match(r"gpool_\w+$", word):
            return word
    return ""


def is_function(words):
    return "typedef" not in words[:1] and bool(function_name(words)) and "struct" != words[0]


def check_readme():
    readme = ROOT / "README.md"
    if not readme.is_file():
        problems.append("README.md: is missing")
        return
    lines = readme.read_text().splitlines()
    if len(lines) >= README_LINES:
        problems.append(f"README.md: has {len(lines)} lines, must be below {README_LINES}")
    start = next((n for n, line in enumerate(lines) if line.strip() == "```c"), None)
    if start is None or start >= PROGRAM_BY_LINE:
        problems.append(f"README.md: no ```c block begins by line {PROGRAM_BY_LINE}")
        return
    end = next((n for n in range(start + 1, len(lines)) if lines[n].strip() == "```"), len(lines))
    named = re.findall(r"examples/[\w/]+\.c", "\n".join(lines[:start]))
    if not named:
        problems.append("README.md: name the program's file (examples/...c) before the ```c block")
    elif not (ROOT / named[-1]).is_file():
        problems.append(f"README.md: {named[-1]} does not exist")
    elif (ROOT / named[-1]).read_text().strip() != "\n".join(lines[start + 1 : end]).strip():
        problems.append(f"README.md: the program differs from {named[-1]}")


def main():
    headers = sorted((ROOT / "include/gpool").glob("*.h"))
    for path in headers:
        Header(path).check()
    check_readme()
    print("\n".join(problems) if problems else f"{len(headers)} public headers and the README are documented")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
