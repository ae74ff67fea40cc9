"""P8, P2 and P5 with containers, against the engine's API called directly in the same loop.
usage: containers.py up N REPS [host|bridge|ports]    N containers up and away again
       containers.py chain DEPTH REPS [cmd|tcp]        each waits until the one before is ready
       containers.py idle N [SECS]                     what N quiet containers cost Orco and the engine
Says so and measures nothing where no container engine answers."""
import socket, sys, uuid

import engineapi as api
from session import *
from tools import Orco

WORKERS = [int(w) for w in os.environ.get("PERF_WORKERS", "4,8,16,0").split(",")]  # 0: all at once
PORTS = 24000
EMBEDDED = os.environ.get("EMBEDDED")  # benches/embedded.rs, built


class Stack(Session):
    """A session with a label for its containers, which go with it."""

    def __init__(self):
        super().__init__()
        self.run = uuid.uuid4().hex[:10]

    def argv(self, i):
        return [self.svc, "mark", self.marks, str(i)]

    def orco_file(self, count, **fields):
        self.orco = self.own(Orco.binary)
        self.env["ORCO_STATE_DIR"] = self.dir + "/state"
        own = fields.pop("each", lambda i: {})
        services = {f"s{i}": {**dict(image=api.IMAGE, command=self.argv(i), volumes=[f"{self.dir}:{self.dir}"], stop=dict(timeout="5s"),
                                     labels={"orco-bench": self.run}), **fields, **own(i)} for i in range(count)}
        write(self.dir + "/stack.yaml", json.dumps(dict(version=0.1, stack=dict(name="bench"), services=services)))

    def up(self, *how):
        return self.popen([self.orco, "up", *(how or ["--no-tui"]), "-f", self.dir + "/stack.yaml"])

    def last_mark(self):
        return max((m[0] for m in self.read_marks()), default=None)

    def cleanup(self):
        # In reverse: nobody makes containers any more when they are removed.
        super().cleanup()
        api.clear(self.run)


def note(results, key, r):
    results.setdefault(key, []).append(r)
    print(key, json.dumps(r), flush=True)


def floor_up(count, workers, kind):
    s = Stack()
    network = "host" if kind == "host" else f"orco-bench-{s.run}"
    try:
        t0 = mono()
        if kind != "host":
            api.call("POST", "/networks/create", dict(Name=network, Driver="bridge", Labels={"orco-bench": s.run}))
        port = (lambda i: PORTS + i) if kind == "ports" else (lambda i: None)
        keys = api.parallel(workers or count, count, lambda i, c: api.start(s, i, s.argv(i), network, c, port(i)))
        told = mono()
        s.wait_marks(count, 10)
        r = dict(up_ms=(s.last_mark() - t0) / 1e6, told_ms=(told - t0) / 1e6, up=len(s.read_marks()))
        t1 = mono()
        api.parallel(workers or count, count, lambda i, c: api.call("DELETE", f"/containers/{keys[i]}?force=1&v=1", None, c))
        if kind != "host":
            api.call("DELETE", f"/networks/{network}")
        return dict(r, down_ms=(mono() - t1) / 1e6)
    finally:
        s.cleanup()
        if kind != "host":
            api.call("DELETE", f"/networks/{network}", missing_ok=True)


FIELDS = dict(host=dict(network="host"), bridge={}, ports=dict(ports=["80"]))


