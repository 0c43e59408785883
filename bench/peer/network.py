"""The network and the training step of ptycho, as a user of PyTorch writes them."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

ENCODER = {64: (32, 64, 128), 128: (16, 32, 64, 128), 256: (8, 16, 32, 64, 128)}
DECODER = {64: (64, 32), 128: (128, 64, 32), 256: (256, 128, 64, 32)}
BORDER = 4  # channels of a decoder that make the border of the object


class Double(nn.Module):
    """Two 3×3 convolutions with ReLU."""

    def __init__(self, cin, cout):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, padding=1)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))))


class Decoder(nn.Module):
    def __init__(self, n, latent, scale, outputs, activation):
        super().__init__()
        filters = [latent] + [scale * f for f in DECODER[n]]
        wide = scale * 2048 // n
        self.n, self.activation = n, activation
        self.stages = nn.ModuleList(Double(a, b) for a, b in zip(filters, filters[1:]))
        self.centre = nn.Conv2d(filters[-1] - BORDER, outputs, 3, padding=1)
        self.border = Double(BORDER, wide)
        self.border_out = nn.Conv2d(wide, outputs, 3, padding=1)
        mask = torch.ones(n, n)
        mask[n // 4 : -n // 4, n // 4 : -n // 4] = 0
        self.register_buffer("outside", mask, persistent=False)

    def forward(self, x):
        for stage in self.stages:
            x = F.interpolate(stage(x), scale_factor=2.0)
        q = self.n // 4
        inner = self.activation(self.centre(x[:, :-BORDER]))
        outer = F.silu(self.border_out(F.interpolate(self.border(x[:, -BORDER:]), scale_factor=2.0)))
        return F.pad(inner, (q, q, q, q)) + outer * self.outside


class Network(nn.Module):
    """Diffraction amplitudes [B,C,N,N] to amplitude and phase of the object, [B,C,N,N] each."""

    def __init__(self, n, gridsize, scale):
        super().__init__()
        channels = gridsize**2
        filters = [channels] + [scale * f for f in ENCODER[n]]
        self.encoder = nn.ModuleList(Double(a, b) for a, b in zip(filters, filters[1:]))
        self.amplitude = Decoder(n, filters[-1], scale, channels, torch.sigmoid)
        self.phase = Decoder(n, filters[-1], scale, channels, lambda z: math.pi * torch.tanh(z))

    def forward(self, x):
        for stage in self.encoder:
            x = F.max_pool2d(stage(x), 2)
        return self.amplitude(x), self.phase(x)


def translate(images, offsets):
    """Bilinear translation of [K,2,M,M] by offsets [K,2] (x, y): out(p) = in(p + offset), zero outside."""
    k, _, m, _ = images.shape
    theta = images.new_zeros(k, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = 1
    theta[:, :, 2] = offsets * (2 / (m - 1))
    grid = F.affine_grid(theta, (k, 2, m, m), align_corners=True)
    return F.grid_sample(images, grid, align_corners=True)


class Model(nn.Module):
    """The network before the diffraction physics: expected photon counts of every frame."""

    def __init__(self, network, probe, offsets, canvas):
        super().__init__()
        self.network = network
        self.n, self.canvas = probe.shape[-1], canvas
        self.register_buffer("probe", torch.view_as_real(probe).contiguous())
        self.register_buffer("offsets", offsets)
        weight = (self.probe**2).sum(-1)
        self.register_buffer("weight", torch.stack((weight, weight)))

    def merged(self, field):
        """Merge the patches of each group, weighted with the probe's power, and cut them out again."""
        b, c, _, n, _ = field.shape
        m, q = self.canvas, (self.canvas - self.n) // 2
        off = self.offsets[:b].reshape(b * c, 2)
        weighted = (field * self.weight).reshape(b * c, 2, n, n)
        total = translate(F.pad(weighted, (q, q, q, q)), -off).view(b, c, 2, m, m).sum(1)
        with torch.no_grad():
            cover = self.weight.expand(b * c, 2, n, n)
            cover = translate(F.pad(cover, (q, q, q, q)), -off).view(b, c, 2, m, m).sum(1)
        canvas = total / (cover + 1e-3)
        every = canvas[:, None].expand(b, c, 2, m, m).reshape(b * c, 2, m, m)
        return translate(every, off)[..., q : q + n, q : q + n].reshape(b, c, 2, n, n)

    def forward(self, x, scale):
        amplitude, phase = self.network(x)
        field = torch.stack((amplitude * torch.cos(phase), amplitude * torch.sin(phase)), 2)
        if field.shape[1] > 1:
            field = self.merged(field)
        wave = torch.view_as_complex(field.permute(0, 1, 3, 4, 2).contiguous()) * torch.view_as_complex(self.probe)
        far = torch.fft.fftshift(torch.fft.fft2(wave, norm="ortho"), dim=(-2, -1))
        return scale**2 * (far.real**2 + far.imag**2)


def poisson(expected, counts):
    """The Poisson negative log-likelihood, without the terms that the expectation does not change."""
    return (expected - counts * torch.log(expected + 1e-6)).mean()
