"""Golden values of package metrics: writes metrics.json beside itself (NumPy, SciPy, scikit-image)."""
import json
import pathlib

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


def ssim_gauss(a, b, span):
    g = lambda z: gaussian_filter(z, 1.5, truncate=3.5)
    ma, mb = g(a), g(b)
    va, vb, cab = g(a * a) - ma * ma, g(b * b) - mb * mb, g(a * b) - ma * mb
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    s = ((2 * ma * mb + c1) * (2 * cab + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
    return s[5:-5, 5:-5].mean()


def remove_plane(R, T):
    """Gauss-Newton on the phase of conj(R) T, weighted with its modulus, from a plane of zero."""
    yy, xx = np.mgrid[:R.shape[0], :R.shape[1]]
    A = np.stack([yy, xx, np.ones_like(xx)], -1).reshape(-1, 3) / max(R.shape)
    D, slope = R.conj() * T, np.zeros(2)
    for _ in range(40):
        D2 = D * np.exp(-1j * np.angle(D.sum()))
        w = np.sqrt(abs(D2)).ravel()
        s = np.linalg.lstsq(A * w[:, None], w * np.angle(D2).ravel(), rcond=None)[0][:2] / max(R.shape)
        e = np.exp(1j * (s[0] * yy + s[1] * xx))
        D, R, slope = D * e.conj(), R * e, slope - s
    return R, slope


def span(a):
    return a.max() - a.min()


def scores(R, T, plane):
    before, slope = R, np.zeros(2)
    if plane:
        R, slope = remove_plane(R, T)
    g = (R.conj() * T).sum() / (abs(R) ** 2).sum()
    R = R * g
    aR, aT, pe = abs(R), abs(T), np.angle(R * T.conj())
    pT = np.angle(T * np.exp(-1j * np.angle(T.mean())))
    pR = pT + pe
    return dict(
        e=np.linalg.norm(R - T) / np.linalg.norm(T), amp_mae=abs(aR - aT).mean(),
        amp_psnr=peak_signal_noise_ratio(aT, aR, data_range=1),
        amp_ssim=ssim_gauss(aR, aT, span(aT)), amp_ssim7=structural_similarity(aT, aR, data_range=span(aT)),
        phase_mae=abs(pe).mean(), phase_rms=np.sqrt((pe ** 2).mean()),
        phase_ssim=ssim_gauss(pR, pT, span(pT)), phase_ssim7=structural_similarity(pT, pR, data_range=span(pT)),
        pearson=np.corrcoef(aR.ravel(), aT.ravel())[0, 1],
        spread=abs(before).std() / abs(before).mean(), truth_spread=aT.std() / aT.mean(),
        scale=abs(g), ramp_y=slope[0], ramp_x=slope[1],
    )


def parts(z):
    return dict(re=z.real.ravel().tolist(), im=z.imag.ravel().tolist())


rng = np.random.default_rng(7)
rows, cols = 37, 46
smooth = lambda s: (lambda z: z / abs(z).max())(gaussian_filter(rng.standard_normal((rows, cols)), s))
T = (1 + 0.4 * smooth(2)) * np.exp(1j * 1.6 * smooth(3))
R = T + 0.06 * (rng.standard_normal(T.shape) + 1j * rng.standard_normal(T.shape))
yy, xx = np.mgrid[:rows, :cols]
R = R * 1.7 * np.exp(1j * (2.1 + 0.02 * yy - 0.035 * xx))
T, R = np.round(T, 5), np.round(R, 5)
out = dict(rows=rows, cols=cols, truth=parts(T), rec=parts(R))
g = (R.conj() * T).sum() / (abs(R) ** 2).sum()
out["gauge"] = [g.real, g.imag]
for key, plane in (("factor", False), ("plane", True)):
    out[key] = scores(R, T, plane)
a, b = T.real, R.imag
out["ssim"] = dict(gauss=ssim_gauss(a, b, 2.5), uniform=structural_similarity(a, b, data_range=2.5))
out["mae"], out["mse"] = abs(a - b).mean(), ((a - b) ** 2).mean()
out["pearson"] = np.corrcoef(a.ravel(), b.ravel())[0, 1]
(pathlib.Path(__file__).parent / "metrics.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