def embedded_up(count, kind):
    """A program with Orco inside: until `Engine::up` is done, all containers sharing its fate."""
    s = Stack()
    try:
        s.orco_file(count, **FIELDS[kind])
        t0 = mono()
        p = subprocess.Popen([s.own(EMBEDDED), s.dir + "/stack.yaml"], env=s.env, cwd=s.dir, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        s.procs.append(p)
        said = p.stdout.readline()
        told = mono()
        if not said:
            print(p.stderr.read()[-3000:])
            return dict(up=0)
        r = dict(up_ms=(s.last_mark() - t0) / 1e6, told_ms=(told - t0) / 1e6, up=len(s.read_marks()))
        t1 = mono()
        p.stdin.close()
        p.wait(120)
        return dict(r, down_ms=(mono() - t1) / 1e6, left=len(api.containers(s.run)))
    finally:
        s.cleanup()


def orco_up(count, kind, detached):
    s = Stack()
    try:
        s.orco_file(count, **FIELDS[kind])
        t0 = mono()
        p = s.up("-d", "--wait") if detached else s.up()
        told = None
        if detached:
            code = p.wait(180)
            told = mono()
        s.wait_marks(count, 180)
        seen = len(s.read_marks())
        if seen < count or (detached and code):
            print(read(s.out)[-3000:].decode(errors="replace"))
        r = dict(up_ms=(s.last_mark() - t0) / 1e6 if seen else None, up=seen)
        if told:
            r["told_ms"] = (told - t0) / 1e6
        t1 = mono()
        if detached:
            subprocess.run([s.orco, "down", "-f", s.dir + "/stack.yaml"], env=s.env, capture_output=True, timeout=120)
        else:
            p.send_signal(signal.SIGTERM)
            p.wait(120)
        return dict(r, down_ms=(mono() - t1) / 1e6, left=len(api.containers(s.run)))
    finally:
        s.cleanup()


def up(count, reps, kind):
    results = {}
    for rep in range(reps):
        # In turns, and each time in another order: noise hits all alike.
        runs = [(f"floor (Engine API, {w or 'all'} at once)", lambda w=w: floor_up(count, w, kind)) for w in WORKERS]
        runs += [("Engine::up", lambda: embedded_up(count, kind))] if EMBEDDED else []
        runs += [("orco", lambda: orco_up(count, kind, False)), ("orco -d --wait", lambda: orco_up(count, kind, True))]
        for name, run in runs[rep % len(runs):] + runs[:rep % len(runs)]:
            note(results, name, run())
    save(f"containers_up_{count}_{kind}", dict(n=count, kind=kind, runs=results))


def connects(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def floor_chain(depth, kind):
    s = Stack()
    try:
        c = api.Connection()
        t0 = mono()
        for i in range(depth):
            argv = [s.svc, "tcp", str(PORTS + i), s.marks, str(i)] if kind == "tcp" else s.argv(i)
            key = api.start(s, i, argv, "host", c)
            if kind == "tcp":
                while not connects(PORTS + i):
                    time.sleep(0.001)
            else:
                assert api.exec_true(key, c) == 0
        return dict(ms=(mono() - t0) / 1e6, up=len(s.read_marks()), in_order=ordered(s, depth))
    finally:
        s.cleanup()


def orco_chain(depth, kind):
    s = Stack()
    try:
        if kind == "tcp":
            s.argv = lambda i: [s.svc, "tcp", str(PORTS + i), s.marks, str(i)]
        check = (lambda i: dict(tcp=dict(port=PORTS + i))) if kind == "tcp" else (lambda i: dict(cmd=dict(command=["true"])))
        each = lambda i: dict(health=dict(interval="60s", timeout="5s", **check(i)), dependsOn=[f"s{i - 1}"] if i else [])
        s.orco_file(depth, network="host", each=each)
        t0 = mono()
        p = s.up("-d", "--wait")
        code = p.wait(300)
        r = dict(ms=(mono() - t0) / 1e6, up=len(s.read_marks()), in_order=ordered(s, depth))
        if code or r["up"] < depth:
            print(read(s.out)[-3000:].decode(errors="replace"))
        subprocess.run([s.orco, "down", "-f", s.dir + "/stack.yaml"], env=s.env, capture_output=True, timeout=120)
        return r
    finally:
        s.cleanup()


def ordered(s, depth):
    return [m[2] for m in s.read_marks()] == [str(i) for i in range(depth)]


def chain(depth, reps, kind):
    results = {}
    for rep in range(reps):
        runs = [("floor (create, start, check, next)", floor_chain), ("orco -d --wait", orco_chain)]
        for name, run in runs if rep % 2 == 0 else reversed(runs):
            note(results, name, run(depth, kind))
    save(f"containers_chain_{depth}_{kind}", dict(depth=depth, kind=kind, runs=results))


def usage(pids, engine, secs):
    before = (api.run_time(pids), api.run_time(engine), switches(pids), switches(engine), time.time())
    time.sleep(secs)
    took = time.time() - before[4]
    percent = lambda now, then: round(100 * (now - then) / took, 3)
    return dict(cpu_pct=percent(api.run_time(pids), before[0]), switches_per_s=round((switches(pids) - before[2]) / took, 1),
                engine_cpu_pct=percent(api.run_time(engine), before[1]),
                engine_switches_per_s=round((switches(engine) - before[3]) / took, 1))


class Strangers(threading.Thread):
    """Containers that are nobody's business here come and go: two events a second and more for whoever listens to all."""

    def __init__(self):
        super().__init__(daemon=True)
        self.stop, self.run_label = threading.Event(), uuid.uuid4().hex[:10]

    def run(self):
        c = api.Connection()
        while not self.stop.wait(1):
            spec = dict(Image=api.IMAGE, Cmd=["true"], Labels={"orco-bench": self.run_label}, HostConfig=dict(NetworkMode="none"))
            key = api.call("POST", "/containers/create", spec, c)["Id"]
            api.call("POST", f"/containers/{key}/start", None, c)
            api.call("DELETE", f"/containers/{key}?force=1", None, c)

    def end(self):
        self.stop.set()
        self.join(30)
        api.clear(self.run_label)


def idle(count, secs):
    """The engine with the containers alone; with Orco; with Orco while strangers' containers come and go."""
    engine, results = api.daemon(), {}

    def record(name, pids):
        results[name] = dict(usage(pids, engine, secs), **(memory(pids) if pids else {}))
        print(name, json.dumps(results[name]), flush=True)

    s = Stack()
    try:
        api.parallel(4, count, lambda i, c: api.start(s, i, s.argv(i), "host", c))
        time.sleep(5)
        record("no Orco", [])
    finally:
        s.cleanup()
    for name, how in (("orco", ["--no-tui"]), ("orco -d", ["-d", "--wait"])):
        s, strangers = Stack(), Strangers()
        try:
            s.orco_file(count, network="host")
            s.up(*how)
            s.wait_marks(count, 120)
            time.sleep(15)  # threads that only the start needed are gone after 10 s
            managers = s.members()[1]
            record(name, managers)
            strangers.start()
            record(f"{name}, others' containers come and go", managers)
        finally:
            if strangers.is_alive():
                strangers.end()
            if how[0] == "-d":
                subprocess.run([s.orco, "down", "-f", s.dir + "/stack.yaml"], env=s.env, capture_output=True, timeout=120)
            s.cleanup()
    save(f"containers_idle_{count}", dict(n=count, secs=secs, result=results))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # containers outlive whoever is ended at once
    if why := api.skip():
        print("containers are not measured:", why)
        sys.exit(0)
    what, n, third = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 3
    kind = sys.argv[4] if len(sys.argv) > 4 else None
    if what == "up":
        up(n, third, kind or "bridge")
    elif what == "chain":
        chain(n, third, kind or "cmd")
    else:
        idle(n, third)
