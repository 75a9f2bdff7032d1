"""Runs jobs inside the sealed interpreter: a program, then calls, one input, a test program, or nothing more.

Part of the snapshot, so its imports cost nothing later. An answer shares the interpreter with it:
everything that it relies on is captured in closures before any answer runs, and what could show an
answer the tests (frames, tracing, the collector) is taken away by `harden.py`.
"""

import builtins, io, json, os, sys, types  # noqa: E401


def _make_runner(harden):
    loads = json.loads
    # The encoder in C holds all that it needs: there is nothing in it that an answer could patch.
    encode = json.encoder.c_make_encoder(
        None, str, json.encoder.c_encode_basestring_ascii, None, ": ", ", ", False, False, True)
    join = "".join

    def dumps(value):
        return join(encode(value, 0))

    compile_, exec_, isinstance_, type_, getattr_ = compile, exec, isinstance, type, getattr
    str_, repr_, len_, id_, list_, tuple_, dict_ = str, repr, len, id, list, tuple, dict
    set_, frozenset_, int_, float_, bool_, bytes_, complex_ = set, frozenset, int, float, bool, bytes, complex
    BaseException_, SystemExit_, SyntaxError_, MemoryError_ = BaseException, SystemExit, SyntaxError, MemoryError
    RecursionError_, AttributeError_, KeyError_ = RecursionError, AttributeError, KeyError
    StringIO, BytesIO, TextIOWrapper = io.StringIO, io.BytesIO, io.TextIOWrapper
    real_open = builtins.open
    MAX_DEPTH = 200
    FILE = "<answer>"

    class OutputLimit(BaseException):
        pass

    class Printed(StringIO):
        """Standard output with a cap that holds even when the answer swallows the exception."""

        def __init__(self, limit):
            super().__init__()
            self.room = limit
            self.buffer = BinaryOut(self)

        def write(self, text):
            n = super().write(text)
            self.room -= n
            if self.room < 0:
                raise OutputLimit()
            return n

        def fileno(self):
            return 1

        def isatty(self):
            return False

    class BinaryOut(io.RawIOBase):
        def __init__(self, out):
            self.out = out

        def writable(self):
            return True

        def write(self, data):
            self.out.write(bytes_(data).decode("utf-8", "replace"))
            return len_(data)

    # ---- values on their way out: the wire form of code/value.ts
    def wire(value, path, room):
        room[0] -= 1
        if room[0] < 0:
            raise OutputLimit()
        kind = type_(value)
        if value is None or value is True or value is False:
            return value
        if kind is str_:
            room[0] -= len_(value)
            return value
        if kind is int_:
            return value if -(1 << 53) < value < (1 << 53) else ["b", big(value, room)]
        if kind is float_:
            return number(value)
        if isinstance_(value, bool_):
            return bool_(value)
        if isinstance_(value, int_):
            return wire(int_.__pos__(value), path, room)
        if isinstance_(value, float_):
            return number(float_.__pos__(value))
        if isinstance_(value, str_):
            return wire(str_.__str__(value), path, room)
        return container(value, path, room)

    def big(value, room):
        room[0] -= value.bit_length() // 3
        if room[0] < 0:
            raise OutputLimit()
        # hexadecimal first: decimal conversion of huge integers is quadratic and refused
        return "%d" % value if value.bit_length() < 10000 else str_(value)

    def number(value):
        if value != value:
            return ["n", "NaN"]
        if value in (float_("inf"), float_("-inf")):
            return ["n", "Infinity" if value > 0 else "-Infinity"]
        if value == 0 and repr_(value)[0] == "-":
            return ["n", "-0"]
        return value

    def container(value, path, room):
        for up, outer in enumerate(reversed(path)):
            if outer is value:
                return ["c", up + 1]
        if len_(path) >= MAX_DEPTH:
            raise RecursionError_("the returned value is nested too deep")
        path.append(value)
        try:
            return contents(value, path, room)
        finally:
            path.pop()

    def contents(value, path, room):
        if isinstance_(value, tuple_):
            return ["t", *[wire(x, path, room) for x in value]]
        if isinstance_(value, list_):
            return ["a", *[wire(x, path, room) for x in value]]
        if isinstance_(value, (set_, frozenset_)):
            return ["s", *[wire(x, path, room) for x in value]]
        if isinstance_(value, dict_):
            out = ["m"]
            for key, item in dict_.items(value):
                out.append(wire(key, path, room))
                out.append(wire(item, path, room))
            return out
        if isinstance_(value, (bytes_, bytearray)):
            return ["a", *list_(value)]
        if isinstance_(value, complex_):
            return ["r", "complex", repr_(value)]
        if isinstance_(value, BaseException_):
            return ["e", type_(value).__name__, str_(value)[:1000]]
        if isinstance_(value, types.FunctionType):
            return ["f", value.__name__[:100]]
        if isinstance_(value, (range, map, filter, zip, enumerate, types.GeneratorType, type_({}.keys()),
                               type_({}.values()), type_({}.items()), type_(reversed([])))):
            return ["a", *[wire(x, path, room) for x in value]]
        return ["r", type_(value).__name__[:100], repr_(value)[:1000]]

    # ---- values on their way in
    def revive(value):
        if isinstance_(value, list_):
            return [revive(x) for x in value]
        if not isinstance_(value, dict_):
            return value
        kind = value.get("$type")
        if kind is None:
            return {key: revive(item) for key, item in value.items()}
        inner = value.get("value")
        if kind == "tuple":
            return tuple_(revive(inner))
        if kind == "set":
            return set_(revive(inner))
        if kind == "map":
            return {key if not isinstance_(key, list_) else tuple_(key): item for key, item in revive(inner)}
        if kind == "bigint":
            return int_(inner)
        if kind == "number":
            return float_(inner.replace("Infinity", "inf"))
        return None

    # ---- errors
    frame_of, code_of = harden.frame_of, harden.code_of

    def place(error):
        """The deepest line of the answer on the way of an error."""
        line = None
        step = error.__traceback__
        for _ in range(10000):
            if step is None:
                break
            if code_of(frame_of(step)).co_filename == FILE:
                line = step.tb_lineno
            step = step.tb_next
        return line

    def text_of(error):
        try:
            return str_(error)[:2000]
        except BaseException_:
            return ""

    def trouble(error):
        if isinstance_(error, OutputLimit):
            return {"kind": "output"}
        if isinstance_(error, MemoryError_):
            return {"kind": "memory"}
        if isinstance_(error, SystemExit_):
            return {"kind": "exit", "code": str_(error.code if error.code is not None else 0)[:100]}
        if isinstance_(error, harden.Stuck):
            return {"kind": "open"}
        if isinstance_(error, harden.Forbidden):
            return {"kind": "violation", "name": "SandboxError", "message": text_of(error)}
        out = {"kind": "threw", "name": type_(error).__name__[:100], "message": text_of(error)}
        line = place(error)
        if line is not None:
            out["line"] = line
        return out

    def compiled(source):
        """A code object, or trouble. Warnings of the compiler are nobody's business."""
        try:
            return compile_(source, FILE, "exec", dont_inherit=True)
        except SyntaxError_ as error:
            out = {"kind": "syntax", "message": f"{type_(error).__name__}: {error.msg}"[:500]}
            if error.lineno:
                out["line"], out["column"] = error.lineno, max(1, error.offset or 1)
            return out
        except (ValueError, OverflowError, RecursionError_, MemoryError_) as error:
            return {"kind": "syntax", "message": f"{type_(error).__name__}: {text_of(error)}"[:500]}

    # ---- the program and its world
    def open_(file, *args, **kwargs):
        if file in (0, "/dev/stdin", "/proc/self/fd/0"):
            mode = args[0] if args else kwargs.get("mode", "r")
            return sys.stdin.buffer if "b" in mode else sys.stdin
        if file in (1, "/dev/stdout"):
            return sys.stdout
        return real_open(file, *args, **kwargs)

    def os_write(fd, data):
        if fd == 1:
            sys.__stdout__.buffer.write(data)
        elif fd == 2 and isinstance_(sys.__stderr__, Printed):
            sys.__stderr__.buffer.write(data)
        return len_(data)

    def os_read(fd, size):
        if fd != 0:
            raise OSError(9, "Bad file descriptor")
        return sys.__stdin__.buffer.read(size)

    def begin(stdin, limit):
        os.write, os.read = os_write, os_read
        raw = BytesIO(stdin.encode("utf-8", "surrogatepass"))
        sys.stdin = sys.__stdin__ = TextIOWrapper(raw, encoding="utf-8", errors="replace")
        sys.stdout = sys.__stdout__ = Printed(limit)
        sys.stderr = sys.__stderr__ = StringIO()
        builtins.open = io.open = open_
        return sys.stdout

    def namespace():
        main = types.ModuleType("__main__")
        sys.modules["__main__"] = main
        main.__builtins__ = builtins
        return main.__dict__

    def run_program(job):
        code = compiled(job["program"])
        if isinstance_(code, dict_):
            return code, None
        ns = namespace()
        try:
            exec_(code, ns)
        except BaseException_ as error:
            return trouble(error), ns
        return None, ns

    def find(ns, entry):
        """What answers with the function for one call: methods get an object of their own each time."""
        owner, _, method = entry.partition(".")
        target = ns.get(owner)
        maker = target if method else ns.get("Solution")
        # A name that the usual imports brought (`search` of `re`) is not the answer's.
        brought = getattr_(getattr_(target, "__code__", None), "co_filename", FILE) != FILE
        if target is not None and not method and not (brought and hasattr(maker, owner)):
            return lambda: target
        method = method or owner
        return (lambda: getattr_(maker(), method, None)) if maker is not None else None

    def settle(value):
        """What an `async def` answers with: run to its end on a loop whose time is virtual."""
        if isinstance_(value, types.CoroutineType):
            return harden.run_coroutine(value)
        return value

    def call(fresh, args, limit):
        try:
            entry = fresh()
            if entry is None:
                return {"kind": "missing"}
            value = settle(entry(*revive(loads(args))))
            if sys.__stdout__.room < 0:
                return {"kind": "output"}
            text = dumps(wire(value, [], [limit]))
            return {"kind": "value", "wire": text} if len_(text) <= limit else {"kind": "output"}
        except BaseException_ as error:
            return trouble(error)

    def run_calls(job):
        failed, ns = run_program(job)
        if failed:
            return {"load": failed}
        try:
            fresh = find(ns, job["entry"])
        except BaseException_ as error:
            return {"load": trouble(error)}
        if fresh is None:
            return {"tests": [{"kind": "missing"}]}
        tests = []
        for args in job["calls"]:
            tests.append(call(fresh, args, job["outputBytes"]))
            if tests[-1]["kind"] != "value" and (job["stopAtTrouble"] or tests[-1]["kind"] == "exit"):
                break
        return {"tests": tests}

    def run_input(job, out):
        failed, _ = run_program(job)
        if out.room < 0:
            return {"tests": [{"kind": "output"}]}
        if failed and failed["kind"] == "syntax":
            return {"load": failed}
        if failed and failed["kind"] == "exit" and failed["code"] not in ("0", "None", "False"):
            failed = {"kind": "threw", "name": "SystemExit", "message": failed["code"]}
        if failed and failed["kind"] != "exit":
            return {"tests": [failed]}
        return {"tests": [{"kind": "printed", "text": out.getvalue()}]}

    def run_tests(job):
        """The tests run over the answer's names with pristine built-ins, modules and comparisons."""
        try:
            code, namespace_for = harden.prepare(job["tests"])
        except SyntaxError_:
            return {"load": {"kind": "broken-tests"}}
        failed, ns = run_program(job)
        if failed:
            return {"load": failed}
        try:
            exec_(code, namespace_for(ns))
        except BaseException_ as error:
            return {"tests": [trouble(error)]}
        return {"tests": [{"kind": "passed", "declared": job["sentinel"]}]}

    # ---- a program that is only run
    def run_whole(job, out):
        sys.path.insert(0, os.getcwd())
        sys.path_importer_cache.clear()  # time stands still, so new files do not show in a folder's date
        sys.stderr = sys.__stderr__ = err = Printed(job["outputBytes"])
        code, last_words = whole(job["program"])
        end = "output" if out.room < 0 or err.room < 0 else "time" if code is None else "exited"
        limit = job["outputBytes"]
        return {"tests": [{"kind": "ran", "end": end, "code": code or 0, "stdout": out.getvalue()[:limit],
                           "stderr": (err.getvalue() + last_words)[:limit]}]}

    def whole(source):
        """The exit code, or None when the program would wait for ever, and what Python says at its end."""
        code = compiled(source)
        if isinstance_(code, dict_):
            return 1, f'  File "{FILE}", line {code.get("line", 1)}\n{code["message"]}\n'
        try:
            exec_(code, namespace())
        except SystemExit_ as error:
            status = error.code
            if status is None or isinstance_(status, int_):
                return (int_(status or 0) & 255), ""
            return 1, text_of(error) + "\n"
        except harden.Stuck:
            return None, ""
        except OutputLimit:
            return 1, ""
        except BaseException_ as error:
            return 1, farewell(error)
        return 0, ""

    def farewell(error):
        line = place(error)
        where = "" if line is None else f'  File "{FILE}", line {line}\n'
        name = "SandboxError" if isinstance_(error, harden.Forbidden) else type_(error).__name__[:100]
        words = text_of(error)
        return f"Traceback (most recent call last):\n{where}{name}{': ' if words else ''}{words}\n"

    def run(text):
        job = loads(text)
        out = begin(job.get("stdin", ""), job["outputBytes"])
        if job["kind"] == "run":
            return dumps(run_whole(job, out))
        if job["kind"] == "call":
            return dumps(run_calls(job))
        if job["kind"] == "stdio":
            return dumps(run_input(job, out))
        return dumps(run_tests(job))

    return run
