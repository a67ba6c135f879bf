"""Sequences, optionals, strings, pictures: values of the host."""

import io

import numpy as np
from onnx import helper

from operators.case import Case, element_type
from operators.registry import strategy

FLOAT = np.dtype(np.float32)


def pieces(draw, kind, least=1):
    rank = draw.int(1, 2)
    return [draw.values(draw.shape(rank, rank, least=1, most=4), kind) for _ in range(draw.int(least, 4))]


def kind_of(draw):
    return draw.pick([FLOAT, np.dtype(np.int64), np.dtype(np.float64), np.dtype(bool)])


@strategy("SequenceConstruct")
def construct(draw):
    return Case("SequenceConstruct", pieces(draw, kind_of(draw)), reference=lambda *x: [list(x)])


@strategy("SequenceEmpty")
def empty(draw):
    return Case("SequenceEmpty", [], {"dtype": element_type(kind_of(draw))} if draw.flag() else {}, reference=lambda: [[]])


@strategy("SequenceAt", "SequenceErase")
def at(draw):
    x = pieces(draw, kind_of(draw))
    i = draw.int(-len(x), len(x) - 1)
    given = draw.op == "SequenceAt" or draw.flag()
    i = i if given else -1

    def reference(x, *_):
        return x[i] if draw.op == "SequenceAt" else [[p for n, p in enumerate(x) if n != i % len(x)]]

    return Case(draw.op, [x] + ([np.array(i, draw.pick([np.int64, np.int32]))] if given else []), reference=reference)


@strategy("SequenceInsert")
def insert(draw):
    x = pieces(draw, FLOAT)
    new = draw.values(x[0].shape, FLOAT)
    i = draw.int(-len(x), len(x)) if draw.flag() else None
    place = len(x) if i is None else i if i >= 0 else i + len(x)
    return Case("SequenceInsert", [x, new] + ([] if i is None else [np.array(i, np.int64)]),
                reference=lambda x, new, *_: [[*x[:place], new, *x[place:]]])


@strategy("SequenceLength")
def length(draw):
    return Case("SequenceLength", [pieces(draw, kind_of(draw))], reference=lambda x: np.array(len(x), np.int64))


@strategy("SplitToSequence")
def split(draw):
    shape, attributes = draw.shape(1, 3, least=1), {}
    axis = draw.maybe(attributes, "axis", draw.axis(len(shape))) or 0
    keep = draw.maybe(attributes, "keepdims", draw.int(0, 1))
    how = draw.pick(["ones", "chunk", "sizes"])
    x = draw.values(shape, draw.dtype(without=["tensor(bfloat16)", "tensor(string)", "tensor(complex64)"]))
    size = shape[axis]
    if how == "ones":
        inputs, edges = [x], np.arange(1, size)
    elif how == "chunk":
        chunk = draw.int(1, size)
        inputs, edges = [x, np.array(chunk, np.int64)], np.arange(chunk, size, chunk)
    else:
        first = draw.int(0, size)
        inputs, edges = [x, np.array([first, size - first], np.int64)], [first]

    def reference(x, *_):
        parts = np.split(x, edges, axis)
        return [[np.squeeze(p, axis) if how == "ones" and keep == 0 else p for p in parts]]

    return Case("SplitToSequence", inputs, attributes, reference=reference)


@strategy("ConcatFromSequence")
def concat(draw):
    shape, attributes, kind = draw.shape(1, 3, least=1), {}, kind_of(draw)
    new = draw.maybe(attributes, "new_axis", draw.int(0, 1)) or 0
    axis = draw.axis(len(shape) + new)
    attributes["axis"] = axis
    x = [draw.values(shape, kind) for _ in range(draw.int(1, 3))]
    return Case("ConcatFromSequence", [x], attributes, reference=lambda x: np.stack(x, axis) if new else np.concatenate(x, axis))


def _optional_type(kind):
    return helper.make_optional_type_proto(helper.make_tensor_type_proto(element_type(kind), [None]))


@strategy("Optional")
def optional(draw):
    x = draw.values((draw.dim(1),), FLOAT)
    if draw.flag():
        return Case("Optional", [], {"type": helper.make_tensor_type_proto(element_type(FLOAT), [None])}, reference=lambda: [None])
    return Case("Optional", [x], reference=lambda x: x)


@strategy("OptionalGetElement", "OptionalHasElement")
def of_optional(draw):
    x = draw.values((draw.dim(1),), FLOAT)
    has = draw.op == "OptionalHasElement"
    how = draw.pick(["optional", "empty" if has else "optional", "tensor" if draw.since >= 18 else "optional",
                     "nothing" if has and draw.since >= 18 else "optional"])
    inputs, types = {"optional": ([x], {0: _optional_type(FLOAT)}), "empty": ([None], {0: _optional_type(FLOAT)}),
                     "tensor": ([x], {}), "nothing": ([], {})}[how]
    return Case(draw.op, inputs, types=types, reference=lambda *_: np.array(how in ("optional", "tensor")) if has else x)


