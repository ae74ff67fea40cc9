"""P5: the terminal UI in a flood. A real terminal (tmux) shows `orco tui` of a stack that prints lines of 100 bytes.
  screen.py RATE [SECS=300]   how soon a key is seen while RATE lines a second come in all, and the memory of the terminal UI

A key has been seen when the screen, read again and again, shows what it does; the floor is the same for a letter that the
terminal itself echoes. What a frame may wait for (33 ms) is in the figure, and so is everybody else on the machine."""
import shutil, sys

from session import *
from tools import Orco

SERVICES = 10
# For 99 keys of 100, on a machine that does nothing else.
BOUND_MS = 100
# A key, and what the screen then shows (or no more), all about the log pane that the flood goes through.
KEYS = [("PageUp", "paused", True), ("End", "following", True), ("W", "unwrapped", True), ("W", "unwrapped", False),
        ("?", "close the help", True), ("Escape", "close the help", False)]


class Terminal:
    """tmux with a server of its own, spoken to over one connection: no process is started for a key or a look."""

    def __init__(self, s):
        self.tmux = ["tmux", "-S", s.dir + "/tmux", "-f", "/dev/null"]
        self.env = {k: v for k, v in s.env.items() if k != "TMUX"}
        self.session = s

    def open(self, *argv):
        subprocess.run(self.tmux + ["new-session", "-d", "-x", "120", "-y", "40", *argv], check=True, env=self.env)
        self.p = subprocess.Popen(self.tmux + ["-C", "attach", "-f", "no-output,ignore-size"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self.env, start_new_session=True)
        self.session.procs.append(self.p)
        self.reply()

    def reply(self):
        lines = []
        for line in self.p.stdout:
            if line.startswith((b"%end", b"%error")):
                assert line.startswith(b"%end"), lines
                return b"".join(lines).decode()
            lines = [] if line.startswith(b"%begin") else lines + [line]
        raise EOFError("tmux has ended")

    def tell(self, command):
        self.p.stdin.write(command.encode() + b"\n")
        self.p.stdin.flush()
        return self.reply()

    def pid(self, window):
        return int(self.tell(f"display-message -p -t :{window} '#{{pane_pid}}'").split()[0])

    def text(self, window):
        return self.tell(f"capture-pane -p -t :{window}")

    def until(self, window, text, there=True, limit=20):
        end = time.time() + limit
        while (text in (shown := self.text(window))) != there:
            assert time.time() < end, f"in vain: {text!r} {there}\n{shown}"

    def key_ms(self, window, key, text, there=True):
        t0 = mono()
        self.tell(f"send-keys -t :{window} '{key}'")
        self.until(window, text, there)
        return (mono() - t0) / 1e6


def quantile(xs, q):
    return sorted(xs)[min(len(xs) - 1, int(len(xs) * q))]


def slope(points):
    """Per second, of (seconds, value), by least squares."""
    mx, my = statistics.mean(x for x, _ in points), statistics.mean(y for _, y in points)
    return sum((x - mx) * (y - my) for x, y in points) / sum((x - mx) ** 2 for x, _ in points)


def open_flood(s, rate):
    """The stack, and its terminal UI with the keys in the log pane."""
    t = Orco()
    s.cmdline = lambda i: [s.svc, "flow", str(max(1, rate // SERVICES)), "100", f"id{i}", s.marks]
    t.prepare(s, SERVICES)
    s.popen([s.orco, "-f", s.dir + "/stack.yaml", "up", "-d"])
    assert s.wait_marks(SERVICES, 60), read(s.out)[-1000:]
    terminal = Terminal(s)
    terminal.open(s.orco, "-f", s.dir + "/stack.yaml", "tui")
    # The floor: who reads this window's keys does nothing, its terminal echoes them.
    terminal.tell("new-window -d sh -c 'exec cat'")
    terminal.until(0, "seq=00001")
    terminal.key_ms(0, "Tab", "search")
    return terminal


def press(terminal, secs):
    """(milliseconds of all keys, of the echoes, [(seconds, MiB)], share of a processor)"""
    tui, t0, every = terminal.pid(0), time.time(), min(10, secs / 10)
    keys, echoes, samples, used = [], [], [], cpu([tui])
    for n in range(10 ** 9):
        if (at := time.time() - t0) >= secs:
            return keys, echoes, samples, (cpu([tui]) - used) / at
        keys.append(terminal.key_ms(0, *KEYS[n % len(KEYS)]))
        if n % 8 == 0:
            terminal.tell("send-keys -t :1 C-u")
            echoes.append(terminal.key_ms(1, f"xxx{n}", f"xxx{n}"))
        if at >= every * len(samples):
            samples.append((at, memory([tui])["rss_mib"]))
            print(f"{at:6.1f} s  {samples[-1][1]:.1f} MiB, {len(keys)} keys, median {med(keys):.0f} ms, worst {max(keys):.0f}, "
                  f"load {os.getloadavg()[0]:.1f}", flush=True)
        time.sleep(0.05)


def flood(rate, secs):
    s = Session()
    try:
        keys, echoes, samples, used = press(open_flood(s, rate), secs)
    finally:
        s.cleanup()
    # What is held is full after ten seconds.
    base = [x for x in samples if x[0] > max(10, secs / 10)]
    r = dict(rate=rate, secs=secs, load=os.getloadavg()[0], samples=samples, cpu_pct=round(100 * used, 1), slope_mib_min=60 * slope(base),
             keys=len(keys), median_ms=med(keys), p99_ms=quantile(keys, 0.99), max_ms=max(keys),
             echoes=len(echoes), floor_ms=med(echoes), floor_p99_ms=quantile(echoes, 0.99), floor_max_ms=max(echoes))
    print(f"  {rate} lines/s for {secs} s: {r['keys']} keys, median {r['median_ms']:.0f} ms, p99 {r['p99_ms']:.0f} (bound {BOUND_MS}), worst "
          f"{r['max_ms']:.0f}; floor: median {r['floor_ms']:.1f}, p99 {r['floor_p99_ms']:.0f}, worst {r['floor_max_ms']:.0f}; "
          f"{samples[-1][1]:.1f} MiB, slope {r['slope_mib_min']:.2f} MiB/min; {r['cpu_pct']} % of a processor; load {r['load']:.1f}")
    save("screen", r)
    return r["p99_ms"] <= BOUND_MS


if not shutil.which("tmux"):
    print("(no tmux here: the terminal UI is not measured)")
    sys.exit(0)
args = [int(a) for a in sys.argv[1:]]
sys.exit(not flood(args[0], args[1] if len(args) > 1 else 300))
