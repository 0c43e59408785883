"""Writes the goldens of single operations and of the closed-form physics, in PyTorch float64.

Run: python3 make_ops.py   (in this directory)
"""
import itertools

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter

from reference import (f32, far_field, gather, leaf, merge_extract, merge_weight, poisson_nll, scatter,
                       shift, signed, swish, uniform)

seeds = itertools.count(1)


def save(name, out):
    np.savez_compressed(name, **out)
    print(f"{name}: {len(out)} arrays")


def rand(*shape):
    return signed(next(seeds), *shape)


def vjp(prefix, f, **inputs):
    """Inputs, result y, upstream gradient g and the gradients d<input> of Σ g·y."""
    leaves = {k: leaf(v) for k, v in inputs.items()}
    y = f(**leaves)
    g = rand(*y.shape)
    (y * torch.tensor(g)).sum().backward()
    out = {k: v.astype(np.float32) for k, v in inputs.items()}
    out |= {"y": y.detach().numpy(), "g": g.astype(np.float32)}
    out |= {"d" + k: v.grad.numpy() for k, v in leaves.items()}
    return {prefix + k: v for k, v in out.items()}


def complex64(re, im):
    return (re + 1j * im).astype(np.complex64)


def layers():
    out = {}
    for name, (b, i, o, h, w, k) in {"k3": (2, 3, 5, 7, 6, 3), "k3_one": (1, 1, 1, 5, 3, 3), "k3_pixel": (1, 2, 3, 1, 1, 3),
                                     "k3_wide": (2, 20, 35, 9, 11, 3), "k1": (2, 4, 3, 5, 7, 1), "k1_one": (1, 1, 1, 3, 3, 1)}.items():
        out |= vjp(f"conv.{name}.", lambda x, weight, bias: F.conv2d(x, weight, bias, padding=k // 2),
                   x=rand(b, i, h, w), weight=rand(o, i, k, k), bias=rand(o))
    out |= vjp("dense.", F.linear, x=rand(3, 7), weight=rand(5, 7), bias=rand(5))
    ties = np.floor(3 * uniform(99, 2 * 3 * 6 * 8)).reshape(2, 3, 6, 8)
    ties[0, 0] = 0
    pool = vjp("maxpool.", lambda x: F.max_pool2d(x, 2), x=ties)
    first = pool["maxpool.dx"][0, 0]
    assert (first[::2, ::2] == pool["maxpool.g"][0, 0]).all() and not first[1::2].any() and not first[:, 1::2].any()
    out |= pool
    out |= vjp("upsample.", lambda x: F.interpolate(x, scale_factor=2, mode="nearest"), x=rand(2, 3, 4, 5))
    save("layers.npz", out)


def activations():
    x = f32(np.concatenate([np.linspace(-12, 12, 97), [-100, -30, -1e-3, -1e-6, 1e-6, 1e-3, 30, 88, 100]]))
    heads = {"relu": F.relu, "sigmoid": torch.sigmoid, "swish": swish, "tanh_pi": lambda v: np.pi * torch.tanh(v),
             "softplus": lambda v: F.softplus(v, threshold=1000)}
    out = {}
    for name, f in heads.items():
        out |= vjp(name + ".", lambda x: f(x), x=x)
    save("activations.npz", out)


def translate():
    n, rows, cols = 6, 11, 13
    positions = np.array([[0, 0], [2, 3], [2.25, 3.625], [5, 7], [0.5, 0], [0, 0.5], [-1.75, 2.5], [8.125, -3.25],
                          [7.5, 9.375], [-5.5, -5.5], [10.5, 12.5], [-6, 0], [-9.5, 3.25], [3, 15.5], [4.75, -0.125]])
    canvas, patch = rand(rows, cols), rand(n, n)
    out = {"canvas": canvas.astype(np.float32), "patch": patch.astype(np.float32), "positions": positions}
    out["gather"] = np.stack([gather(torch.tensor(canvas), y, x, n) for y, x in positions])
    out["scatter"] = np.stack([scatter(torch.tensor(patch), y, x, rows, cols) for y, x in positions])
    for i, (y, x) in enumerate(positions):
        c = leaf(canvas)
        (gather(c, y, x, n) * torch.tensor(patch)).sum().backward()
        assert np.abs(c.grad.numpy() - out["scatter"][i]).max() < 1e-15
    save("translate.npz", out)


def ops_probe(modes, n):
    r, c = np.mgrid[:n, :n] - n / 2
    shape = np.exp(-(r**2 + (c + 1) ** 2) / (0.3 * n) - 0.2j * r * c + 0.1j * c)
    return np.stack([shape, 0.3 * (r + 1j * c) / n * shape][:modes]).astype(np.complex64)


def merge():
    n, side = 8, 18
    offsets = np.array([[-2.25, -1.5], [1.75, -2.5], [-1.25, 2.125], [1.75, 1.875]])
    probe = ops_probe(2, n)
    w = merge_weight(torch.tensor(probe.astype(np.complex128)))
    re, im, g = leaf(rand(4, n, n)), leaf(rand(4, n, n)), rand(2, 4, n, n)
    canvas, extracted = merge_extract(torch.complex(re, im), w, offsets[:, 1], offsets[:, 0], side)
    assert (canvas == 0).any(), "the case should have pixels that no patch covers"
    (extracted.real * torch.tensor(g[0]) + extracted.imag * torch.tensor(g[1])).sum().backward()
    save("merge.npz", {
        "probe": probe, "weight": w.numpy(), "offsets": offsets, "patches": complex64(re.detach().numpy(), im.detach().numpy()),
        "canvas": canvas.detach().numpy(), "extracted": extracted.detach().numpy(),
        "grad.extracted": complex64(g[0], g[1]), "grad.patches": (re.grad + 1j * im.grad).numpy()})


def farfield():
    out = {}
    for name, (frames, n, modes) in {"modes1": (2, 8, 1), "modes2": (3, 10, 2)}.items():
        probe, scale = ops_probe(modes, n), 3.5
        a, phi = leaf(f32(0.6 + 0.4 * rand(frames, n, n))), leaf(f32(2 * rand(frames, n, n)))
        o = torch.complex(a * torch.cos(phi), a * torch.sin(phi))
        o.retain_grad()
        re, im = leaf(probe.real), leaf(probe.imag)
        lam = far_field(o, torch.complex(re, im), scale)
        g = rand(frames, n, n)
        (lam * torch.tensor(g)).sum().backward()
        out |= {f"{name}.{k}": v for k, v in {
            "amplitude": a.detach().numpy().astype(np.float32), "phase": phi.detach().numpy().astype(np.float32),
            "probe": probe, "scale": np.array([scale]), "patches": o.detach().numpy(), "intensity": lam.detach().numpy(),
            "grad.intensity": g.astype(np.float32), "grad.patches": o.grad.numpy(), "grad.amplitude": a.grad.numpy(),
            "grad.phase": phi.grad.numpy(), "grad.probe": (re.grad + 1j * im.grad).numpy()}.items()}
    save("farfield.npz", out)


def scalar(prefix, f, **inputs):
    """Inputs, the scalar f and its gradients d<input>."""
    leaves = {k: leaf(v) for k, v in inputs.items()}
    y = f(**leaves)
    y.backward()
    out = {k: v.astype(np.float32) for k, v in inputs.items()} | {"loss": np.array([y.item()])}
    out |= {"d" + k: v.grad.numpy() for k, v in leaves.items()}
    return {prefix + k: v for k, v in out.items()}


def losses():
    k = np.floor(20 * uniform(51, 2 * 3 * 6 * 6) ** 3).reshape(2, 3, 6, 6)
    assert (k == 0).any()
    lam = f32(k * (1 + 0.3 * rand(*k.shape)) + 0.5 + 0.4 * rand(*k.shape))
    kt, mean_count = torch.tensor(k), float(np.float32(k.mean()))
    floor = torch.where(kt > 0, kt - kt * torch.log(kt.clamp(min=1)), kt) + torch.lgamma(kt + 1)
    out = {"counts": k.astype(np.float32), "mean_count": np.array([mean_count]),
           "poisson.floor": np.array([floor.mean().item() / mean_count])}
    out |= scalar("poisson.", lambda intensity: poisson_nll(intensity, kt, mean_count), intensity=lam)
    dark = lam.copy()
    dark[0, 0, 0, :4], dark[1, 2, 5, :4] = 0, 1e-6
    out |= scalar("mae.", lambda intensity: (torch.sqrt(intensity + 1e-12) - kt.sqrt()).abs().mean(), intensity=dark)
    out |= scalar("mse.", lambda intensity: ((torch.sqrt(intensity + 1e-12) - kt.sqrt()) ** 2).mean(), intensity=dark)

    ck, cl = torch.tensor([0.0, 1, 4, 9]), torch.tensor([0.5, 1, 5, 7])
    tf = cl - ck * torch.log(cl)
    full = tf + torch.lgamma(ck + 1)
    np.testing.assert_allclose(tf, [0.5, 1, -1.437752, -10.513191], atol=1e-6)
    np.testing.assert_allclose(full, [0.5, 1, 1.740302, 2.288636], atol=1e-6)
    out |= {"closed.counts": ck.numpy(), "closed.intensity": cl.numpy(), "closed.short": tf.numpy(), "closed.full": full.numpy()}

    def tv(re, im):
        return sum((z.diff(dim=d) ** 2).sum() for z in (re, im) for d in (-2, -1))

    def real_space(amplitude, phase):
        return (amplitude - target[0]).abs().mean() + (phase - target[1]).abs().mean()

    out |= scalar("tv.", tv, re=rand(2, 7, 9), im=rand(2, 7, 9))
    target = torch.tensor(rand(2, 2, 1, 5, 6))
    out |= {"realspace.target_amplitude": target[0].numpy().astype(np.float32),
            "realspace.target_phase": target[1].numpy().astype(np.float32)}
    out |= scalar("realspace.", real_space, amplitude=rand(2, 1, 5, 6), phase=rand(2, 1, 5, 6))
    save("losses.npz", out)


def adam(steps=5, n=37):
    p, g = leaf(rand(n)), f32(rand(steps, n) * 10.0 ** np.linspace(-6, 2, n))
    out = {"adam.start": p.detach().numpy().astype(np.float32), "adam.grad": g.astype(np.float32)}
    opt = torch.optim.Adam([p], lr=1e-3, betas=(0.9, 0.999), eps=1e-7)
    trace = {"param": [], "m": [], "v": []}
    for step in range(steps):
        p.grad = torch.tensor(g[step])
        opt.step()
        state = opt.state[p]
        for key, value in zip(trace, (p.detach(), state["exp_avg"], state["exp_avg_sq"])):
            trace[key].append(value.numpy().copy())
    return out | {f"adam.{k}": np.stack(v) for k, v in trace.items()}


def clip():
    out = {}
    for name, max_norm in {"hit": 1.0, "miss": 100.0}.items():
        params = [torch.nn.Parameter(torch.zeros(k)) for k in (5, 8, 1)]
        grads = rand(14) * 3
        for p, g in zip(params, np.split(grads, [5, 13])):
            p.grad = torch.tensor(g)
        norm = torch.nn.utils.clip_grad_norm_(params, max_norm)
        out |= {f"clip.{name}.max_norm": np.array([max_norm]), f"clip.{name}.norm": np.array([norm.item()]),
                f"clip.{name}.grad": grads, f"clip.{name}.clipped": np.concatenate([p.grad.numpy() for p in params])}
    return out


def schedules():
    loss = np.array([5, 4, 4, 4.1, 3.9, 3.9, 3.9, 3.95, 3.8, 3.8, 3.8, 3.8, 3.8, 3.8, 3.8, 3.79999, 4, 4, 4, 4, 4, 4, 4, 4, 4,
                     4, 4, 4, 4, 4])
    opt = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1e-3)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=2, min_lr=1e-4, threshold=0,
                                                         threshold_mode="abs", mode="min")
    lr = []
    for v in loss:
        plateau.step(v)
        lr.append(opt.param_groups[0]["lr"])

    warm, total, base, low = 5, 25, 1e-3, 1e-4
    opt = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=base)
    cosine = torch.optim.lr_scheduler.SequentialLR(opt, [
        torch.optim.lr_scheduler.LambdaLR(opt, lambda e: (e + 1) / warm),
        torch.optim.lr_scheduler.CosineAnnealingLR(opt, total - warm, low)], [warm])
    e = np.arange(total)
    closed = np.where(e < warm, base * (e + 1) / warm, low + (base - low) * (1 + np.cos(np.pi * (e - warm) / (total - warm))) / 2)
    stepped = []
    for _ in e:
        stepped.append(opt.param_groups[0]["lr"])
        opt.step()
        cosine.step()
    np.testing.assert_allclose(stepped, closed, rtol=1e-9)
    return {"plateau.loss": loss, "plateau.lr": np.array(lr), "cosine.lr": closed,
            "cosine.warmup": np.int64([warm]), "cosine.epochs": np.int64([total]), "cosine.base": np.array([base]),
            "cosine.floor": np.array([low]), "exponential.lr": 1e-3 * 0.95**e, "exponential.gamma": np.array([0.95])}