def texts(draw, shape, words):
    picks = draw.rng().integers(0, len(words), int(np.prod(shape)))
    return np.array([words[i] for i in picks], object).reshape(shape)


@strategy("StringConcat")
def string_concat(draw):
    shape = draw.shape()
    a, b = (draw.values(draw.broadcast(shape), np.object_) for _ in range(2))
    return Case("StringConcat", [a, b], reference=lambda a, b: np.asarray(a + b, object))


@strategy("StringSplit")
def string_split(draw):
    attributes = {}
    delimiter = draw.maybe(attributes, "delimiter", draw.pick([",", "ab", ""]))
    most = draw.maybe(attributes, "maxsplit", draw.int(1, 3))
    # How many parts an empty text has, engines disagree about.
    x = texts(draw, draw.shape(1, 2, least=1), ["" if not delimiter else "x", "a,b,c", "  x  y ", "abcab", ",", "Wort", "a b,c ab"])

    def reference(x):
        split = [(s if delimiter else s.strip()).split(delimiter or None, -1 if most is None else most) for s in x.ravel()]
        widest = max(map(len, split), default=0)
        y = np.array([w + [""] * (widest - len(w)) for w in split], object).reshape(*x.shape, widest)
        return y, np.array([len(w) for w in split], np.int64).reshape(x.shape)

    return Case("StringSplit", [x], attributes, 2, reference=reference)


@strategy("StringNormalizer")
def string_normalizer(draw):
    attributes = {}
    change = draw.maybe(attributes, "case_change_action", draw.pick(["LOWER", "UPPER", "NONE"])) or "NONE"
    sensitive = draw.maybe(attributes, "is_case_sensitive", draw.int(0, 1)) or 0
    stop = draw.maybe(attributes, "stopwords", ["monday", "Tuesday"]) or []
    x = texts(draw, (draw.dim(1, 5),), ["monday", "Monday", "tuesday", "Tuesday", "friday"])

    def reference(x):
        fold = (lambda s: s) if sensitive else str.lower
        stops = {fold(s) for s in stop}
        kept = [s for s in x if fold(s) not in stops] or [""]
        changed = [s.lower() if change == "LOWER" else s.upper() if change == "UPPER" else s for s in kept]
        return np.array(changed, object)

    return Case("StringNormalizer", [x], attributes, reference=reference)


@strategy("RegexFullMatch")
def regex(draw):
    import re
    pattern = draw.pick([r"[a-z]+", r"(\w+)@(\w+)\.com", r"a|bc", r"", r"\d{2,3}x?"])
    x = texts(draw, draw.shape(0, 2, least=1), ["abc", "me@home.com", "12x", "1234", "", "a", "bc", "A"])
    return Case("RegexFullMatch", [x], {"pattern": pattern},
                reference=lambda x: np.array([re.fullmatch(pattern, s) is not None for s in x.ravel()], bool).reshape(x.shape))


@strategy("TfIdfVectorizer")
def tfidf(draw):
    attributes = {"mode": draw.pick(["TF", "IDF", "TFIDF"]), "min_gram_length": 1, "max_gram_length": 2, "max_skip_count": draw.int(0, 2),
                  "ngram_counts": [0, 4], "ngram_indexes": [0, 1, 2, 3, 4, 5, 6], "pool_int64s": [2, 3, 5, 4, 5, 6, 7, 8, 6, 7]}
    draw.maybe(attributes, "weights", [1.0, 2.0, 3.0, 4.0, 0.5, 0.25, 2.5])
    shape = draw.shape(1, 2, least=1)
    return Case("TfIdfVectorizer", [draw.values(shape, draw.pick([np.int32, np.int64]), 2, 8)], attributes)


@strategy("ImageDecoder")
def image_decoder(draw):
    from PIL import Image
    attributes, format = {}, draw.pick(["PNG", "BMP", "PPM"])
    pixels = draw.rng().integers(0, 256, (draw.dim(1), draw.dim(1), 3)).astype(np.uint8)
    order = draw.maybe(attributes, "pixel_format", draw.pick(["RGB", "BGR"])) or "RGB"
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format)
    return Case("ImageDecoder", [np.frombuffer(stream.getvalue(), np.uint8)], attributes,
                reference=lambda _: pixels if order == "RGB" else pixels[..., ::-1])
