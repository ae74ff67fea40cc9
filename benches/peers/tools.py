"""One class per supervisor: how it is told to run N services, started and stopped."""
import json, os, shutil, signal, subprocess

from session import BUILD, HERE, PEERS, read, write


def peer(name):
    """The path of a peer's program: under PERF_PEERS or on PATH."""
    for sub in ("pyv/bin", "npm/node_modules/.bin", "cargo/bin", "bin"):
        p = os.path.join(PEERS, sub, name)
        if os.path.exists(p):
            return p
    return shutil.which(name)


def sh(argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=60).stdout.strip()
    except OSError as e:
        return str(e)


class Tool:
    name = program = "?"
    restarts = False  # whether it restarts a service that was killed
    empty = True  # whether it runs without any service

    def ok(self):
        return peer(self.program)

    def version(self):
        return ""

    def cmd(self, s, i):
        """argv of service i; a measurement may put another one into the session."""
        f = getattr(s, "cmdline", None)
        return f(i) if f else [s.svc, "mark", s.marks, str(i)]

    def stop(self, s):
        s.procs[0].send_signal(signal.SIGTERM)


class Floor(Tool):
    """The least work that does the job: posix_spawn in a loop, in C."""
    name, program = "floor (C posix_spawn)", "floor"

    def ok(self):
        return os.path.exists(os.path.join(BUILD, "floor"))

    def prepare(self, s, n):
        s.n = n

    def launch(self, s):
        s.popen([os.path.join(BUILD, "floor"), "spawn", str(s.n), s.svc, s.marks])


class FloorRestart(Floor):
    name, restarts = "floor (C waitpid loop)", True

    def launch(self, s):
        s.popen([os.path.join(BUILD, "floor"), "restart", s.svc, s.marks])


class Orco(Tool):
    """The real binary and a stack file; logs are captured and the control socket is open, as always."""
    name, program, restarts, empty = "orco", "orco", True, False
    binary = os.environ.get("ORCO", os.path.join(HERE, "../../target/release/orco"))
    service = {}  # more fields for every service

    def ok(self):
        return os.path.exists(self.binary)

    def version(self):
        return sh([self.binary, "--version"]).removeprefix("orco ")

    def prepare(self, s, n):
        extra = getattr(s, "fields", lambda i: {})
        services = {f"s{i}": dict(command=self.cmd(s, i), **extra(i)) for i in range(n)}
        # JSON is YAML. A restart at once, without end: what the peers do.
        defaults = dict(restartPolicy=dict(maxRetries="unlimited", backoff=dict(min="0s", max="30s", factor=2.0)))
        write(s.dir + "/stack.yaml", json.dumps(dict(version=0.1, stack=dict(name="bench"), defaults=defaults, services=services)))
        s.env["ORCO_STATE_DIR"] = s.dir + "/state"
        s.orco = s.own(self.binary)

    def launch(self, s):
        s.popen([s.orco, "up", "--no-tui", "-f", s.dir + "/stack.yaml"])


class Detached(Orco):
    """The same under the daemon: a journal, and a keeper and services that outlive their engine."""
    name = "orco -d"

    def launch(self, s):
        s.popen([s.orco, "up", "-d", "-f", s.dir + "/stack.yaml"])

    def stop(self, s):
        s.popen([s.orco, "down", "-f", s.dir + "/stack.yaml"])


class Supervisor(Tool):
    name, program, restarts = "supervisor", "supervisord", True

    def version(self):
        return sh([peer("supervisord"), "--version"])

    def prepare(self, s, n):
        d = s.dir
        c = [f"[supervisord]\nnodaemon=true\nlogfile={d}/sd.log\npidfile={d}/sd.pid\nminfds={max(1024, 4 * n + 200)}\nchildlogdir={d}\n"
             f"[unix_http_server]\nfile={d}/sd.sock\n[rpcinterface:supervisor]\n"
             "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
             f"[supervisorctl]\nserverurl=unix://{d}/sd.sock\n"]
        for i in range(n):
            c.append(f"[program:s{i}]\ncommand={' '.join(self.cmd(s, i))}\nredirect_stderr=true\nautorestart=true\n"
                     f"startretries=1000\nstdout_logfile={d}/s{i}.log\nstdout_logfile_maxbytes=0\n")
        write(f"{d}/sd.conf", "".join(c))

    def launch(self, s):
        s.popen([peer("supervisord"), "-c", f"{s.dir}/sd.conf"])


