"""Runs jobs inside the sealed interpreter: a program, then calls, one input, a test program, or nothing more.

Part of the snapshot, so its imports cost nothing later. An answer shares the interpreter with it:
everything that it relies on is captured in closures before any answer runs, and what could show an
answer the tests (frames, tracing, the collector) is taken away by `harden.py`.
"""

import array, asyncio, atexit, builtins, collections, io, itertools, json, os, sys, types  # noqa: E401


def _make_runner(harden, shims):
    streams, turns = shims.streams, shims.turns
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
    OutputLimit, Gone, Stuck = shims._OutputLimit, shims._Gone, shims._Stuck
    run_coroutine, run_exitfuncs = asyncio.run, atexit._run_exitfuncs
    modules, IOBase = sys.modules, io.IOBase
    MAX_DEPTH = 200
    # What is shown as the list of its items.
    SEQUENCES = (
        range, map, filter, zip, enumerate, types.GeneratorType, reversed, collections.deque, array.array,
        *(kind for kind in vars(itertools).values() if isinstance(kind, type)),
        *map(type, ({}.keys(), {}.values(), {}.items(), reversed([]), iter([]), iter(()), iter(""), iter(set()))),
        *map(type, (iter({}), iter({}.values()), iter({}.items()), iter(range(0)), iter(range(1 << 99)))),
    )
    FILE = "<answer>"
    whole_tests, BrokenTests = _whole_tests, _BrokenTests
    IMPORTED = "answer"  # the module of an answer that is not run as a program: its main guard stays shut

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
        if isinstance_(value, SEQUENCES):
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
    def namespace(name="__main__"):
        main = types.ModuleType(name)
        modules["__main__"] = modules[name] = main
        main.__builtins__ = builtins
        return main.__dict__

    def run_program(job, name="__main__"):
        code = compiled(job["program"])
        if isinstance_(code, dict_):
            return code, None
        ns = namespace(name)
        try:
            exec_(code, ns)
        except BaseException_ as error:
            return trouble(error), ns
        return None, ns

    def attempted(action):
        """The trouble that an action came to, if any."""
        try:
            action()
        except BaseException_ as error:
            return trouble(error)

    def end(ns):
        """What Python does when a program has ended. Throws what threads that still had to run threw."""
        try:
            turns.finish()
        finally:
            attempted(run_exitfuncs)
            # What a program holds is flushed, not freed: freeing a long chain overruns the stack.
            attempted(lambda: sys.stdout.flush())
            for held in list_(ns.values()):
                if isinstance_(held, IOBase):
                    attempted(held.flush)

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
            return trouble(error)

    def run_calls(job, out):
        failed, ns = run_program(job, IMPORTED)
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
            tests.append(call(fresh, args, job["outputChars"], out))
            if tests[-1]["kind"] != "value" and (job["stopAtAbnormalEnd"] or tests[-1]["kind"] == "exit"):
                break
        return {"tests": tests}

    def run_input(job, out):
        failed, ns = run_program(job)
        if failed and failed["kind"] == "syntax":
            return {"load": failed}
        if not failed or failed["kind"] == "exit":
            failed = attempted(lambda: end(ns)) or failed
        text = out.text()
        if out.full or len_(text) > job["outputChars"]:
            return {"tests": [{"kind": "output"}]}
        if failed and failed["kind"] == "exit" and failed["code"] not in ("0", "None", "False"):
            failed = {"kind": "threw", "name": "SystemExit", "message": failed["code"]}
        if failed and failed["kind"] != "exit":
            return {"tests": [failed]}
        return {"tests": [{"kind": "printed", "text": text}]}

    def run_tests(job):
        """The tests run over the answer's names with pristine built-ins, modules and comparisons."""
        try:
            code, namespace_for = harden.prepare(whole_tests(job["tests"]))
        except SyntaxError_:
            return {"load": {"kind": "broken-tests", "message": "it is unreadable"}}
        except BrokenTests as error:
            return {"load": {"kind": "broken-tests", "message": str(error)}}
        failed, ns = run_program(job, IMPORTED)
        if failed:
            return {"load": failed}
        try:
            modules.pop("__main__", None)  # nothing of the tests is looked up in the answer's module
            exec_(code, namespace_for(ns))
        except BaseException_ as error:
            return {"tests": [trouble(error)]}
        return {"tests": [{"kind": "passed", "declared": job["sentinel"]}]}

    # ---- a program that is only run
    def run_whole(job, out, err):
        sys.path.insert(0, os.getcwd())
        sys.path_importer_cache.clear()  # time stands still, so new files do not show in a folder's date
        code, last_words = whole(job["program"])
        limit = job["outputChars"]
        stdout, stderr = out.text(), err.text()
        way = "output" if out.full or err.full else "time" if code is None else "exited"
        return {"tests": [{"kind": "ran", "end": way, "code": code or 0, "stdout": stdout[:limit],
                           "stderr": (stderr + last_words)[:limit]}]}

    def whole(source):
        """The exit code, or None when the program would wait for ever, and what Python says at its end."""
        code = compiled(source)
        if isinstance_(code, dict_):
            return 1, f'  File "{FILE}", line {code.get("line", 1)}\n{code["message"]}\n'
        ns = namespace()
        first = how_it_ends(lambda: exec_(code, ns))
        late = how_it_ends(lambda: end(ns))
        return late if first == (0, "") else first

    def how_it_ends(action):
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
        out, err = streams.begin(job.get("stdin", ""), job["outputChars"])
        if job["kind"] == "run":
            return dumps(run_whole(job, out, err))
        if job["kind"] == "call":
            return dumps(run_calls(job, out))
        if job["kind"] == "stdio":
            return dumps(run_input(job, out))
        return dumps(run_tests(job))

    return run
