"""Guards of a test program that runs in the same interpreter as the program that it tests.

Everything is prepared before the program runs, and everything is in closures: a program can find every class and
replace its methods, but it cannot reach the local variables of a function. Each guard below says which attack it
stops. The attacks are in `test/hostile/python.ts` (kinds `forging` and `reaching the judge`) and in
`src/code/python/trial.test.ts`, which also tests that correct programs still pass.

- Comparisons (`_Guard`, `_make_rules`). Attack: the program returns an object whose `__eq__` is always true, whose
  `__sub__` gives 0, or that is `unittest.mock.ANY`. Guard: the tests' comparisons and subtractions are calls of
  functions here, which refuse an object with its own rules if it is compared with a value that is not the
  program's.
- Library and built-ins (`_keep`). Attack: `math.isclose = lambda *a, **k: True`, a changed class, a filled cache.
  Guard: the modules that the tests import, with all that they lead to, are recorded before the program runs and
  restored after it. The tests import copies, so that the program cannot change them while they call it.
- Test cases (`_make_cases`). Attack: a `unittest` run that fails without an exception. Guard: the copy of
  `unittest` raises if a test fails or if there is none.
- Names (`_make_trials`). Attack: the program defines `check`, `abs` or `__compare__` to replace what the tests
  call. Guard: the tests run in a new namespace with the original built-ins, in which a name of the program never
  replaces a guard.
- Files (`_make_trials`). Attack: the program changes the object behind `open` (`streams.py`), which it can reach,
  so that the tests read what it wants. Guard: `open` is refused in tests.
"""

import ast, builtins, collections, decimal, functools, gc, sys, types, weakref  # noqa: E401

_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge", "contains", "sub", "rsub", "hash", "getattr", "getattribute")
_RULES = (*(f"__{name}__" for name in _COMPARISONS), "__class__")
# Functions of `unittest` and `operator` that compare their first two arguments, in addition to `assert…Equal`.
_COMPARING = ("assertIn", "assertNotIn", "assertGreater", "assertLess", "eq", "ne", "lt", "le", "gt", "ge")


class _Guard(ast.NodeTransformer):
    """Rewrites every comparison and subtraction of the tests to a call of a function of `_make_rules`."""

    def call_guard(self, node, name, args, keywords=()):
        call = ast.Call(func=ast.Name(id=name, ctx=ast.Load()), args=args, keywords=list(keywords))
        return ast.copy_location(call, node)

    def visit_Compare(self, node):
        self.generic_visit(node)
        names = ast.Constant(value=tuple(type(op).__name__ for op in node.ops))
        return self.call_guard(node, "__compare__", [names, node.left, *node.comparators])

    def visit_BinOp(self, node):
        self.generic_visit(node)
        return self.call_guard(node, "__subtract__", [node.left, node.right]) if isinstance(node.op, ast.Sub) else node

    def visit_Call(self, node):
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name in _COMPARING or (name.startswith("assert") and name.endswith(("Equal", "Equals"))):
            return self.call_guard(node, "__agree__", [node.func, *node.args], node.keywords)
        return node

    def visit_ClassDef(self, node):
        self.generic_visit(node)
        # The outermost decorator runs last, after `dataclass` has added its methods.
        node.decorator_list.insert(0, ast.copy_location(ast.Name(id="__own__", ctx=ast.Load()), node))
        return node

    def visit_MatchValue(self, node):
        return node  # only literals and dotted names are valid there


