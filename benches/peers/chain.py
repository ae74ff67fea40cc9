"""P2: a chain in which each process waits until the one before is healthy.  usage: chain.py DEPTH REPS"""
import sys

from session import *
from tools import Floor, Horust, Orco, tools

DEPTH, REPS = int(sys.argv[1]), int(sys.argv[2])
results = {}


def floor(s):
    s.popen([os.path.join(BUILD, "floor"), "chain", str(DEPTH), s.svc, "23000", s.marks])


def orco(s):
    s.cmdline = lambda i: [s.svc, "tcp", "${port}", s.marks, str(i)]
    s.fields = lambda i: dict(health=dict(tcp={}), dependsOn=[f"s{i - 1}"] if i else [])
    Orco().prepare(s, DEPTH)
    return lambda: Orco().launch(s)


def horust(s):
    s.cmdline = lambda i: [s.svc, "ready", f"{s.dir}/r{i}", s.marks, str(i)]
    s.horust = lambda i: (f'start-after = ["s{i - 1}.toml"]\n' if i else "") + f'[healthiness]\nfile-path = "{s.dir}/r{i}"\n'
    Horust().prepare(s, DEPTH)
    return lambda: Horust().launch(s)


WAYS = {
    Floor: ("floor (spawn, connect, next)", lambda s: lambda: floor(s)),
    Orco: ("orco (dependsOn ready, TCP probe)", orco),
    Horust: ("horust (start-after, file-path health)", horust),
}
for rep in range(REPS):
    for t in tools():
        if type(t) not in WAYS:
            continue
        name, prepare = WAYS[type(t)]
        s = Session()
        try:
            launch = prepare(s)
            t0 = mono()
            launch()
            s.wait_marks(DEPTH, 150)
            marks = s.read_marks()
            r = dict(ms=(max(m[0] for m in marks) - t0) / 1e6 if marks else None, up=len(marks) >= DEPTH,
                     in_order=[m[2] for m in marks] == [str(i) for i in range(DEPTH)])
            results.setdefault(name, []).append(r)
            print(DEPTH, name, json.dumps(r), flush=True)
            if not r["up"]:
                print(read(s.out)[-2000:].decode(errors="replace"))
        finally:
            s.cleanup()
save(f"chain_{DEPTH}", dict(depth=DEPTH, runs=results))
