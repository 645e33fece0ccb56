"""Lists what Python's own parser sees in files, so that the universe of calls,
imports and definitions is not the measured program's: one line per item,
tab-separated, positions from 1 with columns in bytes of UTF-8.

    file PATH
    c LINE COLUMN            the name of a callee: f(), a.f(), C()
    m LINE COLUMN PATH...    a module in an import statement, dots included, with the
                             files that Python's import system finds below ROOT
    n LINE COLUMN [PATH]     a name that is imported from a module, and the file when it
                             is a submodule
    d LINE COLUMN KIND NAME  a definition of the graph: not the locals of functions
    t LINE COLUMN NATURE     a declaration that a call may lead to: code, abstract, class

usage: python3 python.py ROOT PATH...
"""

import ast
import functools
import importlib.machinery
import os
import re
import sys

WORD = re.compile(rb"[^\W\d]\w*|[A-Za-z_\x80-\xff][\w\x80-\xff]*")


class Modules:
    """Python's own import system over ROOT alone; nothing is executed."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.find = functools.cache(self.find)
        self.binds = functools.cache(self.binds)

    def find(self, name):
        """The file or, for a namespace package, the directory of a dotted name; None outside of ROOT."""
        where, spec, done = [self.root], None, ""
        for part in name.split("."):
            done = done + "." + part if done else part
            spec = importlib.machinery.PathFinder.find_spec(done, where)
            if spec is None:
                return None
            where = list(spec.submodule_search_locations or [])
        found = spec.origin if spec.has_location else where[0] if where else None
        if found is None or not os.path.abspath(found).startswith(self.root + os.sep):
            return None
        return os.path.relpath(found, self.root)

    def binds(self, path, name):
        """Whether a module's own code binds a name in another way than by importing it as its submodule."""
        if path is None or not path.endswith(".py"):
            return False
        with open(os.path.join(self.root, path), "rb") as f:
            tree = ast.parse(f.read(), path)
        for n in ast.walk(tree):
            if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and n.name == name:
                return True
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.id == name:
                return True
            if isinstance(n, ast.ImportFrom) and n.module is not None and any((a.asname or a.name) == name for a in n.names):
                return True
        return False


class Lister:
    def __init__(self, path, text, modules):
        self.modules = modules
        parts = path[: -len(".py")].split("/")
        self.package = parts[:-1]
        self.lines = text.split(b"\n")
        self.out = ["file\t" + path]
        self.owner = []
        self.local = False
        self.in_class = None  # the kind of the innermost class, inside of no function of it
        self.seen = set()

    def emit(self, kind, line, column, *rest):
        self.out.append("\t".join([kind, str(line), str(column + 1), *rest]))

    def name_after(self, node, word):
        """The place of a definition's name: after its keyword, decorators are before node.lineno."""
        line = node.lineno - 1
        at = self.lines[line].index(word, node.col_offset) + len(word)
        while True:
            m = WORD.search(self.lines[line], at)
            if m:
                return line + 1, m.start()
            line, at = line + 1, 0

    def define(self, line, column, kind, name):
        self.emit("d", line, column, kind, ".".join([*self.owner, name]))

    def visit(self, node):
        method = getattr(self, "visit_" + type(node).__name__, None)
        if method is not None:
            method(node)
        else:
            self.children(node)

    def children(self, node):
        for child in ast.iter_child_nodes(node):
            self.visit(child)

    def within(self, name, in_class, local, body):
        saved = self.owner, self.in_class, self.local, self.seen
        self.owner, self.in_class, self.local, self.seen = [*self.owner, name], in_class, local, set()
        for child in body:
            self.visit(child)
        self.owner, self.in_class, self.local, self.seen = saved

    def visit_ClassDef(self, node):
        line, column = self.name_after(node, b"class")
        self.emit("t", line, column, "class")
        kind = "class"
        if any(base_name(b) == "Protocol" for b in node.bases):
            kind = "interface"
        if any(base_name(b) in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag") for b in node.bases):
            kind = "enum"
        self.define(line, column, kind, node.name)
        for child in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(child)
        self.within(node.name, kind, self.local, node.body)

    def visit_FunctionDef(self, node):
        line, column = self.name_after(node, b"def")
        kind = "method" if self.in_class else "function"
        if self.in_class and node.name == "__init__":
            kind = "constructor"
        decorators = [base_name(d) for d in node.decorator_list]
        if any(d in ("property", "cached_property") or (d or "").endswith("property") for d in decorators) and self.in_class:
            kind = "getter"
        if any(d in ("setter", "deleter") for d in decorators) and self.in_class:
            kind = "setter"
        abstract = any("abstractmethod" == d for d in decorators) or only_raises(node)
        self.emit("t", line, column, "value" if kind in ("getter", "setter") else "abstract" if abstract and self.in_class else "code")
        self.define(line, column, kind, node.name)
        for child in node.decorator_list:
            self.visit(child)
        self.visit(node.args)
        if node.returns is not None:
            self.visit(node.returns)
        self.within(node.name, None, True, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Call(self, node):
        f = node.func
        if isinstance(f, ast.Name):
            self.emit("c", f.lineno, f.col_offset)
        elif isinstance(f, ast.Attribute):
            self.emit("c", f.end_lineno, f.end_col_offset - len(f.attr.encode()))
        self.children(node)

    def assigned(self, target):
        if isinstance(target, (ast.Tuple, ast.List)):
            for e in target.elts:
                self.assigned(e)
        elif isinstance(target, ast.Starred):
            self.assigned(target.value)
        elif isinstance(target, ast.Name) and not self.local and target.id not in self.seen:
            self.seen.add(target.id)
            kind = "enum_member" if self.in_class == "enum" else "field" if self.in_class else "variable"
            self.define(target.lineno, target.col_offset, kind, target.id)

    def visit_Assign(self, node):
        for t in node.targets:
            self.assigned(t)
        self.children(node)

    def visit_AnnAssign(self, node):
        self.assigned(node.target)
        self.children(node)

    def visit_Import(self, node):
        for a in node.names:
            self.emit("m", a.lineno, a.col_offset, *filter(None, [self.modules.find(a.name)]))

    def visit_ImportFrom(self, node):
        line = self.lines[node.lineno - 1]
        at = re.compile(rb"from[\s\\]*").match(line, node.col_offset).end()
        name = node.module or ""
        if node.level > 0:
            up = self.package[: len(self.package) - (node.level - 1)]
            name = ".".join([*up, *filter(None, [name])])
        module = self.modules.find(name) if name else None
        found = [module] if module else []
        for a in node.names:
            sub = None
            if a.name != "*" and name and not self.modules.binds(module, a.name):
                sub = self.modules.find(name + "." + a.name)
            if sub is not None:
                found.append(sub)
            if a.name != "*":
                self.emit("n", a.lineno, a.col_offset, *filter(None, [sub]))
        self.emit("m", node.lineno, at, *found)


def base_name(node):
    if isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def only_raises(node):
    body = [s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return len(body) == 1 and isinstance(body[0], ast.Raise) and body[0].exc is not None and base_name(body[0].exc) == "NotImplementedError"


def main():
    root, files = sys.argv[1], sys.argv[2:]
    modules = Modules(root)
    for path in files:
        with open(os.path.join(root, path), "rb") as f:
            text = f.read()
        lister = Lister(path, text, modules)
        lister.visit(ast.parse(text, path))
        print("\n".join(lister.out))


main()
