"""Recovery and upgrade of a detached stack of N services that do nothing.  usage: recover.py N [REPS=3]
Times until `status` of the control socket names every service as running, with the process it had before."""
import glob, http.client, socket, sys

from session import *
from tools import Detached

N = int(sys.argv[1])
REPS = int(sys.argv[2]) if len(sys.argv) > 2 else 3


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


class Stack:
    """What anybody can see of the stack."""

    def __init__(self, s):
        self.dir = glob.glob(s.dir + "/state/*")[0]

    def meta(self):
        return json.loads(read(self.dir + "/meta.json"))

    def get(self, what):
        """An answer of the control socket; None if nobody gave one."""
        try:
            c = Unix(self.dir + "/control.sock")
            c.request("GET", "/api/v1/" + what)
            return json.loads(c.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            return None

    def pids(self):
        """The process of every service that runs."""
        found = self.get("status") or {}
        return {name: r["pid"] for name, s in found.get("services", {}).items() for r in s["instances"] if r["state"] == "Running"}

    def true_again(self, pids, t0, limit=60):
        while self.pids() != pids:
            if mono() - t0 > limit * 1e9:
                return None
            time.sleep(0.002)
        return (mono() - t0) / 1e6


def gone(*pids):
    wait_gone(pids, 30)


def engine_killed(tool, s, stack, pids):
    engine = stack.meta()["pid"]
    t0 = mono()
    os.kill(engine, signal.SIGKILL)
    return stack.true_again(pids, t0)


def keeper_killed(tool, s, stack, pids):
    keeper = stack.meta()["keeper_pid"]
    t0 = mono()
    os.kill(keeper, signal.SIGKILL)
    while stack.meta()["keeper_pid"] == keeper:
        time.sleep(0.002)
    return stack.true_again(pids, t0)


def both_killed(tool, s, stack, pids):
    meta = stack.meta()
    both = [meta["keeper_pid"], meta["pid"]]
    for p in both:
        os.kill(p, signal.SIGSTOP)
    for p in both:
        os.kill(p, signal.SIGKILL)
    gone(*both)
    t0 = mono()
    tool.launch(s)
    while stack.get("services/s0") is None:
        time.sleep(0.002)
    return stack.true_again(pids, t0)


def upgraded(tool, s, stack, pids):
    """The longest that somebody who asks all the time waited for an answer."""
    engine = stack.meta()["pid"]
    worst, p = 0.0, s.popen([s.orco, "daemon", "upgrade", "-f", s.dir + "/stack.yaml"])
    while p.poll() is None:
        t0 = mono()
        assert stack.get("services/s0") or True
        worst = max(worst, (mono() - t0) / 1e6)
    assert stack.meta()["pid"] != engine and stack.pids() == pids
    return worst


runs = {}
tool = Detached()
s = Session()
try:
    tool.prepare(s, N)
    tool.launch(s)
    assert s.wait_marks(N, 100), read(s.out)[-1000:]
    time.sleep(2)
    stack = Stack(s)
    pids = stack.pids()
    assert len(pids) == N, len(pids)
    for rep in range(REPS):
        for what in (engine_killed, keeper_killed, both_killed, upgraded):
            took = what(tool, s, stack, pids)
            runs.setdefault(what.__name__, []).append(took)
            print(N, what.__name__, took, flush=True)
            assert took is not None, read(glob.glob(stack.dir + "/daemon.log")[0])[-2000:].decode()
            time.sleep(12 if what is keeper_killed else 1)  # so that no death counts as one of a series
    assert len(s.read_marks()) == N, "a service was started again"
    for line in read(stack.dir + "/daemon.log").decode().splitlines():
        if "it serves" in line:
            print(line)
finally:
    s.cleanup()
save(f"recover_{N}", dict(n=N, runs=runs))
