"""Writes the golden files beside it. Run with numpy 1.24: python3 gen.py

Element k in C order of every (2, 3, 4) array is
    u: k    i: k - 5    f: k/2 - 3    c: (k/2 - 3) + (k - 7)i    b: k % 3 == 0    U: "é<k>"    S: "s<k>"
"""

import io
import os
import pickle
import zipfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SHAPE = (2, 3, 4)


def values(dtype):
    k = np.arange(24)
    kind = np.dtype(dtype).kind
    v = {
        "u": k, "i": k - 5, "f": k / 2 - 3, "c": (k / 2 - 3) + 1j * (k - 7), "b": k % 3 == 0,
        "U": np.array(["é%d" % i for i in k]), "S": np.array([b"s%d" % i for i in k]),
    }[kind]
    return v.astype(dtype).reshape(SHAPE)


def write(name, members):
    with zipfile.ZipFile(os.path.join(HERE, name), "w", zipfile.ZIP_DEFLATED) as z:
        for key, raw in members.items():
            z.writestr(zipfile.ZipInfo(key + ".npy"), raw, zipfile.ZIP_DEFLATED)


def npy(a, version=None):
    b = io.BytesIO()
    np.lib.format.write_array(b, a, version=version)
    return b.getvalue()


def dtypes():
    out = {}
    for t in "f2 f4 f8 c8 c16 i1 i2 i4 i8 u1 u2 u4 u8 b1 U3 S3".split():
        for order, end in (("<", "le"), (">", "be")):
            a = values(order + t)
            out["%s_%s_C" % (t, end)] = npy(a)
            out["%s_%s_F" % (t, end)] = npy(np.asfortranarray(a))
    return out


def shapes():
    return {
        "scalar": npy(np.float64(2.5)),
        "one": npy(np.array([7], dtype="i4")),
        "empty": npy(np.zeros((0, 64, 64), dtype="f4")),
        "v2": npy(values("f4"), (2, 0)),
        "v3": npy(values("f4"), (3, 0)),
        "text": npy(np.array('{"domain": "counts"}')),
        "bytes": npy(np.array(b'{"domain": "counts"}')),
        "halves": npy(np.array([0, 2**-24, 1, -2, 65504, np.inf, -np.inf, np.nan], dtype="f2")),
        "special": npy(np.array([np.nan, np.inf, -np.inf, -0.0], dtype="f4")),
    }


def pickles():
    out = {}
    head = npy(np.array("x", dtype=object)).split(b"\n", 1)[0] + b"\n"
    for protocol in range(6):
        for name, value in (("str", '{"note": "µ' + "\u20ac" + '\\u"}'), ("long", "x" * 70000)):
            out["%s_p%d" % (name, protocol)] = head + pickle.dumps(np.array(value, dtype=object), protocol)
        out["bare_p%d" % protocol] = head + pickle.dumps("bare", protocol)
    out["dict"] = head + pickle.dumps(np.array({"a": 1}, dtype=object), 3)
    out["call"] = head + b"cos\nsystem\n(S'echo'\ntR."
    out["list"] = npy(np.array(["a", None], dtype=object))
    out["record"] = npy(np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]))
    out["date"] = npy(np.array(["2020-01-01"], dtype="M8[D]"))
    out["long_double"] = npy(np.zeros(2, dtype=np.longdouble))
    # Python 2's numpy: native str with STRING and BINSTRING opcodes.
    out["python2"] = head + b"S'it\\'s \\xe9'\np0\n."
    out["python2_bin"] = head + b"U\x04textq\x00."
    return out


write("dtypes.npz", dtypes())
write("shapes.npz", shapes())
write("pickles.npz", pickles())
np.savez_compressed(os.path.join(HERE, "savez_compressed.npz"), diffraction=values("u2"), x=np.arange(3.0))
np.savez(os.path.join(HERE, "savez.npz"), diffraction=values("u2"), x=np.arange(3.0))
