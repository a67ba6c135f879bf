"""Just enough of ELF64 to say what an image maps and what it asks for."""

import struct
from dataclasses import dataclass

PT_LOAD, PT_DYNAMIC = 1, 2
EXECUTE, WRITE = 1, 2
DT_NULL, DT_NEEDED, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ = 0, 1, 4, 5, 6, 10
DT_RELA, DT_REL, DT_TEXTREL, DT_JMPREL, DT_RELR = 7, 17, 22, 23, 36
RELOCATIONS = {DT_RELA: "RELA", DT_REL: "REL", DT_TEXTREL: "TEXTREL", DT_JMPREL: "JMPREL", DT_RELR: "RELR"}
SHT_SYMTAB, SHT_DYNSYM = 2, 11


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
        program_offset, section_offset = struct.unpack_from("<QQ", data, 32)
        size, count, section_size, section_count = struct.unpack_from("<HHHH", data, 54)
        self.segments = []
        for index in range(count):
            kind, flags, offset, address, _, file_size, memory_size, alignment = struct.unpack_from(
                "<IIQQQQQQ", data, program_offset + index * size)
            self.segments.append(Segment(kind, flags, offset, address, file_size, memory_size, alignment))
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", data, section_offset + index * section_size)
                         for index in range(section_count)]

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

    def symbols(self) -> list[tuple[str, bool]]:
        """(name, whether it is defined) of every named symbol."""
        found = []
        for section in self.sections:
            if section[1] not in (SHT_SYMTAB, SHT_DYNSYM):
                continue
            names = self.sections[section[6]][4]
            for offset in range(section[4], section[4] + section[5], 24):
                name, _, _, index, _, _ = struct.unpack_from("<IBBHQQ", self.data, offset)
                if name:
                    end = self.data.index(b"\0", names + name)
                    found.append((self.data[names + name:end].decode(), index != 0))
        return found
