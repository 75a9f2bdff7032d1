"""A task of `verifiers.v1` scored by verifiers itself, with the reward of `cipo_verifiers.py`. Usage: verifiers_task.py URL

What is real: the plugging of the function by its path in a task's config, and `Task.score`, which every rollout is
scored with. What is not: the rollout, which needs a model.
"""
import asyncio
import os
import sys
from pathlib import Path

import verifiers
import verifiers.v1 as vf
from verifiers.v1.graph import MessageNode

OURS = str(Path(__file__).parents[1] / "verifiers" / "cipo_verifiers.py")


class RowData(vf.TaskData):
    answer: str | None = None
    domain: str | None = None
    language: str | None = None
    tests: dict | None = None


class RowTask(vf.Task[RowData]):
    pass


def check(what, holds):
    if not holds:
        raise SystemExit(f"not so: {what}")


def trace_of(task, reply):
    data = vf.TraceTask(type=type(task).__name__, data=task.data)
    agent = vf.AgentInfo(config=vf.AgentConfig())
    message = vf.AssistantMessage(content=reply)
    return vf.Trace[RowData](task=data, agent=agent, nodes=[MessageNode(message=message, sampled=True)])


async def score(fields, reply):
    config = vf.TaskConfig(rewards={"cipo": vf.RewardFunctionConfig(fn=f"{OURS}:cipo_reward")})
    task = RowTask(RowData(prompt="?", **fields), config)
    trace = trace_of(task, reply)
    await task.score(trace)
    return trace


ADD = {"domain": "code", "language": "python", "tests": {"type": "assert", "code": "assert add(1, 2) == 3"}}


async def main(url):
    os.environ["CIPO_URL"] = url
    print(f"verifiers {verifiers.__version__}")
    asked = [({"answer": "1/2"}, "so \\boxed{0.5}"), ({"answer": "1/2"}, "so \\boxed{2}")]
    asked += [(ADD, "```python\ndef add(a, b): return a + b\n```"), (ADD, "```python\ndef add(a, b): return a\n```")]
    traces = await asyncio.gather(*(score(*one) for one in asked))
    check("each reward is the right one", [trace.reward for trace in traces] == [1.0, 0.0, 1.0, 0.0])
    check("it has the name of the config", all(trace.rewards["cipo"].weight == 1.0 for trace in traces))
    print("  Task.score, reward plugged by path: 4 answers, rewards 1 0 1 0")
    try:
        await score({"answer": "\\frac{"}, "so \\boxed{2}")
        raise SystemExit("not so: an answer without a judgement is an error of its rollout")
    except vf.TaskError as error:
        check("the error says why", "bad_task" in str(error))
    print("  without a judgement: vf.TaskError, which ends the rollout without a reward")


asyncio.run(main(sys.argv[1].rstrip("/")))
