/** Tests of the clock, threads and event loops of Python programs, which use virtual time. */
import { afterAll, describe, expect, test } from 'vitest';
import { createCodeVerifier } from '../index.ts';

const verifier = createCodeVerifier({ workers: 1, limits: { cpuMs: 2000 } });
afterAll(() => verifier.close());

const run = async (source: string) => {
  const ran = await verifier.run({ language: 'python', source, stdin: '2\n3 4\n5 6\n' });
  if (ran.kind !== 'ran') throw new Error(ran.detail);
  return ran;
};

describe('time and threads in Python', () => {
  test.each([
    [
      'runs its own event loop',
      `
import asyncio
async def m(): await asyncio.sleep(1); return 5
loop = asyncio.new_event_loop(); print(loop.run_until_complete(m())); loop.close()`,
      '5\n',
    ],
    [
      'gets the event loop before one exists',
      `
import asyncio
async def m(): await asyncio.sleep(1); return 5
loop = asyncio.get_event_loop(); print(loop.run_until_complete(m()))`,
      '5\n',
    ],
    [
      'sets its event loop',
      `
import asyncio
async def m(): return asyncio.get_event_loop() is loop
loop = asyncio.new_event_loop(); asyncio.set_event_loop(loop); print(loop.run_until_complete(m()))`,
      'True\n',
    ],
    [
      'uses a runner',
      `
import asyncio
async def m(): return 5
with asyncio.Runner() as r: print(r.run(m()))`,
      '5\n',
    ],
    [
      'sleeps in an event loop as long as the clock says',
      `
import asyncio, time
async def m():
    t = time.time(); await asyncio.sleep(1); return round(time.time() - t, 2)
print(asyncio.run(m()))`,
      '1.0\n',
    ],
    [
      'passes work to threads from an event loop',
      `
import asyncio, time
def f(x): time.sleep(1); return x * 2
async def m(): return await asyncio.gather(*(asyncio.to_thread(f, i) for i in range(3)))
print(asyncio.run(m()))`,
      '[0, 2, 4]\n',
    ],
    [
      'passes work to the executor of an event loop',
      `
import asyncio
async def m(): return await asyncio.get_running_loop().run_in_executor(None, pow, 2, 5)
print(asyncio.run(m()))`,
      '32\n',
    ],
    [
      'runs an event loop in a thread of an event loop',
      `
import asyncio
async def g(): await asyncio.sleep(.1); return 3
async def m(): return await asyncio.to_thread(lambda: asyncio.run(g()))
print(asyncio.run(m()))`,
      '3\n',
    ],
    [
      'uses a pool of threads',
      `
from concurrent.futures import ThreadPoolExecutor, as_completed
with ThreadPoolExecutor(max_workers=4) as ex:
    print(list(ex.map(lambda x: x * x, range(5))))
    fs = [ex.submit(lambda x: 1 // x, i) for i in range(3)]
    print(sorted(f.exception() is None for f in as_completed(fs)))`,
      '[0, 1, 4, 9, 16]\n[False, True, True]\n',
    ],
    [
      'does not await a task',
      `
import asyncio
async def bg():
    try: await asyncio.sleep(100)
    finally: print("cleaned")
async def m():
    asyncio.create_task(bg()); await asyncio.sleep(0); print("main")
asyncio.run(m())`,
      'main\ncleaned\n',
    ],
    [
      'sets a timer',
      `
import threading
t = threading.Timer(0.1, lambda: print("tick")); t.start(); print("main"); t.join(); print("end")`,
      'main\ntick\nend\n',
    ],
    [
      'cancels a timer',
      `
import threading
t = threading.Timer(0.1, lambda: print("tick")); t.start(); t.cancel(); t.join(); print("end")`,
      'end\n',
    ],
    [
      'feeds a consumer that was started first',
      `
import threading, queue
q = queue.Queue(); out = []
def w():
    while True:
        x = q.get()
        if x is None: break
        out.append(x * 2)
t = threading.Thread(target=w); t.start()
for i in range(4): q.put(i)
q.put(None); t.join(); print(out)`,
      '[0, 2, 4, 6]\n',
    ],
    [
      'waits for workers to empty a queue',
      `
import threading, queue
q = queue.Queue(); out = []
def w():
    while True:
        x = q.get()
        if x is None: break
        out.append(x); q.task_done()
ts = [threading.Thread(target=w) for _ in range(3)]
for t in ts: t.start()
for i in range(10): q.put(i)
q.join(); print(sorted(out))
for t in ts: q.put(None)
for t in ts: t.join()
print("done")`,
      '[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\ndone\n',
    ],
    [
      'passes more items through a queue than it can hold',
      `
import threading, queue
q = queue.Queue(maxsize=2); out = []
def p():
    for i in range(7): q.put(i)
    q.put(None)
def c():
    while (x := q.get()) is not None: out.append(x)
a, b = threading.Thread(target=p), threading.Thread(target=c)
a.start(); b.start(); a.join(); b.join(); print(out)`,
      '[0, 1, 2, 3, 4, 5, 6]\n',
    ],
    [
      'feeds a worker that never ends',
      `
import threading, queue
q = queue.Queue(); out = []
def w():
    while True:
        out.append(q.get()); q.task_done()
threading.Thread(target=w, daemon=True).start()
for i in range(3): q.put(i)
q.join(); print(out)`,
      '[0, 1, 2]\n',
    ],
    [
      'sets an event that a thread waits for',
      `
import threading
e = threading.Event()
def w(): e.wait(); print("go")
t = threading.Thread(target=w); t.start(); print("set"); e.set(); t.join()`,
      'set\ngo\n',
    ],
    [
      'waits until a timeout',
      `
import threading, time
e = threading.Event(); t = time.time(); print(e.wait(0.5), round(time.time() - t, 1))`,
      'False 0.5\n',
    ],
    [
      'orders threads by locks',
      `
import threading
class Foo:
    def __init__(self):
        self.l1 = threading.Lock(); self.l2 = threading.Lock(); self.l1.acquire(); self.l2.acquire()
    def first(self): print("first"); self.l1.release()
    def second(self):
        with self.l1: print("second"); self.l2.release()
    def third(self):
        with self.l2: print("third")
f = Foo()
ts = [threading.Thread(target=x) for x in (f.third, f.second, f.first)]
for t in ts: t.start()
for t in ts: t.join()`,
      'first\nsecond\nthird\n',
    ],
    [
      'counts under a lock',
      `
import threading
n = 0; lock = threading.Lock()
def w():
    global n
    for _ in range(100):
        with lock: n += 1
ts = [threading.Thread(target=w) for _ in range(4)]
for t in ts: t.start()
for t in ts: t.join()
print(n)`,
      '400\n',
    ],
    [
      'passes a semaphore between threads',
      `
import threading
a, b = threading.Semaphore(1), threading.Semaphore(0)
def f():
    a.acquire(); print("f"); b.release()
def g():
    b.acquire(); print("g"); a.release()
ts = [threading.Thread(target=g), threading.Thread(target=f)]
for t in ts: t.start()
for t in ts: t.join()`,
      'f\ng\n',
    ],
    [
      'never joins its thread',
      `
import threading, sys
def main(): print(sum(map(int, sys.stdin.read().split())))
threading.stack_size(2**27); threading.Thread(target=main).start()`,
      '20\n',
    ],
    [
      'ends before its thread',
      `
import threading, queue
q = queue.Queue()
def w(): print(q.get())
threading.Thread(target=w).start(); print("main"); q.put("late")`,
      'main\nlate\n',
    ],
    [
      'checks whether a thread is alive',
      `
import threading
e = threading.Event()
t = threading.Thread(target=lambda: e.wait(1)); t.start()
while t.is_alive(): pass
print("ok", t.is_alive())`,
      'ok False\n',
    ],
    [
      'subclasses Thread',
      `
import threading
class T(threading.Thread):
    def run(self): self.r = threading.current_thread().name
t = T(name="bob"); t.start(); t.join(); print(t.r, threading.current_thread().name)`,
      'bob MainThread\n',
    ],
    [
      'sleeps while a timer runs',
      `
import threading, time
threading.Timer(0.2, print, ["tick"]).start(); print("a"); time.sleep(1); print("b")`,
      'a\ntick\nb\n',
    ],
    [
      'meets at a barrier',
      `
import threading
bar = threading.Barrier(2)
def w(): bar.wait(); print("through")
ts = [threading.Thread(target=w) for _ in range(2)]
for t in ts: t.start()
for t in ts: t.join()`,
      'through\nthrough\n',
    ],
    [
      'waits for a condition',
      `
import threading
cv = threading.Condition(); items = []
def c():
    with cv:
        cv.wait_for(lambda: items); print(items.pop())
def p():
    with cv: items.append(1); cv.notify()
a, b = threading.Thread(target=c), threading.Thread(target=p)
a.start(); b.start(); a.join(); b.join()`,
      '1\n',
    ],
    [
      'waits in a loop for each clock',
      `
import time
n = 0
for clock in (time.time, time.monotonic, time.perf_counter, time.process_time):
    t = clock()
    while clock() - t < .05: n += 1
print(n)`,
      '4000\n',
    ],
    [
      'uses a simple queue',
      `
import queue
q = queue.SimpleQueue(); q.put(1); print(q.get())`,
      '1\n',
    ],
    [
      'lets the work of a pool wait for other work',
      `
import queue
from concurrent.futures import ThreadPoolExecutor
q = queue.Queue()
with ThreadPoolExecutor(2) as ex:
    c = ex.submit(lambda: [q.get() for _ in range(3)])
    p = ex.submit(lambda: [q.put(i) for i in range(3)])
    print(c.result())`,
      '[0, 1, 2]\n',
    ],
    [
      'passes items between tasks',
      `
import asyncio
async def p(q):
    for i in range(3): await q.put(i); await asyncio.sleep(.1)
    await q.put(None)
async def c(q):
    while (x := await q.get()) is not None: print(x)
async def m():
    q = asyncio.Queue(1); await asyncio.gather(p(q), c(q))
asyncio.run(m())`,
      '0\n1\n2\n',
    ],
    [
      'waits for a task until a timeout',
      `
import asyncio
async def m():
    try: await asyncio.wait_for(asyncio.sleep(10), 1)
    except asyncio.TimeoutError: print("timeout")
asyncio.run(m())`,
      'timeout\n',
    ],
    [
      'waits in a loop for the time of an event loop',
      `
import asyncio
async def m():
    loop = asyncio.get_running_loop()
    start = loop.time()
    while loop.time() < start + .1: pass
    while loop.time() < start + .2: await asyncio.sleep(0)
    print("there")
asyncio.run(m())`,
      'there\n',
    ],
    [
      'stops a thread that checks every second',
      `
import threading, time
stop, out = threading.Event(), []
def w():
    while not stop.wait(1): out.append("tick")
def never(): threading.Event().wait()
threading.Thread(target=never, daemon=True).start()
t = threading.Thread(target=w); t.start()
for i in range(2): time.sleep(2.5); out.append(i)
stop.set(); t.join(); print(*out)`,
      'tick tick 0 tick tick 1\n',
    ],
    [
      'passes a coroutine to the event loop of a thread',
      `
import asyncio, threading
loop = asyncio.new_event_loop()
t = threading.Thread(target=loop.run_forever, daemon=True); t.start()
async def c(): await asyncio.sleep(.1); return 7
print(asyncio.run_coroutine_threadsafe(c(), loop).result(5))
loop.call_soon_threadsafe(loop.stop); t.join(); print("joined")`,
      '7\njoined\n',
    ],
    [
      'prints before it sleeps in an event loop in a thread of an event loop',
      `
import asyncio
async def deep(): print("deep"); await asyncio.sleep(1); return 3
async def m(): print(await asyncio.to_thread(lambda: asyncio.run(deep())))
asyncio.run(m(), debug=True)`,
      'deep\n3\n',
    ],
    [
      'initializes the threads of a pool',
      `
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(1, initializer=print, initargs=("ready",)) as ex:
    print(*[ex.submit(pow, 2, i).result() for i in range(3)])`,
      'ready\n1 2 4\n',
    ],
    [
      'groups tasks',
      `
import asyncio
async def s(n): await asyncio.sleep(n); print(n)
async def m():
    async with asyncio.TaskGroup() as g:
        for n in (.3, .1, .2): g.create_task(s(n))
asyncio.run(m())`,
      '0.1\n0.2\n0.3\n',
    ],
  ])('a program that %s prints what it prints in CPython', async (_name, source, stdout) => {
    expect(await run(source)).toMatchObject({ end: 'exited', exitCode: 0, stdout });
  });

  test.each([
    ['waits for something that cannot happen', 'import queue\nqueue.Queue().get()'],
    [
      'joins a thread that waits for something that cannot happen',
      'import threading\nt = threading.Thread(target=threading.Event().wait)\nt.start()\nt.join()',
    ],
    [
      'ends beside a thread that waits for something that cannot happen',
      'import queue, threading\nthreading.Thread(target=queue.Queue().get).start()',
    ],
  ])('a program that %s ends with a deadlock error', async (_name, source) => {
    const ran = await run(source);
    expect(ran).toMatchObject({ end: 'exited', exitCode: 1 });
    expect(ran.stderr).toContain('RuntimeError: deadlock');
  });

  test('the time is the same in every run', async () => {
    const source = 'import time\nfor _ in range(9): print(time.time(), time.perf_counter())';
    expect((await run(source)).stdout).toBe((await run(source)).stdout);
  });
});
