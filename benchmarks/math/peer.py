"""Judges JSON lines {answer, response} from stdin with Math-Verify; one JSON line each: {"passed": ..., "seconds": ...} in CPU time.

The reference is put into math mode, as its documentation asks; everything else is its default.
"""
import json
import logging
import sys
import time

from math_verify import parse, verify

logging.disable(logging.CRITICAL)
rows = [json.loads(line) for line in sys.stdin]
for row in rows[:20]:
    verify(parse("$" + row["answer"] + "$"), parse(row["response"]))
for row in rows:
    start = time.process_time()
    try:
        answer = row["answer"]
        gold = parse(answer if "$" in answer or "\\boxed" in answer else "$" + answer + "$")
        passed = bool(verify(gold, parse(row["response"])))
    except Exception:  # a grader that raises gives no verdict
        passed = None
    print(json.dumps({"passed": passed, "seconds": time.process_time() - start}))