def glorot():
    shapes = np.int64([[64, 1, 3, 3], [256, 128, 3, 3], [1, 60, 3, 3], [5, 4, 1, 1]])
    fan = shapes[:, 2] * shapes[:, 3] * (shapes[:, 0] + shapes[:, 1])
    return {"glorot.shapes": shapes, "glorot.limit": np.sqrt(6 / fan), "glorot.std": np.sqrt(2 / fan)}


def default_probe(n):
    """The default disk probe, its normalisation mask and divisor (probe_scale 4)."""
    sigma = n / (0.7 * np.pi**2)
    w = np.exp(-((np.arange(n) - (n - 1) / 2) ** 2) / (2 * sigma**2))
    w /= w.max()
    disk = (np.outer(w, w) > 0.5).astype(np.float64)
    probe = gaussian_filter(disk, 1.0) + 1e-9
    u = np.arange(n) - n // 2 + 0.5
    mask = np.hypot(u[:, None], u[None]) < n // 4
    return disk, probe, mask, 4.0 * (mask * probe).mean()


def closed_form():
    printed = {  # disk pixels, mask pixels, Σ|P|², divisor, Σ|P'|², then per object A[h,h], A[h,h+1], A[h+1,h], A[h+3,h-2], ΣA²
        64: (376, 812, 337.756793, 0.3671875, 2505.11873, 16.0, (10.810788, 8.805005, 8.260063, 0.541998, 1220.152755)),
        128: (1500, 3228, 1423.419076, 0.3662109, 10613.78186, 32.0, (21.726154, 17.761269, 16.664957, 1.104595, 5227.079091))}
    out = {}
    for n, (disk_pixels, mask_pixels, energy, divisor, normalised, flat, textured) in printed.items():
        disk, probe, mask, div = default_probe(n)
        y, x = np.mgrid[:n, :n] / n
        obj = (0.7 + 0.2 * np.sin(2 * np.pi * x) * np.cos(2 * np.pi * y)) * np.exp(0.3j * np.sin(2 * np.pi * (x + 2 * y)))
        amplitude = {name: shift(far_field(torch.tensor(o), torch.tensor(probe / div)[None] + 0j, 1.0)).sqrt().numpy()
                     for name, o in (("flat", np.ones((n, n)) + 0j), ("textured", obj))}
        h, a = n // 2, amplitude["textured"]
        samples = np.array([a[h, h], a[h, h + 1], a[h + 1, h], a[h + 3, h - 2], (a**2).sum()])
        assert disk.sum() == disk_pixels and mask.sum() == mask_pixels
        np.testing.assert_allclose([(probe**2).sum(), ((probe / div) ** 2).sum(), amplitude["flat"][h, h]],
                                   [energy, normalised, flat], rtol=1e-8)
        np.testing.assert_allclose(div, divisor, rtol=1e-6)
        np.testing.assert_allclose(samples, textured, atol=6e-7)
        out |= {f"n{n}.{k}": v for k, v in {
            "probe": probe, "disk_pixels": np.int64([disk.sum()]), "mask_pixels": np.int64([mask.sum()]),
            "sum": np.array([probe.sum()]), "energy": np.array([(probe**2).sum()]), "divisor": np.array([div]),
            "normalised_energy": np.array([((probe / div) ** 2).sum()]), "normalised_max": np.array([probe.max() / div]),
            "object": obj, "flat.amplitude": amplitude["flat"].astype(np.float32),
            "textured.amplitude": a.astype(np.float32), "flat.centre": np.array([amplitude["flat"][h, h]]),
            "textured.samples": samples}.items()}
    save("closed_form.npz", out)


if __name__ == "__main__":
    layers()
    activations()
    translate()
    merge()
    farfield()
    losses()
    save("optim.npz", adam() | clip() | schedules() | glorot())
    closed_form()
