"""Products. Bound: one rounding per product and sum of the depth K, of Σ|a|·|b|."""

import numpy as np

from operators.case import EXACT, Bound, Case, is_float
from operators.families.elementwise import wide, wrapped
from operators.registry import strategy


@strategy("MatMul")
def matmul(draw):
    kind, depth = draw.dtype(), draw.dim()
    batch = draw.shape(0, 2, most=3)
    a = [*draw.broadcast(batch), draw.dim(), depth]
    b = [*draw.broadcast(batch), depth, draw.dim()]
    if draw.flag(5):
        a = [depth]
    if draw.flag(5):
        b = [depth]
    bound = Bound(1, depth + 1, "linear") if is_float(kind) else EXACT

    def reference(a, b):
        return wrapped(np.matmul(wide(a), wide(b)), a)

    return Case("MatMul", [draw.values(a, kind), draw.values(b, kind)], constants=draw.constants(1), bound=bound, reference=reference)


@strategy("Gemm")
def gemm(draw):
    kind, m, n, k, attributes = draw.dtype(), draw.dim(), draw.dim(), draw.dim(), {}
    ta, tb = draw.maybe(attributes, "transA", 1), draw.maybe(attributes, "transB", 1)
    alpha = draw.maybe(attributes, "alpha", 2.0 if not is_float(kind) else 0.5) or 1.0
    beta = draw.maybe(attributes, "beta", 2.0 if not is_float(kind) else 1.5) or 1.0
    c_shape = draw.broadcast((m, n)) if draw.since >= 7 else (m, n)
    if draw.since < 7 and draw.flag():
        attributes["broadcast"], c_shape = 1, (n,)
    inputs = [draw.values((k, m) if ta else (m, k), kind), draw.values((n, k) if tb else (k, n), kind)]
    if draw.since < 11 or draw.flag():
        inputs.append(draw.values(c_shape, kind))

    def reference(a, b, c=None):
        y = alpha * (wide(a).T if ta else wide(a)) @ (wide(b).T if tb else wide(b))
        y = y if c is None else y + beta * wide(c)
        return wrapped(y, a)

    return Case("Gemm", inputs, attributes, constants=draw.constants(1), bound=Bound(2, k + 4, "linear") if is_float(kind) else EXACT,
                reference=reference)


@strategy("Einsum")
def einsum(draw):
    sizes = {letter: draw.dim(1, 5) for letter in "bijkl"}
    equation = draw.pick(["ij,jk->ik", "bij,bjk->bik", "ij->ji", "ij->", "i,j->ij", "ii->i", "bii->b", "ij,jk,kl->il", "bij,bij->bi",
                          "ij,ij", "i j -> j i", "...ij,...jk->...ik", "ijk,jil->kl"])
    terms = equation.replace(" ", "").split("->")[0].split(",")
    kind = draw.dtype(without=["tensor(bfloat16)"])
    values = [draw.values([sizes[c] for c in term.replace("...", "b")], kind) for term in terms]
    terms_summed = int(np.prod([sizes[c] for c in "ijkl"]))
    return Case("Einsum", values, {"equation": equation}, bound=Bound(3, terms_summed, "linear") if is_float(kind) else EXACT,
                reference=lambda *v: wrapped(np.einsum(equation, *map(wide, v)), v[0]))


@strategy("MatMulInteger")
def matmul_integer(draw):
    a_kind, b_kind = draw.dtype("T1"), draw.dtype("T2")
    batch, m, k, n = draw.shape(0, 2, most=3), draw.dim(1), draw.dim(1, 33), draw.dim(1)
    a, b = draw.values((*batch, m, k), a_kind, -128, 255), draw.values((*batch, k, n), b_kind, -128, 255)
    a_zero = draw.values((m,) if draw.flag() and not batch else (), a_kind, -3, 200) if draw.flag() else None
    b_zero = draw.values((n,) if draw.flag() and not batch else (), b_kind, -3, 200) if draw.flag() else None

    def reference(a, b, az=np.int8(0), bz=np.int8(0)):
        az, bz = (np.zeros((), np.int64) if z is None else z.astype(np.int64) for z in (az, bz))
        return np.matmul(a.astype(np.int64) - (az[:, None] if az.ndim else az), b.astype(np.int64) - bz).astype(np.int32)

    return Case("MatMulInteger", [a, b, a_zero, b_zero], constants=draw.constants(1), reference=reference)


@strategy("QLinearMatMul")
def qlinear_matmul(draw):
    def kind(parameter):
        found = draw.dtype(parameter)
        return found if found.kind in "iu" else np.dtype(np.int8)

    k = draw.dim(1, 17)
    scale_kind = draw.dtype("TS") if draw.since >= 21 else np.dtype(np.float32)
    a, b, out = kind("T1"), kind("T2"), kind("T3")
    scale = lambda low, high: np.array(draw.rng().uniform(low, high), scale_kind)  # noqa: E731
    zero = lambda kind: draw.values((), kind, -3, 3)  # noqa: E731
    inputs = [draw.values((draw.dim(1), k), a, -128, 255), scale(0.01, 0.1), zero(a),
              draw.values((k, draw.dim(1)), b, -128, 255), scale(0.01, 0.1), zero(b), scale(0.1, 1), zero(out)]

    def reference(a, sa, za, b, sb, zb, sy, zy):
        total = (a.astype(np.int64) - za.astype(np.int64)) @ (b.astype(np.int64) - zb.astype(np.int64))
        result = np.rint(total * (sa.astype(np.float64) * sb.astype(np.float64) / sy.astype(np.float64))) + zy.astype(np.int64)
        return np.clip(result, np.iinfo(out).min, np.iinfo(out).max).astype(out)

    # The scale is rounded to f32: what lies at a tie goes either way.
    return Case("QLinearMatMul", inputs, constants=draw.constants(3) | {1, 2, 4, 5, 6, 7}, bound=Bound(steps=1), reference=reference)
