"""P6, second half: kill -9 of a tool's top manager with 10 services: what is left, and what starting it again does."""
from session import *
from tools import Floor, tools

N = 10
result = {}
for t in tools():
    if isinstance(t, Floor):
        continue
    s = Session()
    try:
        t.prepare(s, N)
        t.launch(s)
        s.wait_marks(N, 30)
        time.sleep(2)
        services, managers = s.members()
        for p in managers:  # the top: the one whose parent is no other manager of this session
            if (stat(p) or (0, 0, 0))[1] not in managers:
                os.kill(p, signal.SIGKILL)
        time.sleep(3)
        after, managers_left = s.members()
        orphans = set(services) & set(after)
        t.launch(s)
        time.sleep(6)
        again = s.members()[0]
        result[t.name] = dict(orphans=len(orphans), managers_left=len(managers_left), services_after_relaunch=len(again),
                              of_them_old=len(orphans & set(again)))
        print(t.name, json.dumps(result[t.name]), flush=True)
    finally:
        s.cleanup()
save("kill9", result)
