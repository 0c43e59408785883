"""Print what numpy finds in files that ptycho wrote, as JSON."""
import hashlib, json, struct, sys
import numpy as np

def arrays(path):
    with np.load(path, allow_pickle=False) as z:
        return {k: z[k] for k in z.files}, {}

def tensors(path):
    raw = open(path, "rb").read()
    (n,) = struct.unpack("<Q", raw[:8])
    head, payload = json.loads(raw[8 : 8 + n]), raw[8 + n :]
    meta = head.pop("__metadata__")
    assert hashlib.sha256(payload).hexdigest() == meta["sha256"]
    assert {t["dtype"] for t in head.values()} == {"F32"}
    return {k: np.frombuffer(payload[slice(*t["data_offsets"])], "<f4").reshape(t["shape"]) for k, t in head.items()}, meta

def describe(a):
    if a.dtype.kind == "U":
        return {"dtype": a.dtype.kind, "shape": a.shape, "text": str(a)}
    f, z = np.atleast_1d(a).ravel(), complex
    return {"dtype": a.dtype.str, "shape": a.shape, "sum": float(np.abs(f.astype(z)).sum()),
            "ends": [f[0].real.item(), f[0].imag.item(), f[-1].real.item(), f[-1].imag.item()]}

found, meta = (tensors if sys.argv[1].endswith(".safetensors") else arrays)(sys.argv[1])
json.dump({"arrays": {k: describe(a) for k, a in found.items()}, "meta": meta}, sys.stdout)
