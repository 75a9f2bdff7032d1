"""A task of `verifiers.v1` with the reward function of `cipo_verifiers.py`. Usage: verifiers_task.py URL

Real: loading the function by its path from the configuration of a task, and `Task.score`, which scores every rollout. Not
real: the rollout, which needs a model.
"""
import asyncio
import os
import sys
from pathlib import Path

import verifiers
import verifiers.v1 as vf
from verifiers.v1.graph import MessageNode

CIPO_FILE = str(Path(__file__).parents[1] / "verifiers" / "cipo_verifiers.py")


class RowData(vf.TaskData):
    answer: str | None = None
    domain: str | None = None
    language: str | None = None
    tests: dict | None = None


class RowTask(vf.Task[RowData]):
    pass


def check(fact, holds):
    if not holds:
        raise SystemExit(f"check failed: {fact}")


def trace_of(task, reply):
    data = vf.TraceTask(type=type(task).__name__, data=task.data)
    agent = vf.AgentInfo(config=vf.AgentConfig())
    message = vf.AssistantMessage(content=reply)
    return vf.Trace[RowData](task=data, agent=agent, nodes=[MessageNode(message=message, sampled=True)])


async def score(fields, reply):
    config = vf.TaskConfig(rewards={"cipo": vf.RewardFunctionConfig(fn=f"{CIPO_FILE}:cipo_reward")})
    task = RowTask(RowData(prompt="?", **fields), config)
    trace = trace_of(task, reply)
    await task.score(trace)
    return trace


ADD = {"domain": "code", "language": "python", "tests": {"type": "assert", "code": "assert add(1, 2) == 3"}}


async def main(url):
    os.environ["CIPO_URL"] = url
    print(f"verifiers {verifiers.__version__}")
    cases = [({"answer": "1/2"}, "so \\boxed{0.5}"), ({"answer": "1/2"}, "so \\boxed{2}")]
    cases += [(ADD, "```python\ndef add(a, b): return a + b\n```"), (ADD, "```python\ndef add(a, b): return a\n```")]
    traces = await asyncio.gather(*(score(*one) for one in cases))
    check("each response gets its reward", [trace.reward for trace in traces] == [1.0, 0.0, 1.0, 0.0])
    check("the reward has its name of the configuration", all(trace.rewards["cipo"].weight == 1.0 for trace in traces))
    print("  Task.score, reward loaded by path: 4 responses, rewards 1 0 1 0")
    try:
        await score({"answer": "\\frac{"}, "so \\boxed{2}")
        raise SystemExit("check failed: a response that was not judged is an error of its rollout")
    except vf.TaskError as error:
        check("the error has the reason", "bad_task" in str(error))
    print("  a response that was not judged: vf.TaskError, which ends the rollout without a reward")


asyncio.run(main(sys.argv[1].rstrip("/")))
