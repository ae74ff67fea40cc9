"""Markdown tables from out/*.json: medians, [min..max], and the ratio to the floor of the same series."""
import glob, json, os

from session import OUT, med


def load(name):
    p = os.path.join(OUT, name + ".json")
    return json.load(open(p)) if os.path.exists(p) else None


def number(x):
    if x is None:
        return "-"
    return f"{x:,.{0 if abs(x) >= 100 else 1 if abs(x) >= 10 else 2}f}"


def spread(xs):
    xs = [x for x in xs if x is not None]
    return f"{number(med(xs))} [{number(min(xs))}..{number(max(xs))}]" if xs else "-"


def ratio(x, floor):
    return f"{x / floor:.1f}x" if x and floor else "-"


def column(runs, key):
    return [r.get(key) for r in runs]


def floor_of(runs, key):
    return next((med(column(v, key)) for k, v in runs.items() if k.startswith("floor")), None)


def table(title, head, rows):
    print(f"### {title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print("| " + " | ".join(str(x) for x in row) + " |")
    print()


def numbered(prefix):
    names = [os.path.basename(p)[:-5] for p in glob.glob(os.path.join(OUT, prefix + "_*.json"))]
    return sorted(names, key=lambda n: (len(n), n))


for name in numbered("start"):
    d = load(name)
    runs = d["runs"]
    up, down = floor_of(runs, "up_ms"), floor_of(runs, "down_ms")
    fore = med(column(runs.get("orco", []), "up_ms"))
    table(f"Start, memory, stop: {d['n']} services",
          ["tool", "version", "runs", "all run, ms", "/floor", "/orco", "CPU to there, s", "PSS MiB", "all gone, ms", "/floor", "left"],
          [[k, d["versions"].get(k, ""), len(v), spread(column(v, "up_ms")), ratio(med(column(v, "up_ms")), up),
            f"{med(column(v, 'up_ms')) / fore:.2f}x" if fore and k == "orco -d" else "-", number(med(column(v, "cpu_s"))),
            number(med(column(v, "pss_mib"))), spread(column(v, "down_ms")), ratio(med(column(v, "down_ms")), down),
            max(column(v, "left"))] for k, v in runs.items()])

for name in numbered("chain"):
    d = load(name)
    base = floor_of(d["runs"], "ms")
    table(f"Chain of {d['depth']}, each gated on the health of the one before", ["tool", "runs", "ms", "/floor", "in order"],
          [[k, len(v), spread(column(v, "ms")), ratio(med(column(v, "ms")), base), all(column(v, "in_order"))] for k, v in d["runs"].items()])

if d := load("restart"):
    base = next((v.get("median_ms") for k, v in d["result"].items() if k.startswith("floor")), None)
    table(f"Restart after kill -9, {d['kills']} kills", ["tool", "seen", "not within 12 s", "median ms", "/floor", "min", "worst"],
          [[k, v["n"], v["lost"], number(v.get("median_ms")), ratio(v.get("median_ms"), base), number(v.get("min_ms")), number(v.get("max_ms"))]
           for k, v in d["result"].items()])

for name in numbered("idle"):
    d = load(name)
    probed = ", each probed over HTTP every 2 s" if name.endswith("http") else ""
    table(f"Idle for {d['secs']:.0f} s: {d['n']} services{probed}", ["tool", "CPU % of a core", "context switches/s", "PSS MiB", "RSS MiB", "processes"],
          [[k, v["cpu_pct"], v["switches_per_s"], v["pss_mib"], v["rss_mib"], v["procs"]] for k, v in d["result"].items()])

def best(runs, key, of=med):
    """The floor at its best parallelism."""
    return min((of([x for x in column(v, key) if x is not None]) for k, v in runs.items() if k.startswith("floor")), default=None)


def both(runs, v, key):
    """The ratio to the best floor, of the medians and of the best runs; and of each round to the floors of that round."""
    xs = [x for x in column(v, key) if x is not None]
    if not xs or not best(runs, key):
        return "-"
    floors = [column(f, key) for k, f in runs.items() if k.startswith("floor")]
    rounds = [x / med([f[i] for f in floors]) for i, x in enumerate(column(v, key)) if x is not None]
    return f"{med(xs) / best(runs, key):.2f} / {min(xs) / best(runs, key, min):.2f} / {med(rounds):.2f}x"


KINDS = dict(bridge="on the stack's own network", host="on the host's network", ports="each with a published port")
for name in numbered("containers_up"):
    d = load(name)
    table(f"{d['n']} containers, {KINDS[d['kind']]}",
          ["tool", "runs", "all run, ms", "/best floor (median / min / by round)", "command returns, ms", "/best floor (median / min / by round)", "all gone, ms", "/best floor (median / min / by round)"],
          [[k, len(v), spread(column(v, "up_ms")), both(d["runs"], v, "up_ms"), spread(column(v, "told_ms")), both(d["runs"], v, "told_ms"),
            spread(column(v, "down_ms")), both(d["runs"], v, "down_ms")] for k, v in d["runs"].items()])

for name in numbered("containers_chain"):
    d = load(name)
    table(f"Chain of {d['depth']} containers, each gated on a {d['kind']} probe of the one before",
          ["tool", "runs", "ms", "/floor (median / min / by round)", "in order"],
          [[k, len(v), spread(column(v, "ms")), both(d["runs"], v, "ms"), all(column(v, "in_order"))] for k, v in d["runs"].items()])

for name in numbered("containers_idle"):
    d = load(name)
    table(f"Idle for {d['secs']:.0f} s: {d['n']} containers",
          ["tool", "CPU % of a core", "context switches/s", "the engine's CPU %", "the engine's context switches/s", "PSS MiB", "processes"],
          [[k, v["cpu_pct"], v["switches_per_s"], v["engine_cpu_pct"], v["engine_switches_per_s"], v.get("pss_mib", "-"), v.get("procs", "-")]
           for k, v in d["result"].items()])

if d := load("kill9"):
    head = ["orphans", "managers_left", "services_after_relaunch", "of_them_old"]
    table("kill -9 of the manager of 10 services, then started again", ["tool"] + [h.replace("_", " ") for h in head],
          [[k] + [v[h] for h in head] for k, v in d.items()])

for name in numbered("recover"):
    d = load(name)
    table(f"A detached stack of {d['n']:,} services, until its status is true again", ["what", "runs", "ms"],
          [[k.replace("_", " "), len(v), spread(v)] for k, v in d["runs"].items()])

for name in numbered("files"):
    d = load(name)
    base = floor_of(d["runs"], "ms")
    table(f"Reading and checking {d['n']:,} services ({d['bytes']:,} bytes)", ["tool", "runs", "ms", "/floor", "exit"],
          [[k, len(v), spread(column(v, "ms")), ratio(med(column(v, "ms")), base), v[0]["exit"]] for k, v in d["runs"].items()])

if d := load("screen"):
    table(f"`orco tui` for {d['secs']} s, {d['rate']:,} lines/s through its log pane; load {d['load']:.1f}",
          ["", "keys", "median ms", "p99 (bound: 100)", "worst", "MiB", "slope, MiB/min", "CPU % of a core"],
          [["floor (the terminal's own echo)", d["echoes"], number(d["floor_ms"]), number(d["floor_p99_ms"]), number(d["floor_max_ms"]), "-", "-", "-"],
           ["orco tui", d["keys"], number(d["median_ms"]), number(d["p99_ms"]), number(d["max_ms"]), d["samples"][-1][1],
            f"{d['slope_mib_min']:.2f}", d["cpu_pct"]]])

for name in sorted(numbered("logs")):
    d = load(name)
    if name == "logs_memory":
        table(f"{d['services']} services, {d['rate']:,} lines/s, {d['secs']} s, one reader: memory of the managers",
              ["grew by MiB (bound: 16)", "slope, MiB/min", "largest process, MiB"],
              [[f"{d['growth_mib']:.1f}", f"{d['slope_mib_min']:.2f}", max(x[2] for x in d["samples"])]])
        continue
    runs, reads = d["runs"], name.startswith("logs_read")
    floors = [k for k in runs if k.startswith("floor")]
    lines = d["lines"] * d.get("services", 1)
    what = f"Reading {lines:,} lines of 100 bytes, one reader alone" if reads else f"{d['services']} services print {d['lines']:,} lines of 100 bytes each"
    table(what, ["tool", "runs", "ms"] + [f"/{f} (median / min)" for f in floors] + ["CPU ms", "M lines/s, by CPU", "missing", "load"],
          [[k, len(v), spread(column(v, "ms"))]
           + [f"{med(column(v, 'ms')) / med(column(runs[f], 'ms')):.2f} / {min(column(v, 'ms')) / min(column(runs[f], 'ms')):.2f}x" for f in floors]
           + [spread(column(v, "cpu_ms")), f"{lines / min(column(v, 'cpu_ms')) / 1e3:.2f}" if min(column(v, "cpu_ms")) else "-",
              sum(lines + 1 - x for x in column(v, "lines")) if reads else sum(x or 0 for x in column(v, "missing")),
              spread(column(v, "load"))] for k, v in runs.items()])
