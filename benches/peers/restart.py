"""P3: kill -9 of a service until its replacement runs its own code.  usage: restart.py [KILLS=50] [GAP_S=1.6]
All tools run one service each at the same time and are killed in turn, so that each service lives GAP_S seconds, with
jitter: a tool that polls is not sampled in phase, and no tool sees a crash loop."""
import random, sys

from session import *
from tools import tools

KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 50
GAP = float(sys.argv[2]) if len(sys.argv) > 2 else 1.6
sessions = []
try:
    for t in tools(restarting=True):
        s = Session()
        t.prepare(s, 1)
        t.launch(s)
        sessions.append((t, s))
    for t, s in sessions:
        assert s.wait_marks(1, 30), f"{t.name} does not start: {read(s.out)[-1000:]}"
    time.sleep(3)
    seen, lost, last = ({t.name: x() for t, s in sessions} for x in (list, int, float))
    for _ in range(KILLS):
        for t, s in sessions:
            time.sleep(max(0, last[t.name] + GAP + random.random() * 0.3 - time.time()))
            marks = s.read_marks()
            t0 = mono()
            os.kill(marks[-1][1], signal.SIGKILL)
            if s.wait_marks(len(marks) + 1, 12, 0.002):
                seen[t.name].append((s.read_marks()[len(marks)][0] - t0) / 1e6)
            else:
                lost[t.name] += 1
            last[t.name] = time.time()
    result = {}
    for name, xs in seen.items():
        result[name] = dict(n=len(xs), lost=lost[name], **(dict(median_ms=med(xs), min_ms=min(xs), max_ms=max(xs)) if xs else {}))
        print(name, json.dumps(result[name]), flush=True)
    save("restart", dict(kills=KILLS, result=result))
finally:
    for t, s in sessions:
        s.cleanup()