def _make_rules(Forbidden):
    """Makes the rules for comparisons: the trusted classes, and what the tests call instead of `==` and `-`.

    A class is trusted if it existed before the program ran, or if the tests define it. Two objects of the program
    may compare as they like. An object of the program with its own rules against a trusted value is refused,
    correct or not, because it cannot be told from an object that equals anything.
    """
    bases_of = type.__dict__["__mro__"].__get__
    fields_of = type.__dict__["__dict__"].__get__
    referents = gc.get_referents
    Function = types.FunctionType
    deque, Decimal = collections.deque, decimal.Decimal
    plain_kinds = (int, float, bool, complex, str, bytes, bytearray, type(None), range)
    plain = {id(kind) for kind in plain_kinds}
    boxes = {id(kind) for kind in (list, tuple, set, frozenset, dict)}
    by_identity = object.__dict__["__eq__"]
    plain_comparisons = {id(by_identity), *(id(kind.__eq__) for kind in plain_kinds)}
    # These compare by the rules of the object for which they stand.
    stand_ins = (weakref.ProxyType, weakref.CallableProxyType)
    known = {}

    def learn():
        """Trusts all classes that exist now, except those of `unittest.mock`, whose objects may equal anything."""
        todo, seen = [object], set()
        while todo:
            kind = todo.pop()
            if id(kind) in seen:
                continue
            seen.add(id(kind))
            todo.extend(type.__subclasses__(kind))
            if id(kind) not in known and kind not in stand_ins and kind.__module__ != "unittest.mock":
                trust(kind)

    def trust(kind):
        fields = fields_of(kind)
        known[id(kind)] = kind, {name: fields[name] for name in _RULES if name in fields}

    def find_rule(kind, name):
        """The base class that defines a rule for a class, and the rule itself."""
        for base in bases_of(kind):
            fields = fields_of(base)
            if name in fields:
                return base, fields[name]
        return None, None

    def is_foreign(value):
        return id(type(value)) not in known

    def has_own_rules(kind):
        """Whether a class compares by rules of the program, or by rules that the program may override."""
        foreign = id(kind) not in known
        for base in bases_of(kind) if foreign else ():
            # A name of a subclass of str may have another value at the next read.
            if any(id(type(name)) != id(str) for name in fields_of(base)):
                return True
        for name in _RULES:
            base, found = find_rule(kind, name)
            if base is not None and (id(base) not in known or known[id(base)][1].get(name) is not found):
                return True
        return foreign and (type(find_rule(kind, "__eq__")[1]) is Function or is_a(kind, deque))

    def is_a(kind, wanted):
        return any(base is wanted for base in bases_of(kind))

    def compares_plainly(value):
        return id(find_rule(type(value), "__eq__")[1]) in plain_comparisons

    def reads_other(value):
        """Whether a comparison reads attributes of the other value, as that of Fraction does."""
        kind = type(value)
        return type(find_rule(kind, "__eq__")[1]) is Function or is_a(kind, Decimal)

    def all_plain(values):
        return {id(kind) for kind in map(type, values)} <= plain

    def holds_foreign(value):
        """Whether a value of the library contains an object of a class of the program."""
        todo, seen = [value], set()
        while todo:
            value = todo.pop()
            if id(type(value)) in plain or id(value) in seen:
                continue
            seen.add(id(value))
            if is_foreign(value):
                return True
            if find_rule(type(value), "__eq__")[1] is not by_identity:
                todo.extend(referents(value))
        return False

    def is_decided_by_program(a, b):
        """Whether an object of the program would decide its comparison with a trusted value, at any depth."""
        todo, seen, verdicts = [(a, b)], set(), {}

        def own(value):
            kind = type(value)
            if id(kind) in plain:
                return False
            if id(kind) not in verdicts:
                verdicts[id(kind)] = has_own_rules(kind)
            return verdicts[id(kind)]

        while todo:
            a, b = todo.pop()
            if id(type(a)) in plain and id(type(b)) in plain or (id(a), id(b)) in seen:
                continue
            seen.add((id(a), id(b)))
            if own(a) or own(b):
                if not is_foreign(a) or not is_foreign(b):
                    return True
                continue
            if (compares_plainly(a) and not reads_other(b)) or (compares_plainly(b) and not reads_other(a)):
                continue
            inner = inner_pairs(a, b)
            if inner is not None:
                todo.extend(inner)
            elif holds_foreign(a) != holds_foreign(b):
                return True
        return False

    def inner_pairs(a, b):
        """The pairs that a comparison of two lists, tuples or dictionaries compares. None for other values."""
        for kind in (list, tuple):
            if is_a(type(a), kind) and is_a(type(b), kind):
                if all_plain(kind.__iter__(a)) and all_plain(kind.__iter__(b)):
                    return ()
                return zip(kind.__iter__(a), kind.__iter__(b))
        if is_a(type(a), dict) and is_a(type(b), dict):
            if all_plain(dict.keys(a)) and all_plain(dict.keys(b)):
                if all_plain(dict.values(a)) and all_plain(dict.values(b)):
                    return ()
                return [(x, dict.get(b, key)) for key, x in dict.items(a) if dict.__contains__(b, key)]
        return None

    def is_simple(value, depth=0):
        """Whether a value consists of plain values in plain containers. Fast, and true for most values."""
        kind = id(type(value))
        if kind in plain:
            return True
        if kind not in boxes or depth > 50:
            return False
        if type(value) is dict and not is_simple(list(value.values()), depth + 1):
            return False
        return all_plain(value) or all(is_simple(item, depth + 1) for item in value)

    def refuse_forged(a, b):
        if not (is_simple(a) and is_simple(b)) and is_decided_by_program(a, b):
            raise Forbidden("an object that compares by its own rules was given for a plain value")

    # ---- what the tests call
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

    def compare(names, *values):
        for name, a, b in zip(names, values, values[1:]):
            result = compare_two(name, a, b)
            if not result:
                break
        return result

    def compare_two(name, a, b):
        if id(type(a)) in plain and id(type(b)) in plain:
            return operators[name](a, b)
        if name in ("Eq", "NotEq") and (a is None or b is None):
            return (a is b) is (name == "Eq")
        if name in ("In", "NotIn"):
            return is_in(a, b) is (name == "In")
        if name not in ("Is", "IsNot"):
            refuse_forged(a, b)
        return operators[name](a, b)

    def is_in(a, b):
        kind = type(b)
        for box in (list, tuple, set, frozenset, dict):
            if is_a(kind, box) and not has_own_rules(kind):
                if not (is_simple(a) and is_simple(b)):
                    for item in box.__iter__(b):
                        refuse_forged(a, item)
                return a in b
        if find_rule(kind, "__contains__")[0] is None:
            return any(item is a or compare_two("Eq", item, a) for item in b)
        refuse_forged(a, b)
        return a in b

    def subtract(a, b):
        """Plain values, or two of the program: an object of the program could make `abs(f(x) - 1)` a plain 0."""
        if id(type(a)) not in plain or id(type(b)) not in plain:
            refuse_forged(a, b)
        return a - b

    def agree(check, *values, **named):
        if len(values) > 1:
            refuse_forged(values[0], values[1])
        return check(*values, **named)

    def own_class(made):
        """Decorates every class of the tests: it is trusted like one of the library."""
        if isinstance(made, type):
            trust(made)
        return made

    names = {"__own__": own_class, "__compare__": compare, "__subtract__": subtract, "__agree__": agree}
    return types.SimpleNamespace(learn=learn, names=names)


