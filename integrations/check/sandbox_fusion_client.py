"""The unmodified PyPI client of SandboxFusion with `cipo serve`. Usage: sandbox_fusion_client.py URL"""
import asyncio
import base64
import logging
import sys
from importlib.metadata import version

import sandbox_fusion as sf

logging.disable(logging.ERROR)  # it logs failures, which one check provokes
url = sys.argv[1]
sf.set_endpoint(url)


def run(code, language="python", **more):
    return sf.run_code(sf.RunCodeRequest(code=code, language=language, **more), max_attempts=2)


def check(fact, holds):
    if not holds:
        raise SystemExit(f"check failed: {fact}")


print(f"sandbox-fusion {version('sandbox-fusion')}")

reply = run("print(input()[::-1])", stdin="abc\n")
check("a program runs", reply.status == sf.RunStatus.Success and reply.run_result.stdout == "cba\n")
print("  run_code: Python with standard input: Success")

for language, code in {"nodejs": "console.log(6 * 7)", "typescript": "const n: number = 42; console.log(n)"}.items():
    reply = run(code, language)
    check(f"{language} runs", reply.status == sf.RunStatus.Success and reply.run_result.stdout == "42\n")
print("  run_code: nodejs and typescript: Success")

mapping = sf.SummaryMapping(RunFailed="failed", RunTimeout="timeout")
reply = run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
check("a program with exit code 3 is Failed", reply.status == sf.RunStatus.Failed and reply.run_result.return_code == 3)
check("both streams are returned", (reply.run_result.stdout, reply.run_result.stderr) == ("out\n", "err\n"))
check("the client summarizes it as failed", sf.summary_run_code_result(reply, mapping) == "failed")
reply = run("while True: pass", run_timeout=0.5)
check("an endless program times out", sf.summary_run_code_result(reply, mapping) == "timeout")
print("  run_code: exit code 3 is Failed, an endless loop is TimeLimitExceeded; summary_run_code_result agrees")

files = {"data/in.txt": base64.b64encode("42".encode()).decode()}
reply = run('print(open("data/in.txt").read())', files=files, fetch_files=["data/in.txt", "not-there.txt"])
check("a program can read its file", reply.run_result.stdout == "42\n" and reply.files == files)
print("  run_code: programs can read files, and fetch_files returns them unchanged")

requests = [[sf.RunCodeRequest(code=f"print({n} * {n})", language="python")] for n in range(40)]
replies = sf.run_concurrent(sf.run_code, args=requests, concurrency=10)
check("every reply belongs to its request", [int(r.run_result.stdout) for r in replies] == [n * n for n in range(40)])
print("  run_concurrent: 40 programs, 10 at once: each reply belongs to its request")


async def many():
    requests = [sf.RunCodeRequest(code=f"console.log({n})", language="nodejs") for n in range(10)]
    return await asyncio.gather(*(sf.run_code_async(request) for request in requests))


check("the async client works", [r.run_result.stdout for r in asyncio.run(many())] == [f"{n}\n" for n in range(10)])
print("  run_code_async: 10 programs at once")

try:
    run("int main() {}", "cpp")
    raise SystemExit("check failed: C++ is rejected")
except Exception as error:  # the client raises no narrower type
    check("the error names the field", "language" in str(error) and "422" in str(error))
print("  run_code: an unsupported language is rejected by name (422)")
