"""Writes network_*.npz: the whole network, its loss and every gradient, in PyTorch float64.

Run: python3 make_network.py   (in this directory)
"""
import numpy as np
import torch
import torch.nn.functional as F

from reference import (f32, far_field, gather, leaf, merge_extract, merge_weight, poisson_nll, shift,
                       swish, uniform)

ENCODER = {64: [32, 64, 128], 128: [16, 32, 64, 128]}
DECODER = {64: [64, 32], 128: [128, 64, 32]}
SAMPLES = 1000
MARGIN = 1.5e-6  # from ReLUs and pools to another choice, over the r.m.s. of their input; float32 rounds off 1e-7


def conv_shapes(n, channels, scale):
    """Name → (out, in) of every 3×3 convolution, in the order that numbers the tensors."""
    convs, c = {}, channels
    for i, f in enumerate(ENCODER[n]):
        convs[f"encoder.{i}.conv1"] = (f * scale, c)
        convs[f"encoder.{i}.conv2"] = (f * scale, f * scale)
        c = f * scale
    bottleneck = c
    for d in ("amplitude", "phase"):
        c = bottleneck
        for i, f in enumerate(DECODER[n]):
            convs[f"{d}.{i}.conv1"] = (f * scale, c)
            convs[f"{d}.{i}.conv2"] = (f * scale, f * scale)
            c = f * scale
        border = scale * 2048 // n
        convs[f"{d}.centre"] = (channels, c - 4)
        convs[f"{d}.border.conv1"] = (border, 4)
        convs[f"{d}.border.conv2"] = (border, border)
        convs[f"{d}.border.out"] = (channels, border)
    return convs


def test_weights(convs, seed):
    """Glorot-uniform weights and small biases, tensor t drawn with seed+t."""
    params = {}
    for name, (o, i) in convs.items():
        limit = np.sqrt(6 / (9 * i + 9 * o))
        u = uniform(seed + len(params), o * i * 9)
        params[name + ".weight"] = leaf(f32((2 * u - 1) * limit).reshape(o, i, 3, 3))
        u = uniform(seed + len(params), o)
        params[name + ".bias"] = leaf(f32(0.1 * (2 * u - 1)))
    return params


