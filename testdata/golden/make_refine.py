"""Writes the goldens of a joint refinement, the gradients of all its unknowns, in PyTorch float64.

Run: python3 make_refine.py   (in this directory)
"""
import numpy as np
import torch
import torch.nn.functional as F

from make_ops import complex64, ops_probe, save
from reference import f32, far_field, leaf, signed, uniform

FRAMES, N, ROWS, COLS, SCALE = 3, 32, 44, 40, 30.0
# Inside the canvas, at a fraction in one direction only, and beyond two of its edges.
POSITIONS = np.array([[2.25, 3.625], [9.0, 5.3125], [14.75, -3.4375]])


def gather(canvas, y, x):
    """Window dst[r,c] = canvas[r+y, c+x], bilinear, zero outside; differentiable in y and x."""
    iy, ix = int(torch.floor(y)), int(torch.floor(x))
    wide = F.pad(canvas, (N, N, N, N))
    taps = [[wide[N + iy + a:2 * N + iy + a, N + ix + b:2 * N + ix + b] for b in (0, 1)] for a in (0, 1)]
    rows = [taps[a][0] * (ix + 1 - x) + taps[a][1] * (x - ix) for a in (0, 1)]
    return rows[0] * (iy + 1 - y) + rows[1] * (y - iy)


def expected(object_re, object_im, probe_re, probe_im, positions, gains, background):
    """λ_i = g_i·S²·Σ_modes|F(P·O_i)|² + b, DC at [0,0]."""
    canvas = torch.complex(object_re, object_im)
    patches = torch.stack([gather(canvas, y, x) for y, x in positions])
    intensity = far_field(patches, torch.complex(probe_re, probe_im), SCALE)
    return gains[:, None, None] * intensity + background


def poisson(lam, k, seen, mean_count):
    """Poisson negative log-likelihood over mean_count, a mean over all pixels to which only the seen ones add."""
    lam = lam + 1e-6 * mean_count + 1e-8
    return torch.where(seen, lam - k * torch.log(lam) + torch.lgamma(k + 1), 0 * lam).mean() / mean_count


def amplitude(lam, k, seen, mean_count):
    """(√(λ+1e-6) − √k)², a mean over all pixels to which only the seen ones add."""
    return torch.where(seen, (torch.sqrt(lam + 1e-6) - torch.sqrt(k)) ** 2, 0 * lam).mean()


def scene():
    a, phi = 0.8 + 0.2 * signed(1, ROWS, COLS), 0.7 * signed(2, ROWS, COLS)
    z, probe = (a * np.exp(1j * phi)).astype(np.complex64), ops_probe(2, N)
    return {"object_re": z.real, "object_im": z.imag, "probe_re": probe.real, "probe_im": probe.imag,
            "positions": POSITIONS, "gains": f32([1.1, 0.8, 1.3]), "background": f32(0.4 + 0.3 * signed(3, N, N))}


def measured(lam):
    """Counts around lam, zeros among them, −1 where not measured: a row, a block and the brightest pixel of a frame."""
    k = np.floor(lam * (0.5 + uniform(4, lam.size).reshape(lam.shape)))
    k[:, 5] = -1
    k[1, 20:24, 9:12] = -1
    k[2].flat[k[2].argmax()] = -1
    assert (k == 0).any() and k.max() > 100
    return k


def refine():
    x = scene()
    k = measured(expected(**{name: torch.tensor(np.float64(v)) for name, v in x.items()}).numpy())
    seen, mean_count = torch.tensor(k >= 0), float(np.float32(k[k >= 0].mean()))
    out = {"object": complex64(x["object_re"], x["object_im"]), "probe": complex64(x["probe_re"], x["probe_im"]),
           "positions": x["positions"], "gains": np.float32(x["gains"]), "background": np.float32(x["background"]),
           "scale": np.array([SCALE]), "counts": np.float32(k), "mean_count": np.array([mean_count])}
    for name, loss in {"poisson": poisson, "amplitude": amplitude}.items():
        leaves = {key: leaf(v) for key, v in x.items()}
        lam = expected(**leaves)
        value = loss(lam, torch.tensor(k).clamp(min=0), seen, mean_count)
        value.backward()
        g = {key: v.grad.numpy() for key, v in leaves.items()}
        out |= {"intensity": np.float32(lam.detach().numpy()), f"{name}.loss": np.array([value.item()]),
                f"{name}.dobject": complex64(g["object_re"], g["object_im"]),
                f"{name}.dprobe": complex64(g["probe_re"], g["probe_im"]), f"{name}.dpositions": g["positions"],
                f"{name}.dgains": g["gains"], f"{name}.dbackground": np.float32(g["background"])}
        print(name, value.item(), g["positions"], g["gains"])
    print("mean count", mean_count, "largest", k.max(), "λ", float(lam.min()), float(lam.max()))
    save("refine.npz", out)


if __name__ == "__main__":
    refine()
