"""Just enough of ELF64 to say what an image maps and what it asks for."""

import struct
from dataclasses import dataclass

PT_LOAD, PT_DYNAMIC = 1, 2
EXECUTE, WRITE = 1, 2
DT_NULL, DT_NEEDED, DT_HASH, DT_STRTAB, DT_SYMTAB = 0, 1, 4, 5, 6
DT_RELA, DT_REL, DT_TEXTREL, DT_JMPREL, DT_RELR = 7, 17, 22, 23, 36
RELOCATIONS = {DT_RELA: "RELA", DT_REL: "REL", DT_TEXTREL: "TEXTREL", DT_JMPREL: "JMPREL", DT_RELR: "RELR"}


@dataclass
class Segment:
    kind: int
    flags: int
    offset: int
    address: int
    file_size: int
    memory_size: int
    alignment: int


class Image:
    def __init__(self, data: bytes):
        assert data[:4] == b"\x7fELF" and data[4] == 2 and data[5] == 1, "not a little-endian ELF64"
        self.data = data
        _, self.machine = struct.unpack_from("<HH", data, 16)
        (program_offset,) = struct.unpack_from("<Q", data, 32)
        size, count = struct.unpack_from("<HH", data, 54)
        self.segments = []
        for index in range(count):
            kind, flags, offset, address, _, file_size, memory_size, alignment = struct.unpack_from(
                "<IIQQQQQQ", data, program_offset + index * size)
            self.segments.append(Segment(kind, flags, offset, address, file_size, memory_size, alignment))

    def loaded(self) -> list[Segment]:
        return [segment for segment in self.segments if segment.kind == PT_LOAD]

    def dynamic(self) -> dict[int, int]:
        """The entries of the dynamic segment: tag -> value."""
        entries = {}
        for segment in self.segments:
            if segment.kind == PT_DYNAMIC:
                for offset in range(segment.offset, segment.offset + segment.file_size, 16):
                    tag, value = struct.unpack_from("<QQ", self.data, offset)
                    if tag == DT_NULL:
                        break
                    entries[tag] = value
        return entries

    def offset_of(self, address: int) -> int:
        for segment in self.loaded():
            if segment.address <= address < segment.address + segment.file_size:
                return segment.offset + address - segment.address
        raise AssertionError(f"address {address:#x} is outside the loadable segments")

    def symbols(self) -> list[tuple[str, bool]]:
        """(name, whether it is defined) of every symbol a loader can see."""
        dynamic = self.dynamic()
        table, names, hashes = (self.offset_of(dynamic[tag]) for tag in (DT_SYMTAB, DT_STRTAB, DT_HASH))
        (count,) = struct.unpack_from("<I", self.data, hashes + 4)
        found = []
        for offset in range(table + 24, table + 24 * count, 24):
            name, _, _, index, _, _ = struct.unpack_from("<IBBHQQ", self.data, offset)
            end = self.data.index(b"\0", names + name)
            found.append((self.data[names + name:end].decode(), index != 0))
        return found
