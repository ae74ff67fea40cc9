"""P9: reading and checking a file of N services, each depending on its predecessor's tenth.  usage: files.py N [REPS=3]"""
import sys

from session import *
from tools import Orco, peer, tools

N = int(sys.argv[1])
REPS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
LIMIT = float(os.environ.get("PERF_LIMIT", "120"))
d = tempfile.mkdtemp(prefix="orco-bench-")


def stack(p):
    o = ["version: 0.1\nstack: { name: big }\nservices:\n"]
    for i in range(N):
        o.append(f"  s{i}:\n    command: [sleep, '1000']\n    env:\n      A: '{i}'\n      B: value\n"
                 f"    ports: ['{10000 + i % 50000}']\n    health:\n      tcp: {{ port: {10000 + i % 50000} }}\n"
                 "      interval: 2s\n      timeout: 1s\n      failureThreshold: 3\n")
        if i:
            o.append(f"    dependsOn:\n      - target: s{i // 10}\n        require: ready\n")
    write(p, "".join(o))


stack(d + "/stack.yaml")
write(d + "/sd.conf", f"[supervisord]\nnodaemon=true\nlogfile={d}/sd.log\npidfile={d}/sd.pid\n" + "".join(
    f"[program:s{i}]\ncommand=/bin/sleep 1000\nenvironment=A=\"{i}\",B=\"value\"\nautostart=false\npriority={i}\n" for i in range(N)))
write(d + "/Procfile", "".join(f"s{i}: exec /bin/sleep 1000\n" for i in range(N)))
PARSE = "import sys; from supervisor.options import ServerOptions as O; o=O(); o.realize(['-c', sys.argv[1]]); o.process_config(do_usage=False)"
commands = {
    "floor (libyaml events, C)": [os.path.join(BUILD, "yamlscan"), d + "/stack.yaml"],
    "orco validate": [Orco.binary, "validate", "-f", d + "/stack.yaml"],
    "supervisor (read config)": [os.path.join(PEERS, "pyv/bin/python"), "-c", PARSE, d + "/sd.conf"],
    "honcho check": [peer("honcho"), "check", "-f", d + "/Procfile"],
    "foreman check": [peer("foreman"), "check", "-f", d + "/Procfile"],
}
here = {t.name.split(" ")[0] for t in tools()}
results = {}
try:
    for rep in range(REPS):
        for name, argv in commands.items():
            if name.split(" ")[0] not in here or not argv[0] or not os.path.exists(argv[0]):
                continue
            t0 = mono()
            try:
                p = subprocess.run(argv, capture_output=True, timeout=LIMIT, cwd=d)
                code = p.returncode
                if code and rep == 0:
                    print(name, (p.stdout + p.stderr)[-500:].decode(errors="replace"))
            except subprocess.TimeoutExpired:
                code = "timeout"
            results.setdefault(name, []).append(dict(ms=(mono() - t0) / 1e6, exit=code))
            print(N, name, results[name][-1], flush=True)
    save(f"files_{N}", dict(n=N, bytes=os.path.getsize(d + "/stack.yaml"), runs=results))
finally:
    shutil.rmtree(d, ignore_errors=True)
