"""The PyPI client of SandboxFusion, unmodified, against `cipo serve`. Usage: sandbox_fusion_client.py URL"""
import asyncio
import base64
import logging
import sys
from importlib.metadata import version

import sandbox_fusion as sf

logging.disable(logging.ERROR)  # it logs what it gives up, which one check here is about
url = sys.argv[1]
sf.set_endpoint(url)


def run(code, language="python", **more):
    return sf.run_code(sf.RunCodeRequest(code=code, language=language, **more), max_attempts=2)


def check(what, holds):
    if not holds:
        raise SystemExit(f"not so: {what}")


print(f"sandbox-fusion {version('sandbox-fusion')}")

reply = run("print(input()[::-1])", stdin="abc\n")
check("a program answers", reply.status == sf.RunStatus.Success and reply.run_result.stdout == "cba\n")
print("  run_code: Python with standard input: Success")

for language, code in {"nodejs": "console.log(6 * 7)", "typescript": "const n: number = 42; console.log(n)"}.items():
    reply = run(code, language)
    check(f"{language} runs", reply.status == sf.RunStatus.Success and reply.run_result.stdout == "42\n")
print("  run_code: nodejs and typescript: Success")

mapping = sf.SummaryMapping(RunFailed="failed", RunTimeout="timeout")
reply = run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
check("a failing program fails", reply.status == sf.RunStatus.Failed and reply.run_result.return_code == 3)
check("both streams come", (reply.run_result.stdout, reply.run_result.stderr) == ("out\n", "err\n"))
check("its summary is the client's own", sf.summary_run_code_result(reply, mapping) == "failed")
reply = run("while True: pass", run_timeout=0.5)
check("an endless program times out", sf.summary_run_code_result(reply, mapping) == "timeout")
print("  run_code: exit code 3 is Failed, an endless loop is TimeLimitExceeded; summary_run_code_result agrees")

files = {"data/in.txt": base64.b64encode("42".encode()).decode()}
reply = run('print(open("data/in.txt").read())', files=files, fetch_files=["data/in.txt", "not-there.txt"])
check("a file is there to be read", reply.run_result.stdout == "42\n" and reply.files == files)
print("  run_code: files are there to be read, and fetched as they were")

requests = [[sf.RunCodeRequest(code=f"print({n} * {n})", language="python")] for n in range(40)]
replies = sf.run_concurrent(sf.run_code, args=requests, concurrency=10)
check("every answer stays with its question", [int(r.run_result.stdout) for r in replies] == [n * n for n in range(40)])
print("  run_concurrent: 40 programs, 10 at once: each answer with its question")


async def many():
    asked = [sf.RunCodeRequest(code=f"console.log({n})", language="nodejs") for n in range(10)]
    return await asyncio.gather(*(sf.run_code_async(request) for request in asked))


check("the async client works", [r.run_result.stdout for r in asyncio.run(many())] == [f"{n}\n" for n in range(10)])
print("  run_code_async: 10 programs at once")

try:
    run("int main() {}", "cpp")
    raise SystemExit("not so: C++ is refused")
except Exception as error:  # the client raises no narrower kind
    check("the refusal names the field", "language" in str(error) and "422" in str(error))
print("  run_code: a language that is not there is refused by name (422)")
