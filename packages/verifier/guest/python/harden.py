"""Takes away what an answer could use against its judges, and makes chance repeatable.

Everything here runs once, before the snapshot is taken.
"""

import ast, builtins, gc, inspect, os, random, sys, threading, traceback, types, uuid  # noqa: E401


class _Harden:
    """What the runner needs of this file."""

    class Forbidden(Exception):
        """Raised by what an answer may not touch."""

    def __init__(self):
        self.frame_of = types.TracebackType.tb_frame.__get__
        self.code_of = types.FrameType.f_code.__get__
        self.builtins = dict(builtins.__dict__)
        self.modules = {}
        self.Module = types.ModuleType
        self.get_referents = gc.get_referents

    # ---- introspection: frames lead to the tests' constants, and so do tracing and the collector
    def hide_introspection(self):
        for owner, names in (
            (types.FrameType, ["f_back", "f_code", "f_locals", "f_globals", "f_builtins", "f_generator"]),
            (types.TracebackType, ["tb_frame"]),
            (types.GeneratorType, ["gi_frame", "gi_code"]),
            (types.CoroutineType, ["cr_frame", "cr_code"]),
            (types.AsyncGeneratorType, ["ag_frame", "ag_code"]),
        ):
            fields = self.get_referents(owner.__dict__)[0]
            for name in names:
                fields.pop(name, None)
        for clear in ("_clear_internal_caches", "_clear_type_cache"):
            getattr(sys, clear, lambda: None)()
        for name in (
            "_getframe", "_current_frames", "_current_exceptions", "settrace", "setprofile", "addaudithook",
            "monitoring", "gettrace", "getprofile", "_settraceallthreads", "_setprofileallthreads",
            "call_tracing", "_clear_type_cache", "remote_exec",
        ):
            if hasattr(sys, name):
                delattr(sys, name)
        for name in ("get_objects", "get_referrers", "get_referents"):
            delattr(gc, name)
        for name in ("currentframe", "stack", "trace", "getouterframes", "getinnerframes"):
            setattr(inspect, name, self.refuse(f"inspect.{name}"))
        threading.settrace = threading.setprofile = self.refuse("tracing")
        self.plain_tracebacks()

    def refuse(self, what):
        Forbidden = self.Forbidden

        def refused(*args, **kwargs):
            raise Forbidden(f"{what} is not available in the sandbox")

        return refused

    def plain_tracebacks(self):
        """The traceback module reads frames; answers only ever print what it makes."""

        def lines(error):
            return [f"{type(error).__name__}: {error}\n"]

        def current(*args, **kwargs):
            error = sys.exc_info()[1]
            return "".join(lines(error)) if error is not None else "NoneType: None\n"

        def show(*args, **kwargs):
            print(current(), end="", file=sys.stderr)

        traceback.format_exc = current
        traceback.print_exc = traceback.print_exception = traceback.print_stack = traceback.print_tb = show
        traceback.format_exception = lambda error, *args, **kwargs: lines(error)
        traceback.format_tb = traceback.format_stack = lambda *args, **kwargs: []
        traceback.extract_tb = traceback.extract_stack = lambda *args, **kwargs: []

    def hide_host(self):
        """The way to JavaScript is gated outside; here it is not even there to be found."""
        names = ("js", "pyodide", "pyodide_js", "_pyodide_core", "_pyodide")

        class NotHere:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name.partition(".")[0] in names:
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        for known in list(sys.modules):
            if known.partition(".")[0] in names:
                del sys.modules[known]
        kept = [finder for finder in sys.meta_path if "pyodide" not in type(finder).__module__]
        sys.meta_path[:] = [NotHere, *kept]

    # ---- chance
    def fix_chance(self):
        generator = random.Random(20240229)
        os.urandom = lambda size: generator.randbytes(size)
        random.seed(20240229)
        random._urandom = os.urandom

        def seed_from_chance(self_, a=None, version=2, base=random.Random.seed):
            base(self_, 20240229 if a is None else a, version)

        random.Random.seed = seed_from_chance
        random.SystemRandom.random = lambda self_: generator.random()
        random.SystemRandom.getrandbits = lambda self_, k: generator.getrandbits(k)
        random.seed = random._inst.seed
        uuid.uuid4 = lambda: uuid.UUID(int=generator.getrandbits(128), version=4)
        uuid.uuid1 = lambda node=None, clock_seq=None: uuid.UUID(int=generator.getrandbits(128), version=1)
        uuid.getnode = lambda: 0x0242AC110002

    # ---- the tests' own world
    def keep_pristine(self):
        """Copies of modules as they are now, for tests that import them after an answer has run."""
        for name, module in list(sys.modules.items()):
            if isinstance(module, types.ModuleType):
                self.modules[name] = dict(module.__dict__)

    def called_names(self, source):
        """The names that a test program calls. Asked before the answer runs, like {guard}."""
        return {node.func.id for node in ast.walk(ast.parse(source))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}

    def test_namespace(self, answer, called):
        # An answer must not replace what the tests lean on. Only where they call nothing else of it is
        # a function with a built-in's name the one that is asked for.
        known = self.builtins
        others = [name for name in called if name in answer and name not in known]
        space = {name: value for name, value in answer.items()
                 if name not in known or (name in called and not others)}
        own = dict(known)
        own["__import__"] = self.pristine_import()
        own["open"] = self.refuse("open")
        space.update({"__builtins__": own, "__name__": "__tests__", "__compare__": self.compare})
        return space

    def pristine_import(self):
        real, modules, Module = self.builtins["__import__"], self.modules, self.Module

        def import_(name, globals=None, locals=None, fromlist=(), level=0):
            wanted = name if fromlist else name.partition(".")[0]
            if wanted not in modules:
                return real(name, globals, locals, fromlist, level)
            copy = Module(wanted)
            copy.__dict__.update(modules[wanted])
            return copy

        return import_

    def guard(self, source):
        """The tests with every comparison handed to {compare}."""
        tree = ast.parse(source)

        class Guard(ast.NodeTransformer):
            def visit_Compare(self, node):
                self.generic_visit(node)
                if len(node.ops) != 1:
                    return node
                name = type(node.ops[0]).__name__
                call = ast.Call(
                    func=ast.Name(id="__compare__", ctx=ast.Load()),
                    args=[ast.Constant(value=name), node.left, node.comparators[0]],
                    keywords=[],
                )
                return ast.copy_location(call, node)

        return ast.fix_missing_locations(Guard().visit(tree))

    def make_compare(self):
        """A comparison that an answer's own `__eq__` cannot settle against a plain value."""
        plain = (int, float, bool, complex, str, bytes, bytearray, type(None), range)
        boxes = (list, tuple, set, frozenset)
        dict_, type_, isinstance_, object_, id_ = dict, type, isinstance, object, id
        chain_of = type.__dict__["__mro__"].__get__
        fields_of = type.__dict__["__dict__"].__get__
        values, items = dict.values, dict.keys
        tricks = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__contains__", "__sub__", "__rsub__",
                  "__class__", "__getattribute__", "__hash__")
        answers = ("<answer>",)

        def made_by_answer(cls):
            """Does a class compare by code of the answer?"""
            for base in chain_of(cls):
                for name, field in fields_of(base).items():
                    if name in tricks:
                        code = getattr(field, "__code__", None)
                        if code is not None and code.co_filename in answers:
                            return True
            return False

        def is_plain(value, depth=0):
            kind = type_(value)
            if kind in plain:
                return True
            if depth > 50:
                return False
            if kind in boxes:
                return all(is_plain(x, depth + 1) for x in value)
            if kind is dict_:
                return all(is_plain(x, depth + 1) for x in items(value)) and all(
                    is_plain(x, depth + 1) for x in values(value)
                )
            return False

        def is_tricky(value, depth=0):
            kind = type_(value)
            if kind in plain or depth > 50:
                return False
            if made_by_answer(kind):
                return True
            if isinstance_(value, (list, tuple, set, frozenset)):
                base = next(b for b in boxes if isinstance_(value, b))
                return any(is_tricky(x, depth + 1) for x in base.__iter__(value))
            if isinstance_(value, dict_):
                return any(is_tricky(x, depth + 1) for x in values(value))
            return False

        Forbidden = self.Forbidden

        def compare(name, a, b):
            if (is_plain(a) and is_tricky(b)) or (is_plain(b) and is_tricky(a)):
                raise Forbidden("an object that compares by its own rules was given for a plain value")
            return operators[name](a, b)

        operators = {
            "Eq": lambda a, b: a == b,
            "NotEq": lambda a, b: a != b,
            "Lt": lambda a, b: a < b,
            "LtE": lambda a, b: a <= b,
            "Gt": lambda a, b: a > b,
            "GtE": lambda a, b: a >= b,
            "Is": lambda a, b: a is b,
            "IsNot": lambda a, b: a is not b,
            "In": lambda a, b: a in b,
            "NotIn": lambda a, b: a not in b,
        }
        self.compare = compare