def network(p, x, n):
    """Amplitude and phase, each [B,C,N,N], of the normalised amplitudes x [B,C,N,N], and the margins."""
    margins = {}

    def margin(name, distances, z):
        margins[name] = (distances.min() / z.square().mean().sqrt()).item()

    def conv(name, x):
        return F.conv2d(x, p[name + ".weight"], p[name + ".bias"], padding=1)

    def relu(name, x):
        z = conv(name, x)
        margin(name, z.abs(), z)
        return F.relu(z)

    def pool(name, z):
        best, second = F.unfold(z.flatten(0, 1)[:, None], 2, stride=2).topk(2, 1).values.unbind(1)
        margin(name, (best - second)[best - second > 1e-12], z)  # equal inputs give equal results on any machine
        return F.max_pool2d(z, 2)

    def twice(name, x):
        return relu(name + ".conv2", relu(name + ".conv1", x))

    def up(x):
        return F.interpolate(x, scale_factor=2, mode="nearest")

    for i in range(len(ENCODER[n])):
        x = pool(f"encoder.{i}.pool", twice(f"encoder.{i}", x))
    q = n // 4
    inside = F.pad(torch.ones(n // 2, n // 2), (q, q, q, q))
    out = []
    for d, head in (("amplitude", torch.sigmoid), ("phase", lambda v: np.pi * torch.tanh(v))):
        y = x
        for i in range(len(DECODER[n])):
            y = up(twice(f"{d}.{i}", y))
        centre = F.pad(head(conv(f"{d}.centre", y[:, :-4])), (q, q, q, q))
        border = swish(conv(f"{d}.border.out", up(twice(f"{d}.border", y[:, -4:]))))
        out.append(centre + border * (1 - inside))
    return *out, margins


def curved_probe(n, modes, curvature):
    """An asymmetric, defocused probe [modes,n,n]; mode 1 is weaker and has a node."""
    r, c = np.mgrid[:n, :n] - n / 2
    u, v = (c - 1.5) / (0.13 * n), (r + 1) / (0.11 * n)
    first = np.exp(-(u**2 + v**2) / 2) * np.exp(1j * (curvature * (1.1 * u**2 + 0.8 * v**2 + 0.4 * u * v) + 0.3 * u))
    second = 0.4 * (u + 0.5j * v) * first * np.exp(0.7j * v)
    return np.stack([first, second][:modes])


def smooth_object(rows, cols):
    """A complex object of amplitude 0.4–0.8 and phase within ±1."""
    y, x = np.mgrid[:rows, :cols] / 64.0
    amplitude = 0.6 + 0.12 * np.sin(9 * x + 2 * y) + 0.08 * np.cos(13 * y - 4 * x * x)
    return amplitude * np.exp(1j * (0.6 * np.sin(7 * y + 3 * x) + 0.4 * np.cos(11 * x - 5 * y)))


def group_offsets(groups, gs):
    """Offsets (dx, dy) [B,C,2] from the group's mean: multiples of 1/256, exact in float32."""
    nominal = (np.stack(np.meshgrid(range(gs), range(gs)), -1).reshape(-1, 2) - (gs - 1) / 2) * 6
    jitter = 2 * uniform(7, groups * gs * gs * 2).reshape(groups, gs * gs, 2) - 1
    r = np.round(64 * (nominal + (gs > 1) * jitter)) / 64
    return r - r.mean(axis=1, keepdims=True)


def simulate(probe, offsets, n, dose, seed):
    """Poisson counts [B,C,N,N], DC at [N/2,N/2], and the probe that gives mean Σ|P·O|² = (N/2)²."""
    groups, channels, _ = offsets.shape
    obj = torch.tensor(smooth_object(3 * n, 3 * n))
    origin = 20.0 + 17 * np.arange(groups)
    patches = torch.stack([torch.stack([gather(obj, origin[b] + dy, 1.5 * origin[b] + dx, n)
                                        for dx, dy in offsets[b]]) for b in range(groups)])
    energy = far_field(patches, torch.tensor(probe), 1.0).sum((-2, -1)).mean().item()
    probe = (probe * (n / 2) / np.sqrt(energy)).astype(np.complex64)
    lam = shift(far_field(patches, torch.tensor(probe.astype(np.complex128)), np.sqrt(dose) / (n / 2)))
    return np.random.RandomState(seed).poisson(lam.numpy()), probe


def forward(params, x, probe, offsets, side, scale, n):
    """Amplitude, phase and expected counts λ (DC at [N/2,N/2]), each [B,C,N,N], and the margins."""
    amplitude, phase, margins = network(params, x, n)
    patches = torch.complex(amplitude * torch.cos(phase), amplitude * torch.sin(phase))
    if offsets.shape[1] > 1:
        w = merge_weight(probe)
        patches = torch.stack([merge_extract(o, w, d[:, 1], d[:, 0], side)[1] for o, d in zip(patches, offsets)])
    return amplitude, phase, shift(far_field(patches, probe, scale)), margins


def case(name, seed, n, gs, groups, filters_scale, modes=1, side=None, probe_gradient=True, curvature=1):
    offsets = group_offsets(groups, gs)
    side = side or n
    k, probe = simulate(curved_probe(n, modes, curvature), offsets, n, 1e5, seed=11)
    scale = float(np.float32(np.sqrt(k.sum((-2, -1)).mean()) / (n / 2)))
    mean_count = float(np.float32(k.mean()))
    x = f32(np.sqrt(k) / scale)

    params = test_weights(conv_shapes(n, gs * gs, filters_scale), seed)
    re, im = leaf(probe.real), leaf(probe.imag)
    amplitude, phase, lam, margins = forward(params, torch.tensor(x), torch.complex(re, im), offsets, side, scale, n)
    closest = min(margins, key=margins.get)
    assert margins[closest] >= MARGIN, f"{name}: margin {margins[closest]:.1e} in {closest}; take another seed"
    amplitude.retain_grad()
    phase.retain_grad()
    loss = poisson_nll(lam, torch.tensor(k, dtype=torch.float64), mean_count)
    loss.backward()

    out = {
        "n": np.int64([n]), "gridsize": np.int64([gs]), "n_filters_scale": np.int64([filters_scale]),
        "weight_seed": np.int64([seed]), "canvas": np.int64([side]), "offsets": offsets,
        "probe": probe, "counts": k.astype(np.uint16),
        "scale": np.array([scale]), "mean_count": np.array([mean_count]), "x": x.astype(np.float32),
        "loss": np.array([loss.item()]),
        "amplitude": amplitude.detach().numpy().astype(np.float32),
        "phase": phase.detach().numpy().astype(np.float32),
        "intensity": lam.detach().numpy().astype(np.float32),
        "grad.amplitude": amplitude.grad.numpy().astype(np.float32),
        "grad.phase": phase.grad.numpy().astype(np.float32),
    }
    if probe_gradient:
        out["grad.probe"] = (re.grad + 1j * im.grad).numpy().astype(np.complex64)
    for t, (key, p) in enumerate(params.items()):
        g = p.grad.numpy().ravel()
        index = np.arange(g.size)
        if g.size > SAMPLES:
            index = np.unique((uniform(9000 + t, SAMPLES) * g.size).astype(np.int64))
        out[f"param.{key}.shape"] = np.int64(p.shape)
        out[f"param.{key}.norm"] = np.array([p.detach().norm().item()])
        out[f"grad.{key}.norm"] = np.array([np.linalg.norm(g)])
        out[f"grad.{key}.projections"] = np.array(
            [np.dot(g, 2 * uniform(s + t, g.size) - 1) for s in (2000, 3000, 4000, 5000)])
        out[f"grad.{key}.index"] = index.astype(np.int32)
        out[f"grad.{key}.values"] = g[index].astype(np.float32)
    np.savez_compressed(name, **out)
    print(f"{name}: parameters {sum(p.numel() for p in params.values())}, loss {loss.item():.9f}, "
          f"counts {k.sum((-2, -1)).mean():.0f} a frame (max {k.max()}), probe gradient {re.grad.norm():.3e}, "
          f"smallest parameter gradient {min(p.grad.norm().item() for p in params.values()):.3e}, "
          f"margin {margins[closest]:.1e} in {closest}")


if __name__ == "__main__":
    case("network_n64_gs1.npz", 47100, 64, 1, 2, 2)
    case("network_n64_gs2.npz", 13400, 64, 2, 1, 2, side=76)
    case("network_n64_gs2_modes2.npz", 10900, 64, 2, 1, 1, modes=2, side=76)
    # Light everywhere: pools of dark areas would choose between pixels that differ by nearly nothing.
    case("network_n128_gs1.npz", 26800, 128, 1, 1, 2, probe_gradient=False, curvature=10)
