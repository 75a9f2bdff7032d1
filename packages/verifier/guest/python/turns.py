"""The clock, threads and event loops of a program, in one real thread with virtual time.

A thread runs when it is started. If its code has calls that may wait, it runs instead during a wait of another
thread. A thread cannot be removed from the call stack and put back. So if it waits for something that only a thread
below it on the stack can do, it is parked: it is abandoned there and starts again from its beginning in a later
wait. Runs in its own namespace, like `streams.py`.
"""

import _thread, asyncio, functools, queue, threading, time  # noqa: E401
from concurrent.futures import Future, ThreadPoolExecutor

_START = 1_700_000_000.0
_READ = 0.00005  # how much a read moves the clock, so that a program that waits in a loop for a time gets there
_LAP = 0.00001  # the same for an event loop, which reads the clock in every iteration
_FOREVER = float("inf")


class _Stuck(BaseException):
    """Raised when an event loop waits for something that cannot come."""


class _Parked(BaseException):
    """Removes a thread from the stack that waits for what only a thread below it can do, or for a time."""

    def __init__(self, until=_FOREVER):
        self.until = until


class _Turns:
    def __init__(self):
        self.passed = 0.0
        self.waiting = {}  # threads to run: (`changes` when it was parked, the time until which it waits)
        self.waits = []  # waits on the stack: (function that says whether the wait is over, its end time)
        self.changes = 0  # how often something happened for which others may wait
        self.fix_clock()
        self.fix_threads()
        self.fix_pools()
        self.fix_loops()

    # ---- the clock
    def read(self, cost=_READ):
        at = self.passed
        self.passed = at + cost
        return at

    def sleep(self, seconds=0):
        end = self.passed + max(0.0, float(seconds))
        self.let_others_run(lambda: self.passed >= end, end)
        self.passed = max(self.passed, end)

    def fix_clock(self):
        read = self.read
        time.sleep = self.sleep
        time.time = lambda: _START + read()
        time.time_ns = lambda: int(_START * 1e9) + int(read() * 1e9)
        for name in ("perf_counter", "monotonic", "process_time", "thread_time"):
            setattr(time, name, read)
            setattr(time, f"{name}_ns", lambda: int(read() * 1e9))
        threading._time = queue.time = time.monotonic  # they imported the real functions

    # ---- turns
    def let_others_run(self, over, end=_FOREVER):
        """Runs waiting threads until `over()` is true or none can continue. Returns whether `over()` is true."""
        limit = min(end, self.limit())
        while not over():
            ready = (one for one, (seen, until) in self.waiting.items() if seen != self.changes or limit > until)
            thread = next(ready, None)
            if thread is None:
                return over()
            self.run(thread, over, end)
        return True

    def limit(self):
        """The earliest end time of a wait on the stack."""
        return min((end for _, end in self.waits), default=_FOREVER)

    def wait(self, over, timeout=None):
        """Waits like a thread. Returns whether `over()` became true before the timeout."""
        end = _FOREVER if timeout is None else self.passed + max(0.0, timeout)
        if self.let_others_run(over, end):
            return True
        limit = self.limit()
        if timeout is not None and end > limit:
            self.passed = max(self.passed, limit)
            raise _Parked(limit)
        if self.waits and (timeout is None or any(over() for over, _ in self.waits)):
            raise _Parked()
        if timeout is None:
            raise RuntimeError("deadlock: nothing can end this wait")
        self.passed = max(self.passed, end)
        return False

    def run(self, thread, over, end):
        """Runs a thread during the wait of another: to its end, or until it is parked."""
        self.waiting.pop(thread, None)
        self.waits.append((over, end))
        loop = asyncio._get_running_loop()
        task = asyncio.tasks._swap_current_task(loop, None) if loop else None
        asyncio._set_running_loop(None)
        me = _thread.get_ident()
        before, threading._active[me] = threading._active[me], thread
        kept = {name: vars(thread)[name] for name in ("_target", "_args", "_kwargs") if name in vars(thread)}
        parked = False
        try:
            thread.run()
        except _Parked as given_up:
            parked = True
            vars(thread).update(kept)
            self.waiting[thread] = self.changes, given_up.until
        except SystemExit:
            pass
        finally:
            self.waits.pop()
            threading._active[me] = before
            asyncio._set_running_loop(loop)
            if task:
                asyncio.tasks._swap_current_task(loop, task)
            thread._done = not parked
            self.changes += thread._done

    def finish(self):
        """What Python does when a program ends: waits for the threads that are not daemons."""
        self.let_others_run(lambda: all(thread.daemon for thread in self.waiting))
        if not all(thread.daemon for thread in self.waiting):
            raise RuntimeError("deadlock: nothing can end the wait of a thread")

    # ---- threads
    def fix_threads(self):
        WAITS = {"get", "put", "wait", "wait_for", "acquire"}

        def may_wait(function):
            if isinstance(function, functools.partial):
                return any(map(may_wait, (function.func, *function.args)))
            code = getattr(getattr(function, "__func__", function), "__code__", None)
            return code is not None and not WAITS.isdisjoint(code.co_names)

        def start(thread):
            if thread._started.is_set():
                raise RuntimeError("threads can only be started once")
            thread._started.set()
            plain = type(thread).run is threading.Thread.run
            if any(map(may_wait, (thread._target, *thread._args) if plain else (thread.run,))):
                self.waiting[thread] = None, _FOREVER
            else:
                self.run(thread, lambda: False, _FOREVER)

        def join(thread, timeout=None):
            if not thread._started.is_set():
                raise RuntimeError("cannot join thread before it is started")
            self.wait(lambda: thread._done, timeout)

        def is_alive(thread):
            alive = thread._started.is_set() and not thread._done
            self.let_others_run(lambda: thread._done or not alive)
            return alive

        threading.Thread._done = False
        threading.Thread.start, threading.Thread.join, threading.Thread.is_alive = start, join, is_alive
        threading.stack_size = _thread.stack_size = lambda size=0: 0
        _thread.start_new_thread = lambda function, args, kwargs={}: function(*args, **kwargs)
        self.fix_locks()

    def fix_locks(self):
        turns, new_lock = self, _thread.allocate_lock

        class Lock:
            def __init__(self):
                self.held = self.wanted = False

            def acquire(self, blocking=True, timeout=-1):
                if self.held:
                    if not blocking:
                        return False
                    self.wanted = True
                    if not turns.wait(lambda: not self.held, None if timeout < 0 else timeout):
                        return False
                self.held = True
                return True

            def release(self):
                if not self.held:
                    raise RuntimeError("release unlocked lock")
                self.held = False
                if self.wanted:
                    self.wanted = False
                    turns.changes += 1

            def locked(self):
                return self.held

            def __enter__(self):
                return self.acquire()

            def __exit__(self, *error):
                self.release()

        def wait(condition, timeout=None):
            if not condition._is_owned():
                raise RuntimeError("cannot wait on un-acquired lock")
            waiter = new_lock()
            waiter.acquire()
            condition._waiters.append(waiter)
            saved = condition._release_save()
            try:
                return turns.wait(lambda: not waiter.locked(), timeout)
            finally:
                condition._acquire_restore(saved)
                if waiter in condition._waiters:
                    condition._waiters.remove(waiter)

        notify_some = threading.Condition.notify

        def notify(condition, n=1):
            notify_some(condition, n)
            turns.changes += 1

        threading.Lock = Lock
        threading.Condition.wait, threading.Condition.notify = wait, notify
        queue.SimpleQueue = queue._PySimpleQueue

    # ---- pools: every work item is a thread
    def fix_pools(self):
        def work(future, function):
            if not future.running() and not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function())
            except _Parked:
                raise
            except BaseException as error:
                future.set_exception(error)

        def submit(pool, function, /, *args, **kwargs):
            if pool._shutdown:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if not pool._threads:
                pool._create_worker_context().initialize()
            future = Future()
            thread = threading.Thread(target=work, args=(future, functools.partial(function, *args, **kwargs)))
            pool._threads.add(thread)
            thread.start()
            return future

        ThreadPoolExecutor.submit = submit

    # ---- event loops
    def fix_loops(self):
        turns, events = self, asyncio.events

        class VirtualLoop(asyncio.BaseEventLoop):
            def __init__(self):
                super().__init__()
                self._selector = self

            def select(self, timeout):
                if timeout is not None or turns.waits:
                    turns.wait(lambda: self._ready, timeout)
                elif not turns.let_others_run(lambda: self._ready):
                    raise _Stuck()
                return []

            def _process_events(self, events):
                pass

            def _write_to_self(self):
                turns.changes += 1

            def set_debug(self, enabled):
                """Does nothing: debugging reads frames."""
                self._debug = False

            def time(self):
                return turns.read(_LAP)

        class Policy(events._BaseDefaultEventLoopPolicy):
            _loop_factory = VirtualLoop

            def get_event_loop(self):
                if self._local._loop is None:
                    self.set_event_loop(self.new_event_loop())
                return self._local._loop

        events._event_loop_policy = Policy()
        asyncio.run = asyncio.runners.run  # Pyodide has replaced it