def _keep(names):
    """Records modules with everything to which they lead. Returns what restores them, and what copies each."""
    Cached, Module, Function = type(functools.lru_cache(lambda: None)), types.ModuleType, types.FunctionType
    fields_of = type.__dict__["__dict__"].__get__
    set_field, delete_field = type.__setattr__, type.__delattr__
    # State of the interpreter and of the runner, which stays as it is.
    shared = ("sys", "builtins", "__main__", "__runner__", "__shims__", "answer")
    dicts, tables, classes, caches = {}, [], {}, []

    def keep(value):
        """Records a value of a module. Returns the names of the modules to which it leads."""
        kind = type(value)
        if kind is Module:
            return [value.__name__]
        if kind in (dict, list, set):
            tables.append((value, kind(value)))
        elif kind is Cached:
            caches.append(value.cache_clear)
        elif isinstance(value, type):
            classes[id(value)] = value, dict(fields_of(value))
            return [value.__module__] if isinstance(value.__module__, str) else []
        elif kind is Function:
            return [value.__module__]
        return []

    todo = list(names)
    while todo:
        name = todo.pop()
        module = sys.modules.get(name)
        if name in dicts or name in shared or type(module) is not Module:
            continue
        dicts[name] = module.__dict__, dict(module.__dict__)
        for key, value in list(module.__dict__.items()):
            if key not in ("__builtins__", "__loader__", "__spec__"):
                todo.extend(keep(value))

    gone = object()

    def differences(now, was):
        """The names to set and the names to delete."""
        changed = [(name, value) for name, value in was.items() if now.get(name, gone) is not value]
        return changed, [name for name in now if name not in was] if len(now) != len(was) else ()

    def put_back():
        for now, was in dicts.values():
            changed, added = differences(now, was)
            now.update(changed)
            for name in added:
                del now[name]
        for kind, was in classes.values():
            changed, added = differences(fields_of(kind), was)
            for name, value in changed:
                set_field(kind, name, value)
            for name in added:
                delete_field(kind, name)
        for table, was in tables:
            table.clear()
            (table.extend if type(table) is list else table.update)(was)
        for clear in caches:
            clear()

    def copy_of(name):
        copy = Module(name)
        copy.__dict__.update(dicts[name][1])
        return copy

    return put_back, {name: copy_of for name in dicts}


