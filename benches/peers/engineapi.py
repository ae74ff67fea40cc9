"""The container engine asked directly: the floor for containers, and the eyes of the measurements. Standard library only."""
import concurrent.futures, http.client, json, os, socket, struct, threading, time
from urllib.parse import quote

from session import read

IMAGE = os.environ.get("PERF_IMAGE", "orco-test/busybox:1")
SOCKET = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


class Connection(http.client.HTTPConnection):
    """One that is kept alive, as the leanest client would."""

    def __init__(self):
        super().__init__("docker", timeout=120)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


def call(method, path, body=None, connection=None, missing_ok=False):
    c = connection or Connection()
    c.request(method, "/v1.41" + path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
    r = c.getresponse()
    answer = r.read()
    if r.status == 404 and missing_ok:
        return None
    if r.status >= 400:
        raise RuntimeError(f"{method} {path}: {r.status} {answer[:300]!r}")
    if connection is None:
        c.close()
    return json.loads(answer) if answer[:1] in (b"{", b"[") else answer


def skip():
    """Why nothing can be measured here, or None."""
    try:
        call("GET", "/version")
    except OSError as e:
        return f"no container engine answers at {SOCKET}: {e}"
    if call("GET", f"/images/{quote(IMAGE)}/json", missing_ok=True) is None:
        return f"there is no image {IMAGE}: tests/images/make makes it"
    return None


def containers(run, all=True):
    filters = quote(json.dumps({"label": [f"orco-bench={run}"]}))
    return call("GET", f"/containers/json?all={1 if all else 0}&filters={filters}")


def body(s, i, argv, network, port=None):
    """What Orco asks for, field by field: init, limits, labels, log options, names, the port."""
    labels = {"orco-bench": s.run, "orco-bench.stack": "0123456789ab", "orco-bench.service": f"s{i}", "orco-bench.slot": "0/0",
              "orco-bench.instance": "0123456789abcdef" * 2, "orco-bench.revision": "0123456789abcdef", "orco-bench.run": "1"}
    host = dict(Init=True, PidsLimit=512, Privileged=False, AutoRemove=False, RestartPolicy=dict(Name="no"), NetworkMode=network,
                LogConfig=dict(Type="json-file", Config={"max-size": "64m", "max-file": "3"}),
                Mounts=[dict(Type="bind", Source=s.dir, Target=s.dir, ReadOnly=False)])
    spec = dict(Image=IMAGE, Cmd=argv, Env=[], Labels=labels, HostConfig=host)
    if network != "host":
        host["ExtraHosts"] = ["host.docker.internal:host-gateway"]
        spec["NetworkingConfig"] = dict(EndpointsConfig={network: dict(Aliases=[f"s{i}-0", f"s{i}"])})
    if port:
        spec["ExposedPorts"] = {"80/tcp": {}}
        host["PortBindings"] = {"80/tcp": [dict(HostIp="127.0.0.1", HostPort=str(port))]}
    return spec


def start(s, i, argv, network, connection, port=None):
    spec = body(s, i, argv, network, port)
    name = f"/containers/create?name=orco-bench-{s.run}-{i}"
    try:
        key = call("POST", name, spec, connection)["Id"]
    finally:
        s.created = True
    call("POST", f"/containers/{key}/start", None, connection)
    return key


def parallel(workers, count, one):
    """one(i, connection) for each i, by so many threads with a connection each, in order of i."""
    local = threading.local()

    def with_connection(i):
        if not hasattr(local, "connection"):
            local.connection = Connection()
        return one(i, local.connection)

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return list(pool.map(with_connection, range(count)))


def exec_true(key, connection):
    """The check of a `cmd` probe: one command in the container; its exit code is asked for until it is there."""
    e = call("POST", f"/containers/{key}/exec", dict(Cmd=["true"]), connection)["Id"]
    call("POST", f"/exec/{e}/start", dict(Detach=True, Tty=False), connection)
    while True:
        told = call("GET", f"/exec/{e}/json", None, connection)
        if not told["Running"]:
            return told["ExitCode"]
        time.sleep(0.001)


def clear(run):
    """Whatever is left of the run, also if Orco did not do it."""
    left = containers(run)
    stacks = {c["Labels"].get("orco.stack") for c in left} - {None}
    parallel(4, len(left), lambda i, c: call("DELETE", f"/containers/{left[i]['Id']}?force=1&v=1", None, c, missing_ok=True))
    for stack in stacks:
        call("DELETE", f"/networks/orco-{stack}", missing_ok=True)
    return len(left)


def daemon():
    """The engine's processes: who listens on the socket, and what belongs to it."""
    s = socket.socket(socket.AF_UNIX)
    s.connect(SOCKET)
    pid = struct.unpack("iii", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    s.close()
    children = [int(d) for d in os.listdir("/proc") if d.isdigit() and read(f"/proc/{d}/comm").strip() == b"containerd"
                and (read(f"/proc/{d}/stat").rsplit(b") ", 1)[-1].split() or [0, 0])[1] in (str(pid).encode(), b"1")]
    return [pid] + children


def run_time(pids):
    """Seconds on a processor, exactly and with threads that are gone: a tick of 10 ms is too coarse for what idles."""
    total = 0.0
    for p in pids:
        try:
            total += time.clock_gettime((~p << 3) | 2)  # the clock that clock_getcpuclockid(3) names
        except OSError:
            pass
    return total
