"""Golden values of registration, Fourier ring correlation and data-space figures: writes frc.json beside itself
(NumPy, SciPy, scikit-image)."""
import json
import pathlib

import numpy as np
from scipy.special import rel_entr
from skimage.registration import phase_cross_correlation


def parts(z):
    return dict(re=z.real.ravel().tolist(), im=z.imag.ravel().tolist())


def spectrum(shape, rng):
    """Fourier coefficients of a field that has less and less at higher frequencies, and its frequencies."""
    fy, fx = np.meshgrid(np.fft.fftfreq(shape[0]), np.fft.fftfreq(shape[1]), indexing="ij")
    z = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    return z * np.exp(-(fy ** 2 + fx ** 2) / (2 * 0.13 ** 2)) * np.sqrt(z.size), fy, fx


def taper(shape, width):
    def side(n):
        d = np.minimum(np.arange(n), np.arange(n)[::-1])
        return np.where(d < width, np.sin(np.pi / 2 * (d + 0.5) / max(width, 1)) ** 2, 1)
    return np.outer(side(shape[0]), side(shape[1]))


def frc(a, b, width):
    w, bins = taper(a.shape, width), min(a.shape)
    faded = lambda z: (lambda mean: mean + w * (z - mean))(np.average(z, weights=w))
    A, B = np.fft.fft2(faded(a)), np.fft.fft2(faded(b))
    ky, kx = (np.rint(np.fft.fftfreq(n) * n) * bins / n for n in a.shape)
    ring = np.floor(np.hypot(ky[:, None], kx[None, :]) + 0.5).astype(int).ravel()
    total = lambda z: np.bincount(ring, z.ravel())[:bins // 2 + 1]
    n = total(np.ones(a.shape)) * (w ** 2).sum() ** 2 / (w.size * (w ** 4).sum())
    return total((A * B.conj()).real) / np.sqrt(total(abs(A) ** 2) * total(abs(B) ** 2)), np.maximum(n, 1), bins


def crossing(corr, limit, bins):
    """The first root of the piecewise linear corr - limit beyond ring 0, None without one."""
    d = corr - limit
    for i in range(2, len(d)):
        if d[i] < 0:
            return (i - 1 + np.interp(0, [d[i], d[i - 1]], [1, 0])) / bins
    return None


rng = np.random.default_rng(11)
shape = 33, 46
F, fy, fx = spectrum(shape, rng)
noise = lambda: 0.12 * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape))
shifted = lambda dy, dx: 1 + 0.5j + np.fft.ifft2(F * np.exp(-2j * np.pi * (fy * dy + fx * dx)))
fixed = np.round(shifted(0, 0) + noise(), 4)
moving = np.round(1.3 * np.exp(0.7j) * (shifted(-3.37, 7.615) + noise()), 4)
other = np.round(shifted(0, 0) + noise(), 4)
out = dict(rows=shape[0], cols=shape[1], fixed=parts(fixed), moving=parts(moving), other=parts(other))

out["register"] = [
    dict(precision=1 / u, shift=phase_cross_correlation(fixed, moving, upsample_factor=u, normalization=None)[0].tolist())
    for u in (1, 10, 100)]

s = lambda n: 1 / np.sqrt(n)
limits = dict(half=lambda n: 0.5 + 0 * n, seventh=lambda n: 1 / 7 + 0 * n,
              half_bit=lambda n: (0.2071 + 1.9102 * s(n)) / (1.2071 + 0.9102 * s(n)),
              one_bit=lambda n: (0.5 + 2.4142 * s(n)) / (1.5 + 1.4142 * s(n)))
out["frc"] = []
for width in (0, 6):
    corr, n, bins = frc(fixed, other, width)
    out["frc"].append(dict(taper=width, corr=corr.tolist(), n=n.tolist(),
                           crossing={k: crossing(corr, f(n), bins) for k, f in limits.items()}))

k = rng.poisson(rng.gamma(0.5, 40, 60)).astype(float)
lam = np.float32(np.abs(k + np.sqrt(k + 1) * rng.standard_normal(60)))
k[[3, 17, 18, 59]] = -1
m = k >= 0
a, b, eps = np.sqrt(k[m]), np.sqrt(lam[m].astype(float)), 1e-3
out["fit"] = dict(
    k=k.tolist(), lam=lam.astype(float).tolist(), epsilon=eps, pixels=int(m.sum()), counts=(a * a).sum(),
    error=((a - b) ** 2).sum() / (a * a).sum(), r=abs(a - b).sum() / a.sum(),
    excess=(lam[m].astype(float) + eps - k[m] + rel_entr(k[m], lam[m].astype(float) + eps)).mean())
(pathlib.Path(__file__).parent / "frc.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
