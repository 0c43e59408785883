"""Definitions shared by the generator scripts, in PyTorch float64.

Written from the formulas, not from the Go code, so that a golden value is a second opinion.
Arrays are in PyTorch order: activations [B,C,H,W], convolution weights [O,I,H,W].
"""
import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def uniform(seed, n):
    """n numbers in [0,1) from the SplitMix64 counter generator."""
    with np.errstate(over="ignore"):
        i = np.arange(1, n + 1, dtype=np.uint64)
        z = np.uint64(seed) + i * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def f32(a):
    """a rounded to float32, kept as float64: what a float32 program is given as input."""
    return np.asarray(a, dtype=np.float64).astype(np.float32).astype(np.float64)


def signed(seed, *shape):
    """Float32-rounded numbers 2u-1 in an array of the given shape."""
    return f32(2 * uniform(seed, int(np.prod(shape))) - 1).reshape(shape)


def leaf(a):
    """A float64 tensor that collects its gradient."""
    return torch.tensor(np.asarray(a, dtype=np.float64), requires_grad=True)


# ---- translation, merge, extract -------------------------------------------------------------

def taps(y, x):
    """The four bilinear taps (row, column, weight) of position (y, x)."""
    iy, ix = int(np.floor(y)), int(np.floor(x))
    fy, fx = y - iy, x - ix
    return [(iy, ix, (1 - fy) * (1 - fx)), (iy, ix + 1, (1 - fy) * fx),
            (iy + 1, ix, fy * (1 - fx)), (iy + 1, ix + 1, fy * fx)]


def gather(canvas, y, x, n):
    """Window dst[r,c] = canvas[r+y, c+x], bilinear, zero outside."""
    p = 2 * n  # wide enough for windows just outside the canvas
    wide = F.pad(canvas, (p, p, p, p))
    return sum(w * wide[p + i:p + i + n, p + j:p + j + n] for i, j, w in taps(y, x))


def scatter(patch, y, x, rows, cols):
    """The transpose of gather: a rows×cols canvas that holds patch at (y, x)."""
    n = patch.shape[-1]
    out = torch.zeros(rows, cols, dtype=patch.dtype)
    for i, j, w in taps(y, x):
        r0, r1 = max(0, -i), min(n, rows - i)
        c0, c1 = max(0, -j), min(n, cols - j)
        if r0 < r1 and c0 < c1:
            out = out + w * F.pad(patch[r0:r1, c0:c1], (j + c0, cols - j - c1, i + r0, rows - i - r1))
    return out


def merge_weight(probe):
    """max(Σ_modes|P|², 1e-6·max), a constant of the merge."""
    w = (probe.detach().abs() ** 2).sum(0)
    return torch.maximum(w, 1e-6 * w.max())


def merge_extract(patches, weight, dy, dx, side):
    """Canvas and extracted patches of one group of complex patches [C,N,N]."""
    n, m = patches.shape[-1], (side - patches.shape[-1]) // 2
    num = sum(scatter(weight * o, m + y, m + x, side, side) for o, y, x in zip(patches, dy, dx))
    den = sum(scatter(weight, m + y, m + x, side, side) for y, x in zip(dy, dx))
    covered = den > 1e-12 * weight.max()
    canvas = torch.where(covered, num / torch.where(covered, den, torch.ones_like(den)), torch.zeros_like(num))
    return canvas, torch.stack([gather(canvas, m + y, m + x, n) for y, x in zip(dy, dx)])


# ---- far field and likelihood ----------------------------------------------------------------

def far_field(patches, probe, scale):
    """λ = S²·Σ_modes|F(P·O)|² for patches [...,N,N] and probe [modes,N,N]; DC at [0,0]."""
    psi = torch.fft.fft2(patches.unsqueeze(-3) * probe, norm="ortho")
    return scale**2 * (psi.real**2 + psi.imag**2).sum(-3)


def shift(a):
    """fftshift over the last two axes."""
    return torch.fft.fftshift(a, dim=(-2, -1))


def poisson_nll(lam, k, mean_count):
    """Mean over everything of λ̃ − k ln λ̃ + lnΓ(k+1), over mean_count; λ̃ = λ + ε."""
    lam = lam + 1e-6 * mean_count + 1e-8
    return (lam - k * torch.log(lam) + torch.lgamma(k + 1)).mean() / mean_count


def swish(x):
    return x * torch.sigmoid(x)
