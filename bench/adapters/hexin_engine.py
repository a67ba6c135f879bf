"""Hexin, on one device, from an artifact that was compiled before."""

import hexin


class Engine:
    def __init__(self, path: str, threads: int, device: str) -> None:
        self._session = hexin.Session(path, device=device, threads=threads)

    def bind(self, values: dict) -> None:
        self._values = values

    def run(self):
        return self._session.run(self._values)

    def outputs(self) -> dict:
        return dict(self.run())