def _make_cases():
    """Returns what changes a copy of `unittest`: it raises if a test fails, and finds the cases of the tests."""
    import unittest

    Case, Suite, Result = unittest.TestCase, unittest.TestSuite, unittest.TestResult
    Runner, load = unittest.TextTestRunner, unittest.defaultTestLoader.loadTestsFromTestCase
    bases_of = type.__dict__["__mro__"].__get__

    def judged(result):
        if result.testsRun == 0:
            raise AssertionError("no test was found")
        for _, trace in (*result.failures, *result.errors):
            raise AssertionError(trace.strip().rpartition("\n")[2])
        if result.unexpectedSuccesses:
            raise AssertionError("a test passed that must fail")
        return result

    def cases(copy, program, space):
        class CheckedRunner(Runner):  # defined after the program ran, because a program can find every class
            def run(self, test):
                return judged(super().run(test))

        def main(*args, **options):
            kinds = [value for name, value in space.items() if isinstance(value, type)
                     and program.get(name) is not value and any(base is Case for base in bases_of(value))]
            suite = Suite(load(kind) for kind in kinds)
            return types.SimpleNamespace(result=judged(suite.run(Result())))

        copy.main, copy.TextTestRunner = main, CheckedRunner

    return cases


def _make_trials(harden):
    """Gives `harden` the function `prepare`. It returns the code of a test program and what makes its namespace."""
    rules = _make_rules(harden.Forbidden)
    refused, file_name = harden.refuse("open"), _TestProgram.ANSWER
    parse, walk, guard, compile_, Module = ast.parse, ast.walk, _Guard, compile, types.ModuleType

    def imports_of(tree):
        """Imports the modules that the tests import, before the program runs, and returns their names."""
        names = set()
        for node in walk(tree):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
        late = [name for name in names if name not in sys.modules]
        for name in late:
            try:
                __import__(name)
            except Exception:
                pass  # the import in the tests raises the same error
        if late:
            rules.learn()
        return {part for name in names for part in (name, name.partition(".")[0])}

    def prepare(source):
        """Raises SyntaxError if the tests cannot be parsed."""
        tree = parse(source)
        called = {node.func.id for node in walk(tree)
                  if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        put_back, copies = _keep(imports_of(tree))
        known, reading = dict(builtins.__dict__), harden.reading
        tree = ast.fix_missing_locations(guard().visit(tree))
        code = compile_(tree, "<tests>", "exec", dont_inherit=True)
        import__, shared_builtins = known["__import__"], builtins.__dict__
        cases = _make_cases() if "unittest" in copies else None

        def import_of(program, space):
            def import_(name, globals=None, locals=None, fromlist=(), level=0):
                wanted = name if fromlist else name.partition(".")[0]
                if wanted == file_name:
                    module = Module(wanted)
                    module.__dict__.update(program)
                    return module
                if wanted not in copies:
                    return import__(name, globals, locals, fromlist, level)
                copy = copies[wanted](wanted)
                if wanted == "unittest":
                    cases(copy, program, space)
                return copy

            return import_

        def namespace(program):
            """What the tests see: the names of the program, and the original built-ins and modules."""
            put_back()
            shared_builtins.update(known)
            # A program must not replace the built-ins of the tests. Only if they call no other function of the
            # program may its function with the name of a built-in be the one under test.
            others = [name for name in called if name in program and name not in known]
            space = {name: value for name, value in program.items()
                     if name not in known or (name in called and not others)}
            own = {**known, **reading, "__import__": import_of(program, space), "open": refused}
            # The name is `__main__` because tests may be behind a main guard.
            space.update({"__builtins__": own, "__name__": "__main__", **rules.names})
            return space

        return code, namespace

    harden.learn, harden.prepare = rules.learn, prepare
