"""P4: output. Lines of 100 bytes, written 64 KiB at once.
  logs.py store SERVICES LINES [REPS=3]   from the first start until all of it is stored, or with a reader, printed
  logs.py read LINES [REPS=3]             `orco logs -o json` alone, of a stack that runs and of one that is down
  logs.py memory SERVICES RATE [SECS=300] growth of the managers' memory while RATE lines a second come in all"""
import glob, resource, sys

from session import *
from tools import Orco

LEN = 100
LIMIT = float(os.environ.get("PERF_LIMIT", "100"))


def tail(path, size=16384):
    try:
        with open(path, "rb") as f:
            f.seek(0, 2)
            f.seek(max(0, f.tell() - size))
            return f.read()
    except OSError:
        return b""


def children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def end_services(s):
    """They stay when they have printed all; who waits for them has their times."""
    for _ in range(200):
        services = s.members()[0]
        if not services:
            return
        for p in services:
            try:
                os.kill(p, signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.02)


class Cat:
    """svc | cat > file"""
    name = "floor (svc to cat > file)"

    def used(self, s, before):
        """Processor seconds of all that took part, the services too."""
        end_services(s)
        for p in s.procs:
            p.wait(10)
        return children() - before

    def command(self, s, i):
        return ["/bin/sh", "-c", f"{' '.join(s.cmdline(i))} | cat > {s.dir}/s{i}.log"]

    def launch(self, s, n):
        for i in range(n):
            s.popen(self.command(s, i))

    def ends(self, s, i):
        return tail(f"{s.dir}/s{i}.log")


class Ndjson(Cat):
    """The least that reads lines from a pipe and writes records."""
    name = "floor (Rust pipe to NDJSON)"

    def command(self, s, i):
        return [os.path.join(BUILD, "logjson"), f"{s.dir}/s{i}.log"] + s.cmdline(i)


class Both(Ndjson):
    """The least that does both: stores the lines as they are, and writes records."""
    name = "floor (tee > file, and to NDJSON)"

    def command(self, s, i):
        stored = f"{' '.join(s.cmdline(i))} | tee {s.dir}/raw{i}.log"
        return [os.path.join(BUILD, "logjson"), f"{s.dir}/s{i}.log", "/bin/sh", "-c", stored]


class Store(Orco):
    """Into the store, with nobody reading. (`up` writes nothing of it: `-d`.)"""
    name = "orco"

    def prepare(self, s, n):
        s.fields = lambda i: dict(restartPolicy=dict(condition="never"))
        super().prepare(s, n)

    def launch(self, s, n):
        self.prepare(s, n)
        self.run(s, "up", "-d")

    def run(self, s, *args, out=None):
        out = open(out or s.out, "ab")
        p = subprocess.Popen([s.orco, "-f", s.dir + "/stack.yaml", *args], stdin=subprocess.DEVNULL, stdout=out,
                             stderr=subprocess.STDOUT, env=s.env, start_new_session=True, cwd=s.dir)
        out.close()
        s.procs.append(p)
        return p

    def used(self, s, before):
        # Who has ended counts for the keeper that waited for it.
        end_services(s)
        return sum(sum(map(int, read(f"/proc/{p}/stat").rpartition(b") ")[2].split()[11:15])) for p in s.members()[1]) / TICK

    def segments(self, s, i):
        return sorted(glob.glob(f"{s.dir}/state/**/s{i}/0.1.*.log", recursive=True), key=lambda p: int(p.split(".")[-2]))

    def ends(self, s, i):
        found = self.segments(s, i)
        return tail(found[-1]) if found else b""


class Reader(Store):
    name = "orco, logs -f -o json"

    def launch(self, s, n):
        # The reader is there first: what starts is a stack of services that wait for it.
        self.prepare(s, n)
        self.run(s, "up", "-d").wait()
        self.run(s, "logs", "-f", "-o", "json", out=s.dir + "/read")

    def ends(self, s, i):
        """All ends so far. What is new is looked at once: a busy machine lets megabytes go by between two looks."""
        # Before the first end there is a record of each of its lines, 100 bytes longer than it: to read them takes time too.
        at, last, found = getattr(s, "seen", (s.least, b"", b""))
        with open(s.dir + "/read", "rb") as f:
            f.seek(at)
            new = f.read()
        text, to = last + new, 0
        while (end := text.find(b" END", to)) >= 0:
            found, to = found + b" " + text[max(0, end - 16):end + 4], end + 4
        s.seen = (at + len(new), text[max(to, len(text) - 32):], found)
        return found


class Beside(Reader):
    """How much a reader delays the writers: until all is stored."""
    name = "orco, stored while logs -f -o json reads"
    ends = Store.ends


def finish(t, s, n):
    """Nanoseconds from the first start until the end of every service has arrived."""
    need, end = {i: f"id{i} END".encode() for i in range(n)}, time.time() + LIMIT
    while need and time.time() < end:
        for i in list(need):
            if need[i] in t.ends(s, i):
                need.pop(i)
        time.sleep(0.002)
    done = mono()
    return None if need else done - min(m[0] for m in s.read_marks())


