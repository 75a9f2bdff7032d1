"""Runs jobs inside the sealed interpreter: a program alone, or with calls, one input, or a test program.

It is part of the snapshot, so its imports take no time later. A program shares the interpreter with it. Therefore
everything on which it depends is captured in closures before any program runs, and `harden.py` removes what could
show a program the tests (frames, tracing, the garbage collector).
"""

import array, asyncio, atexit, builtins, collections, io, itertools, json, os, sys, types  # noqa: E401


def _make_runner(harden, shims):
    streams, turns = shims.streams, shims.turns
    loads = json.loads
    # The encoder in C contains all that it uses, so that a program cannot patch any part of it.
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
    OutputLimit, Gone, Stuck = shims._OutputLimit, shims._Gone, shims._Stuck
    run_coroutine, run_exitfuncs = asyncio.run, atexit._run_exitfuncs
    modules, IOBase = sys.modules, io.IOBase
    MAX_DEPTH = 200
    # Values that are encoded as the list of their items.
    SEQUENCES = (
        range, map, filter, zip, enumerate, types.GeneratorType, reversed, collections.deque, array.array,
        *(kind for kind in vars(itertools).values() if isinstance(kind, type)),
        *map(type, ({}.keys(), {}.values(), {}.items(), reversed([]), iter([]), iter(()), iter(""), iter(set()))),
        *map(type, (iter({}), iter({}.values()), iter({}.items()), iter(range(0)), iter(range(1 << 99)))),
    )
    FILE = "<answer>"
    whole_tests, BrokenTests = _whole_tests, _BrokenTests
    IMPORTED = "answer"  # the module name of a program that is called or tested: its main guard does not run

    # ---- encoding results: the wire form of src/code/value.ts
    def wire(value, path, chars_left):
        chars_left[0] -= 1
        if chars_left[0] < 0:
            raise OutputLimit()
        kind = type_(value)
        if value is None or value is True or value is False:
            return value
        if kind is str_:
            chars_left[0] -= len_(value)
            return value
        if kind is int_:
            return value if -(1 << 53) < value < (1 << 53) else ["b", big(value, chars_left)]
        if kind is float_:
            return number(value)
        if isinstance_(value, bool_):
            return bool_(value)
        if isinstance_(value, int_):
            return wire(int_.__pos__(value), path, chars_left)
        if isinstance_(value, float_):
            return number(float_.__pos__(value))
        if isinstance_(value, str_):
            return wire(str_.__str__(value), path, chars_left)
        return container(value, path, chars_left)

    def big(value, chars_left):
        chars_left[0] -= value.bit_length() // 3
        if chars_left[0] < 0:
            raise OutputLimit()
        # The decimal conversion of huge integers takes quadratic time, so `str` refuses it.
        return "%d" % value if value.bit_length() < 10000 else str_(value)

    def number(value):
        if value != value:
            return ["n", "NaN"]
        if value in (float_("inf"), float_("-inf")):
            return ["n", "Infinity" if value > 0 else "-Infinity"]
        if value == 0 and repr_(value)[0] == "-":
            return ["n", "-0"]
        return value

    def container(value, path, chars_left):
        for up, outer in enumerate(reversed(path)):
            if outer is value:
                return ["c", up + 1]
        if len_(path) >= MAX_DEPTH:
            raise RecursionError_("the returned value is nested too deep")
        path.append(value)
        try:
            return contents(value, path, chars_left)
        finally:
            path.pop()

    def contents(value, path, chars_left):
        if isinstance_(value, tuple_):
            return ["t", *[wire(x, path, chars_left) for x in value]]
        if isinstance_(value, list_):
            return ["a", *[wire(x, path, chars_left) for x in value]]
        if isinstance_(value, (set_, frozenset_)):
            return ["s", *[wire(x, path, chars_left) for x in value]]
        if isinstance_(value, dict_):
            out = ["m"]
            for key, item in dict_.items(value):
                out.append(wire(key, path, chars_left))
                out.append(wire(item, path, chars_left))
            return out
        if isinstance_(value, (bytes_, bytearray)):
            return ["a", *list_(value)]
        if isinstance_(value, complex_):
            return ["r", "complex", repr_(value)]
        if isinstance_(value, BaseException_):
            return ["e", type_(value).__name__, str_(value)[:1000]]
        if isinstance_(value, types.FunctionType):
            return ["f", value.__name__[:100]]
        if isinstance_(value, SEQUENCES):
            return ["a", *[wire(x, path, chars_left) for x in value]]
        return ["r", type_(value).__name__[:100], repr_(value)[:1000]]

    # ---- decoding arguments
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
        """The deepest line of the program in the traceback of an error."""
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

    def end_of(error):
        """The abnormal end (`AbnormalEnd` of src/code/job.ts) for an exception."""
        if isinstance_(error, OutputLimit):
            return {"kind": "output"}
        if isinstance_(error, MemoryError_):
            return {"kind": "memory"}
        if isinstance_(error, (SystemExit_, Gone)):
            return {"kind": "exit", "code": str_(error.code if error.code is not None else 0)[:100]}
        if isinstance_(error, Stuck):
            return {"kind": "open"}
        if isinstance_(error, harden.Forbidden):
            return {"kind": "violation", "name": "SandboxError", "message": text_of(error)}
        out = {"kind": "threw", "name": type_(error).__name__[:100], "message": text_of(error)}
        line = place(error)
        if line is not None:
            out["line"] = line
        return out

    def compile_program(source):
        """The code object of a program, or the abnormal end if it does not compile."""
        try:
            return compile_(source, FILE, "exec", dont_inherit=True)
        except SyntaxError_ as error:
            out = {"kind": "syntax", "message": f"{type_(error).__name__}: {error.msg}"[:500]}
            if error.lineno:
                out["line"], out["column"] = error.lineno, max(1, error.offset or 1)
            return out
        except (ValueError, OverflowError, RecursionError_, MemoryError_) as error:
            return {"kind": "syntax", "message": f"{type_(error).__name__}: {text_of(error)}"[:500]}

    # ---- the program
    def namespace(name="__main__"):
        main = types.ModuleType(name)
        modules["__main__"] = modules[name] = main
        main.__builtins__ = builtins
        return main.__dict__

    def run_program(job, name="__main__"):
        code = compile_program(job["program"])
        if isinstance_(code, dict_):
            return code, None
        ns = namespace(name)
        try:
            exec_(code, ns)
        except BaseException_ as error:
            return end_of(error), ns
        return None, ns

    def caught(action):
        """Runs an action. Returns its abnormal end, if any."""
        try:
            action()
        except BaseException_ as error:
            return end_of(error)

    def end(ns):
        """Does what Python does when a program has ended. Raises what a remaining thread raises."""
        try:
            turns.finish()
        finally:
            caught(run_exitfuncs)
            # Open files are flushed, but objects are not freed: freeing a long chain overflows the stack.
            caught(lambda: sys.stdout.flush())
            for held in list_(ns.values()):
                if isinstance_(held, IOBase):
                    caught(held.flush)

    def find(ns, entry):
        """A function that returns the function for one call. Each call of a method gets a new object."""
        owner, _, method = entry.partition(".")
        target = ns.get(owner)
        maker = target if method else ns.get("Solution")
        # A name that the usual imports define (`search` of `re`) is not the program's.
        is_imported = getattr_(getattr_(target, "__code__", None), "co_filename", FILE) != FILE
        if target is not None and not method and not (is_imported and hasattr(maker, owner)):
            return lambda: target
        method = method or owner
        return (lambda: getattr_(maker(), method, None)) if maker is not None else None

    def settle(value):
        """Runs the coroutine of an `async def` to its end, on an event loop with virtual time."""
        if isinstance_(value, types.CoroutineType):
            return run_coroutine(value)
        return value

    def call(fresh, args, limit, out):
        try:
            entry = fresh()
            if entry is None:
                return {"kind": "missing"}
            value = settle(entry(*revive(loads(args))))
            if out.full:
                return {"kind": "output"}
            text = dumps(wire(value, [], [limit]))
            return {"kind": "value", "wire": text} if len_(text) <= limit else {"kind": "output"}
        except BaseException_ as error:
            return end_of(error)

    def run_calls(job, out):
        failed, ns = run_program(job, IMPORTED)
        if failed:
            return {"load": failed}
        try:
            fresh = find(ns, job["entry"])
        except BaseException_ as error:
            return {"load": end_of(error)}
        if fresh is None:
            return {"tests": [{"kind": "missing"}]}
        tests = []
        for args in job["calls"]:
            tests.append(call(fresh, args, job["outputChars"], out))
            if tests[-1]["kind"] != "value" and (job["stopAtAbnormalEnd"] or tests[-1]["kind"] == "exit"):
                break
        return {"tests": tests}

    def run_input(job, out):
        failed, ns = run_program(job)
        if failed and failed["kind"] == "syntax":
            return {"load": failed}
        if not failed or failed["kind"] == "exit":
            failed = caught(lambda: end(ns)) or failed
        text = out.text()
        if out.full or len_(text) > job["outputChars"]:
            return {"tests": [{"kind": "output"}]}
        if failed and failed["kind"] == "exit" and failed["code"] not in ("0", "None", "False"):
            failed = {"kind": "threw", "name": "SystemExit", "message": failed["code"]}
        if failed and failed["kind"] != "exit":
            return {"tests": [failed]}
        return {"tests": [{"kind": "printed", "text": text}]}

    def run_tests(job):
        """Runs the tests over the names of the program, with original built-ins, modules and comparisons."""
        try:
            code, namespace_for = harden.prepare(whole_tests(job["tests"]))
        except SyntaxError_:
            return {"load": {"kind": "broken-tests", "message": "it cannot be parsed"}}
        except BrokenTests as error:
            return {"load": {"kind": "broken-tests", "message": str(error)}}
        failed, ns = run_program(job, IMPORTED)
        if failed:
            return {"load": failed}
        try:
            modules.pop("__main__", None)  # nothing of the tests may be looked up in the module of the program
            exec_(code, namespace_for(ns))
        except BaseException_ as error:
            return {"tests": [end_of(error)]}
        return {"tests": [{"kind": "passed", "declared": job["sentinel"]}]}

    # ---- a program without tests
    def run_alone(job, out, err):
        sys.path.insert(0, os.getcwd())
        sys.path_importer_cache.clear()  # the clock is virtual, so new files do not change the date of a folder
        code, last_words = run_to_exit(job["program"])
        limit = job["outputChars"]
        stdout, stderr = out.text(), err.text()
        way = "output" if out.full or err.full else "time" if code is None else "exited"
        return {"tests": [{"kind": "ran", "end": way, "code": code or 0, "stdout": stdout[:limit],
                           "stderr": (stderr + last_words)[:limit]}]}

    def run_to_exit(source):
        """The exit code (None if the program would wait forever) and what Python prints when it ends."""
        code = compile_program(source)
        if isinstance_(code, dict_):
            return 1, f'  File "{FILE}", line {code.get("line", 1)}\n{code["message"]}\n'
        ns = namespace()
        first = exit_of(lambda: exec_(code, ns))
        late = exit_of(lambda: end(ns))
        return late if first == (0, "") else first

    def exit_of(action):
        try:
            action()
        except (SystemExit_, Gone) as error:
            status = error.code
            if status is None or isinstance_(status, int_):
                return (int_(status or 0) & 255), ""
            return 1, text_of(error) + "\n"
        except Stuck:
            return None, ""
        except OutputLimit:
            return 1, ""
        except BaseException_ as error:
            return 1, traceback_of(error)
        return 0, ""

    def traceback_of(error):
        line = place(error)
        where = "" if line is None else f'  File "{FILE}", line {line}\n'
        name = "SandboxError" if isinstance_(error, harden.Forbidden) else type_(error).__name__[:100]
        words = text_of(error)
        return f"Traceback (most recent call last):\n{where}{name}{': ' if words else ''}{words}\n"

    def run(text):
        job = loads(text)
        out, err = streams.begin(job.get("stdin", ""), job["outputChars"])
        if job["kind"] == "run":
            return dumps(run_alone(job, out, err))
        if job["kind"] == "call":
            return dumps(run_calls(job, out))
        if job["kind"] == "stdio":
            return dumps(run_input(job, out))
        return dumps(run_tests(job))

    return run
