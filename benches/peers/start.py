"""P1 start, P5 memory, P6 tear-down, in one run of each tool.  usage: start.py N REPS [SETTLE_S]"""
import sys

from session import *
from tools import tools, versions

N, REPS = int(sys.argv[1]), int(sys.argv[2])
SETTLE = float(sys.argv[3]) if len(sys.argv) > 3 else 1.0
LIMIT = float(os.environ.get("PERF_LIMIT", "100"))
results, dropped = {}, set()


def run(tool, s):
    tool.prepare(s, N)
    t0 = mono()
    tool.launch(s)
    up = s.wait_marks(N, LIMIT)
    marks = s.read_marks()
    r = dict(up=up, started=len(marks), up_ms=(max(m[0] for m in marks) - t0) / 1e6 if marks else None)
    time.sleep(SETTLE)
    services, managers = s.members()
    r.update(alive=len(services), cpu_s=cpu(managers), **memory(managers))
    t1 = mono()
    tool.stop(s)
    last, left = wait_gone(services + managers, 60)
    r.update(down_ms=(last - t1) / 1e6, left=len(left), left_services=len(set(left) & set(services)))
    return r


for rep in range(REPS):
    for t in tools():
        if t.name in dropped:
            continue
        s = Session()
        try:
            r = run(t, s)
            results.setdefault(t.name, []).append(r)
            print(N, t.name, json.dumps(r), flush=True)
            if not r["up"] or r["up_ms"] > 60000:
                dropped.add(t.name)
                print(read(s.out)[-2000:].decode(errors="replace"))
        finally:
            s.cleanup()
save(f"start_{N}", dict(n=N, versions=versions(), runs=results))
