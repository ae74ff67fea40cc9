"""P5: CPU, wake-ups and memory of the managers while N services do nothing.  usage: idle.py N [SECS=30] [http]
With `http`, every service of Orco's is probed over HTTP every 2 s."""
import sys

from session import *
from tools import Orco, tools

N = int(sys.argv[1])
SECS = float(sys.argv[2]) if len(sys.argv) > 2 else 30
PROBED = "http" in sys.argv[3:]
sessions, result = [], {}
try:
    for t in tools():
        if (N == 0 and not t.empty and not isinstance(t, Orco)) or (PROBED and not isinstance(t, Orco)):
            continue
        s = Session()
        count = N
        if isinstance(t, Orco) and N == 0:
            count = 1  # a stack has at least one service
        if PROBED:
            s.cmdline = lambda i: [s.svc, "http", "${port}", s.marks, str(i)]
            s.fields = lambda i: dict(health=dict(interval="2s", http=dict(path="/")))
        t.prepare(s, count)
        t.launch(s)
        sessions.append((t, s))
        if not s.wait_marks(N, 120):
            print(t.name, "did not come up:", read(s.out)[-1000:].decode(errors="replace"))
    time.sleep(10)
    before = {}
    for t, s in sessions:
        managers = s.members()[1]
        before[t.name] = managers, cpu(managers), switches(managers)
    t0 = time.time()
    time.sleep(SECS)
    for t, s in sessions:
        managers, used, switched = before[t.name]
        took = time.time() - t0
        result[t.name] = dict(cpu_pct=round(100 * (cpu(managers) - used) / took, 3),
                              switches_per_s=round((switches(managers) - switched) / took, 1), **memory(managers))
        print(N, t.name, json.dumps(result[t.name]), flush=True)
    save(f"idle_{N}{'_http' if PROBED else ''}", dict(n=N, secs=SECS, result=result))
finally:
    for t, s in sessions:
        s.cleanup()
