"""Completes a test program, or reports why it cannot judge. It runs before the program of the attempt, which is not
to blame.

A test program written for a test runner only defines its tests. Without calls added here it would accept every
attempt.
"""

import ast, sys  # noqa: E401


class _BrokenTests(Exception):
    """The test program is invalid. The text is the reason."""


class _TestProgram:
    # Test programs that import the code under test use this module name.
    ANSWER = "solution"
    DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Pass)
    RUNNERS = frozenset(("main", "TextTestRunner", "TestSuite", "TestResult", "TestLoader", "debug"))

    def __init__(self, source):
        """@throws SyntaxError, _BrokenTests"""
        self.tree = ast.parse(source)
        nodes = list(ast.walk(self.tree))
        self.used = {node.id for node in nodes if isinstance(node, ast.Name)}
        self.words = self.used | {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        self.check_imports()
        calls = self.missing_calls()
        if not calls and all(self.is_definition(node) for node in self.tree.body):
            raise _BrokenTests("it tests nothing")
        # At the end, so that the lines of the test program keep their numbers.
        self.source = "\n".join((source, *calls))

    def is_definition(self, node):
        return isinstance(node, self.DEFINITIONS) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        )

    def check_imports(self):
        for node in self.tree.body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            for name in names:
                root = name.partition(".")[0]
                if root not in sys.stdlib_module_names and root != self.ANSWER:
                    raise _BrokenTests(f"it needs the module {root}, which the sandbox does not have")

    def missing_calls(self):
        calls, cases = [], False
        for node in self.tree.body:
            if getattr(node, "name", None) in self.used:
                continue
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test"):
                calls.append(self.call(node, node.name, 0))
            elif isinstance(node, ast.ClassDef) and any("TestCase" in ast.unparse(base) for base in node.bases):
                cases = True
            elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
                calls.extend(self.method_calls(node))
        if cases and not self.words & self.RUNNERS:
            calls.append("__import__('unittest').main()")
        return calls

    def method_calls(self, cls):
        methods = [node for node in cls.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        for method in methods:
            if method.name.startswith(("setup", "teardown")):
                raise _BrokenTests(f"{cls.name}.{method.name} needs a test runner")
        return [self.call(m, f"{cls.name}().{m.name}", 1) for m in methods if m.name.startswith("test")]

    def call(self, function, name, own):
        args = function.args
        given = len(args.posonlyargs) + len(args.args) - len(args.defaults)
        if given > own or None in args.kw_defaults:
            raise _BrokenTests(f"{name} has parameters, and nothing calls it")
        call = f"{name}()"
        return f"__import__('asyncio').run({call})" if isinstance(function, ast.AsyncFunctionDef) else call


def _whole_tests(source):
    """@throws SyntaxError, _BrokenTests"""
    return _TestProgram(source).source
