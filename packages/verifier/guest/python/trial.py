"""The tests' own world, made ready before the answer runs: what they import, compare and subtract.

An answer shares the interpreter with its tests. What it changed in the library is put back before they
run, and an object that compares by rules of the answer's own is not held against a value of theirs. It is
all in closures: an answer can find every class, and would change its methods.
"""

import ast, builtins, collections, decimal, functools, gc, sys, types, weakref  # noqa: E401

_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge", "contains", "sub", "rsub", "hash", "getattr", "getattribute")
_RULES = (*(f"__{name}__" for name in _COMPARISONS), "__class__")
# Functions of `unittest` and `operator` that compare their first two arguments, besides `assert…Equal`.
_COMPARING = ("assertIn", "assertNotIn", "assertGreater", "assertLess", "eq", "ne", "lt", "le", "gt", "ge")


class _Guard(ast.NodeTransformer):
    """Hands every comparison and subtraction of the tests to the functions of {_make_rules}."""

    def hand(self, node, name, args, keywords=()):
        call = ast.Call(func=ast.Name(id=name, ctx=ast.Load()), args=args, keywords=list(keywords))
        return ast.copy_location(call, node)

    def visit_Compare(self, node):
        self.generic_visit(node)
        names = ast.Constant(value=tuple(type(op).__name__ for op in node.ops))
        return self.hand(node, "__compare__", [names, node.left, *node.comparators])

    def visit_BinOp(self, node):
        self.generic_visit(node)
        return self.hand(node, "__subtract__", [node.left, node.right]) if isinstance(node.op, ast.Sub) else node

    def visit_Call(self, node):
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name in _COMPARING or (name.startswith("assert") and name.endswith(("Equal", "Equals"))):
            return self.hand(node, "__agree__", [node.func, *node.args], node.keywords)
        return node

    def visit_ClassDef(self, node):
        self.generic_visit(node)
        # The outermost decorator is called last: `dataclass` has added its methods by then.
        node.decorator_list.insert(0, ast.copy_location(ast.Name(id="__own__", ctx=ast.Load()), node))
        return node

    def visit_MatchValue(self, node):
        return node  # only literals may stand there


def _make_rules(Forbidden):
    """Which classes compare by rules that were there before the answer; what the tests call instead of `==`."""
    bases_of = type.__dict__["__mro__"].__get__
    fields_of = type.__dict__["__dict__"].__get__
    referents = gc.get_referents
    Function = types.FunctionType
    deque, Decimal = collections.deque, decimal.Decimal
    plain_kinds = (int, float, bool, complex, str, bytes, bytearray, type(None), range)
    plain = {id(kind) for kind in plain_kinds}
    boxes = {id(kind) for kind in (list, tuple, set, frozenset, dict)}
    by_identity = object.__dict__["__eq__"]
    asking_nothing = {id(by_identity), *(id(kind.__eq__) for kind in plain_kinds)}
    # These pass on to whatever they stand for.
    stand_ins = (weakref.ProxyType, weakref.CallableProxyType)
    known = {}

    def learn():
        """Takes in all classes that there are. An object of `unittest.mock` may equal anything."""
        todo, seen = [object], set()
        while todo:
            kind = todo.pop()
            if id(kind) in seen:
                continue
            seen.add(id(kind))
            todo.extend(type.__subclasses__(kind))
            if id(kind) not in known and kind not in stand_ins and kind.__module__ != "unittest.mock":
                add(kind)

    def add(kind):
        fields = fields_of(kind)
        known[id(kind)] = kind, {name: fields[name] for name in _RULES if name in fields}

    def rule(kind, name):
        """The class that gives a class its rule, and the rule. Every class has `object` at its end."""
        for base in bases_of(kind):
            fields = fields_of(base)
            if name in fields:
                return base, fields[name]
        return None, None

    def is_foreign(value):
        return id(type(value)) not in known

    def has_own(kind):
        """Does a class compare by rules of the answer, or by what the answer may override?"""
        foreign = id(kind) not in known
        for base in bases_of(kind) if foreign else ():
            # A name that is not quite a string may be another at the next look.
            if any(id(type(name)) != id(str) for name in fields_of(base)):
                return True
        for name in _RULES:
            base, found = rule(kind, name)
            if base is not None and (id(base) not in known or known[id(base)][1].get(name) is not found):
                return True
        return foreign and (type(rule(kind, "__eq__")[1]) is Function or is_a(kind, deque))

    def is_a(kind, wanted):
        return any(base is wanted for base in bases_of(kind))

    def asks_nothing(value):
        return id(rule(type(value), "__eq__")[1]) in asking_nothing

    def asks(value):
        """Does a value ask another for more than its type when it is compared, as Fraction does?"""
        kind = type(value)
        return type(rule(kind, "__eq__")[1]) is Function or is_a(kind, Decimal)

    def all_plain(values):
        return {id(kind) for kind in map(type, values)} <= plain

    def holds_foreign(value):
        """Is there an object of an answer's class in a value of the library?"""
        todo, seen = [value], set()
        while todo:
            value = todo.pop()
            if id(type(value)) in plain or id(value) in seen:
                continue
            seen.add(id(value))
            if is_foreign(value):
                return True
            if rule(type(value), "__eq__")[1] is not by_identity:
                todo.extend(referents(value))
        return False

    def clash(a, b):
        """Would a comparison of two values be settled by an answer's object against a value that is none?"""
        todo, seen, verdicts = [(a, b)], set(), {}

        def own(value):
            kind = type(value)
            if id(kind) in plain:
                return False
            if id(kind) not in verdicts:
                verdicts[id(kind)] = has_own(kind)
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
            if (asks_nothing(a) and not asks(b)) or (asks_nothing(b) and not asks(a)):
                continue
            inner = pairs(a, b)
            if inner is not None:
                todo.extend(inner)
            elif holds_foreign(a) != holds_foreign(b):
                return True
        return False

    def pairs(a, b):
        """What is compared when two lists, tuples or dictionaries are; {None} for anything else."""
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
        """Plain values in plain boxes: nothing of the answer's can be in there. The quick way for most values."""
        kind = id(type(value))
        if kind in plain:
            return True
        if kind not in boxes or depth > 50:
            return False
        if type(value) is dict and not is_simple(list(value.values()), depth + 1):
            return False
        return all_plain(value) or all(is_simple(item, depth + 1) for item in value)

    def refuse_clash(a, b):
        if not (is_simple(a) and is_simple(b)) and clash(a, b):
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
            refuse_clash(a, b)
        return operators[name](a, b)

    def is_in(a, b):
        kind = type(b)
        for box in (list, tuple, set, frozenset, dict):
            if is_a(kind, box) and not has_own(kind):
                if not (is_simple(a) and is_simple(b)):
                    for item in box.__iter__(b):
                        refuse_clash(a, item)
                return a in b
        if rule(kind, "__contains__")[0] is None:
            return any(item is a or compare_two("Eq", item, a) for item in b)
        refuse_clash(a, b)
        return a in b

    def subtract(a, b):
        """Only plain values, or two of the answer's: its own may leave a plain 0 of `abs(f(x) - 1)`."""
        if id(type(a)) not in plain or id(type(b)) not in plain:
            refuse_clash(a, b)
        return a - b

    def agree(check, *values, **named):
        if len(values) > 1:
            refuse_clash(values[0], values[1])
        return check(*values, **named)

    def own_class(made):
        """A class of the tests is as good as one of the library."""
        if isinstance(made, type):
            add(made)
        return made

    names = {"__own__": own_class, "__compare__": compare, "__subtract__": subtract, "__agree__": agree}
    return types.SimpleNamespace(learn=learn, names=names)


