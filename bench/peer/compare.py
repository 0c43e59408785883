#!/usr/bin/env python3
"""Time ptycho and PyTorch side by side and print the table of docs/performance.md.

Both compute the same network and the same step on the same cores, in turns; a figure is the median over the turns.
"plain" is PyTorch as one writes it; "tuned" the faster of eager and traced, channels_last, with a malloc that keeps
its memory. Needs python3-torch.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MALLOC = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(8 << 30),
    "MALLOC_TOP_PAD_": str(256 << 20),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
# mode, N, gridsize, groups in a batch, threads
CASES = [
    ("train", 64, 1, 16, 2),
    ("train", 64, 1, 4, 2),
    ("train", 64, 1, 64, 2),
    ("train", 64, 1, 16, 1),
    ("train", 64, 2, 16, 2),
    ("train", 128, 1, 16, 2),
    ("infer", 64, 1, 64, 2),
    ("infer", 64, 1, 1, 2),
    ("infer", 64, 1, 16, 2),
    ("infer", 64, 1, 1, 1),
    ("infer", 64, 1, 64, 1),
    ("train", 64, 1, 4, 1),
    ("train", 64, 1, 64, 1),
]
VARIANTS = {"plain": ["no"], "tuned": ["eager", "jit"]}


def run(command, threads, extra=None):
    env = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    env.update(extra or {})
    cpus = ",".join(str(c) for c in sorted(os.sched_getaffinity(0))[:threads])
    out = subprocess.run(["taskset", "-c", cpus, *command], env=env, check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def ours(binary, case, seconds):
    mode, n, gridsize, batch, threads = case
    if mode == "infer" and batch == 1:
        mode = "latency"
    r = run([binary, "bench", "--json", "--mode", mode, "--N", str(n), "--gridsize", str(gridsize), "--batch_size", str(batch),
             "--workers", str(threads), "--seconds", str(seconds)], threads)
    return r["results"][0]["patterns_per_second"], r["peak_rss_bytes"]


def theirs(case, seconds, tuned):
    mode, n, gridsize, batch, threads = case
    r = run([sys.executable, os.path.join(HERE, "measure.py"), "--mode", mode, "--N", str(n), "--gridsize", str(gridsize),
             "--batch_size", str(batch), "--threads", str(threads), "--tuned", tuned, "--seconds", str(seconds)],
            threads, MALLOC if tuned != "no" else None)
    return r["patterns_per_second"], r["peak_rss_bytes"]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--binary", default="bin/ptycho")
    ap.add_argument("--turns", type=int, default=5)
    ap.add_argument("--seconds", type=float, default=4)
    ap.add_argument("--only", help="only the cases whose description holds this text, as 'train N=64'")
    a = ap.parse_args()
    cpu = next((s.split(":", 1)[1].strip() for s in open("/proc/cpuinfo") if s.startswith("model name")), platform.processor())
    version = subprocess.run([sys.executable, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True).stdout.strip()
    print(f"{datetime.date.today()}, {cpu}, {os.cpu_count()} cores, PyTorch {version}; medians of {a.turns} turns.\n")
    print("| case | threads | ptycho, patterns/s | PyTorch plain | PyTorch tuned | ratio to plain | ratio to tuned | memory, MB: ptycho, plain, tuned |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for case in CASES:
        mode, n, gridsize, batch, threads = case
        name = f"{mode} N={n} gridsize={gridsize} batch={batch}"
        if a.only and a.only not in name:
            continue
        runs = {"ours": []} | {t: [] for v in VARIANTS.values() for t in v}
        for _ in range(a.turns):
            runs["ours"].append(ours(a.binary, case, a.seconds))
            for t in runs:
                if t != "ours":
                    runs[t].append(theirs(case, a.seconds, t))
        rate = {k: statistics.median(r for r, _ in v) for k, v in runs.items()}
        memory = {k: statistics.median(m for _, m in v) / 2**20 for k, v in runs.items()}
        tuned = max(VARIANTS["tuned"], key=rate.get)

        def ratio(t):  # turn by turn, so that a machine that slows down does so for both
            return statistics.median(o / p for (o, _), (p, _) in zip(runs["ours"], runs[t]))

        print(f"| {name} | {threads} | {rate['ours']:.1f} | {rate['no']:.1f} | {rate[tuned]:.1f} | {ratio('no'):.2f} | {ratio(tuned):.2f} "
              f"| {memory['ours']:.0f}, {memory['no']:.0f}, {memory[tuned]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