def store(n, lines, reps):
    runs = {}
    for _ in range(reps):
        for t in (Cat(), Ndjson(), Both(), Store(), Beside(), Reader()):
            s = Session()
            try:
                s.cmdline = lambda i: [s.svc, "log", str(lines), str(LEN), f"id{i}", s.marks]
                s.least = lines * (LEN + 100)
                before = children()
                t.launch(s, n)
                s.wait_marks(n, 40, 0.001)
                took = finish(t, s, n)
                if took is None:
                    print(t.name, "did not come to its end:", read(s.out)[-1000:].decode(errors="replace"))
                    continue
                result = dict(ms=took / 1e6, cpu_ms=1e3 * t.used(s, before), load=os.getloadavg()[0])
                if isinstance(t, Reader):
                    seqs = sum(1 for line in open(s.dir + "/read", "rb") if b'"source":"stdout"' in line)
                    result["missing"] = n * (lines + 1) - seqs
                runs.setdefault(t.name, []).append(result)
                print(f"{n}x{lines}", t.name, json.dumps(result), flush=True)
            finally:
                s.cleanup()
    # Where others use the machine, the best run and the processor time say more than the median.
    best = {name: min(r["ms"] for r in list_) for name, list_ in runs.items()}
    for name, list_ in runs.items():
        ms, used = med([r["ms"] for r in list_]), min(r["cpu_ms"] for r in list_)
        ratios = [f"{ms / med([r['ms'] for r in runs[floor]]):.2f}x (best {best[name] / best[floor]:.2f}x) {floor}"
                  for floor in (Cat.name, Ndjson.name, Both.name) if floor in runs]
        print(f"  {name}: {ms:.0f} ms (best {best[name]:.0f}, CPU {used:.0f}), {n * lines / ms / 1e3:.2f} M lines/s; {'; '.join(ratios)}",
              flush=True)
    save(f"logs_{n}x{lines}", dict(services=n, lines=lines, runs=runs))


def once(argv, env, out):
    with open(out, "wb") as f:
        t0 = mono()
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.DEVNULL, env=env)
        _, code, used = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(code)
        return (mono() - t0) / 1e6, 1e3 * (used.ru_utime + used.ru_stime), p.returncode


def read_alone(lines, reps):
    """Everything on one processor, the engine too."""
    one = ["taskset", "-c", "1"]
    s, t, runs = Session(), Store(), {}
    try:
        s.cmdline = lambda i: [s.svc, "log", str(lines), str(LEN), f"id{i}", s.marks]
        t.launch(s, 1)
        s.wait_marks(1, 40)
        assert finish(t, s, 1), read(s.out)[-1000:]
        for p in s.members()[1]:
            subprocess.run(["taskset", "-a", "-c", "-p", "1", str(p)], capture_output=True)
        logs = one + [s.orco, "-f", s.dir + "/stack.yaml", "logs", "-o", "json"]
        for how in ("running", "down"):
            if how == "down":
                t.run(s, "down").wait()
            for _ in range(reps):
                for what, argv in (("floor (cat)", one + ["cat"] + t.segments(s, 0)), (f"orco logs, {how}", logs)):
                    engine = cpu(s.members()[1])
                    ms, used, code = once(argv, s.env, s.dir + "/read")
                    used += 1e3 * (cpu(s.members()[1]) - engine)
                    got = sum(1 for _ in open(s.dir + "/read", "rb"))
                    result = dict(ms=ms, cpu_ms=used, lines=got, exit=code, load=os.getloadavg()[0])
                    runs.setdefault(what, []).append(result)
                    print(what, json.dumps(result), flush=True)
        for what, list_ in runs.items():
            ms, best, used = med([r["ms"] for r in list_]), min(r["ms"] for r in list_), min(r["cpu_ms"] for r in list_)
            print(f"  {what}: {ms:.0f} ms (best {best:.0f}, CPU {used:.0f}), {lines / ms / 1e3:.2f} M lines/s "
                  f"(best {lines / best / 1e3:.2f}, by CPU {lines / used / 1e3:.2f})")
        save(f"logs_read_{lines}", dict(lines=lines, runs=runs))
    finally:
        s.cleanup()


def grows(n, rate, secs):
    s, t, samples = Session(), Store(), []
    try:
        s.cmdline = lambda i: [s.svc, "flow", str(max(1, rate // n)), str(LEN), f"id{i}", s.marks]
        t.launch(s, n)
        assert s.wait_marks(n, 60), read(s.out)[-1000:]
        t.run(s, "logs", "-f", "-o", "json", out="/dev/null")
        t0 = time.time()
        # What is allocated once is there after a tenth of the time.
        while time.time() - t0 < secs:
            time.sleep(min(5, secs / 20))
            rss = {p: memory([p])["rss_mib"] for p in s.members()[1]}
            samples.append((time.time() - t0, sum(rss.values()), max(rss.values(), default=0)))
            print(f"{samples[-1][0]:6.1f} s  {samples[-1][1]:.1f} MiB in {len(rss)} processes, the largest {samples[-1][2]:.1f}", flush=True)
        base = [x for x in samples if x[0] > secs / 10]
        mx, my = statistics.mean(x[0] for x in base), statistics.mean(x[1] for x in base)
        slope = sum((x[0] - mx) * (x[1] - my) for x in base) / sum((x[0] - mx) ** 2 for x in base)
        growth = max(x[1] for x in base) - base[0][1]
        print(f"  {n} services, {rate} lines/s, {secs} s: grew by {growth:.1f} MiB (bound 16), slope {slope * 60:.2f} MiB/min, "
              f"load {os.getloadavg()[0]:.1f}")
        save("logs_memory", dict(services=n, rate=rate, secs=secs, samples=samples, growth_mib=growth, slope_mib_min=slope * 60))
        return growth <= 16
    finally:
        s.cleanup()


what, args = sys.argv[1], [int(a) for a in sys.argv[2:]]
if what == "store":
    store(*args[:2], args[2] if len(args) > 2 else 3)
elif what == "read":
    read_alone(args[0], args[1] if len(args) > 1 else 3)
else:
    sys.exit(not grows(*args[:2], args[2] if len(args) > 2 else 300))