def _keep(names):
    """Keeps modules as they are, with all that they lead to: answers how to put them back, and copies of each."""
    Cached, Module, Function = type(functools.lru_cache(lambda: None)), types.ModuleType, types.FunctionType
    fields_of = type.__dict__["__dict__"].__get__
    set_field, delete_field = type.__setattr__, type.__delattr__
    # Everybody's state, and ours.
    shared = ("sys", "builtins", "__main__", "__runner__", "__shims__", "answer")
    dicts, tables, classes, caches = {}, [], {}, []

    def keep(value):
        """Keeps a value of a module; answers the names of the modules that it leads to."""
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
        """What to set and what to delete."""
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
    """Answers what makes a copy of `unittest` throw where a test fails, and find cases that no module shows."""
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

    def cases(copy, answer, space):
        class CheckedRunner(Runner):  # made when the answer has run, which finds every class
            def run(self, test):
                return judged(super().run(test))

        def main(*args, **options):
            kinds = [value for name, value in space.items() if isinstance(value, type)
                     and answer.get(name) is not value and any(base is Case for base in bases_of(value))]
            suite = Suite(load(kind) for kind in kinds)
            return types.SimpleNamespace(result=judged(suite.run(Result())))

        copy.main, copy.TextTestRunner = main, CheckedRunner

    return cases


def _make_trials(harden):
    """Answers what prepares a test program: its code, and how to make its namespace from the answer's."""
    rules = _make_rules(harden.Forbidden)
    refused, file_name = harden.refuse("open"), _TestProgram.ANSWER
    parse, walk, guard, compile_, Module = ast.parse, ast.walk, _Guard, compile, types.ModuleType

    def imports_of(tree):
        """The modules that the tests import, imported before the answer can get in between."""
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
                pass  # the tests will find out themselves
        if late:
            rules.learn()
        return {part for name in names for part in (name, name.partition(".")[0])}

    def prepare(source):
        """@throws SyntaxError when the tests are no program"""
        tree = parse(source)
        called = {node.func.id for node in walk(tree)
                  if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        put_back, copies = _keep(imports_of(tree))
        known, reading = dict(builtins.__dict__), harden.reading
        tree = ast.fix_missing_locations(guard().visit(tree))
        code = compile_(tree, "<tests>", "exec", dont_inherit=True)
        import__, everybodys = known["__import__"], builtins.__dict__
        cases = _make_cases() if "unittest" in copies else None

        def import_of(answer, space):
            def import_(name, globals=None, locals=None, fromlist=(), level=0):
                wanted = name if fromlist else name.partition(".")[0]
                if wanted == file_name:
                    module = Module(wanted)
                    module.__dict__.update(answer)
                    return module
                if wanted not in copies:
                    return import__(name, globals, locals, fromlist, level)
                copy = copies[wanted](wanted)
                if wanted == "unittest":
                    cases(copy, answer, space)
                return copy

            return import_

        def namespace(answer):
            """What the tests see: the answer's names, and built-ins and modules as they were."""
            put_back()
            everybodys.update(known)
            # An answer must not replace what the tests lean on. Only where they call nothing else of it is
            # a function with a built-in's name the one that is asked for.
            others = [name for name in called if name in answer and name not in known]
            space = {name: value for name, value in answer.items()
                     if name not in known or (name in called and not others)}
            own = {**known, **reading, "__import__": import_of(answer, space), "open": refused}
            # They may stand behind a main guard.
            space.update({"__builtins__": own, "__name__": "__main__", **rules.names})
            return space

        return code, namespace

    harden.learn, harden.prepare = rules.learn, prepare
