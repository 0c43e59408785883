#!/usr/bin/env python3
"""Measure one case with PyTorch and print it as a line of JSON: see compare.py."""

import argparse
import json
import os
import resource
import statistics
import time

ap = argparse.ArgumentParser(description=__doc__)
ap.add_argument("--mode", choices=["train", "infer"], default="train")
ap.add_argument("--N", type=int, default=64)
ap.add_argument("--gridsize", type=int, default=1)
ap.add_argument("--n_filters_scale", type=int, default=2)
ap.add_argument("--batch_size", type=int, default=16)
ap.add_argument("--threads", type=int, default=2)
ap.add_argument("--tuned", choices=["no", "eager", "jit"], default="no", help="channels_last, and with jit a traced network")
ap.add_argument("--seconds", type=float, default=5)
a = ap.parse_args()
os.environ["OMP_NUM_THREADS"] = str(a.threads)

import torch  # noqa: E402  after the number of threads is set

from network import Model, Network, poisson  # noqa: E402

torch.set_num_threads(a.threads)
torch.set_flush_denormal(True)
torch.manual_seed(0)
n, channels = a.N, a.gridsize**2
r = torch.arange(n) - n / 2
probe = torch.exp(-(r[:, None] ** 2 + r**2) / (2 * (n / 5) ** 2)).to(torch.complex64)
x = torch.rand(a.batch_size, channels, n, n)
counts, scale = (30 * x) ** 2, 30.0
offsets = 6 * torch.rand(a.batch_size, channels, 2) - 3
offsets -= offsets.mean(1, keepdim=True)
network = Network(n, a.gridsize, a.n_filters_scale)
if a.tuned != "no":
    network = network.to(memory_format=torch.channels_last)
    x = x.to(memory_format=torch.channels_last)
if a.mode == "infer":
    network.eval()
if a.tuned == "jit":
    network = torch.jit.trace(network, x)
    if a.mode == "infer":
        network = torch.jit.optimize_for_inference(torch.jit.freeze(network))
model = Model(network, probe, offsets, n + 4 * (a.gridsize - 1) + 10)


def infer():
    with torch.inference_mode():
        return torch.polar(*network(x))


if a.mode == "train":
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)


def train():
    optimiser.zero_grad(set_to_none=True)
    poisson(model(x, scale), counts).backward()
    optimiser.step()


step = train if a.mode == "train" else infer
for _ in range(3):
    step()
laps, begin = [], time.perf_counter()
while len(laps) < 3 or time.perf_counter() - begin < a.seconds:
    t = time.perf_counter()
    step()
    laps.append(time.perf_counter() - t)
seconds = statistics.median(laps)
print(json.dumps({
    "patterns_per_second": a.batch_size * channels / seconds,
    "step_seconds": seconds,
    "repeats": len(laps),
    "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10,
    "torch": torch.__version__,
}))
