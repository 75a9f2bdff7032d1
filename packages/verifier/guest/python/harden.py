"""Removes what a program could use to reach its tests or the host, and makes random numbers repeatable.

`hide_host` and `hide_introspection` run when the interpreter is sealed, because the boot still needs what they
remove. `fix_chance` runs before the snapshot. `start.py` calls them.
"""

import _imp, builtins, gc, importlib.machinery, inspect, logging, os, random, sys, threading, traceback, types, uuid  # noqa: E401


class _Harden:
    """The guards of this file, and the captured readers of frames that the runner uses."""

    class Forbidden(Exception):
        """Raised by what a program may not use. The cell reports it as a violation."""

    OURS = ("<runner>", "<tests>")  # file names of code that a program may not inspect

    def __init__(self):
        self.frame_of = types.TracebackType.tb_frame.__get__
        frame = types.FrameType
        self.code_of, self.back_of, self.line_of = frame.f_code.__get__, frame.f_back.__get__, frame.f_lineno.__get__
        self.globals_of, self.locals_of = frame.f_globals.__get__, frame.f_locals.__get__
        self.get_referents = gc.get_referents

    # ---- introspection: frames, tracing and the garbage collector lead to the constants of the tests
    def hide_introspection(self):
        self.plain_log_records()
        self.own_names_only()
        for owner, names in (
            (types.FrameType, ["f_back", "f_code", "f_locals", "f_globals", "f_builtins", "f_generator"]),
            (types.GeneratorType, ["gi_frame", "gi_code"]),
            (types.CoroutineType, ["cr_frame", "cr_code"]),
            (types.AsyncGeneratorType, ["ag_frame", "ag_code"]),
        ):
            fields = self.get_referents(owner.__dict__)[0]
            for name in names:
                fields.pop(name, None)
        self.empty_frames()
        self.hide_own_functions()
        for clear in ("_clear_internal_caches", "_clear_type_cache"):
            getattr(sys, clear, lambda: None)()
        for name in (
            "_getframe", "_current_frames", "_current_exceptions", "addaudithook",
            "_settraceallthreads", "_setprofileallthreads",
            "call_tracing", "_clear_type_cache", "remote_exec",
        ):
            if hasattr(sys, name):
                delattr(sys, name)
        for name in ("get_objects", "get_referrers", "get_referents"):
            delattr(gc, name)
        for name in ("currentframe", "stack", "trace", "getouterframes", "getinnerframes"):
            setattr(inspect, name, self.refuse(f"inspect.{name}"))
        threading.settrace = threading.setprofile = self.refuse("tracing")
        self.no_tracing()
        self.plain_tracebacks()

    def empty_frames(self):
        """Libraries read the frames of a traceback: they get empty ones."""

        def empty(tb):
            return types.SimpleNamespace(f_globals={}, f_locals={}, f_back=None, clear=lambda: None)

        self.get_referents(types.TracebackType.__dict__)[0]["tb_frame"] = property(empty)

    def hide_own_functions(self):
        """Functions of the runner and the tests only show how they are called. Those of the library are read-only."""
        fields = self.get_referents(types.FunctionType.__dict__)[0]
        code_of = fields["__code__"].__get__
        OURS, kept = self.OURS, ("/lib/python", "<frozen ")

        def without_constants(function):
            code = code_of(function)
            return code.replace(co_consts=(None,) * len(code.co_consts))

        def watched(field, shown):
            def read(function):
                return shown(function) if code_of(function).co_filename in OURS else field.__get__(function)

            def write(function, value):
                file = code_of(function).co_filename
                if file in OURS or file.startswith(kept):
                    raise AttributeError(f"{field.__name__} is not writable in the sandbox")
                field.__set__(function, value)

            return property(read, write)

        for name, shown in (
            ("__code__", without_constants),
            ("__globals__", lambda function: {}),
            ("__builtins__", lambda function: {}),
            ("__closure__", lambda function: None),
            ("__defaults__", fields["__defaults__"].__get__),
            ("__kwdefaults__", fields["__kwdefaults__"].__get__),
        ):
            fields[name] = watched(fields[name], shown)

    def own_names_only(self):
        """These read the names of their caller. A program can make library code call them inside the runner."""
        getframe, code_of, OURS, Forbidden = sys._getframe, self.code_of, self.OURS, self.Forbidden
        globals_of, locals_of = self.globals_of, self.locals_of
        self.reading = {name: getattr(builtins, name) for name in ("eval", "exec", "globals", "locals", "vars", "dir")}
        eval_, exec_, vars_, dir_ = (self.reading[name] for name in ("eval", "exec", "vars", "dir"))

        def caller():
            frame = getframe(2)
            if code_of(frame).co_filename in OURS:
                raise Forbidden("the names of the tests are not available in the sandbox")
            return frame

        Proxy = type(locals_of(getframe()))

        def names(frame):
            found = locals_of(frame)
            return dict(found) if type(found) is Proxy else found

        def eval(source, /, globals=None, locals=None):
            if globals is None:
                frame = caller()
                globals, locals = globals_of(frame), names(frame) if locals is None else locals
            return eval_(source, globals, locals)

        def exec(source, /, globals=None, locals=None, *, closure=None):
            if globals is None:
                frame = caller()
                globals, locals = globals_of(frame), names(frame) if locals is None else locals
            exec_(source, globals, locals, closure=closure)

        def globals():
            return globals_of(caller())

        def locals():
            return names(caller())

        def vars(*of):
            return vars_(*of) if of else names(caller())

        def dir(*of):
            return dir_(*of) if of else sorted(names(caller()))

        for function in (eval, exec, globals, locals, vars, dir):
            function.__qualname__, function.__module__ = function.__name__, "builtins"
            setattr(builtins, function.__name__, function)

    def no_tracing(self):
        """What a debugger or doctest reads is there, but tracing cannot be turned on."""

        def none():
            return None

        def only_off(function):
            if function is not None:
                refused()

        refused = self.refuse("tracing")
        monitoring = {name: refused if callable(value) else value for name, value in vars(sys.monitoring).items()}
        sys.monitoring = types.SimpleNamespace(**monitoring)
        sys.modules["sys.monitoring"] = sys.monitoring
        sys.gettrace = sys.getprofile = none
        sys.settrace = sys.setprofile = only_off

    def plain_log_records(self):
        """Logging looks for its caller in the frames. It only gets those of the program."""
        getframe, code_of, back_of, line_of = sys._getframe, self.code_of, self.back_of, self.line_of

        def find_caller(logger, stack_info=False, stacklevel=1):
            frame = getframe(1)
            while frame is not None:
                code = code_of(frame)
                if code.co_filename == "<answer>":
                    return code.co_filename, line_of(frame), code.co_name, None
                frame = back_of(frame)
            return "(unknown file)", 0, "(unknown function)", None

        logging.Logger.findCaller = find_caller

    def refuse(self, what):
        Forbidden = self.Forbidden

        def refused(*args, **kwargs):
            raise Forbidden(f"{what} is not available in the sandbox")

        return refused

    def plain_tracebacks(self):
        """The traceback module reads frames. Programs only print its results, so these are made without frames."""

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
        traceback.walk_tb = traceback.walk_stack = traceback._walk_tb_with_full_positions = lambda *args: iter(())
        traceback.extract_tb = traceback.extract_stack = lambda *args, **kwargs: []

    def hide_host(self):
        """Removes the modules that lead to JavaScript. The gate of `shims.js` also refuses their calls."""
        names = ("js", "pyodide", "pyodide_js", "_pyodide_core", "_pyodide")

        class NotHere:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name.partition(".")[0] in names:
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        for known in list(sys.modules):
            if known.partition(".")[0] in names:
                del sys.modules[known]
        self.hide_test_modules()
        kept = [finder for finder in sys.meta_path if "pyodide" not in type(finder).__module__]
        sys.meta_path[:] = [NotHere, *kept]

    def hide_test_modules(self):
        """Hides CPython's test modules, which can open every object. Creates no built-in module a second time."""
        create, Spec = _imp.create_builtin, importlib.machinery.ModuleSpec
        made = {name: sys.modules[name] for name in sys.builtin_module_names if name in sys.modules}

        def create_builtin(spec):
            name = str(spec.name)
            if type(name) is not str or name.startswith(("_test", "_xxtest", "xx")):
                raise ModuleNotFoundError("no such module in the sandbox", name=name)
            return made[name] if name in made else create(Spec(name, spec.loader, origin=spec.origin))

        _imp.create_builtin = create_builtin

    # ---- random numbers
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

