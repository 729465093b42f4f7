"""Prints what CPython's own symbol table says about a sample of the standard library.

One JSON object per file: its path and one line per scope: `path-of-scopes flags name=meaning …`.
"""

import ast, collections, json, pathlib, symtable, sys, sysconfig, unicodedata, warnings

warnings.simplefilter("ignore")

# What the compiler adds by itself, and a name that our grammar hides.
LEFT_OUT = {"__class__", "__classdict__", "__conditional_annotations__", "type"}
# Written to try every corner of the language.
CORNERS = {
    "test_grammar.py", "test_scope.py", "test_named_expressions.py", "test_patma.py", "test_generators.py", "test_coroutines.py",
    "test_fstring.py", "test_super.py", "test_syntax.py", "test_listcomps.py", "test_genexps.py", "test_unpack_ex.py",
    "test_positional_only_arg.py", "test_keywordonlyarg.py", "test_opcodes.py", "test_exceptions.py", "test_asyncgen.py",
    "test_descr.py", "test_dataclasses.py", "test_inspect.py", "test_symtable.py", "test_global.py",
}


def sample():
    root = pathlib.Path(sysconfig.get_path("stdlib"))
    files = sorted(p for p in root.rglob("*.py") if "site-packages" not in p.parts and "lib2to3" not in p.parts)
    return [p for i, p in enumerate(files) if i % 20 == 0 or p.name in CORNERS]


def own_yield(function):
    """Whether the function itself yields: not a function, lambda or class in it. Their defaults and bases do count."""
    todo = list(function.body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            todo += node.decorator_list + [node.args]
            todo += [node.returns] if node.returns else []
        elif isinstance(node, ast.Lambda):
            todo.append(node.args)
        elif isinstance(node, ast.ClassDef):
            todo += node.decorator_list + node.bases + node.keywords
        else:
            todo += ast.iter_child_nodes(node)
    return False


def meaning(table, symbol):
    if table.get_type() == "module":
        return "module"
    if symbol.is_parameter():
        return "parameter"
    if symbol.is_free():
        return "free"
    if symbol.is_global():
        return "module"
    if symbol.is_local():
        return "local"
    return "?"


def is_named(table, symbol):
    """Whether the scope names it: does not only pass it on to a scope in it, or own what a `global` in there declares."""
    declared = symbol.is_nonlocal() or (symbol.is_declared_global() and table.get_type() != "module")
    bound = symbol.is_assigned() or symbol.is_imported() or symbol.is_parameter() or symbol.is_annotated()
    return symbol.is_referenced() or bound or declared


def unmangled(name, klass):
    prefix = f"_{(klass or '').lstrip('_')}__"
    return name[len(prefix) - 2 :] if klass and name.startswith(prefix) else name


def scopes(table, path, klass, flags, out):
    name = table.get_name().removeprefix("<").removesuffix(">")
    if name in ("listcomp", "setcomp", "dictcomp") and (name, table.get_lineno()) not in flags:
        name = "comprehension"
    if table.get_type() == "module":
        path = "module"
    else:
        path = f"{path}/{name}@{table.get_lineno()}"
    if table.get_type() == "class":
        klass = name
    names = {
        unmangled(s.get_name(), klass): meaning(table, s)
        for s in table.get_symbols()
        if is_named(table, s) and not s.get_name().startswith(".") and s.get_name() not in LEFT_OUT
    }
    flag = flags[(name, table.get_lineno())]
    words = [path] + ([flag.pop(0)] if flag and table.get_type() == "function" else [])
    out.append(" ".join(words + [f"{n}={m}" for n, m in sorted(names.items())]))
    for child in table.get_children():
        scopes(child, path, klass, flags, out)


for file in sample():
    try:
        source = file.read_bytes().decode("utf-8")
        tree = ast.parse(source)
        table = symtable.symtable(source, str(file), "exec")
    except (SyntaxError, ValueError, UnicodeDecodeError, RecursionError):
        continue
    # Their annotations are never evaluated, so CPython does not look into them; type parameters have scopes of their own.
    postponed = any(isinstance(n, ast.ImportFrom) and n.module == "__future__" and any(a.name == "annotations" for a in n.names) for n in tree.body)
    generic = any(getattr(n, "type_params", None) for n in ast.walk(tree))
    # CPython takes names for one that look alike to Unicode.
    alike = unicodedata.normalize("NFKC", source) != source
    if postponed or generic or alike or "\r" in source or source.startswith("\ufeff"):
        continue
    flags = collections.defaultdict(list)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            is_async = "async" if isinstance(node, ast.AsyncFunctionDef) else "plain"
            flags[(node.name, node.lineno)].append(is_async + ("-generator" if own_yield(node) else ""))
    out = []
    scopes(table, "", None, flags, out)
    inlines = sys.version_info >= (3, 12)
    print(json.dumps({"file": str(file), "scopes": sorted(out), "inlines_comprehensions": inlines}))
