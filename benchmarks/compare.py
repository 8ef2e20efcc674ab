from __future__ import annotations
import datetime as dt, sys, statistics
from pathlib import Path
from benchmarks import workload
from benchmarks.load import drive
from benchmarks.servers import bare, cpu_seconds, free_port, ours, serving


def main(seconds=2.0, runs=3):
    today = dt.datetime.now(dt.UTC).date()
    a, b = free_port(), free_port()
    with serving(*[*bare(a)][:1], a, bare(a)[1], Path(".run/b.log")) as pb, serving(ours(b)[0], b, ours(b)[1], Path(".run/o.log")) as po:
        for size, body in workload.sizes(today).items():
            for conns in (1, 8):
                res = {"bare": [], "ours": []}
                for _ in range(runs):
                    for n, port, p, exp in (("bare", a, pb, b"constant"), ("ours", b, po, b"vexas-test")):
                        c0 = cpu_seconds(p)
                        r = drive(port, "/cds-services/vexas", body, exp, connections=conns, seconds=seconds)
                        c = cpu_seconds(p) - c0
                        res[n].append((r.rate, r.p50, r.p99, c / (r.calls + 30 + conns) * 1e6))
                m = {n: [statistics.median(x) for x in zip(*v)] for n, v in res.items()}
                print(size, conns, {n: [round(x, 2) for x in v] for n, v in m.items()}, "ratio", round(m["ours"][3] / m["bare"][3], 2))


main(*map(float, sys.argv[1:2]))
