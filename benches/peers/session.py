"""One measured run: a scratch folder, the processes started in it, and what /proc says about them. Linux, Python 3.11."""
import json, os, pty, re, select, shutil, signal, statistics, subprocess, tempfile, threading, time, uuid

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "build")
PEERS = os.environ.get("PERF_PEERS", os.path.join(HERE, ".peers"))
OUT = os.environ.get("PERF_OUT", os.path.join(HERE, "out"))
TICK = os.sysconf("SC_CLK_TCK")


def mono():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def med(xs):
    xs = [x for x in xs if x is not None]
    return statistics.median(xs) if xs else None


def save(name, data):
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, name + ".json"), "w") as f:
        json.dump(data, f, indent=1)


def read(p):
    try:
        with open(p, "rb") as f:
            return f.read()
    except OSError:
        return b""


def write(p, text, mode=0o644):
    os.makedirs(os.path.dirname(p), exist_ok=True)
    with open(p, "w") as f:
        f.write(text)
    os.chmod(p, mode)


def stat(pid):
    """(state, parent, CPU seconds) or None"""
    b = read(f"/proc/{pid}/stat")
    if not b:
        return None
    f = b[b.rindex(b")") + 2:].split()
    return f[0].decode(), int(f[1]), (int(f[11]) + int(f[12])) / TICK


class Session:
    """A scratch folder with its own copy of svc. Everything started carries a tag in its environment, so that all
    that belongs to the run, and nothing else, is found and ended."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="orco-bench-")
        self.svc = self.own(os.path.join(BUILD, "svc"))
        self.marks = os.path.join(self.dir, "marks")
        name, value = "PERF_TAG", uuid.uuid4().hex
        self.tag = f"{name}={value}".encode()
        self.env = dict(os.environ, **{name: value})
        self.out = os.path.join(self.dir, "tool.out")
        self.procs = []
        self.before = {int(d) for d in os.listdir("/proc") if d.isdigit()}

    def own(self, program):
        """The program under a path of this session: its processes are known by it."""
        path = os.path.join(self.dir, os.path.basename(program))
        try:
            os.link(program, path)
        except OSError:
            shutil.copy2(program, path)
        return path

    def popen(self, argv, tty=False, env=None):
        env = env or self.env
        if tty:
            return self.popen_on_terminal(argv, env)
        with open(self.out, "ab") as out:
            p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=env,
                                 start_new_session=True, cwd=self.dir)
        self.procs.append(p)
        return p

    def popen_on_terminal(self, argv, env):
        import fcntl, struct, termios
        m, s = pty.openpty()
        fcntl.ioctl(s, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        p = subprocess.Popen(argv, stdin=s, stdout=s, stderr=s, env=env, start_new_session=True, cwd=self.dir)
        os.close(s)

        def drain():
            try:
                while os.read(m, 65536):
                    pass
            except OSError:
                pass

        threading.Thread(target=drain, daemon=True).start()
        self.procs.append(p)
        return p

    def read_marks(self):
        """[(ns, pid, id)]: what the services themselves wrote when they ran."""
        fields = (line.split() for line in read(self.marks).split(b"\n"))
        return [(int(f[0]), int(f[1]), f[2].decode()) for f in fields if len(f) == 3]

    def wait_marks(self, n, timeout, tick=0.02):
        end = time.time() + timeout
        while time.time() < end:
            if read(self.marks).count(b"\n") >= n:
                return True
            time.sleep(tick)
        return False

    def members(self):
        """(services, managers): pids alive now that belong to this session; zombies do not count."""
        services, managers = [], []
        own = {p.pid for p in self.procs if p.poll() is None}
        for d in os.listdir("/proc"):
            if not d.isdigit() or int(d) in self.before or int(d) == os.getpid():
                continue
            try:
                exe = os.readlink(f"/proc/{d}/exe")
            except OSError:
                continue
            if exe == self.svc:
                services.append(int(d))
            elif exe.startswith(self.dir) or int(d) in own or self.tag in read(f"/proc/{d}/environ"):
                managers.append(int(d))
        return services, managers

    def cleanup(self):
        for _ in range(50):
            services, managers = self.members()
            if not services and not managers:
                break
            for p in managers + services:
                try:
                    os.kill(p, signal.SIGKILL)
                except OSError:
                    pass
            time.sleep(0.1)
        for p in self.procs:
            try:
                p.wait(5)
            except subprocess.TimeoutExpired:
                pass
        shutil.rmtree(self.dir, ignore_errors=True)


def memory(pids):
    total = {"Rss": 0, "Pss": 0}
    for p in pids:
        text = read(f"/proc/{p}/smaps_rollup").decode()
        for kind in total:
            m = re.search(rf"^{kind}:\s+(\d+)", text, re.M)
            total[kind] += int(m.group(1)) if m else 0
    return dict(rss_mib=round(total["Rss"] / 1024, 1), pss_mib=round(total["Pss"] / 1024, 1), procs=len(pids))


def cpu(pids):
    return sum((stat(p) or (0, 0, 0.0))[2] for p in pids)


def switches(pids):
    """Context switches so far: an idle program makes none."""
    n = 0
    for p in pids:
        for t in os.listdir(f"/proc/{p}/task") if os.path.isdir(f"/proc/{p}/task") else ():
            for line in read(f"/proc/{p}/task/{t}/status").decode().splitlines():
                if line.startswith(("voluntary", "nonvoluntary")):
                    n += int(line.split()[1])
    return n


def wait_gone(pids, timeout):
    """(time of the last exit, pids left): by pidfd, so nothing is polled."""
    ep, fds = select.epoll(), {}
    for p in pids:
        try:
            fd = os.pidfd_open(p)
        except OSError:
            continue
        fds[fd] = p
        ep.register(fd, select.EPOLLIN)
    end, last = time.time() + timeout, mono()
    while fds and time.time() < end:
        for fd, _ in ep.poll(0.2):
            last = mono()
            ep.unregister(fd)
            os.close(fd)
            fds.pop(fd)
    left = list(fds.values())
    for fd in fds:
        os.close(fd)
    return last, left
