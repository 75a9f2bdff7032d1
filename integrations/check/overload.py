"""Real clients with an overloaded server: every row is judged in the end, none is scored 0. Usage: overload.py URL"""
import json
import logging
import sys
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "trl"))
logging.disable(logging.ERROR)

import sandbox_fusion as sf
from cipo_trl import CipoReward

url = sys.argv[1]
sf.set_endpoint(url)


def check(fact, holds):
    if not holds:
        raise SystemExit(f"check failed: {fact}")


def count_errors():
    """Error replies so far, by the metrics of the server."""
    with urllib.request.urlopen(f"{url}/metrics") as reply:
        lines = reply.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("cipo_http_refused_total"))


def square(n):
    request = sf.RunCodeRequest(code=f"print(sum({n} for _ in range({n})))", language="python")
    return int(sf.run_code(request, max_attempts=20).run_result.stdout)


print("a server with a queue of four rows")
before = count_errors()
squares = sf.run_concurrent(square, args=[[n] for n in range(60)], concurrency=30)
check("every program ran", squares == [n * n for n in range(60)])
between = count_errors()
check("some requests were refused at first", between > before)
print(f"  sandbox-fusion: 60 programs, 30 at once: {between - before:.0f} refusals, every program ran")

count = 120
truths = [i % 10 for i in range(count)]
program = "def f():\n    return {}"
completions = [program.format(i % 10 if i % 2 else 99) for i in range(count)]
tests = [{"type": "call", "entry": "f", "cases": [{"args": [], "expected": truth}]} for truth in truths]
reward = CipoReward(url, row={"domain": "code", "language": "python"}, batch=2, concurrency=32)
rewards = reward(prompts=[[]] * count, completions=completions, tests=tests)
check("every completion gets its reward", rewards == [i % 2 for i in range(count)])
check("some requests were refused at first", count_errors() > between)
print(f"  CipoReward: {count} completions, 32 requests at once: {count_errors() - between:.0f} refusals, every reward is as expected")