class Pm2(Tool):
    name, program, restarts = "pm2", "pm2", True

    def version(self):
        return json.loads(read(os.path.join(PEERS, "npm/node_modules/pm2/package.json")) or b"{}").get("version", "")

    def prepare(self, s, n):
        s.env.update(PM2_HOME=s.dir + "/pm2", PM2_DISCRETE_MODE="true")
        apps = []
        for i in range(n):
            a = self.cmd(s, i)
            apps.append(dict(name=f"s{i}", script=a[0], args=a[1:], interpreter="none", exec_mode="fork", max_restarts=100000,
                             out_file=f"{s.dir}/s{i}.log", error_file=f"{s.dir}/s{i}.err", merge_logs=True))
        write(s.dir + "/eco.config.js", "module.exports = " + json.dumps(dict(apps=apps)))
        s.n = n

    def launch(self, s):
        s.popen([peer("pm2")] + (["start", s.dir + "/eco.config.js"] if s.n else ["ping"]))

    def stop(self, s):
        s.popen([peer("pm2"), "kill"])


class Honcho(Tool):
    name, program, empty = "honcho", "honcho", False

    def prepare(self, s, n):
        write(s.dir + "/Procfile", "".join(f"s{i}: exec {' '.join(self.cmd(s, i))}\n" for i in range(n)))

    def launch(self, s):
        s.popen([peer(self.program), "start", "-f", s.dir + "/Procfile"])


class Foreman(Honcho):
    name, program = "foreman", "foreman"


class Circus(Tool):
    name, program, restarts = "circus", "circusd", True

    def version(self):
        return sh([peer("circusd"), "--version"])

    def prepare(self, s, n):
        d = s.dir
        c = [f"[circus]\nendpoint=ipc://{d}/ep\npubsub_endpoint=ipc://{d}/ps\n"]
        for i in range(n):
            a = self.cmd(s, i)
            c.append(f"[watcher:s{i}]\ncmd={a[0]}\nargs={' '.join(a[1:])}\ncopy_env=True\n"
                     f"stdout_stream.class=FileStream\nstdout_stream.filename={d}/s{i}.log\n")
        write(d + "/circus.ini", "".join(c))

    def launch(self, s):
        s.popen([peer("circusd"), s.dir + "/circus.ini"])


class Runit(Tool):
    name, program, restarts = "runit", "runsvdir", True

    def version(self):
        return sh(["dpkg-query", "-W", "-f", "${Version}", self.name])

    def prepare(self, s, n):
        os.makedirs(s.dir + "/sv", exist_ok=True)
        for i in range(n):
            write(f"{s.dir}/sv/s{i}/run", "#!/bin/sh\nexec " + " ".join(self.cmd(s, i)) + " 2>&1\n", 0o755)

    def launch(self, s):
        s.popen(["runsvdir", "-P", s.dir + "/sv"])

    def stop(self, s):
        s.procs[0].send_signal(signal.SIGHUP)


class S6(Runit):
    name, program = "s6", "s6-svscan"

    def launch(self, s):
        s.popen(["s6-svscan", "-c", "2100", s.dir + "/sv"])

    stop = Tool.stop


class Horust(Tool):
    name, program, restarts, empty = "horust", "horust", True, False

    def prepare(self, s, n):
        os.makedirs(s.dir + "/uds", exist_ok=True)
        extra = getattr(s, "horust", lambda i: "")
        for i in range(n):
            write(f"{s.dir}/hs/s{i}.toml", f'command = "{" ".join(self.cmd(s, i))}"\nstdout = "{s.dir}/s{i}.log"\n' + extra(i)
                  + '[restart]\nstrategy = "always"\nbackoff = "0s"\nattempts = 100000\n[environment]\nkeep-env = true\n')

    def launch(self, s):
        s.popen([peer("horust"), "--services-path", s.dir + "/hs", "--uds-folder-path", s.dir + "/uds"])


class Mprocs(Tool):
    name, program, restarts = "mprocs", "mprocs", True

    def version(self):
        return sh([peer("mprocs"), "--version"]).removeprefix("mprocs ")

    def prepare(self, s, n):
        s.port = 21000 + os.getpid() % 10000
        procs = {f"s{i}": dict(cmd=self.cmd(s, i), autorestart=True) for i in range(n)}
        write(s.dir + "/m.yaml", json.dumps(dict(server=f"127.0.0.1:{s.port}", procs=procs)))

    def launch(self, s):
        s.popen([peer("mprocs"), "--config", s.dir + "/m.yaml"], tty=True, env=dict(s.env, TERM="xterm"))

    def stop(self, s):
        subprocess.run([peer("mprocs"), "--server", f"127.0.0.1:{s.port}", "--ctl", '{"c":"quit"}'], capture_output=True, timeout=20)


ALL = [Floor(), Orco(), Detached(), Supervisor(), Pm2(), Honcho(), Foreman(), Circus(), Runit(), S6(), Horust(), Mprocs()]


def tools(restarting=False):
    """Those that are here; PERF_TOOLS (comma list) picks some."""
    want = os.environ.get("PERF_TOOLS", "").split(",") if os.environ.get("PERF_TOOLS") else None
    every = [FloorRestart()] + [t for t in ALL[1:] if t.restarts] if restarting else ALL
    return [t for t in every if t.ok() and (want is None or t.name.split(" ")[0] in want)]


def versions():
    return {t.name: t.version() for t in tools()}
